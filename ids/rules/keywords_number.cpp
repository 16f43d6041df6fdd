// SPDX-License-Identifier: GPL-2.0-or-later
// Keywords that compare one number of a packet, flow, transaction or file: ttl, dsize, itype,
// flow.age, stream_size, filesize, dns.opcode, ... One reader serves most of them.
#include <array>
#include <limits>

#include "ids/rules/keyword.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

uint64_t maximum_of(NumberField field) noexcept {
  switch (field) {
    case NumberField::IpTtl:
    case NumberField::IpTos:
    case NumberField::IpProtocol:
    case NumberField::IcmpType:
    case NumberField::IcmpCode:
    case NumberField::TcpWindowScale:
    case NumberField::DnsOpcode:
    case NumberField::VlanLayers:
      return UINT8_MAX;
    case NumberField::IpId:
    case NumberField::IpFragmentOffset:
    case NumberField::TcpWindow:
    case NumberField::TcpMss:
    case NumberField::IcmpId:
    case NumberField::IcmpSequence:
    case NumberField::PayloadSize:
    case NumberField::DnsRcode:
    case NumberField::DnsRecordType:
      return UINT16_MAX;
    case NumberField::TcpSequence:
    case NumberField::TcpAcknowledgement:
    case NumberField::Icmpv6Mtu:
    case NumberField::FlowAgeSeconds:
    case NumberField::FlowPacketsToServer:
    case NumberField::FlowPacketsToClient:
    case NumberField::FlowPacketsBoth:
    case NumberField::FlowPacketsEither:
    case NumberField::TlsCertificateChainLength:
      return UINT32_MAX;
    default:
      return UINT64_MAX;
  }
}

Outcome add_range(RuleDraft& draft, NumberField field, std::string_view text,
                  ReadOneNumber read_one = nullptr, std::optional<Direction> side = std::nullopt) {
  const auto range = read_number_range(text, maximum_of(field), read_one);
  if (!range) return tl::unexpected(range.error());
  NumberMatch match;
  match.field = field;
  match.comparison = range->comparison;
  match.low = range->low;
  match.high = range->high;
  match.side = side;
  draft.rule.conditions.emplace_back(match);
  return {};
}

Outcome read_field(RuleDraft& draft, const KeywordUse& use) {
  return add_range(draft, static_cast<NumberField>(use.keyword.argument), use.value);
}

// A word in quotes may stand around type and code numbers, "x18" is hexadecimal for tos.
std::optional<uint64_t> parse_tos(std::string_view text) {
  if (text.starts_with('x')) return parse_unsigned("0" + std::string(text), UINT8_MAX);
  return parse_unsigned(text, UINT8_MAX);
}

Outcome read_tos(RuleDraft& draft, const KeywordUse& use) {
  return add_range(draft, NumberField::IpTos, use.value, parse_tos);
}

struct ProtocolNumber {
  std::string_view name;
  uint8_t number;
};
// IANA's names of IP protocols, those that rules use.
constexpr std::array kProtocolNumbers{
    ProtocolNumber{"icmp", 1},      ProtocolNumber{"igmp", 2},       ProtocolNumber{"ipip", 4},
    ProtocolNumber{"ipencap", 4},   ProtocolNumber{"tcp", 6},        ProtocolNumber{"egp", 8},
    ProtocolNumber{"udp", 17},      ProtocolNumber{"dccp", 33},      ProtocolNumber{"ipv6", 41},
    ProtocolNumber{"rsvp", 46},     ProtocolNumber{"gre", 47},       ProtocolNumber{"esp", 50},
    ProtocolNumber{"ah", 51},       ProtocolNumber{"ipv6-icmp", 58}, ProtocolNumber{"icmpv6", 58},
    ProtocolNumber{"icmp6", 58},    ProtocolNumber{"ospf", 89},      ProtocolNumber{"pim", 103},
    ProtocolNumber{"vrrp", 112},    ProtocolNumber{"l2tp", 115},     ProtocolNumber{"sctp", 132},
    ProtocolNumber{"udplite", 136},
};

std::optional<uint64_t> parse_ip_protocol(std::string_view text) {
  for (const ProtocolNumber& each : kProtocolNumbers) {
    if (same_ignoring_case(each.name, text)) return each.number;
  }
  return parse_unsigned(text, UINT8_MAX);
}

Outcome read_ip_proto(RuleDraft& draft, const KeywordUse& use) {
  const auto number = parse_ip_protocol(use.value);  // names hold '-', as ranges do
  if (!number) return add_range(draft, NumberField::IpProtocol, use.value, parse_ip_protocol);
  draft.rule.conditions.emplace_back(
      NumberMatch{NumberField::IpProtocol, Comparison::Equal, *number, 0, false, std::nullopt});
  return {};
}

// l3_proto:ipv4|ipv6
Outcome read_l3_proto(RuleDraft& draft, const KeywordUse& use) {
  const std::string name = lowercase(use.value);
  const bool four = name == "ipv4" || name == "ip4";
  if (!four && name != "ipv6" && name != "ip6") {
    return wrong("expects ipv4 or ipv6, not " + in_quotes(use.value));
  }
  draft.rule.conditions.emplace_back(NumberMatch{NumberField::IpVersion, Comparison::Equal,
                                                 four ? 4U : 6U, 0, false, std::nullopt});
  return {};
}

// vlan.id:RANGE[,any|all|LAYER]
Outcome read_vlan_id(RuleDraft& draft, const KeywordUse& use) {
  constexpr uint64_t kLargestVlan = 4095;
  constexpr int64_t kTags = 3;
  const auto parts = split(use.value, ',');
  const auto range = read_number_range(parts[0], kLargestVlan);
  if (!range) return tl::unexpected(range.error());
  VlanIdMatch match;
  match.comparison = range->comparison;
  match.low = range->low;
  match.high = range->high;
  if (parts.size() > 2) return wrong("expects NUMBER,LAYER");
  if (parts.size() == 2 && parts[1] == "all") {
    match.which = VlanIdMatch::Which::All;
  } else if (parts.size() == 2 && parts[1] != "any") {
    const auto layer = parse_signed(parts[1], -kTags, kTags - 1);
    if (!layer)
      return wrong("expects any, all or a layer from -3 to 2, not " + in_quotes(parts[1]));
    match.which = VlanIdMatch::Which::Layer;
    match.layer = static_cast<int8_t>(*layer);
  }
  draft.rule.conditions.emplace_back(match);
  return {};
}

// stream_size:server|client|both|either,OPERATOR,NUMBER
Outcome read_stream_size(RuleDraft& draft, const KeywordUse& use) {
  const auto parts = split(use.value, ',');
  if (parts.size() != 3) return wrong("expects SIDE,OPERATOR,NUMBER");
  NumberMatch match;
  if (parts[0] == "server") {
    match.field = NumberField::StreamSizeServer;
  } else if (parts[0] == "client") {
    match.field = NumberField::StreamSizeClient;
  } else if (parts[0] == "both") {
    match.field = NumberField::StreamSizeBoth;
  } else if (parts[0] == "either") {
    match.field = NumberField::StreamSizeEither;
  } else {
    return wrong("expects server, client, both or either, not " + in_quotes(parts[0]));
  }
  const auto comparison = find_comparison(parts[1]);
  if (!comparison) return wrong("expects > < = != >= or <=, not " + in_quotes(parts[1]));
  const auto number = read_number(parts[2], UINT32_MAX);
  if (!number) return tl::unexpected(number.error());
  match.comparison = *comparison;
  match.low = *number;
  draft.rule.conditions.emplace_back(match);
  return {};
}

// flow.pkts:SIDE,RANGE and flow.bytes:SIDE,RANGE. The argument is the field of the server side;
// those of the client side, of both and of either follow it.
Outcome read_flow_count(RuleDraft& draft, const KeywordUse& use) {
  const size_t comma = use.value.find(',');
  if (comma == std::string_view::npos)
    return wrong("expects SIDE,NUMBER, not " + in_quotes(use.value));
  const std::string_view side = trimmed(use.value.substr(0, comma));
  unsigned place = 0;
  if (side == "toclient" || side == "to_client") {
    place = 1;
  } else if (side == "both") {
    place = 2;
  } else if (side == "either") {
    place = 3;
  } else if (side != "toserver" && side != "to_server") {
    return wrong("expects toserver, toclient, both or either, not " + in_quotes(side));
  }
  return add_range(draft, static_cast<NumberField>(use.keyword.argument + place),
                   use.value.substr(comma + 1));
}

// filesize:[to_client,]RANGE; the side only in `=>` rules.
Outcome read_filesize(RuleDraft& draft, const KeywordUse& use) {
  const size_t comma = use.value.find(',');
  if (comma == std::string_view::npos) {
    return add_range(draft, NumberField::FileSize, use.value, nullptr, draft.stated_side);
  }
  const std::string_view side = trimmed(use.value.substr(0, comma));
  if (side != "to_server" && side != "to_client") {
    return wrong("expects to_server or to_client before ',', not " + in_quotes(side));
  }
  if (!draft.rule.transactional) return wrong("takes a direction only in a rule with '=>'");
  return add_range(draft, NumberField::FileSize, use.value.substr(comma + 1), nullptr,
                   side == "to_server" ? Direction::ToServer : Direction::ToClient);
}

// urilen:RANGE[,norm|raw]
Outcome read_urilen(RuleDraft& draft, const KeywordUse& use) {
  const size_t comma = use.value.find(',');
  const auto range = read_number_range(use.value.substr(0, comma), UINT16_MAX);
  if (!range) return tl::unexpected(range.error());
  BufferId buffer = BufferId::HttpUri;
  if (comma != std::string_view::npos) {
    const std::string_view kind = trimmed(use.value.substr(comma + 1));
    if (kind != "norm" && kind != "raw")
      return wrong("expects norm or raw, not " + in_quotes(kind));
    if (kind == "raw") buffer = BufferId::HttpUriRaw;
  }
  draft.add_to(buffer, BufferSize{range->comparison, range->low, range->high});
  return {};
}

constexpr Keyword number(std::string_view name, NumberField field) {
  return {name, read_field, ValueForm::Required, static_cast<uint16_t>(field)};
}

constexpr std::array kKeywords{
    number("ack", NumberField::TcpAcknowledgement),
    number("dsize", NumberField::PayloadSize),
    number("flow.age", NumberField::FlowAgeSeconds),
    Keyword{"flow.bytes", read_flow_count, ValueForm::Required,
            static_cast<uint16_t>(NumberField::FlowBytesToServer)},
    number("flow.bytes_toclient", NumberField::FlowBytesToClient),
    number("flow.bytes_toserver", NumberField::FlowBytesToServer),
    Keyword{"flow.pkts", read_flow_count, ValueForm::Required,
            static_cast<uint16_t>(NumberField::FlowPacketsToServer)},
    number("flow.pkts_toclient", NumberField::FlowPacketsToClient),
    number("flow.pkts_toserver", NumberField::FlowPacketsToServer),
    Keyword{"filesize", read_filesize, ValueForm::Required},
    number("fragoffset", NumberField::IpFragmentOffset),
    number("icmp_id", NumberField::IcmpId),
    number("icmp_seq", NumberField::IcmpSequence),
    number("icmpv6.mtu", NumberField::Icmpv6Mtu),
    number("icode", NumberField::IcmpCode),
    number("id", NumberField::IpId),
    Keyword{"ip_proto", read_ip_proto, ValueForm::Required},
    number("itype", NumberField::IcmpType),
    Keyword{"l3_proto", read_l3_proto, ValueForm::Required},
    number("seq", NumberField::TcpSequence),
    Keyword{"stream_size", read_stream_size, ValueForm::Required},
    number("tcp.ack", NumberField::TcpAcknowledgement),
    number("tcp.mss", NumberField::TcpMss),
    number("tcp.seq", NumberField::TcpSequence),
    number("tcp.window", NumberField::TcpWindow),
    number("tcp.wscale", NumberField::TcpWindowScale),
    number("tls.cert_chain_len", NumberField::TlsCertificateChainLength),
    Keyword{"tos", read_tos, ValueForm::Required},
    number("ttl", NumberField::IpTtl),
    Keyword{"urilen", read_urilen, ValueForm::Required},
    Keyword{"vlan.id", read_vlan_id, ValueForm::Required},
    number("vlan.layers", NumberField::VlanLayers),
    number("window", NumberField::TcpWindow),
};

}  // namespace

std::span<const Keyword> number_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
