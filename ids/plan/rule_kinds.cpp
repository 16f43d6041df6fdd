// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/plan/rule_kinds.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "ids/matching/conditions.h"

namespace masugata::ids {
namespace {

constexpr uint8_t bit_of(TransportClass transport) {
  return static_cast<uint8_t>(1U << static_cast<unsigned>(transport));
}
constexpr uint8_t kAllTransports = (1U << kTransportClasses) - 1;
constexpr uint8_t kTcp = bit_of(TransportClass::Tcp);

bool is_flow_field(NumberField field) {
  return field >= NumberField::StreamSizeClient && field <= NumberField::FlowBytesEither;
}

// What conditions ask for, as far as it decides the place of the rule.
struct Asked {
  bool packet = false;
  bool protocol = false;
  bool transaction = false;
  bool flow = false;
  bool only_protocol = true;  // nothing but app-layer-protocol
  bool only_address = true;   // nothing that changes from packet to packet
  bool only_stream = false;
  bool no_stream = false;

  void operator()(const NumberMatch& match) { number(match.field); }
  void operator()(const NumberListMatch& match) { number(match.field); }
  void operator()(const TcpFlagsMatch&) { needs_packet(); }
  void operator()(const FragmentBitsMatch&) { needs_packet(); }
  void operator()(const IpOptionsMatch&) { needs_packet(); }
  void operator()(const VlanIdMatch&) { needs_packet(); }
  void operator()(const SameIpMatch&) { needs_packet(); }
  void operator()(const GeoIpMatch&) { needs_packet(); }
  void operator()(const FlowMatch& match) {
    other();
    only_stream = only_stream || match.only_stream;
    no_stream = no_stream || match.no_stream;
  }
  void operator()(const FlowbitsMatch& match) {
    only_protocol = false;
    only_address = only_address && match.operation == FlowbitsMatch::Operation::Set;
  }
  void operator()(const XbitsMatch& match) {
    only_protocol = false;
    only_address = only_address && match.operation == XbitsMatch::Operation::Set;
  }
  void operator()(const FlowintMatch&) { other(); }
  void operator()(const ApplicationProtocolMatch&) {
    only_address = false;
    protocol = true;
  }
  void operator()(const EventMatch& match) {
    if (match.kind == EventKind::Application && match.protocol != ApplicationProtocol::Unknown) {
      needs_transaction();
    } else {
      needs_packet();
    }
  }
  void operator()(const IpReputationMatch&) { only_protocol = false; }
  void operator()(const FileTextMatch&) { needs_transaction(); }
  void operator()(const FileHashMatch&) { needs_transaction(); }
  void operator()(const FileStore&) { needs_transaction(); }
  void operator()(const TlsStateMatch&) { needs_transaction(); }
  void operator()(const TlsCertificateTimeMatch&) { needs_transaction(); }
  void operator()(const FtpDataCommandMatch&) { needs_transaction(); }
  void operator()(const FtpBounceMatch&) { needs_transaction(); }

 private:
  void other() { only_protocol = only_address = false; }
  void needs_packet() {
    packet = true;
    other();
  }
  void needs_transaction() {
    transaction = true;
    other();
  }
  void number(NumberField field) {
    if (is_packet_field(field)) {
      // The protocol above IP is the same in every packet of a flow.
      if (field == NumberField::IpProtocol) {
        other();
      } else {
        needs_packet();
      }
    } else if (is_flow_field(field)) {
      other();
    } else {
      needs_transaction();
    }
  }
};

uint8_t transports_of(const Rule& rule) {
  switch (rule.protocol) {
    case RuleProtocol::Tcp:
    case RuleProtocol::TcpPacket:
    case RuleProtocol::TcpStream:
      return kTcp;
    case RuleProtocol::Udp:
      return bit_of(TransportClass::Udp);
    case RuleProtocol::Icmp:
    case RuleProtocol::Icmpv6:
      return bit_of(TransportClass::Icmp);
    case RuleProtocol::Sctp:
    case RuleProtocol::Gre:
      return bit_of(TransportClass::Other);
    case RuleProtocol::Application:
      return kTcp | bit_of(TransportClass::Udp);
    case RuleProtocol::Ip:
    case RuleProtocol::Ipv4:
    case RuleProtocol::Ipv6:
    case RuleProtocol::PacketHeader:
      break;
  }
  return kAllTransports;
}

bool is_one_transport(RuleProtocol protocol) {
  return protocol == RuleProtocol::Sctp || protocol == RuleProtocol::Gre ||
         protocol == RuleProtocol::Icmpv6 || protocol == RuleProtocol::Ipv4 ||
         protocol == RuleProtocol::Ipv6;
}

// A content that is bound to a place is also looked for at that place of each packet.
bool has_bound_content(const BufferMatches& buffer) {
  return std::any_of(buffer.matches.begin(), buffer.matches.end(), [](const PayloadMatch& match) {
    const auto* content = std::get_if<ContentMatch>(&match);
    return content != nullptr && (content->offset || content->depth || content->startswith);
  });
}

int cost_of(const Condition& condition) {
  if (std::holds_alternative<TcpFlagsMatch>(condition) ||
      std::holds_alternative<NumberMatch>(condition) ||
      std::holds_alternative<FlowMatch>(condition)) {
    return 0;
  }
  if (std::holds_alternative<XbitsMatch>(condition) ||
      std::holds_alternative<GeoIpMatch>(condition) ||
      std::holds_alternative<IpReputationMatch>(condition)) {
    return 2;
  }
  return 1;
}

bool is_effect(const Condition& condition) {
  if (const auto* bits = std::get_if<FlowbitsMatch>(&condition)) {
    return bits->operation != FlowbitsMatch::Operation::IsSet &&
           bits->operation != FlowbitsMatch::Operation::IsNotSet;
  }
  if (const auto* number = std::get_if<FlowintMatch>(&condition)) {
    return number->operation == FlowintMatch::Operation::Set ||
           number->operation == FlowintMatch::Operation::Add ||
           number->operation == FlowintMatch::Operation::Subtract;
  }
  if (const auto* host = std::get_if<XbitsMatch>(&condition)) {
    return host->operation != XbitsMatch::Operation::IsSet &&
           host->operation != XbitsMatch::Operation::IsNotSet;
  }
  return false;
}

RuleKind kind_of_payload(const Rule& rule, const Asked& asked, uint8_t transports) {
  const bool packet_only = (transports & kTcp) == 0 || rule.protocol == RuleProtocol::TcpPacket ||
                           asked.packet || asked.no_stream;
  return packet_only && !asked.only_stream ? RuleKind::Packet : RuleKind::Stream;
}

bool ports_are_any(const Rule& rule, const RuleSet& set) {
  return set.port_sets[rule.source_port].any && set.port_sets[rule.destination_port].any;
}

bool is_transactional_hook(const Rule& rule) {
  return !rule.hook.empty() && rule.protocol == RuleProtocol::Application;
}

// The steps of a transaction's side (HttpProgress, of others 0 = started and 1 = complete).
uint8_t hook_progress_of(const Rule& rule) {
  if (!is_transactional_hook(rule)) {
    return 0;
  }
  if (rule.application != ApplicationProtocol::Http) {
    return rule.hook.ends_with("_complete") ? 1 : 0;
  }
  static constexpr std::array<std::string_view, 6> kSteps{"_started", "_line",    "_headers",
                                                          "_body",    "_trailer", "_complete"};
  for (size_t i = 0; i < kSteps.size(); ++i) {
    if (rule.hook.ends_with(kSteps[i])) {
      return static_cast<uint8_t>(i);
    }
  }
  return 0;
}

}  // namespace

TransportClass transport_class_of(net::Protocol protocol) noexcept {
  switch (protocol) {
    case net::Protocol::Tcp:
      return TransportClass::Tcp;
    case net::Protocol::Udp:
      return TransportClass::Udp;
    case net::Protocol::Icmp:
    case net::Protocol::Icmpv6:
      return TransportClass::Icmp;
    default:
      return TransportClass::Other;
  }
}

void classify(CompiledRule& compiled, const RuleSet& set) {
  const Rule& rule = *compiled.rule;
  Asked asked;
  for (const Condition& condition : rule.conditions) {
    std::visit(asked, condition);
  }
  bool payload = false;
  bool bound = false;
  for (const BufferMatches& buffer : rule.buffers) {
    const BufferSource source = properties_of(buffer.buffer).source;
    asked.transaction =
        asked.transaction || source == BufferSource::Transaction || source == BufferSource::File;
    asked.packet = asked.packet || source == BufferSource::Packet;
    payload = payload || source == BufferSource::Stream;
    bound = bound || (source == BufferSource::Stream && has_bound_content(buffer));
  }
  compiled.transports = transports_of(rule);
  compiled.asks_protocol = asked.protocol || rule.application != ApplicationProtocol::Unknown;
  compiled.one_transport = is_one_transport(rule.protocol);
  if (asked.transaction || is_transactional_hook(rule)) {
    compiled.kind = RuleKind::Transaction;
  } else if (rule.hook == "flow_start") {
    compiled.kind = RuleKind::FlowStart;
  } else if (payload) {
    compiled.kind = kind_of_payload(rule, asked, compiled.transports);
    compiled.on_packet = bound && !asked.only_stream && rule.protocol != RuleProtocol::TcpStream;
  } else if (asked.packet || rule.protocol == RuleProtocol::PacketHeader || rule.direction ||
             rule.protocol == RuleProtocol::TcpPacket) {
    compiled.kind = RuleKind::Packet;
  } else if (!rule.conditions.empty() && asked.only_protocol) {
    compiled.kind = RuleKind::ProtocolKnown;
  } else if (asked.only_address && rule.application == ApplicationProtocol::Unknown &&
             rule.protocol != RuleProtocol::Application &&
             (ports_are_any(rule, set) || rule.protocol == RuleProtocol::Ip)) {
    compiled.kind = RuleKind::Address;
  }
  // A rule of packets decides on packets, unless it asks for nothing that differs between the
  // packets of a flow.
  const bool plain = rule.conditions.empty() && rule.buffers.empty() && !rule.direction &&
                     rule.protocol != RuleProtocol::TcpPacket &&
                     rule.protocol != RuleProtocol::PacketHeader;
  compiled.flow_action = compiled.kind != RuleKind::Packet || plain ||
                         (rule.protocol == RuleProtocol::Application && !asked.packet);
  compiled.hook_progress = hook_progress_of(rule);
  compiled.repeats = compiled.hook_progress != 0 && rule.hook.ends_with("_body");
}

void sort_conditions(CompiledRule& compiled) {
  for (const Condition& condition : compiled.rule->conditions) {
    (is_effect(condition) ? compiled.effects : compiled.checks).push_back(&condition);
  }
  std::stable_sort(compiled.checks.begin(), compiled.checks.end(),
                   [](const Condition* left, const Condition* right) {
                     return cost_of(*left) < cost_of(*right);
                   });
}

std::vector<ApplicationProtocol> protocols_of(const CompiledRule& compiled) {
  if (compiled.kind != RuleKind::Transaction) {
    return {};
  }
  const Rule& rule = *compiled.rule;
  if (rule.application != ApplicationProtocol::Unknown) {
    return {rule.application};
  }
  for (const BufferMatches& buffer : rule.buffers) {
    const ApplicationProtocol protocol = properties_of(buffer.buffer).protocol;
    if (protocol != ApplicationProtocol::Unknown) {
      return {protocol};
    }
  }
  for (const Condition& condition : rule.conditions) {
    if (const auto* event = std::get_if<EventMatch>(&condition)) {
      if (event->kind == EventKind::Application) {
        return {event->protocol};
      }
    }
  }
  return {ApplicationProtocol::Http, ApplicationProtocol::Smtp, ApplicationProtocol::FtpData,
          ApplicationProtocol::Pop3, ApplicationProtocol::Imap, ApplicationProtocol::Smb,
          ApplicationProtocol::Tls,  ApplicationProtocol::Ftp,  ApplicationProtocol::Dns};
}

uint8_t directions_of(const CompiledRule& compiled) {
  const Rule& rule = *compiled.rule;
  if (rule.transactional) {
    return 3;
  }
  if (rule.direction) {
    return static_cast<uint8_t>(1U << index_of(*rule.direction));
  }
  uint8_t directions = 3;
  for (const BufferMatches& buffer : rule.buffers) {
    const BufferSide side = properties_of(buffer.buffer).side;
    if (side != BufferSide::Both) {
      const uint8_t only = side == BufferSide::ToServer ? 1 : 2;
      directions = (directions & only) != 0 ? static_cast<uint8_t>(directions & only) : only;
    }
  }
  return directions;
}

}  // namespace masugata::ids
