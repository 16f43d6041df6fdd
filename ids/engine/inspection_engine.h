// SPDX-License-Identifier: GPL-2.0-or-later
// The inspection engine of one worker: packets, streams and transactions against the plan.
//
//   engine.begin_packet / inspect -> InspectionVerdict
//
// Everything is synchronous: when inspect() returns, the packet's bytes have been parsed and
// matched, and the verdict is final for this packet.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "ids/engine/packet_facts.h"
#include "ids/plan/detection_plan.h"
#include "ids/protocols/application_protocol.h"
#include "ids/protocols/protocol_detector.h"
#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {

class FlowInspection;   // engine/flow_inspection.h: all that is remembered of one flow
struct EngineCounters;  // engine/engine_counters.h
struct RuleCost;

// What happens at a bound, by choice of the profile; never by accident.
enum class Failure : uint8_t { PassCounted, Drop };

// What becomes of traffic that the parser of its protocol cannot read. Ignore: the parser ends,
// rules on packets and streams go on. Pass: nothing is judged any more. Only Ignore and the Pass
// ones do something where nothing is dropped.
enum class ParserFailure : uint8_t { Ignore, PassPacket, PassFlow, DropPacket, DropFlow, Reject };

// How far Suricata looks back from each segment inline.
inline constexpr uint32_t kUsualStreamRepeatBytes = 2560;

struct EngineLimits {
  uint32_t flows = 65536;                    // at the bound open_flow() returns null
  uint32_t stream_window_bytes = 64 * 1024;  // kept per direction for rules that look back
  // Of all flows: windows, parsers, transactions. Checked after each packet, so what one packet
  // brings may stand beyond it, and so may the bare flows (half a kilobyte each, see `flows`); a
  // flow that grows at the bound loses its parser and its windows.
  uint64_t memory_bytes = 512ULL << 20U;
  uint32_t alerts_per_packet = 15;
  // Inline, a rule that has matched in a stream alerts for each further segment as long as it holds
  // within this many last bytes; 0: once.
  uint32_t stream_repeat_bytes = 0;
  ParserFailure parser_failure = ParserFailure::Ignore;
  bool inline_mode = true;  // false: alerts only, drop rules alert ("allowed")
};

// New bytes of the stream, in order and without gap, or a gap of `missing` bytes before them.
struct StreamBytes {
  Direction direction = Direction::ToServer;
  std::span<const uint8_t> bytes;
  uint64_t missing = 0;
  // That side sends no more (FIN reached). Needed for contents that end with their connection.
  bool ends = false;
};

enum class VerdictAction : uint8_t { Accept, Drop, RejectSource, RejectDestination, RejectBoth };

struct InspectionVerdict {
  VerdictAction action = VerdictAction::Accept;
  bool whole_flow = false;   // the rest of the flow has the same fate without inspection
  bool passed = false;       // a pass rule matched
  uint32_t sid = 0;          // of the rule that decided, 0 = none
  bool memory_full = false;  // the flow lost its parser at the memory bound with this packet
  const char* reason = "";   // static: "rules", "flow drop", "memory"...
};

// What the flow's owner tells once, when the flow begins.
struct FlowFacts {
  net::FlowKey key;      // of the first packet: client to server
  uint64_t flow_id = 0;  // unique, for EVE
  uint64_t start_us = 0;
  bool midstream = false;  // TCP without its handshake
};

// What the flow's owner knows better than the engine, at each packet.
struct FlowState {
  bool established = false;       // TCP: handshake complete; others: packets in both directions
  bool closed = false;            // TCP: FIN both ways or RST
  uint64_t packets[2] = {};       // by Direction, this packet included
  uint64_t bytes[2] = {};         // of IP packets
  uint64_t stream_bytes[2] = {};  // for stream_size: highest sequence seen from the start
};

// Receives what the engine reports, during the calls of the engine. Implementations format and
// queue; they must neither block nor throw. Defined in eve/event_sink.h.
class EventSink;

// Where application protocols are told apart and parsed; tests put their own in.
struct ProtocolSource {
  DetectionAnswer (*detect)(const DetectionQuestion&) noexcept = &detect_protocol;
  std::unique_ptr<ProtocolParser> (*make)(ApplicationProtocol, const ParserDemands&,
                                          bool datagrams) = &make_parser;
};

// Thread: one engine per worker, never shared. The plan is changed between packets.
class InspectionEngine {
 public:
  InspectionEngine(const EngineLimits& limits, EventSink& sink,
                   const ProtocolSource& protocols = {});
  ~InspectionEngine();
  InspectionEngine(const InspectionEngine&) = delete;
  InspectionEngine& operator=(const InspectionEngine&) = delete;

  // The plan for all packets from now on; null: no rules. Allocates scratch: between bursts.
  // `costs`: where the rules' costs are counted, by RuleNumber, at least number_of_rules() many;
  // empty: in the engine. The caller keeps the old plan and the old costs alive until this returns;
  // the old costs are not written after that.
  void use_plan(const DetectionPlan* plan, std::span<RuleCost> costs = {});

  // Null at the bound: the caller decides what its profile says.
  [[nodiscard]] FlowInspection* open_flow(const FlowFacts& facts) noexcept;
  // Ends parsers and transactions, inspects what that completed, reports the flow.
  void close_flow(FlowInspection* flow, uint64_t time_us, std::string_view reason) noexcept;

  // Inspects one packet. `flow` null: a packet outside any flow (only packet rules apply).
  // `streams`: what the packet added to the reassembled streams, in order; for UDP the engine
  // takes the payload itself. After a verdict with whole_flow the engine remembers it: later
  // packets of the flow get it at once.
  [[nodiscard]] InspectionVerdict inspect(const PacketFacts& packet, FlowInspection* flow,
                                          const FlowState& state,
                                          std::span<const StreamBytes> streams) noexcept;

  // Any thread may read the counters at any time. Costs are by RuleNumber of the plan in use and go
  // with the plan: rule_costs() is for the worker's thread or while it stands still. Another thread
  // that wants to read costs gives use_plan() a place of its own to count in.
  [[nodiscard]] const EngineCounters& counters() const noexcept;
  [[nodiscard]] std::span<const RuleCost> rule_costs() const noexcept;
  void set_profiling(bool on) noexcept;
  // What becomes of a flow that loses its parser at EngineLimits::memory_bytes: PassCounted (as it
  // begins): only rules on packets and streams are judged on; Drop: it gets a verdict for the whole
  // flow with the reason "memory". Between packets.
  void set_memory_failure(Failure failure) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Of a flow, for the caller's own use (show sessions, FTP data).
[[nodiscard]] ApplicationProtocol protocol_of(const FlowInspection& flow) noexcept;
[[nodiscard]] const ProtocolParser* parser_of(const FlowInspection& flow) noexcept;
// The parser that reads the flow now; null when it has given up or ended, too.
[[nodiscard]] ProtocolParser* reading_parser_of(FlowInspection& flow) noexcept;
// Who takes the contents of the flow (protocols/content_receiver.h), from the next message on, of
// all parsers that the flow will have; null: nobody. Outlives close_flow(). Between packets.
// Directions of contents are the engine's: see sides_exchanged().
void set_content_receiver(FlowInspection& flow, ContentReceiver* receiver) noexcept;
// The caller's ToServer is the engine's ToClient: a flow that was joined in its middle, of which an
// answer was seen first.
[[nodiscard]] bool sides_exchanged(const FlowInspection& flow) noexcept;
// A data flow announced by a control connection: its parser is made at once.
void set_expected(FlowInspection& flow, const ProtocolParser::ExpectedData& data) noexcept;

}  // namespace masugata::ids
