// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/engine/inspection_engine.h"

#include <hs/hs.h>

#include <algorithm>
#include <map>
#include <new>
#include <stdexcept>
#include <string>

#include "ids/engine/engine_core.h"
#include "ids/protocols/ftp/ftp_parser.h"

namespace masugata::ids {
namespace {

constexpr size_t kThresholdBuckets = 4096;  // of eight: 32,768 states
constexpr size_t kHostBitBuckets = 2048;
constexpr size_t kHostTagBuckets = 64;
constexpr size_t kSpareMemories = 256;

// By old number: the new number of the same name.
std::vector<uint32_t> renumbering(const std::vector<std::string>& from,
                                  const std::vector<std::string>& to) {
  std::map<std::string, uint32_t> numbers;
  for (uint32_t i = 0; i < to.size(); ++i) {
    numbers.emplace(to[i], i);
  }
  std::vector<uint32_t> result;
  for (const std::string& name : from) {
    const auto found = numbers.find(name);
    result.push_back(found == numbers.end() ? FlowVariables::kGone : found->second);
  }
  return result;
}

}  // namespace

void ScratchCloser::operator()(hs_scratch* scratch) const noexcept { hs_free_scratch(scratch); }

EngineCore::EngineCore(const EngineLimits& limits, EventSink& sink, const ProtocolSource& protocols)
    : limits_(limits),
      sink_(sink),
      protocols_(protocols),
      host_bits_(kHostBitBuckets),
      host_tags_(kHostTagBuckets),
      thresholds_(kThresholdBuckets) {
  Result<std::unique_ptr<MatchScratch>> scratch = MatchScratch::create({});
  if (!scratch) {
    throw std::bad_alloc();
  }
  match_scratch_ = std::move(*scratch);
  judge_ = std::make_unique<RuleJudge>(*match_scratch_, host_bits_);
  spare_memories_.reserve(kSpareMemories);
}

EngineCore::~EngineCore() {
  while (flows_ != nullptr) {
    destroy(flows_);
  }
}

void EngineCore::use_plan(const DetectionPlan* plan, std::span<RuleCost> given_costs) {
  if (plan != nullptr) {
    hs_scratch_t* scratch = nullptr;
    auto allot = [&scratch](const PatternGroup& group) {
      if (group.database() != nullptr &&
          hs_alloc_scratch(group.database(), &scratch) != HS_SUCCESS) {
        hs_free_scratch(scratch);
        throw std::bad_alloc();
      }
    };
    for (const auto& directions : plan->payload_groups) {
      for (const PatternGroup& group : directions) {
        allot(group);
      }
    }
    for (const auto& group : plan->buffer_groups) {
      allot(group->patterns);
    }
    scratch_.reset(scratch);
    candidates_.size_for(plan->rules.size());
    demands_ = plan->demands;
  }
  renumber_flows(plan);
  const size_t rules = plan != nullptr ? plan->rules.size() : 0;
  const bool given = given_costs.size() >= rules && !given_costs.empty();
  own_costs_ = std::vector<RuleCost>(given ? 0 : rules);
  costs = given ? given_costs.first(rules) : std::span<RuleCost>(own_costs_);
  for (RelaxedCounter& hits : counters.exception_hits) {
    hits.set(0);
  }
  plan_ = plan;
  ++generation_;
}

void EngineCore::renumber_flows(const DetectionPlan* next) {
  if (plan_ == nullptr) {
    return;
  }
  static const RuleSet kNone;
  const RuleSet& to = next != nullptr ? next->set : kNone;
  const std::vector<uint32_t> bits = renumbering(plan_->set.flowbit_names, to.flowbit_names);
  const std::vector<uint32_t> integers = renumbering(plan_->set.flowint_names, to.flowint_names);
  for (FlowInspection* flow = flows_; flow != nullptr; flow = flow->next) {
    flow->variables.renumber(bits, integers);
    flow->recent[0].clear();
    flow->recent[1].clear();
  }
}

FlowInspection* EngineCore::open_flow(const FlowFacts& facts) noexcept {
  if (flow_count_ >= limits_.flows) {
    counters.flows_refused.add(1);
    return nullptr;
  }
  auto* flow = new (std::nothrow) FlowInspection;
  if (flow == nullptr) {
    counters.flows_refused.add(1);
    return nullptr;
  }
  flow->facts = facts;
  flow->demands = &demands_;
  flow->payload_rules_of = generation_;
  flow->last_us = facts.start_us;
  flow->event.flow_id = facts.flow_id;
  flow->event.key = facts.key;
  flow->event.start_us = flow->event.last_us = facts.start_us;
  flow->next = flows_;
  if (flows_ != nullptr) {
    flows_->previous = flow;
  }
  flows_ = flow;
  counters.flows.set(++flow_count_);
  account(*flow);
  return flow;
}

void EngineCore::destroy(FlowInspection* flow) noexcept {
  (flow->previous != nullptr ? flow->previous->next : flows_) = flow->next;
  if (flow->next != nullptr) {
    flow->next->previous = flow->previous;
  }
  memory_bytes_ -= flow->accounted_bytes;
  counters.memory_bytes.set(memory_bytes_);
  counters.flows.set(--flow_count_);
  delete flow;
}

void EngineCore::close_flow(FlowInspection* flow, uint64_t time_us,
                            std::string_view reason) noexcept {
  PacketFacts none;
  none.time_us = time_us;
  none.key = flow->facts.key;
  none.is_ipv6 = flow->facts.key.family() == net::Family::Ipv6;
  Call call{none, PacketFields(none), flow, {}, false};
  call.state.established = flow->event.established;
  call.state.closed = flow->event.closed;
  for (size_t i = 0; i < 2; ++i) {
    call.state.packets[i] = flow->event.packets[i];
    call.state.bytes[i] = flow->event.bytes[i];
    call.state.stream_bytes[i] = flow->windows[i].end();
  }
  flow->news = {};
  flow->protocol_news = false;
  if (flow->parser) {
    flow->parser->on_end(Direction::ToServer);
    flow->parser->on_end(Direction::ToClient);
    queue_.clear();
    if (plan_ != nullptr && flow->fate == FlowInspection::Fate::Inspect) {
      inspect_transactions(call, *flow->parser);
      static_cast<void>(reach_verdict(call));
    }
    report_transactions(call, *flow->parser, true);
  }
  flow->event.last_us = flow->last_us;
  sink_.flow_ended(flow->event, reason);
  destroy(flow);
}

InspectionVerdict EngineCore::inspect(const PacketFacts& packet, FlowInspection* flow,
                                      const FlowState& state,
                                      std::span<const StreamBytes> streams) noexcept {
  counters.packets.add(1);
  counters.bytes.add(packet.payload.size());
  counters.packet_bytes.add(packet.network.size());
  const bool turned_before = flow != nullptr && flow->reversed;
  if (!turned_before) {
    Call call{packet, PacketFields(packet), flow, state, true};
    if (!take_in(call, streams)) {
      return fate_of(call);
    }
    if (flow == nullptr || !flow->reversed) {
      return judge(call);
    }
    // This very packet showed that it came from the server.
  }
  PacketFacts turned = packet;
  turned.direction = opposite(packet.direction);
  Call call{turned, PacketFields(turned), flow, state, true};
  std::swap(call.state.packets[0], call.state.packets[1]);
  std::swap(call.state.bytes[0], call.state.bytes[1]);
  std::swap(call.state.stream_bytes[0], call.state.stream_bytes[1]);
  if (turned_before && !take_in(call, streams)) {
    return fate_of(call);
  }
  return judge(call);
}

bool EngineCore::take_in(Call& call, std::span<const StreamBytes> streams) noexcept {
  report_packet_events(call);
  if (call.flow != nullptr) {
    note_packet(call);
  }
  report_tagged(call);
  if (call.flow == nullptr) {
    return true;
  }
  if (call.flow->fate == FlowInspection::Fate::Drop) {
    return false;
  }
  feed(call, streams);
  return true;
}

InspectionVerdict EngineCore::judge_by_rules(Call& call) noexcept {
  FlowInspection* const flow = call.flow;
  queue_.clear();
  inspect_packet(call);
  if (flow != nullptr && flow->retired) {
    inspect_transactions(call, *flow->retired);
  }
  if (flow != nullptr && flow->parser) {
    inspect_transactions(call, *flow->parser);
  }
  return reach_verdict(call);
}

InspectionVerdict EngineCore::judge(Call& call) noexcept {
  FlowInspection* const flow = call.flow;
  InspectionVerdict verdict;
  const bool undecided = flow == nullptr || flow->fate == FlowInspection::Fate::Inspect;
  if (undecided && flow != nullptr && flow->parser_failed &&
      limits_.parser_failure != ParserFailure::Ignore) {
    verdict = verdict_on_failure(call);
  } else if (undecided && plan_ != nullptr) {
    verdict = judge_by_rules(call);
  } else if (flow != nullptr && flow->fate == FlowInspection::Fate::Pass) {
    verdict = fate_of(call);
  }
  if (flow != nullptr) {
    if (flow->retired) {
      report_transactions(call, *flow->retired, true);
      flow->retired.reset();
    }
    if (flow->parser) {
      report_transactions(call, *flow->parser, false);
    }
    enforce_memory(call, verdict);
  }
  return verdict;
}

struct InspectionEngine::State : EngineCore {
  using EngineCore::EngineCore;
};

InspectionEngine::InspectionEngine(const EngineLimits& limits, EventSink& sink,
                                   const ProtocolSource& protocols)
    : state_(std::make_unique<State>(limits, sink, protocols)) {}
InspectionEngine::~InspectionEngine() = default;

void InspectionEngine::use_plan(const DetectionPlan* plan, std::span<RuleCost> costs) {
  state_->use_plan(plan, costs);
}

FlowInspection* InspectionEngine::open_flow(const FlowFacts& facts) noexcept {
  return state_->open_flow(facts);
}

void InspectionEngine::close_flow(FlowInspection* flow, uint64_t time_us,
                                  std::string_view reason) noexcept {
  state_->close_flow(flow, time_us, reason);
}

InspectionVerdict InspectionEngine::inspect(const PacketFacts& packet, FlowInspection* flow,
                                            const FlowState& state,
                                            std::span<const StreamBytes> streams) noexcept {
  return state_->inspect(packet, flow, state, streams);
}

const EngineCounters& InspectionEngine::counters() const noexcept { return state_->counters; }
std::span<const RuleCost> InspectionEngine::rule_costs() const noexcept { return state_->costs; }
void InspectionEngine::set_profiling(bool on) noexcept { state_->profiling = on; }
void InspectionEngine::set_memory_failure(Failure failure) noexcept {
  state_->memory_failure = failure;
}

ApplicationProtocol protocol_of(const FlowInspection& flow) noexcept { return flow.event.protocol; }
const ProtocolParser* parser_of(const FlowInspection& flow) noexcept { return flow.parser.get(); }
ProtocolParser* reading_parser_of(FlowInspection& flow) noexcept {
  return flow.parser_live ? flow.parser.get() : nullptr;
}

void set_expected(FlowInspection& flow, const ProtocolParser::ExpectedData& data) noexcept {
  if (flow.detection != FlowInspection::Detection::Pending ||
      flow.announced != FlowInspection::Announced::No ||
      data.protocol != ApplicationProtocol::FtpData) {
    return;
  }
  flow.parser = make_ftp_data_parser(*flow.demands, &data);
  flow.parser_live = flow.parser != nullptr;
  flow.detection = FlowInspection::Detection::Known;
  flow.announced = FlowInspection::Announced::Still;
  flow.event.protocol = flow.event.protocol_to_server = flow.event.protocol_to_client =
      data.protocol;
  flow.equip_parser();
}

}  // namespace masugata::ids
