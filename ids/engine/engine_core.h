// SPDX-License-Identifier: GPL-2.0-or-later
// The inside of an inspection engine. The steps of one packet, in order, each in its own file:
//   protocol_feed.cpp           bytes to protocol detection, parsers and stream windows
//   packet_inspection.cpp       address, packet and stream rules
//   transaction_inspection.cpp  rules on transactions
//   verdict.cpp                 matches to thresholds, alerts and the verdict
//   transaction_reports.cpp     what is finished goes to the log and out of memory
//   memory.cpp                  what the flow holds now, and what happens at the bound
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ids/engine/alert_queue.h"
#include "ids/engine/candidate_set.h"
#include "ids/engine/engine_counters.h"
#include "ids/engine/flow_inspection.h"
#include "ids/engine/host_bits.h"
#include "ids/engine/inspection_engine.h"
#include "ids/engine/rule_judge.h"
#include "ids/engine/subject.h"
#include "ids/engine/tags.h"
#include "ids/engine/thresholds.h"
#include "ids/engine/transaction_memory.h"
#include "ids/eve/event_sink.h"
#include "ids/plan/compiled_rules.h"

struct hs_scratch;

namespace masugata::ids {

struct ScratchCloser {
  void operator()(hs_scratch* scratch) const noexcept;
};

class EngineCore {
 public:
  EngineCore(const EngineLimits& limits, EventSink& sink, const ProtocolSource& protocols);
  ~EngineCore();
  EngineCore(const EngineCore&) = delete;
  EngineCore& operator=(const EngineCore&) = delete;

  void use_plan(const DetectionPlan* plan, std::span<RuleCost> given_costs);
  FlowInspection* open_flow(const FlowFacts& facts) noexcept;
  void close_flow(FlowInspection* flow, uint64_t time_us, std::string_view reason) noexcept;
  InspectionVerdict inspect(const PacketFacts& packet, FlowInspection* flow, const FlowState& state,
                            std::span<const StreamBytes> streams) noexcept;

  EngineCounters counters;
  std::span<RuleCost> costs;  // by RuleNumber: own_costs_, or the caller's
  bool profiling = false;
  Failure memory_failure = Failure::PassCounted;

 private:
  // What belongs to one call of inspect().
  struct Call {
    const PacketFacts& packet;
    PacketFields fields;
    FlowInspection* flow;
    FlowState state;
    bool is_packet;  // false: the flow ends, and there is no packet
  };
  // The flow learns what came with the packet; false: its fate is known and nothing is judged.
  [[nodiscard]] bool take_in(Call& call, std::span<const StreamBytes> streams) noexcept;
  InspectionVerdict judge(Call& call) noexcept;
  InspectionVerdict judge_by_rules(Call& call) noexcept;

  // protocol_feed.cpp
  void feed(Call& call, std::span<const StreamBytes> streams) noexcept;
  void feed_bytes(Call& call, Direction direction, std::span<const uint8_t> bytes) noexcept;
  // Whether a flow that was announced is another than that, now that these bytes come. Then nothing
  // is known of its protocol.
  static bool turns_out_otherwise(FlowInspection& flow, Direction direction,
                                  std::span<const uint8_t> bytes) noexcept;
  void feed_gap(Call& call, Direction direction, uint64_t missing) noexcept;
  void detect(Call& call, Direction direction, std::span<const uint8_t> bytes) noexcept;
  void settle_protocol(FlowInspection& flow, ApplicationProtocol protocol) noexcept;
  void give_up_detection(FlowInspection& flow) noexcept;
  void parse(Call& call, Direction direction, std::span<const uint8_t> bytes) noexcept;
  void take_outcome(Call& call, ParseOutcome outcome) noexcept;
  static void exchange_sides(FlowInspection& flow) noexcept;
  static void end_parser(FlowInspection& flow) noexcept;

  // content_feed.cpp
  static void feed_end(Call& call, const StreamBytes& stream) noexcept;

  // packet_inspection.cpp
  void inspect_packet(Call& call) noexcept;
  void inspect_addresses(Call& call, Subject& subject) noexcept;
  void inspect_payload(Call& call, Subject& subject, bool is_own_direction) noexcept;
  void judge_list(const RuleList& rules, const Subject& subject) noexcept;
  void judge_candidates(const Subject& subject) noexcept;
  void judge_one(RuleNumber number, const Subject& subject) noexcept;
  void judge_again(const Subject& subject) noexcept;
  [[nodiscard]] static uint64_t bytes_since_match(const CompiledRule& rule,
                                                  const Subject& subject) noexcept;
  [[nodiscard]] bool is_excepted(const CompiledRule& rule, const Subject& subject) noexcept;
  void note_cost(RuleNumber number, uint64_t begin, bool matched) noexcept;
  void scan(const PatternGroup& group, std::span<const uint8_t> bytes, uint64_t first) noexcept;
  void scan_for(const Subject& subject, const PatternGroup& group, std::span<const uint8_t> bytes,
                uint64_t first, bool protocol_news) noexcept;
  void remember_payload_rule(FlowInspection& flow, Direction direction, RuleNumber rule) noexcept;
  void add_payload_rules(FlowInspection& flow, const Transaction& transaction,
                         Direction direction) noexcept;
  void scan_payload(const Call& call, const Subject& subject, bool is_own_direction) noexcept;
  [[nodiscard]] Subject subject_of(Call& call, Direction direction) const noexcept;

  // transaction_inspection.cpp
  void inspect_transactions(Call& call, ProtocolParser& parser) noexcept;
  void inspect_side(Call& call, Transaction& transaction, TransactionMemory& memory,
                    Direction direction) noexcept;
  void judge_late_events(Call& call, Transaction& transaction, TransactionMemory& memory,
                         Direction direction) noexcept;
  // Complete, yet a rule waits for the next packet of one direction.
  [[nodiscard]] bool owes_judgement(const Transaction& transaction) const noexcept;
  void judge_in_transaction(RuleNumber number, TransactionMemory& memory,
                            const Subject& subject) noexcept;
  void scan_group(Transaction& transaction, const BufferGroup& group,
                  TransactionMemory::GroupProgress& progress, bool finished) noexcept;
  void scan_one(Transaction& transaction, const BufferGroup& group,
                TransactionMemory::GroupProgress& progress) noexcept;
  void scan_many(Transaction& transaction, const BufferGroup& group,
                 TransactionMemory::GroupProgress& progress) noexcept;
  bool scan_progressive(const BufferGroup& group, TransactionMemory::GroupProgress& progress,
                        const BufferBytes& bytes) noexcept;
  [[nodiscard]] TransactionMemory& memory_of(Transaction& transaction) noexcept;
  void keep_memory(Transaction& transaction) noexcept;

  // verdict.cpp
  void add_match(const RuleMatch& match) noexcept;
  InspectionVerdict reach_verdict(Call& call) noexcept;
  void apply_action(const RuleMatch& match, RuleAction action, Call& call,
                    InspectionVerdict& verdict) noexcept;
  void report_alert(const RuleMatch& match, RuleAction action, Call& call) noexcept;
  void begin_tag(const Rule& rule, Call& call) noexcept;
  InspectionVerdict fate_of(Call& call) noexcept;
  InspectionVerdict verdict_on_failure(Call& call) noexcept;

  // transaction_reports.cpp
  void report_transactions(Call& call, ProtocolParser& parser, bool all) noexcept;
  void report_transaction(Call& call, Transaction& transaction, bool complete) noexcept;
  void report_events(Call& call, Transaction& transaction, TransactionMemory& memory) noexcept;
  void note_packet(Call& call) noexcept;
  void report_tagged(Call& call) noexcept;
  void report_packet_events(const Call& call) noexcept;

  // memory.cpp
  void account(FlowInspection& flow) noexcept;
  void enforce_memory(Call& call, InspectionVerdict& verdict) noexcept;
  void destroy(FlowInspection* flow) noexcept;
  void renumber_flows(const DetectionPlan* next);

  EngineLimits limits_;
  EventSink& sink_;
  ProtocolSource protocols_;
  const DetectionPlan* plan_ = nullptr;
  std::vector<RuleCost> own_costs_;
  uint32_t generation_ = 0;
  ParserDemands demands_;
  std::unique_ptr<hs_scratch, ScratchCloser> scratch_;
  std::unique_ptr<MatchScratch> match_scratch_;
  HostBits host_bits_;
  HostTags host_tags_;
  ThresholdTable thresholds_;
  std::unique_ptr<RuleJudge> judge_;
  CandidateSet candidates_;
  AlertQueue queue_;
  std::vector<std::unique_ptr<TransactionMemory>> spare_memories_;
  std::vector<RuleNumber> late_rules_;  // of judge_late_events()
  FlowInspection* flows_ = nullptr;
  size_t flow_count_ = 0;
  uint64_t memory_bytes_ = 0;
};

}  // namespace masugata::ids
