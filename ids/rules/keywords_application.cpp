// SPDX-License-Identifier: GPL-2.0-or-later
// DNS, SSH, FTP and SMB keywords that are not buffers.
#include <array>

#include "ids/rules/keyword.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

Outcome require_application(RuleDraft& draft, ApplicationProtocol protocol) {
  Rule& rule = draft.rule;
  if (rule.application != ApplicationProtocol::Unknown && rule.application != protocol) {
    return wrong("belongs to " + std::string(protocol_name(protocol)) + ", the rule to " +
                 std::string(protocol_name(rule.application)));
  }
  rule.application = protocol;
  return {};
}

struct NamedNumber {
  std::string_view name;
  uint16_t number;
};

// RFC 1035, 6895 and IANA's list: those that are met.
constexpr std::array kDnsTypes{
    NamedNumber{"a", 1},      NamedNumber{"ns", 2},      NamedNumber{"cname", 5},
    NamedNumber{"soa", 6},    NamedNumber{"null", 10},   NamedNumber{"ptr", 12},
    NamedNumber{"hinfo", 13}, NamedNumber{"mx", 15},     NamedNumber{"txt", 16},
    NamedNumber{"aaaa", 28},  NamedNumber{"srv", 33},    NamedNumber{"naptr", 35},
    NamedNumber{"opt", 41},   NamedNumber{"ds", 43},     NamedNumber{"rrsig", 46},
    NamedNumber{"nsec", 47},  NamedNumber{"dnskey", 48}, NamedNumber{"svcb", 64},
    NamedNumber{"https", 65}, NamedNumber{"axfr", 252},  NamedNumber{"any", 255},
};
constexpr std::array kDnsRcodes{
    NamedNumber{"noerror", 0},  NamedNumber{"formerr", 1},  NamedNumber{"servfail", 2},
    NamedNumber{"nxdomain", 3}, NamedNumber{"notimp", 4},   NamedNumber{"refused", 5},
    NamedNumber{"yxdomain", 6}, NamedNumber{"yxrrset", 7},  NamedNumber{"nxrrset", 8},
    NamedNumber{"notauth", 9},  NamedNumber{"notzone", 10}, NamedNumber{"badvers", 16},
};

constexpr std::array kDnsOpcodes{
    NamedNumber{"query", 0},  NamedNumber{"iquery", 1}, NamedNumber{"status", 2},
    NamedNumber{"notify", 4}, NamedNumber{"update", 5}, NamedNumber{"dso", 6},
};

template <size_t N>
std::optional<uint64_t> parse_named(const std::array<NamedNumber, N>& names,
                                    std::string_view text) {
  for (const NamedNumber& each : names) {
    if (same_ignoring_case(each.name, text)) return each.number;
  }
  return parse_unsigned(text, UINT16_MAX);
}
std::optional<uint64_t> parse_dns_type(std::string_view text) {
  return parse_named(kDnsTypes, text);
}
std::optional<uint64_t> parse_dns_rcode(std::string_view text) {
  return parse_named(kDnsRcodes, text);
}

std::optional<uint64_t> parse_dns_opcode(std::string_view text) {
  return parse_named(kDnsOpcodes, text);
}

// dns.opcode, dns.rcode, dns.rrtype.
Outcome read_dns_number(RuleDraft& draft, const KeywordUse& use) {
  if (auto done = require_application(draft, ApplicationProtocol::Dns); !done) return done;
  const auto field = static_cast<NumberField>(use.keyword.argument);
  ReadOneNumber read_one = nullptr;
  if (field == NumberField::DnsOpcode) read_one = parse_dns_opcode;
  if (field == NumberField::DnsRcode) read_one = parse_dns_rcode;
  if (field == NumberField::DnsRecordType) read_one = parse_dns_type;
  const auto range =
      read_number_range(use.value, field == NumberField::DnsOpcode ? 15 : UINT16_MAX, read_one);
  if (!range) return tl::unexpected(range.error());
  draft.rule.conditions.emplace_back(
      NumberMatch{field, range->comparison, range->low, range->high, false, std::nullopt});
  return {};
}

Read<ContentMatch> whole_buffer(std::string_view text) {
  if (text.empty()) return wrong("expects a text");
  ContentMatch content;
  content.bytes = std::string(text);
  content.startswith = true;
  content.endswith = true;
  return content;
}

// ssh.protoversion:2.0; or 2_compat, which is 2, 2.0 and 1.99.
Outcome read_ssh_version(RuleDraft& draft, const KeywordUse& use) {
  if (draft.has_sticky_buffer()) return wrong("cannot follow a sticky buffer; use ssh.proto");
  if (use.value == "2_compat") {
    PcreMatch match;
    match.pattern = "^(?:2(?:\\.0)?|1\\.99)$";
    draft.add_to(BufferId::SshProto, std::move(match));
    return {};
  }
  auto content = whole_buffer(use.value);
  if (!content) return tl::unexpected(content.error());
  draft.add_to(BufferId::SshProto, std::move(*content));
  return {};
}

Outcome read_ssh_software(RuleDraft& draft, const KeywordUse& use) {
  if (draft.has_sticky_buffer()) return wrong("cannot follow a sticky buffer; use ssh.software");
  auto content = whole_buffer(use.value);
  if (!content) return tl::unexpected(content.error());
  content->startswith = false;
  content->endswith = false;
  draft.add_to(BufferId::SshSoftware, std::move(*content));
  return {};
}

Outcome read_ftpdata_command(RuleDraft& draft, const KeywordUse& use) {
  if (auto done = require_application(draft, ApplicationProtocol::FtpData); !done) return done;
  using Command = FtpDataCommandMatch::Command;
  if (use.value != "stor" && use.value != "retr") {
    return wrong("expects stor or retr, not " + in_quotes(use.value));
  }
  draft.rule.conditions.emplace_back(
      FtpDataCommandMatch{use.value == "stor" ? Command::Stor : Command::Retr});
  return {};
}

Outcome read_ftpbounce(RuleDraft& draft, const KeywordUse&) {
  if (auto done = require_application(draft, ApplicationProtocol::Ftp); !done) return done;
  draft.rule.conditions.emplace_back(FtpBounceMatch{});
  return {};
}

Outcome read_ftp_reply_received(RuleDraft& draft, const KeywordUse& use) {
  if (auto done = require_application(draft, ApplicationProtocol::Ftp); !done) return done;
  const bool yes =
      use.value == "yes" || use.value == "true" || use.value == "1" || use.value == "on";
  const bool no =
      use.value == "no" || use.value == "false" || use.value == "0" || use.value == "off";
  if (!yes && !no) return wrong("expects yes or no, not " + in_quotes(use.value));
  draft.rule.conditions.emplace_back(NumberMatch{NumberField::FtpReplyReceived, Comparison::Equal,
                                                 yes ? 1U : 0U, 0, false, std::nullopt});
  return {};
}

Outcome read_ftp_dynamic_port(RuleDraft& draft, const KeywordUse& use) {
  if (auto done = require_application(draft, ApplicationProtocol::Ftp); !done) return done;
  const auto range = read_number_range(use.value, UINT16_MAX);
  if (!range) return tl::unexpected(range.error());
  draft.rule.conditions.emplace_back(NumberMatch{NumberField::FtpDynamicPort, range->comparison,
                                                 range->low, range->high, false, std::nullopt});
  return {};
}

Outcome read_ftp_mode(RuleDraft& draft, const KeywordUse& use) {
  if (auto done = require_application(draft, ApplicationProtocol::Ftp); !done) return done;
  if (use.value != "active" && use.value != "passive") {
    return wrong("expects active or passive, not " + in_quotes(use.value));
  }
  draft.rule.conditions.emplace_back(NumberMatch{NumberField::FtpMode, Comparison::Equal,
                                                 use.value == "active" ? 1U : 2U, 0, false,
                                                 std::nullopt});
  return {};
}

Outcome read_smb_version(RuleDraft& draft, const KeywordUse& use) {
  if (auto done = require_application(draft, ApplicationProtocol::Smb); !done) return done;
  if (use.value != "1" && use.value != "2")
    return wrong("expects 1 or 2, not " + in_quotes(use.value));
  draft.rule.conditions.emplace_back(NumberMatch{NumberField::SmbVersion, Comparison::Equal,
                                                 use.value == "1" ? 1U : 2U, 0, false,
                                                 std::nullopt});
  return {};
}

constexpr Keyword dns_number(std::string_view name, NumberField field) {
  return {name, read_dns_number, ValueForm::Required, static_cast<uint16_t>(field)};
}

constexpr std::array kKeywords{
    dns_number("dns.opcode", NumberField::DnsOpcode),
    dns_number("dns.rcode", NumberField::DnsRcode),
    dns_number("dns.rrtype", NumberField::DnsRecordType),
    Keyword{"ftp.dynamic_port", read_ftp_dynamic_port, ValueForm::Required},
    Keyword{"ftp.mode", read_ftp_mode, ValueForm::Required},
    Keyword{"ftp.reply_received", read_ftp_reply_received, ValueForm::Required},
    Keyword{"ftpbounce", read_ftpbounce, ValueForm::None},
    Keyword{"ftpdata_command", read_ftpdata_command, ValueForm::Required},
    Keyword{"smb.version", read_smb_version, ValueForm::Required},
    Keyword{"ssh.protoversion", read_ssh_version, ValueForm::Required},
    Keyword{"ssh.softwareversion", read_ssh_software, ValueForm::Required},
};

}  // namespace

std::span<const Keyword> application_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
