// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/engine/rule_judge.h"

#include <algorithm>

#include "ids/engine/condition_judge.h"

namespace masugata::ids {
namespace {

bool is_file_condition(const Condition& condition) {
  if (const auto* number = std::get_if<NumberMatch>(&condition)) {
    return number->field == NumberField::FileSize;
  }
  return std::holds_alternative<FileTextMatch>(condition) ||
         std::holds_alternative<FileHashMatch>(condition) ||
         std::holds_alternative<FileStore>(condition);
}

bool asks_for_payload(const CompiledRule& rule) {
  for (const CompiledBufferMatches& buffer : rule.buffers) {
    if (buffer.buffer == BufferId::Payload) {
      return true;
    }
  }
  return false;
}

bool protocol_holds(const Rule& rule, const Subject& subject) {
  switch (rule.protocol) {
    case RuleProtocol::Ipv4:
      return !subject.packet->is_ipv6;
    case RuleProtocol::Ipv6:
      return subject.packet->is_ipv6;
    case RuleProtocol::Icmpv6:
      return subject.key.protocol == net::Protocol::Icmpv6;
    case RuleProtocol::Sctp:
      return subject.key.protocol == net::Protocol::Sctp;
    case RuleProtocol::Gre:
      return subject.key.protocol == net::Protocol::Gre;
    default:
      return true;
  }
}

bool has_ports(net::Protocol protocol) {
  return protocol == net::Protocol::Tcp || protocol == net::Protocol::Udp ||
         protocol == net::Protocol::Sctp;
}

bool endpoints_hold(const DetectionPlan& plan, const Rule& rule, const net::FlowKey& key) {
  if (rule.source_port != 0 || rule.destination_port != 0) {
    const bool ports = has_ports(key.protocol);
    const uint16_t source = ports ? key.source_port.host() : uint16_t{0};
    const uint16_t destination = ports ? key.destination_port.host() : uint16_t{0};
    if (!plan.ports[rule.source_port].contains(source) ||
        !plan.ports[rule.destination_port].contains(destination)) {
      return false;
    }
  }
  return plan.addresses[rule.source].contains(key.source) &&
         plan.addresses[rule.destination].contains(key.destination);
}

}  // namespace

bool RuleJudge::header_holds(const DetectionPlan& plan, const CompiledRule& compiled,
                             const Subject& subject) noexcept {
  const Rule& rule = *compiled.rule;
  if (rule.direction && !rule.transactional &&
      (subject.flow == nullptr || *rule.direction != subject.direction)) {
    return false;
  }
  if (compiled.one_transport && !protocol_holds(rule, subject)) {
    return false;
  }
  if (rule.application != ApplicationProtocol::Unknown && subject.transaction == nullptr &&
      (subject.flow == nullptr || subject.flow->event.protocol != rule.application)) {
    return false;
  }
  if (rule.application != ApplicationProtocol::Unknown && compiled.kind == RuleKind::Packet &&
      subject.flow->unanswered) {
    return false;
  }
  if (!subject.packet->is_ip) {
    return rule.protocol == RuleProtocol::PacketHeader;
  }
  if (endpoints_hold(plan, rule, subject.key)) {
    return true;
  }
  return (rule.bidirectional || rule.transactional) &&
         endpoints_hold(plan, rule, subject.key.reversed());
}

ConditionOutcome RuleJudge::conditions_hold(const DetectionPlan& plan, const CompiledRule& rule,
                                            const Subject& subject) noexcept {
  ConditionOutcome all = ConditionOutcome::Yes;
  bool files = false;
  for (const Condition* condition : rule.checks) {
    if (is_file_condition(*condition)) {
      files = true;
      continue;
    }
    const ConditionOutcome one = judge_condition(plan, *condition, subject, host_bits_);
    if (one == ConditionOutcome::No || one == ConditionOutcome::NotAsked) {
      return ConditionOutcome::No;
    }
    if (one == ConditionOutcome::NotYet) {
      all = ConditionOutcome::NotYet;
    }
  }
  if (files && all == ConditionOutcome::Yes) {
    return files_hold(rule, subject);
  }
  return all;
}

// One file for which all conditions on files hold.
ConditionOutcome RuleJudge::files_hold(const CompiledRule& rule, const Subject& subject) noexcept {
  if (subject.transaction == nullptr) {
    return ConditionOutcome::No;
  }
  for (const TransferredFile& file : subject.transaction->files()) {
    if (file.direction != subject.direction && !rule.rule->transactional) {
      continue;
    }
    bool all = true;
    for (const Condition* condition : rule.checks) {
      if (is_file_condition(*condition) &&
          match_file_condition(*condition, file) != ConditionOutcome::Yes) {
        all = false;
        break;
      }
    }
    if (all) {
      return ConditionOutcome::Yes;
    }
  }
  // Another file, or the rest of this one, may come.
  return ConditionOutcome::NotYet;
}

bool RuleJudge::bytes_hold(const CompiledBufferMatches& buffer, std::span<const uint8_t> bytes,
                           uint64_t first, bool complete) noexcept {
  if (!buffer.transforms.empty()) {
    bytes = apply_transforms(buffer.transforms, bytes, scratch_);
  }
  return match_buffer(buffer, {bytes, first, complete}, scratch_);
}

namespace {

// 4 or 16 bytes, as the packet carries them.
std::span<const uint8_t> address_bytes(const net::IpAddress& address) {
  const std::span<const uint8_t> bytes = address.bytes;
  return address.is_v4() ? bytes.last(4) : bytes;
}

std::span<const uint8_t> header_bytes(BufferId buffer, const PacketFacts& packet) {
  const size_t network = packet.network.size();
  const size_t transport = packet.transport.size();
  const size_t payload = packet.payload.size();
  const bool is_v4 = packet.is_ip && !packet.is_ipv6;
  switch (buffer) {
    case BufferId::Ipv4Header:
      return is_v4 && network >= transport ? packet.network.first(network - transport)
                                           : std::span<const uint8_t>{};
    case BufferId::Ipv6Header:
      return packet.is_ipv6 && network >= transport ? packet.network.first(network - transport)
                                                    : std::span<const uint8_t>{};
    case BufferId::TcpHeader:
      return packet.key.protocol == net::Protocol::Tcp && transport >= payload
                 ? packet.transport.first(transport - payload)
                 : std::span<const uint8_t>{};
    case BufferId::UdpHeader:
      return packet.key.protocol == net::Protocol::Udp && transport >= payload
                 ? packet.transport.first(transport - payload)
                 : std::span<const uint8_t>{};
    case BufferId::Icmpv4Header:
      return packet.key.protocol == net::Protocol::Icmp ? packet.transport
                                                        : std::span<const uint8_t>{};
    case BufferId::Icmpv6Header:
      return packet.key.protocol == net::Protocol::Icmpv6 ? packet.transport
                                                          : std::span<const uint8_t>{};
    case BufferId::IpSource:
      return packet.is_ip ? address_bytes(packet.key.source) : std::span<const uint8_t>{};
    case BufferId::IpDestination:
      return packet.is_ip ? address_bytes(packet.key.destination) : std::span<const uint8_t>{};
    default:
      return {};
  }
}

}  // namespace

bool RuleJudge::packet_buffers_hold(const CompiledRule& rule, const Subject& subject,
                                    bool stream) noexcept {
  scratch_.begin_rule();
  for (const CompiledBufferMatches& buffer : rule.buffers) {
    bool holds = false;
    if (buffer.buffer != BufferId::Payload) {
      const std::span<const uint8_t> bytes = header_bytes(buffer.buffer, *subject.packet);
      holds = !bytes.empty() && bytes_hold(buffer, bytes, 0, true);
    } else if (stream) {
      const StreamWindow& window = subject.flow->windows[index_of(subject.direction)];
      std::span<const uint8_t> bytes = window.bytes();
      if (subject.stream_reach != 0 && bytes.size() > subject.stream_reach) {
        bytes = bytes.last(subject.stream_reach);
      }
      // What has come is all there is: a stream has no end that rules could wait for.
      holds = bytes_hold(buffer, bytes, window.end() - bytes.size(), true);
    } else {
      holds = bytes_hold(buffer, subject.payload, 0, true);
    }
    if (!holds) {
      return false;
    }
  }
  return true;
}

Judgement RuleJudge::judge_packet(const DetectionPlan& plan, const CompiledRule& rule,
                                  const Subject& subject) noexcept {
  if (!header_holds(plan, rule, subject) ||
      conditions_hold(plan, rule, subject) != ConditionOutcome::Yes) {
    return Judgement::No;
  }
  if (rule.buffers.empty()) {
    return Judgement::Yes;
  }
  const bool tcp = subject.key.protocol == net::Protocol::Tcp;
  if (rule.kind == RuleKind::Stream && tcp) {
    if ((subject.stream_news || subject.stream_reach != 0) &&
        packet_buffers_hold(rule, subject, true)) {
      return Judgement::ByStream;
    }
    if (!rule.on_packet && !subject.outside_stream) {
      return Judgement::No;
    }
  }
  if (subject.payload.empty() && asks_for_payload(rule)) {
    return Judgement::No;
  }
  return packet_buffers_hold(rule, subject, false) ? Judgement::Yes : Judgement::No;
}

Judgement RuleJudge::buffer_holds(const CompiledBufferMatches& buffer,
                                  const Subject& subject) noexcept {
  if (buffer.buffer == BufferId::Payload) {
    const StreamWindow& window = subject.flow->windows[index_of(subject.direction)];
    const bool tcp = subject.key.protocol == net::Protocol::Tcp;
    // What came before the transaction belongs to others.
    const uint64_t from = std::clamp(subject.stream_from, window.first(), window.end());
    const auto begin = static_cast<size_t>(from - window.first());
    const bool holds = tcp ? bytes_hold(buffer, window.bytes().subspan(begin), from, true)
                           : bytes_hold(buffer, subject.payload, 0, true);
    return holds ? Judgement::Yes : Judgement::NotYet;
  }
  const BufferProperties& properties = properties_of(buffer.buffer);
  if (properties.source == BufferSource::Packet) {
    const std::span<const uint8_t> bytes = header_bytes(buffer.buffer, *subject.packet);
    return !bytes.empty() && bytes_hold(buffer, bytes, 0, true) ? Judgement::Yes : Judgement::No;
  }
  const Direction side = buffer.side.value_or(
      properties.side == BufferSide::Both
          ? subject.direction
          : (properties.side == BufferSide::ToServer ? Direction::ToServer : Direction::ToClient));
  const bool many = properties.many || properties.source == BufferSource::File;
  bool any_instance = false;
  // Files without a name or magic leave holes in the row of instances.
  const uint32_t least = buffer.buffer == BufferId::FileName || buffer.buffer == BufferId::FileMagic
                             ? static_cast<uint32_t>(kMaximumFiles)
                             : 1;
  constexpr uint32_t kMostInstances = 1024;
  for (uint32_t instance = 0; instance < kMostInstances; ++instance) {
    const BufferBytes bytes = subject.transaction->buffer(buffer.buffer, side, instance);
    if (bytes.state == BufferState::NotYet) {
      return Judgement::NotYet;
    }
    if (bytes.state == BufferState::Absent) {
      if (instance + 1 < least) {
        continue;
      }
      break;
    }
    any_instance = true;
    const bool complete = bytes.state == BufferState::Complete;
    if (bytes_hold(buffer, bytes.bytes, bytes.first, complete)) {
      return Judgement::Yes;
    }
    if (!many) {
      return complete ? Judgement::No : Judgement::NotYet;
    }
  }
  if (!any_instance && match_absent_buffer(buffer)) {
    return Judgement::Yes;
  }
  return many && !subject.transaction->finished[index_of(side)] ? Judgement::NotYet : Judgement::No;
}

Judgement RuleJudge::judge_transaction(const DetectionPlan& plan, const CompiledRule& rule,
                                       const Subject& subject) noexcept {
  if (!header_holds(plan, rule, subject)) {
    return Judgement::No;
  }
  if (rule.hook_progress > subject.transaction->progress[index_of(subject.direction)]) {
    return Judgement::NotYet;
  }
  const ConditionOutcome conditions = conditions_hold(plan, rule, subject);
  if (conditions == ConditionOutcome::No) {
    return Judgement::No;
  }
  // Without them buffers cannot make it match yet, and looking at a body each time costs most.
  if (conditions == ConditionOutcome::NotYet) {
    return Judgement::NotYet;
  }
  Judgement all = Judgement::Yes;
  scratch_.begin_rule();
  for (const CompiledBufferMatches& buffer : rule.buffers) {
    const Judgement one = buffer_holds(buffer, subject);
    if (one == Judgement::No) {
      return one;
    }
    if (one == Judgement::NotYet) {
      all = one;
    }
  }
  return all;
}

void RuleJudge::carry_out(const DetectionPlan& plan, const CompiledRule& rule,
                          const Subject& subject) noexcept {
  for (const Condition* effect : rule.effects) {
    if (const auto* host = std::get_if<XbitsMatch>(effect)) {
      host_bits_.carry_out(*host, plan.set.xbit_names, host_question(subject));
    } else if (subject.flow == nullptr) {
      continue;
    } else if (const auto* bits = std::get_if<FlowbitsMatch>(effect)) {
      subject.flow->variables.carry_out(*bits);
    } else if (const auto* number = std::get_if<FlowintMatch>(effect)) {
      subject.flow->variables.carry_out(*number);
    }
  }
}

}  // namespace masugata::ids
