// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/tls/certificate.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "ids/protocols/tls/der_reader.h"
#include "ids/protocols/tls/digest_text.h"
#include "net/address.h"

namespace masugata::ids {
namespace {

using der::Element;
using der::Reader;
using namespace std::string_view_literals;

struct AttributeName {
  std::string_view identifier;  // content of the object identifier
  std::string_view name;
};

constexpr std::array kAttributeNames{
    AttributeName{"\x55\x04\x03"sv, "CN"},
    AttributeName{"\x55\x04\x04"sv, "SN"},
    AttributeName{"\x55\x04\x05"sv, "serialNumber"},
    AttributeName{"\x55\x04\x06"sv, "C"},
    AttributeName{"\x55\x04\x07"sv, "L"},
    AttributeName{"\x55\x04\x08"sv, "ST"},
    AttributeName{"\x55\x04\x09"sv, "street"},
    AttributeName{"\x55\x04\x0a"sv, "O"},
    AttributeName{"\x55\x04\x0b"sv, "OU"},
    AttributeName{"\x55\x04\x0c"sv, "title"},
    AttributeName{"\x55\x04\x0d"sv, "description"},
    AttributeName{"\x55\x04\x0f"sv, "businessCategory"},
    AttributeName{"\x55\x04\x11"sv, "postalCode"},
    AttributeName{"\x55\x04\x29"sv, "name"},
    AttributeName{"\x55\x04\x2a"sv, "GN"},
    AttributeName{"\x55\x04\x2b"sv, "initials"},
    AttributeName{"\x55\x04\x2e"sv, "dnQualifier"},
    AttributeName{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"sv, "emailAddress"},
    AttributeName{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02"sv, "unstructuredName"},
    AttributeName{"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"sv, "DC"},
    AttributeName{"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"sv, "UID"},
    AttributeName{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01"sv, "jurisdictionL"},
    AttributeName{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02"sv, "jurisdictionST"},
    AttributeName{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03"sv, "jurisdictionC"},
};

std::string_view text_of(std::span<const uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// "1.2.840.113549"
std::string dotted(std::span<const uint8_t> identifier) {
  std::string text;
  uint64_t arc = 0;
  for (const uint8_t byte : identifier) {
    arc = (arc & 0xffffffffffffffU) << 7U | (byte & 0x7fU);
    if ((byte & 0x80U) != 0) continue;
    if (text.empty()) {
      const uint64_t first = std::min<uint64_t>(arc / 40, 2);
      text = std::to_string(first) + '.' + std::to_string(arc - first * 40);
    } else {
      text += '.' + std::to_string(arc);
    }
    arc = 0;
  }
  return text;
}

void append_utf8(uint32_t point, std::string& text) {
  auto push = [&text](uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    push(point);
  } else if (point < 0x800) {
    push(0xc0U | point >> 6U);
    push(0x80U | (point & 0x3fU));
  } else if (point < 0x10000) {
    push(0xe0U | point >> 12U);
    push(0x80U | (point >> 6U & 0x3fU));
    push(0x80U | (point & 0x3fU));
  } else {
    push(0xf0U | (point >> 18U & 7U));
    push(0x80U | (point >> 12U & 0x3fU));
    push(0x80U | (point >> 6U & 0x3fU));
    push(0x80U | (point & 0x3fU));
  }
}

void append_value(const Element& value, std::string& text) {
  if (value.tag != der::kBmpString && value.tag != der::kUniversalString) {
    text += text_of(value.content);
    return;
  }
  ByteReader reader{value.content};
  const size_t width = value.tag == der::kBmpString ? 2 : 4;
  while (reader.left() >= width) append_utf8(width == 2 ? reader.u16() : reader.u32(), text);
}

bool append_attribute(std::span<const uint8_t> attribute, std::string& text) {
  Reader reader{attribute};
  Element type;
  Element value;
  if (!reader.next_if(der::kObjectIdentifier, type) || !reader.next(value)) return false;
  const auto* const known =
      std::find_if(kAttributeNames.begin(), kAttributeNames.end(),
                   [&type](const auto& each) { return each.identifier == text_of(type.content); });
  text += known != kAttributeNames.end() ? std::string{known->name} : dotted(type.content);
  text += '=';
  append_value(value, text);
  return true;
}

// RFC 5280 section 4.1.2.4: a sequence of sets of attributes.
bool read_name(std::span<const uint8_t> name, std::string& text) {
  Reader sets{name};
  Element set;
  while (!sets.at_end()) {
    if (!sets.next_if(der::kSet, set)) return false;
    Reader attributes{set.content};
    Element attribute;
    bool first = true;
    while (!attributes.at_end()) {
      if (!attributes.next_if(der::kSequence, attribute)) return false;
      if (!text.empty()) text += first ? ", " : " + ";
      first = false;
      if (!append_attribute(attribute.content, text)) return false;
      if (text.size() > kMaximumDistinguishedNameBytes) return false;
    }
  }
  return true;
}

// Days from 1970-01-01 of a date of the proleptic Gregorian calendar.
int64_t days_since_1970(int64_t year, int64_t month, int64_t day) noexcept {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

// RFC 5280 section 4.1.2.5: YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ; seconds may be missing in old ones.
bool read_time(const Element& time, int64_t& seconds) noexcept {
  if (time.tag != der::kUtcTime && time.tag != der::kGeneralizedTime) return false;
  const std::string_view text = text_of(time.content);
  const size_t year_digits = time.tag == der::kUtcTime ? 2 : 4;
  std::array<int64_t, 6> fields{};
  size_t position = 0;
  for (size_t field = 0; field < fields.size(); ++field) {
    const size_t digits = field == 0 ? year_digits : 2;
    if (field == 5 && (position >= text.size() || text[position] < '0' || text[position] > '9')) {
      break;
    }
    if (position + digits > text.size()) return false;
    for (size_t index = 0; index < digits; ++index, ++position) {
      if (text[position] < '0' || text[position] > '9') return false;
      fields[field] = fields[field] * 10 + (text[position] - '0');
    }
  }
  if (year_digits == 2) fields[0] += fields[0] >= 50 ? 1900 : 2000;
  if (fields[1] < 1 || fields[1] > 12 || fields[2] < 1 || fields[2] > 31) return false;
  seconds = days_since_1970(fields[0], fields[1], fields[2]) * 86400 + fields[3] * 3600 +
            fields[4] * 60 + fields[5];
  return true;
}

bool read_validity(std::span<const uint8_t> validity, TlsCertificate& certificate) noexcept {
  Reader reader{validity};
  Element time;
  return reader.next(time) && read_time(time, certificate.not_before_s) && reader.next(time) &&
         read_time(time, certificate.not_after_s);
}

std::string address_text(std::span<const uint8_t> bytes) {
  if (bytes.size() == 4) {
    std::string text;
    for (const uint8_t byte : bytes) {
      if (!text.empty()) text += '.';
      text += std::to_string(byte);
    }
    return text;
  }
  return bytes.size() == 16 ? hex_with_colons(bytes, TextCase::Lower) : std::string{};
}

// RFC 5280 section 4.2.1.6
bool read_alternative_names(std::span<const uint8_t> extension, TlsCertificate& certificate) {
  Reader outer{extension};
  Element names;
  if (!outer.next_if(der::kSequence, names)) return false;
  Reader reader{names.content};
  Element name;
  while (!reader.at_end()) {
    if (!reader.next(name)) return false;
    std::string text;
    if (name.tag == 0x81 || name.tag == 0x82 || name.tag == 0x86) text = text_of(name.content);
    if (name.tag == 0x87) text = address_text(name.content);
    if (text.empty()) continue;
    if (certificate.alternative_names.size() >= kMaximumAlternativeNames) {
      certificate.too_many_alternative_names = true;
      return true;
    }
    certificate.alternative_names.push_back(std::move(text));
  }
  return true;
}

bool read_extensions(std::span<const uint8_t> wrapped, TlsCertificate& certificate) {
  constexpr std::string_view kAlternativeNames = "\x55\x1d\x11"sv;
  Reader outer{wrapped};
  Element list;
  if (!outer.next_if(der::kSequence, list)) return false;
  Reader extensions{list.content};
  Element extension;
  while (!extensions.at_end()) {
    if (!extensions.next_if(der::kSequence, extension)) return false;
    Reader parts{extension.content};
    Element identifier;
    Element value;
    if (!parts.next_if(der::kObjectIdentifier, identifier)) return false;
    (void)parts.next_if(der::kBoolean, value);
    if (!parts.next_if(der::kOctetString, value)) return false;
    if (text_of(identifier.content) == kAlternativeNames &&
        !read_alternative_names(value.content, certificate)) {
      return false;
    }
  }
  return true;
}

// The part that is signed: RFC 5280 section 4.1.2.
CertificateFault read_signed_part(std::span<const uint8_t> part, TlsCertificate& certificate) {
  constexpr uint8_t kVersion = 0xa0;
  constexpr uint8_t kExtensions = 0xa3;
  Reader reader{part};
  Element element;
  auto fault_or_length = [&reader](CertificateFault fault) {
    return reader.truncated() ? CertificateFault::Length : fault;
  };
  if (reader.next_tag() == kVersion && !reader.next(element)) {
    return fault_or_length(CertificateFault::Version);
  }
  if (!reader.next_if(der::kInteger, element)) return fault_or_length(CertificateFault::Serial);
  if (element.content.size() > 256) return CertificateFault::Serial;
  certificate.serial = hex_with_colons(element.content, TextCase::Upper);
  if (!reader.next_if(der::kSequence, element)) return fault_or_length(CertificateFault::Algorithm);
  if (!reader.next_if(der::kSequence, element)) return fault_or_length(CertificateFault::Name);
  if (!read_name(element.content, certificate.issuer)) return CertificateFault::Name;
  if (!reader.next_if(der::kSequence, element)) return fault_or_length(CertificateFault::Date);
  if (!read_validity(element.content, certificate)) return CertificateFault::Date;
  if (!reader.next_if(der::kSequence, element)) return fault_or_length(CertificateFault::Name);
  if (!read_name(element.content, certificate.subject)) return CertificateFault::Name;
  while (!reader.at_end()) {
    if (!reader.next(element)) return fault_or_length(CertificateFault::Other);
    if (element.tag == kExtensions && !read_extensions(element.content, certificate)) {
      return CertificateFault::Extensions;
    }
  }
  return CertificateFault::None;
}

}  // namespace

CertificateFault read_certificate(std::span<const uint8_t> bytes,
                                  TlsCertificate& certificate) noexcept {
  certificate.fingerprint = sha1_with_colons(bytes);
  Reader outer{bytes};
  Element whole;
  if (!outer.next(whole)) {
    return outer.truncated() ? CertificateFault::Length : CertificateFault::Other;
  }
  if (whole.tag != der::kSequence) return CertificateFault::Other;
  Reader parts{whole.content};
  Element part;
  if (!parts.next_if(der::kSequence, part)) {
    return parts.truncated() ? CertificateFault::Length : CertificateFault::Other;
  }
  return read_signed_part(part.content, certificate);
}

}  // namespace masugata::ids
