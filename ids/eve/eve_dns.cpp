// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/eve/eve_dns.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <string_view>

#include "ids/protocols/dns/dns_parser.h"

namespace masugata::ids {
namespace {

// Text of a number, for types and codes without a name.
struct NumberText {
  std::array<char, 16> text{};
  size_t length = 0;
  explicit NumberText(unsigned number) noexcept {
    length = static_cast<size_t>(std::to_chars(text.data(), text.data() + text.size(), number).ptr -
                                 text.data());
  }
  [[nodiscard]] std::string_view view() const noexcept { return {text.data(), length}; }
};

std::string_view name_of_type(uint16_t type) noexcept {
  switch (type) {
    case 1:
      return "A";
    case 2:
      return "NS";
    case 5:
      return "CNAME";
    case 6:
      return "SOA";
    case 10:
      return "NULL";
    case 12:
      return "PTR";
    case 13:
      return "HINFO";
    case 15:
      return "MX";
    case 16:
      return "TXT";
    case 28:
      return "AAAA";
    case 33:
      return "SRV";
    case 35:
      return "NAPTR";
    case 39:
      return "DNAME";
    case 41:
      return "OPT";
    case 43:
      return "DS";
    case 44:
      return "SSHFP";
    case 46:
      return "RRSIG";
    case 47:
      return "NSEC";
    case 48:
      return "DNSKEY";
    case 50:
      return "NSEC3";
    case 64:
      return "SVCB";
    case 65:
      return "HTTPS";
    case 99:
      return "SPF";
    case 252:
      return "AXFR";
    case 255:
      return "ANY";
    case 257:
      return "CAA";
    default:
      return {};
  }
}

std::string_view name_of_code(uint8_t code) noexcept {
  static constexpr std::array<std::string_view, 11> kNames{
      "NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
      "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};
  return code < kNames.size() ? kNames[code] : std::string_view{};
}

void write_type(JsonWriter& json, std::string_view name, uint16_t type) noexcept {
  const std::string_view text = name_of_type(type);
  const NumberText number(type);
  json.member(name, text.empty() ? number.view() : text);
}

void write_soa(JsonWriter& json, const DnsRecord& record) noexcept {
  static constexpr std::array<std::string_view, 5> kNumbers{"serial", "refresh", "retry", "expire",
                                                            "minimum"};
  json.open_object("soa");
  json.member("mname", std::string_view(record.target));
  json.member("rname", std::string_view(record.mailbox));
  for (size_t index = 0; index < kNumbers.size(); ++index) {
    json.member(kNumbers[index], uint64_t{record.numbers[index]});
  }
  json.close_object();
}

void write_data(JsonWriter& json, const DnsRecord& record) noexcept {
  std::array<char, INET6_ADDRSTRLEN> address{};
  if ((record.is(DnsType::A) && record.data.size() == 4) ||
      (record.is(DnsType::Aaaa) && record.data.size() == 16)) {
    inet_ntop(record.data.size() == 4 ? AF_INET : AF_INET6, record.data.data(), address.data(),
              static_cast<socklen_t>(address.size()));
    json.member("rdata", std::string_view(address.data()));
  } else if (record.is(DnsType::Soa)) {
    write_soa(json, record);
  } else if (record.is(DnsType::Srv)) {
    json.open_object("srv");
    json.member("priority", uint64_t{record.numbers[0]});
    json.member("weight", uint64_t{record.numbers[1]});
    json.member("port", uint64_t{record.numbers[2]});
    json.member("name", std::string_view(record.target));
    json.close_object();
  } else if (record.is(DnsType::Sshfp) && record.data.size() > 2) {
    json.open_object("sshfp");
    json.member_hex("fingerprint", std::span(record.data).subspan(2), ':');
    json.member("algo", uint64_t{record.numbers[0]});
    json.member("type", uint64_t{record.numbers[1]});
    json.close_object();
  } else if (record.is(DnsType::Txt)) {
    if (!record.texts.empty()) json.member("rdata", std::string_view(record.texts.front()));
  } else if (!record.target.empty()) {
    json.member("rdata", std::string_view(record.target));
  }
}

void write_records(JsonWriter& json, std::string_view name,
                   const std::vector<DnsRecord>& records) noexcept {
  if (records.empty()) return;
  json.open_array(name);
  for (const DnsRecord& record : records) {
    json.open_object();
    json.member("rrname", std::string_view(record.name));
    write_type(json, "rrtype", record.type);
    json.member("ttl", uint64_t{record.ttl_seconds});
    write_data(json, record);
    json.close_object();
  }
  json.close_array();
}

}  // namespace

void write_dns(JsonWriter& json, Transaction& transaction, Direction /*direction*/) noexcept {
  const DnsMessage& message = static_cast<DnsTransaction&>(transaction).message();
  const bool response = message.is_response();
  json.open_object("dns");
  json.member("version", uint64_t{3});
  json.member("type", response ? std::string_view("response") : std::string_view("request"));
  json.member("tx_id", transaction.number_in_flow);
  json.member("id", uint64_t{message.id});
  const std::array<uint8_t, 2> flags{static_cast<uint8_t>(message.flags >> 8U),
                                     static_cast<uint8_t>(message.flags & 0xffU)};
  json.member_hex("flags", flags, 0);
  if (response) json.member_flag("qr", true);
  if (message.authoritative()) json.member_flag("aa", true);
  if (message.truncated()) json.member_flag("tc", true);
  if (message.recursion_desired()) json.member_flag("rd", true);
  if (message.recursion_available()) json.member_flag("ra", true);
  if (message.reserved_flag()) json.member_flag("z", true);
  json.member("opcode", uint64_t{message.opcode()});
  const NumberText code(message.rcode());
  const std::string_view code_name = name_of_code(message.rcode());
  json.member("rcode", code_name.empty() ? code.view() : code_name);
  if (!message.questions.empty()) {
    json.open_array("queries");
    for (const DnsQuestion& question : message.questions) {
      json.open_object();
      json.member("rrname", std::string_view(question.name));
      write_type(json, "rrtype", question.type);
      json.close_object();
    }
    json.close_array();
  }
  write_records(json, "answers", message.answers);
  write_records(json, "authorities", message.authorities);
  write_records(json, "additionals", message.additionals);
  json.close_object();
}

}  // namespace masugata::ids
