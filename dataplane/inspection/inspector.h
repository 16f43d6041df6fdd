// SPDX-License-Identifier: GPL-2.0-or-later
// The inspection of one worker: its engines, one per profile, and the sessions they follow.
//
// Packets come here between session and translation: addresses of the client and of the server that
// it really reaches, whatever is translated on the way.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/inspection/inspected_sessions.h"
#include "dataplane/inspection/inspection_counters.h"
#include "dataplane/inspection/inspection_set.h"
#include "dataplane/inspection/line_ring.h"
#include "dataplane/inspection/stream_guard.h"
#include "dataplane/pipeline/packet.h"
#include "dataplane/session/session_table.h"
#include "dataplane/stream/stream_memory.h"
#include "dataplane/stream/stream_segment.h"
#include "ids/engine/inspection_engine.h"
#include "ids/eve/eve_formatter.h"
#include "ids/eve/event_sink.h"
#include "result/result.h"

namespace masugata::dataplane {

// Bounds of one worker.
struct InspectorLimits {
  uint32_t sessions = 65536;                       // of the session table
  uint32_t inspected_sessions = 65536;             // at once; beyond, the profile's `overload`
  uint32_t engine_flows = 65536;                   // of each profile's engine; beyond, the same
  uint64_t stream_bytes = 64ULL << 20U;            // of all streams: what is not acknowledged yet
  uint32_t stream_span_bytes = kMaximumSpanBytes;  // of one direction of a stream
  uint64_t engine_memory_bytes = 256ULL << 20U;    // parsers and windows of all flows
  uint32_t event_ring_bytes = 1U << 20U;
};

// What becomes of a packet.
struct InspectionOutcome {
  DropReason reason = DropReason::None;  // None: it goes on
  bool payload_changed = false;          // its checksum is due (kPacketChecksumPending)
  bool announces = false;                // control_parser() has new endpoints
  // Not None: the session is refused already, or the packet is to be held or refused; with
  // `guarded`, the session's place, and `segment` it goes to the guard.
  enum class Guard : uint8_t { None, Hold, Refuse, Closed } guard = Guard::None;
  uint32_t guarded = kNone32;
  SegmentPlace segment;
  // Who is told by a reset or an ICMP error when it is dropped.
  bool tell_sender = false;
  bool tell_receiver = false;
};

// By what a session is inspected.
struct SlotChoice {
  InspectionSlotIndex rules = kNoInspectionSlot;
  AntivirusSlotIndex antivirus = kNoAntivirusSlot;
};

// Thread: the worker's, but where said otherwise.
class Inspector {
 public:
  Inspector();
  ~Inspector();
  Inspector(const Inspector&) = delete;
  Inspector& operator=(const Inspector&) = delete;

  // Control thread, before the first set with slots is published to this worker, and before each
  // set with more slots. Takes memory once, when there is anything to inspect.
  Status prepare(const InspectorLimits& limits, MemorySource& memory, size_t slots);

  // Control thread, before the first set is published: which part of PlanCosts is this worker's.
  void set_place(size_t worker) noexcept { place_ = worker; }

  // Control thread: events go into `sink` instead of the ring (tests, replay); before prepare().
  void report_to(ids::EventSink& sink) noexcept { sink_ = &sink; }

  // Control thread, before prepare(): who else has a say in sessions with an antivirus slot.
  void consult(StreamGuard& guard) noexcept { guard_ = &guard; }

  // On the worker's thread, before its first turn: what reads files and takes milliseconds.
  static void begin() noexcept;

  // At the beginning of a turn. Engines take up their new plans here; sessions that are being
  // followed go on under them.
  void adopt(const InspectionSet* set) noexcept;

  // Inspects a packet of a session whose profile has the slot `slot`. May rewrite its payload and
  // clear its urgent flag.
  [[nodiscard]] InspectionOutcome inspect(Packet& packet, Session& session, SessionTable& sessions,
                                          SlotChoice slots, uint64_t now_us) noexcept;
  // A packet that quotes a session (ICMP error): rules about single packets only.
  [[nodiscard]] InspectionOutcome inspect_alone(Packet& packet, InspectionSlotIndex slot,
                                                uint64_t now_us) noexcept;

  // Where the guard has the session; kNone32 when it has not.
  [[nodiscard]] uint32_t guarded_place(uint32_t session_index) noexcept {
    const InspectedSession* entry = inspected_.find(session_index);
    return entry == nullptr ? kNone32 : entry->guarded;
  }

  // Who reads the session as a control connection of FTP, from its stream; null: nobody does.
  [[nodiscard]] ids::ProtocolParser* control_parser(const Session& session,
                                                    const SessionTable& sessions) noexcept;
  // Whether a session of that slot goes on when there is no room to scan what it carries.
  [[nodiscard]] bool may_pass_unscanned(AntivirusSlotIndex slot) const noexcept {
    return slot == kNoAntivirusSlot || (guard_ != nullptr && guard_->passes_unscanned(slot));
  }

  // The session ends, or is not inspected any more; nothing happens when it was not inspected.
  void session_ended(const Session& session, uint32_t session_index, uint64_t now_us,
                     std::string_view reason) noexcept;

  // --- any thread ---
  [[nodiscard]] LineRing& events() noexcept { return *ring_; }
  // Null before prepare() and when events go elsewhere; control thread.
  [[nodiscard]] const LineRing* event_ring() const noexcept { return ring_.get(); }
  [[nodiscard]] const InspectionCounters& counters() const noexcept { return counters_; }
  // Whether engines count what rules cost; from the next turn on.
  void set_profiling(bool on) noexcept { wants_profiling_.store(on, std::memory_order_relaxed); }
  // What is to be added to the worker's clock to get the time since 1970.
  void set_wall_offset(int64_t offset_us) noexcept {
    wall_offset_us_.store(offset_us, std::memory_order_relaxed);
  }
  // The generation of the set that is in use: sets before it are not read any more.
  [[nodiscard]] uint32_t adopted() const noexcept {
    return adopted_.load(std::memory_order_acquire);
  }
  // The engine of a slot, for its counters; null while the slot was never used.
  [[nodiscard]] const ids::InspectionEngine* engine(InspectionSlotIndex slot) const noexcept {
    return slot < engines_.size() ? engines_[slot].get() : nullptr;
  }

 private:
  struct Sight;  // a packet as engine and stream see it

  void take_up(const InspectionSet& set) noexcept;

  // The configuration may name a slot only after its set was published; closed, should it not.
  [[nodiscard]] bool has_slot(InspectionSlotIndex slot) const noexcept {
    return set_ != nullptr && slot < set_->slots.size() && engines_[slot] != nullptr;
  }

  [[nodiscard]] InspectedSession* open(const Packet& packet, Session& session,
                                       SessionTable& sessions, SlotChoice slots, uint64_t now_us,
                                       InspectionOutcome& outcome) noexcept;
  [[nodiscard]] bool open_guard(const Session& session, const ids::FlowFacts& facts,
                                InspectedSession& entry, InspectionOutcome& outcome) noexcept;
  void ask_guard(InspectedSession& entry, const SegmentPlace& place, SegmentResult& result,
                 InspectionOutcome& outcome) noexcept;
  void take_announcement(const Session& session, const InspectedSession& entry) noexcept;
  [[nodiscard]] InspectionOutcome inspect_stream(Packet& packet, Session& session,
                                                 InspectedSession& entry,
                                                 const Sight& sight) noexcept;
  [[nodiscard]] InspectionOutcome inspect_packet(Session& session, InspectedSession& entry,
                                                 const Sight& sight) noexcept;
  [[nodiscard]] InspectionOutcome act(const ids::InspectionVerdict& verdict,
                                      InspectedSession* entry) noexcept;
  [[nodiscard]] bool see(Packet& packet, const net::FlowKey& key, ids::Direction direction,
                         uint64_t now_us, Sight& sight) noexcept;
  void close(InspectedSession& entry, uint64_t now_us, std::string_view reason) noexcept;
  void count_uninspected(config::InspectionFailure failure, RelaxedCounter& passed,
                         DropReason reason, InspectedSession& entry,
                         InspectionOutcome& outcome) noexcept;

  const InspectionSet* set_ = nullptr;
  size_t place_ = 0;
  bool profiling_ = false;
  std::atomic<bool> wants_profiling_{false};
  std::atomic<uint32_t> adopted_{0};
  std::array<std::unique_ptr<ids::InspectionEngine>, kMaximumInspectionSlots> engines_;
  std::unique_ptr<LineRing> ring_;
  std::unique_ptr<ids::EveFormatter> formatter_;
  ids::EventSink* sink_ = nullptr;
  StreamGuard* guard_ = nullptr;
  InspectedSessions inspected_;
  StreamMemory stream_memory_;
  StreamSettings stream_settings_;              // handshake must have been seen
  StreamSettings midstream_settings_;           // picked up in the middle
  std::unique_ptr<ids::StreamBytes[]> pieces_;  // kMaximumReadablePieces
  std::unique_ptr<uint8_t[]> whole_;            // a packet in several buffers, put together
  InspectionCounters counters_;
  std::atomic<int64_t> wall_offset_us_{0};
  uint64_t next_flow_id_ = 1;
};

}  // namespace masugata::dataplane
