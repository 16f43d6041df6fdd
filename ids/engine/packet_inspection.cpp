// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <new>

#include "ids/engine/engine_core.h"

namespace masugata::ids {
namespace {

// Protocols whose packets make flows, as the rule language sees it: of all others every packet is
// a first one.
bool is_followed(net::Protocol protocol) {
  return transport_class_of(protocol) != TransportClass::Other || protocol == net::Protocol::Sctp ||
         protocol == net::Protocol::Esp;
}

RuleGate::Packet gate_packet(const Subject& subject) {
  RuleGate::Packet packet;
  const net::Protocol protocol = subject.key.protocol;
  if (protocol == net::Protocol::Tcp || protocol == net::Protocol::Udp ||
      protocol == net::Protocol::Sctp) {
    packet.source_port = subject.key.source_port.host();
    packet.destination_port = subject.key.destination_port.host();
  }
  packet.tcp_flags = subject.fields->tcp_flags();
  if (subject.flow != nullptr) {
    packet.application = subject.flow->event.protocol;
  }
  return packet;
}

}  // namespace

Subject EngineCore::subject_of(Call& call, Direction direction) const noexcept {
  Subject subject;
  subject.packet = &call.packet;
  subject.fields = &call.fields;
  subject.flow = call.flow;
  subject.state = &call.state;
  subject.direction = direction;
  subject.is_packet = call.is_packet;
  const bool same = direction == call.packet.direction;
  subject.key = same ? call.packet.key : call.packet.key.reversed();
  const bool readable = call.flow == nullptr || !call.flow->encrypted;
  if (same && readable && !call.packet.is_fragment) {
    subject.payload = call.packet.payload;
  }
  subject.stream_news = call.flow != nullptr && call.flow->news[index_of(direction)] &&
                        !call.flow->windows[index_of(direction)].bytes().empty();
  return subject;
}

void EngineCore::inspect_packet(Call& call) noexcept {
  if (!call.packet.is_ip) {
    judge_list(plan_->non_ip_rules, subject_of(call, call.packet.direction));
    return;
  }
  Subject subject = subject_of(call, call.packet.direction);
  if (call.is_packet) {
    inspect_addresses(call, subject);
    subject.outside_stream = subject.key.protocol == net::Protocol::Tcp &&
                             (call.flow == nullptr || call.packet.outside_stream ||
                              (!call.state.established && !subject.stream_news &&
                               !call.flow->news[0] && !call.flow->news[1]));
  }
  inspect_payload(call, subject, true);
  if (call.flow == nullptr) {
    return;
  }
  const Direction other = opposite(call.packet.direction);
  if (call.flow->news[index_of(other)]) {
    inspect_payload(call, subject = subject_of(call, other), false);
  }
  if (call.flow->protocol_news) {
    judge_list(plan_->protocol_known_rules, subject_of(call, call.packet.direction));
  }
}

void EngineCore::inspect_addresses(Call& call, Subject& subject) noexcept {
  const auto transport = static_cast<size_t>(transport_class_of(call.packet.key.protocol));
  auto judge_addresses = [&] {
    const DetectionPlan::AddressRules& rules = plan_->address_rules[transport];
    candidates_.begin();
    for (const std::span<const uint32_t> found :
         {rules.by_source.find(subject.key.source),
          rules.by_destination.find(subject.key.destination),
          std::span<const uint32_t>(rules.others)}) {
      for (const RuleNumber rule : found) {
        candidates_.add(rule);
      }
    }
    judge_candidates(subject);
  };
  if (call.flow == nullptr || !is_followed(call.packet.key.protocol)) {
    judge_addresses();
    return;
  }
  bool& judged = call.flow->addresses_judged[index_of(call.packet.direction)];
  if (!judged) {
    judged = true;
    judge_list(plan_->flow_start_rules[transport], subject);
    judge_addresses();
  }
}

void EngineCore::scan(const PatternGroup& group, std::span<const uint8_t> bytes,
                      uint64_t first) noexcept {
  if (group.database() == nullptr || bytes.empty()) {
    return;
  }
  counters.scans.add(1);
  counters.scanned_bytes.add(bytes.size());
  group.scan(bytes, first, scratch_.get(),
             [this](uint32_t rule) noexcept { candidates_.add(rule); });
}

// In payloads. `protocol_news`: rules that ask for the protocol did not apply to what came before
// it was known; all others have seen that already.
void EngineCore::scan_for(const Subject& subject, const PatternGroup& group,
                          std::span<const uint8_t> bytes, uint64_t first,
                          bool protocol_news) noexcept {
  if (group.database() == nullptr || bytes.empty()) {
    return;
  }
  counters.scans.add(1);
  counters.scanned_bytes.add(bytes.size());
  const RuleGate::Packet gate = gate_packet(subject);
  group.scan(bytes, first, scratch_.get(), [&](uint32_t rule) noexcept {
    const RuleGate& asked = plan_->gates[rule];
    if (asked.in_transactions) {
      if (subject.flow != nullptr) {
        remember_payload_rule(*subject.flow, subject.direction, rule);
      }
    } else if (asked.open_to(gate) && (!protocol_news || plan_->rules[rule].asks_protocol)) {
      candidates_.add(rule);
    }
  });
}

void EngineCore::remember_payload_rule(FlowInspection& flow, Direction direction,
                                       RuleNumber rule) noexcept {
  const size_t side = index_of(direction);
  std::vector<uint32_t>& known = flow.payload_rules[side];
  if (flow.payload_rules_of != generation_) {
    // Bytes that are gone may have held what this plan searches for.
    flow.too_many_payload_rules.fill(true);
    flow.payload_rules_of = generation_;
    flow.payload_rules[0].clear();
    flow.payload_rules[1].clear();
  }
  if (flow.too_many_payload_rules[side] ||
      std::find(known.begin(), known.end(), rule) != known.end()) {
    return;
  }
  if (known.size() == FlowInspection::kMostPayloadRules) {
    flow.too_many_payload_rules[side] = true;
    return;
  }
  try {
    known.push_back(rule);
  } catch (const std::bad_alloc&) {
    flow.too_many_payload_rules[side] = true;
  }
}

// The new bytes of a TCP stream and the packet's payload are mostly the same bytes: one search
// finds candidates for both.
void EngineCore::scan_payload(const Call& call, const Subject& subject,
                              bool is_own_direction) noexcept {
  const auto transport = static_cast<size_t>(transport_class_of(subject.key.protocol));
  const size_t side = index_of(subject.direction);
  const PatternGroup& group = plan_->payload_groups[transport][side];
  size_t news = 0;
  if (subject.stream_news) {
    const StreamWindow& window = call.flow->windows[side];
    const uint64_t overlap = group.longest() == 0 ? 0 : group.longest() - 1;
    uint64_t from = call.flow->news_from[side];
    if (call.flow->protocol_news && from > window.first()) {
      scan_for(subject, group, window.bytes(), PatternGroup::kUnplaced, true);
    }
    news = static_cast<size_t>(window.end() - std::max(from, window.first()));
    from = from > overlap ? from - overlap : 0;
    from = std::max(from, window.first());
    scan_for(subject, group, window.bytes().subspan(static_cast<size_t>(from - window.first())),
             PatternGroup::kUnplaced, false);
  }
  if (is_own_direction && news < subject.payload.size()) {
    scan_for(subject, group, subject.payload, 0, false);
  }
}

void EngineCore::inspect_payload(Call& call, Subject& subject, bool is_own_direction) noexcept {
  const auto transport = static_cast<size_t>(transport_class_of(subject.key.protocol));
  const size_t side = index_of(subject.direction);
  candidates_.begin();
  scan_payload(call, subject, is_own_direction);
  const RuleGate::Packet gate = gate_packet(subject);
  auto add_list = [&](const RuleList& rules) {
    for (const RuleNumber rule : rules) {
      if (plan_->gates[rule].open_to(gate)) {
        candidates_.add(rule);
      }
    }
  };
  if (is_own_direction && call.is_packet) {
    add_list(plan_->packet_lists[transport][side]);
  }
  if (subject.stream_news || (subject.outside_stream && !subject.payload.empty())) {
    add_list(plan_->stream_lists[side]);
  }
  judge_candidates(subject);
  if (is_own_direction && call.is_packet && limits_.stream_repeat_bytes != 0) {
    judge_again(subject);
  }
}

// Where streams are judged as a gateway does, a rule speaks of each segment that comes while what
// it matched is near.
void EngineCore::judge_again(const Subject& subject) noexcept {
  if (subject.flow == nullptr || subject.outside_stream || subject.payload.empty()) {
    return;
  }
  Subject near = subject;
  near.stream_reach = limits_.stream_repeat_bytes;
  const uint64_t end = subject.flow->windows[index_of(subject.direction)].end();
  for (const RecentMatches::Match& match :
       subject.flow->recent[index_of(subject.direction)].all()) {
    if (match.end + near.stream_reach > end && !queue_.holds(match.rule)) {
      judge_one(match.rule, near);
    }
  }
}

void EngineCore::judge_candidates(const Subject& subject) noexcept {
  for (const RuleNumber rule : candidates_.sorted()) {
    judge_one(rule, subject);
  }
}

void EngineCore::judge_list(const RuleList& rules, const Subject& subject) noexcept {
  for (const RuleNumber rule : rules) {
    judge_one(rule, subject);
  }
}

void EngineCore::note_cost(RuleNumber number, uint64_t begin, bool matched) noexcept {
  RuleCost& cost = costs[number];
  cost.checks.add(1);
  cost.checks_matched.add(matched ? 1 : 0);
  cost.cycles.add(cycle_count() - begin);
}

// For a rule that has matched: does it count for this sender and receiver? If not, it has no
// effects either.
bool EngineCore::is_excepted(const CompiledRule& rule, const Subject& subject) noexcept {
  for (const uint32_t exception : rule.exceptions) {
    const DetectionPlan::ExceptedHosts& hosts = plan_->exceptions[exception];
    if (hosts.source.contains(subject.key.source) &&
        hosts.destination.contains(subject.key.destination)) {
      counters.excepted.add(1);
      if (exception < counters.exception_hits.size()) {
        counters.exception_hits[exception].add(1);
      }
      return true;
    }
  }
  return false;
}

// What a rule has matched in a stream it does not match again, be it that it has no pattern or that
// the pattern stands where two searches overlap. 0: it has not matched.
uint64_t EngineCore::bytes_since_match(const CompiledRule& rule, const Subject& subject) noexcept {
  if (rule.kind != RuleKind::Stream || !subject.stream_news || subject.stream_reach != 0) {
    return 0;
  }
  const size_t side = index_of(subject.direction);
  const RecentMatches::Match* match = subject.flow->recent[side].find(rule.number);
  return match == nullptr ? 0 : subject.flow->windows[side].end() - match->end;
}

void EngineCore::judge_one(RuleNumber number, const Subject& subject) noexcept {
  const CompiledRule& rule = plan_->rules[number];
  if (const uint64_t since = bytes_since_match(rule, subject); since != 0) {
    Subject rest = subject;
    rest.stream_reach = static_cast<uint32_t>(std::min<uint64_t>(since, UINT32_MAX));
    judge_one(number, rest);
    return;
  }
  counters.candidates.add(1);
  const uint64_t begin = profiling ? cycle_count() : 0;
  const Judgement judgement = judge_->judge_packet(*plan_, rule, subject);
  if (profiling) {
    note_cost(number, begin, judgement != Judgement::No);
  }
  if (judgement == Judgement::No || is_excepted(rule, subject)) {
    return;
  }
  judge_->carry_out(*plan_, rule, subject);
  const bool by_stream = judgement == Judgement::ByStream;
  if (by_stream) {
    const size_t side = index_of(subject.direction);
    const StreamWindow& window = subject.flow->windows[side];
    RecentMatches& recent = subject.flow->recent[side];
    if (subject.stream_reach == 0) {
      recent.forget_before(window.first());
    }
    recent.note(number, window.end());
  }
  if (by_stream && rule.on_packet && !limits_.inline_mode && judge_->packet_holds(rule, subject)) {
    // As two packets would say it: this one, and the one that tells that the bytes have arrived.
    add_match({&rule, nullptr, subject.direction, false});
  }
  add_match({&rule, nullptr, subject.direction, by_stream});
}

}  // namespace masugata::ids
