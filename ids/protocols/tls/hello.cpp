// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/tls/hello.h"

#include <algorithm>

#include "ids/protocols/byte_reader.h"

namespace masugata::ids {
namespace {

enum class Extension : uint16_t {
  ServerName = 0,
  Groups = 10,
  PointFormats = 11,
  SignatureAlgorithms = 13,
  Heartbeat = 15,
  Alpn = 16,
  PreSharedKey = 41,
  SupportedVersions = 43,
};

bool is_version(uint16_t version) noexcept {
  return version == 0x0002 || version == 0x0200 || (version >= 0x0300 && version <= 0x0304);
}

template <typename Value>
void keep(std::vector<Value>& list, Value value) {
  if (list.size() < kMaximumHelloListEntries) list.push_back(std::move(value));
}

void read_list16(std::span<const uint8_t> bytes, std::vector<uint16_t>& list) {
  ByteReader reader{bytes};
  while (reader.left() >= 2) keep(list, reader.u16());
}

// RFC 6066 section 3.
void read_server_name(std::span<const uint8_t> data, TlsHello& hello, HelloFindings& findings) {
  if (data.empty()) return;
  ByteReader outer{data};
  ByteReader names{outer.take_counted16()};
  const uint8_t type = names.u8();
  const auto name = names.take_counted16();
  if (!outer.ok() || !names.ok()) {
    findings.bad_server_name_length = true;
    return;
  }
  if (type != 0) {
    findings.bad_server_name_type = true;
    return;
  }
  if (name.empty() || name.size() > kMaximumServerNameBytes) {
    findings.bad_server_name_length = true;
    return;
  }
  hello.server_name.emplace(reinterpret_cast<const char*>(name.data()), name.size());
}

// RFC 7301 section 3.1.
void read_alpn(std::span<const uint8_t> data, TlsHello& hello) {
  ByteReader outer{data};
  ByteReader names{outer.take_counted16()};
  while (names.left() > 0) {
    const auto name = names.take_counted8();
    if (!names.ok()) return;
    keep(hello.alpn, std::string{reinterpret_cast<const char*>(name.data()), name.size()});
  }
}

void read_extension(Extension kind, std::span<const uint8_t> data, bool from_client,
                    TlsHello& hello, HelloFindings& findings) {
  ByteReader reader{data};
  switch (kind) {
    case Extension::ServerName:
      if (!from_client) return;
      if (hello.server_name) {
        findings.several_server_names = true;
      } else {
        read_server_name(data, hello, findings);
      }
      return;
    case Extension::Groups:
      read_list16(reader.take_counted16(), hello.groups);
      return;
    case Extension::PointFormats: {
      const auto formats = reader.take_counted8();
      hello.point_formats.assign(formats.begin(), formats.end());
      return;
    }
    case Extension::SignatureAlgorithms:
      read_list16(reader.take_counted16(), hello.signature_algorithms);
      return;
    case Extension::Heartbeat:
      hello.heartbeat = true;
      return;
    case Extension::Alpn:
      read_alpn(data, hello);
      return;
    case Extension::PreSharedKey:
      hello.pre_shared_key = true;
      return;
    case Extension::SupportedVersions:
      read_list16(from_client ? reader.take_counted8() : reader.rest(), hello.supported_versions);
      return;
    default:
      return;
  }
}

void read_extensions(ByteReader& reader, bool from_client, TlsHello& hello,
                     HelloFindings& findings) {
  if (reader.left() == 0) return;
  ByteReader list{reader.take_counted16()};
  while (list.left() > 0) {
    const uint16_t kind = list.u16();
    const auto data = list.take_counted16();
    if (!list.ok()) break;
    keep(hello.extensions, kind);
    read_extension(static_cast<Extension>(kind), data, from_client, hello, findings);
  }
  if (!reader.ok() || !list.ok()) findings.malformed = true;
}

void read_common(ByteReader& reader, TlsHello& hello) {
  hello.legacy_version = reader.u16();
  const auto random = reader.take(hello.random.size());
  std::copy(random.begin(), random.end(), hello.random.begin());
  const auto session_id = reader.take_counted8();
  hello.session_id.assign(session_id.begin(), session_id.end());
}

}  // namespace

uint16_t TlsHello::version() const noexcept {
  for (const uint16_t version : supported_versions) {
    if (is_version(version)) return version;
  }
  return legacy_version;
}

HelloFindings read_client_hello(std::span<const uint8_t> body, TlsHello& hello) noexcept {
  HelloFindings findings;
  ByteReader reader{body};
  read_common(reader, hello);
  const auto ciphers = reader.take_counted16();
  reader.skip(reader.u8());  // compression methods
  read_list16(ciphers, hello.ciphers);
  if (reader.ok()) {
    read_extensions(reader, true, hello, findings);
  } else {
    findings.malformed = true;
  }
  return findings;
}

HelloFindings read_server_hello(std::span<const uint8_t> body, TlsHello& hello) noexcept {
  HelloFindings findings;
  ByteReader reader{body};
  read_common(reader, hello);
  hello.ciphers.assign(1, reader.u16());
  reader.skip(1);
  if (reader.ok()) {
    read_extensions(reader, false, hello, findings);
  } else {
    findings.malformed = true;
  }
  return findings;
}

HelloFindings read_ssl2_client_hello(std::span<const uint8_t> message, TlsHello& hello) noexcept {
  HelloFindings findings;
  ByteReader reader{message};
  reader.skip(1);
  hello.ssl2_form = true;
  hello.legacy_version = reader.u16();
  if (hello.legacy_version == 2) hello.legacy_version = 0x0200;
  const uint16_t cipher_bytes = reader.u16();
  const uint16_t session_id_bytes = reader.u16();
  const uint16_t challenge_bytes = reader.u16();
  ByteReader ciphers{reader.take(cipher_bytes)};
  while (ciphers.left() >= 3) {
    const uint32_t cipher = ciphers.u24();
    if (cipher <= 0xffff) keep(hello.ciphers, static_cast<uint16_t>(cipher));
  }
  const auto session_id = reader.take(session_id_bytes);
  hello.session_id.assign(session_id.begin(), session_id.end());
  const auto challenge = reader.take(challenge_bytes);
  const auto used = challenge.first(std::min(challenge.size(), hello.random.size()));
  std::copy(used.begin(), used.end(),
            hello.random.end() - static_cast<std::ptrdiff_t>(used.size()));
  findings.malformed = !reader.ok();
  return findings;
}

}  // namespace masugata::ids
