// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/plan/rule_gate.h"

#include <algorithm>

namespace masugata::ids {
namespace {

// The smallest range that holds the set.
RuleGate::Ports ports_of(const PortSet& set) {
  if (set.any || set.ranges.empty()) {
    return {};
  }
  RuleGate::Ports ports{set.ranges.front().first, set.ranges.front().second};
  for (const auto& [first, last] : set.ranges) {
    ports.low = std::min(ports.low, first);
    ports.high = std::max(ports.high, last);
  }
  return ports;
}

void ask_for_flags(RuleGate& gate, const TcpFlagsMatch& match) {
  if (match.mode == TcpFlagsMatch::Mode::Exactly) {
    gate.flags_asked = static_cast<uint8_t>(~match.ignored);
    gate.flags = match.flags;
  } else if (match.mode == TcpFlagsMatch::Mode::AllOf && (match.flags & match.ignored) == 0) {
    gate.flags_asked = gate.flags = match.flags;
  }
}

}  // namespace

RuleGate gate_of(const CompiledRule& compiled, const RuleSet& set) {
  const Rule& rule = *compiled.rule;
  RuleGate gate;
  gate.in_transactions = compiled.kind == RuleKind::Transaction;
  if (gate.in_transactions) {
    return gate;
  }
  gate.application = rule.application;
  if (!rule.bidirectional && !rule.transactional) {
    gate.source = ports_of(set.port_sets[rule.source_port]);
    gate.destination = ports_of(set.port_sets[rule.destination_port]);
  }
  for (const Condition* condition : compiled.checks) {
    if (const auto* flags = std::get_if<TcpFlagsMatch>(condition)) {
      ask_for_flags(gate, *flags);
      break;
    }
  }
  return gate;
}

void narrow_transports(CompiledRule& compiled) noexcept {
  for (const Condition* condition : compiled.checks) {
    const auto* number = std::get_if<NumberMatch>(condition);
    if (number != nullptr && number->field == NumberField::IpProtocol && !number->negated &&
        number->comparison == Comparison::Equal && number->low <= 0xff) {
      const TransportClass transport = transport_class_of(static_cast<net::Protocol>(number->low));
      compiled.transports =
          static_cast<uint8_t>(compiled.transports & (1U << static_cast<unsigned>(transport)));
    }
  }
}

}  // namespace masugata::ids
