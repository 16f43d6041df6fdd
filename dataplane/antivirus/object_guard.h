// SPDX-License-Identifier: GPL-2.0-or-later
// The second gate for objects: takes them out of the streams of one worker, asks for scans, and
// lets the segment that would complete an object pass only with a verdict.
//
// Of every object that is being received, the last segment that brought bytes of it is held back,
// and all that is behind it: whatever a server says about lengths, the receiver has not got the
// whole object. A segment is let go when the next one comes, or, when none comes, after what is
// there was scanned. Objects that are small, or said to be, are held from the beginning of the
// message that carries them, so that a block page can stand in its place.
//
//   guard.begin_segment(...);  engine inspects: begin(), bytes(), end()
//   guard.end_segment(...) -> Go, Hold, Refuse
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "av-stream/exchange/worker_region.h"
#include "av-stream/objects/clean_objects.h"
#include "dataplane/antivirus/antivirus_counters.h"
#include "dataplane/antivirus/antivirus_record.h"
#include "dataplane/antivirus/antivirus_set.h"
#include "dataplane/antivirus/scanned_session.h"
#include "dataplane/inspection/stream_guard.h"
#include "dataplane/pipeline/worker_context.h"
#include "result/result.h"

namespace masugata::dataplane {

// Bounds of one worker.
struct ObjectGuardLimits {
  uint32_t sessions = 16384;         // beyond, the profile's `overload`
  uint32_t objects = 4096;           // at once; beyond, the profile's `overload`
  uint32_t objects_per_session = 8;  // beyond, the profile's `overload`
  uint32_t held_segments = 2048;     // beyond, refused: their senders repeat them
  uint32_t held_per_session = 128;
  uint32_t clean_objects = 65536;
  uint32_t blocks = 8192;  // of av::kBlockBytes
  // References count from here, and so do not repeat those of an earlier run.
  uint64_t first_reference = 1;
};

// Thread: the worker's, but where said otherwise.
class ObjectGuard final : public StreamGuard {
 public:
  ObjectGuard();
  ~ObjectGuard() override;
  ObjectGuard(const ObjectGuard&) = delete;
  ObjectGuard& operator=(const ObjectGuard&) = delete;

  // Control thread, before the first set with slots is published: takes memory, once.
  Status prepare(const ObjectGuardLimits& limits, uint16_t worker);
  [[nodiscard]] bool is_ready() const noexcept { return region_ != nullptr; }
  // Control thread, after prepare(): for masugata-scand.
  [[nodiscard]] int region_descriptor() const noexcept { return region_->descriptor(); }

  // At the beginning of a turn.
  void adopt(const AntivirusSet* set) noexcept;
  [[nodiscard]] uint32_t adopted() const noexcept {
    return adopted_.load(std::memory_order_acquire);
  }
  // The choices of a slot; null when it was not published.
  [[nodiscard]] const config::AvProfile* profile(AntivirusSlotIndex slot) const noexcept {
    return set_ != nullptr && slot < set_->slots.size() ? &set_->slots[slot] : nullptr;
  }

  // --- StreamGuard ---
  [[nodiscard]] uint32_t open(SessionHandle session, AntivirusSlotIndex slot,
                              const net::FlowKey& key) noexcept override;
  void close(uint32_t place) noexcept override;
  // closed_segment() takes the packets of a session that is closed.
  [[nodiscard]] bool is_closed(uint32_t place) const noexcept override {
    return sessions_[place].closed;
  }
  void begin_segment(uint32_t place, const SegmentPlace& segment, uint32_t now_ms,
                     uint64_t now_us) noexcept override;
  void cancel_segment() noexcept override { current_ = kNone32; }
  [[nodiscard]] GuardVerdict end_segment() noexcept override;
  [[nodiscard]] bool passes_unscanned(AntivirusSlotIndex slot) const noexcept override {
    const config::AvProfile* choices = profile(slot);
    return choices != nullptr && choices->not_scanned == config::AvChoice::Pass;
  }

  // After Hold: what it lets go goes at once. False: no room, the caller drops the packet; its
  // sender repeats it.
  [[nodiscard]] bool hold(Packet& packet, uint32_t place, const SegmentPlace& segment,
                          WorkerContext& context) noexcept;
  // After Refuse: tells the client and the server. True when it keeps the packet, else the caller
  // drops it.
  [[nodiscard]] bool refuse(Packet& packet, uint32_t place, WorkerContext& context) noexcept;
  // A packet of a closed session; the caller drops it.
  void closed_segment(Packet& packet, uint32_t place, WorkerContext& context) noexcept;

  // Once per turn: verdicts, stalls, repetitions. True when there was anything.
  bool tend(WorkerContext& context) noexcept;

  // --- any thread ---
  [[nodiscard]] const AntivirusCounters& counters() const noexcept { return counters_; }
  // What is to be added to the worker's clock to get the time since 1970.
  void set_wall_offset(int64_t offset_us) noexcept {
    wall_offset_us_.store(offset_us, std::memory_order_relaxed);
  }
  // --- control thread ---
  [[nodiscard]] AntivirusRecordRing& records() noexcept { return *records_; }
  // Bytes of a record's object, piece by piece; see WorkerRegion.
  [[nodiscard]] const av::WorkerRegion& region() const noexcept { return *region_; }
  // The record's object is no longer needed. False when the ring is full: try again later.
  [[nodiscard]] bool give_back(const av::StoredObject& object) noexcept {
    return returned_->push(object);
  }
  // What is known clean is scanned again.
  void forget_clean_objects() noexcept { forget_clean_.store(true, std::memory_order_relaxed); }

  // --- ids::ContentReceiver ---
  ids::ContentId begin(const ids::ContentFacts& facts) noexcept override;
  void bytes(ids::ContentId content, std::span<const uint8_t> bytes) noexcept override;
  void arrived(ids::ContentId content) noexcept override;
  void end(ids::ContentId content, ids::ContentEnd end) noexcept override;
  void request(std::string_view host, std::string_view location,
               std::string_view languages) noexcept override;
  void encryption_asked(ids::ApplicationProtocol protocol) noexcept override;
  void opaque(ids::ApplicationProtocol protocol) noexcept override;

 private:
  // A refusal that was decided and not carried out.
  struct Pending {
    bool any = false;
    uint32_t object = kNone32;  // whose facts are told; kNone32: no room for them
    av::RefusalReason reason = av::RefusalReason::Infected;
    av::ScanFailure failure = av::ScanFailure::None;
    CutText<av::kSignatureNameBytes> signature;
    uint64_t signatures = 0;
  };

  // object_guard.cpp
  [[nodiscard]] ScannedObject* object_of(ids::ContentId content) noexcept;
  [[nodiscard]] uint32_t new_object(uint32_t place) noexcept;
  void free_object(uint32_t index) noexcept;
  void stop_collecting(ScannedObject& object) noexcept;
  void forget_objects(ScannedSession& session) noexcept;
  [[nodiscard]] bool add_bytes(ScannedObject& object, std::span<const uint8_t> bytes) noexcept;
  [[nodiscard]] bool is_exempt(const ScannedObject& object,
                               std::span<const uint8_t> first) const noexcept;

  // holding.cpp
  void watch(ScannedSession& session) noexcept;
  void unwatch(ScannedSession& session) noexcept;
  void move_limits(ScannedSession& session, const SegmentPlace& segment) noexcept;
  void find_limit(ScannedSession& session, ids::Direction direction) noexcept;
  void note_passed(ScannedSession& session, ids::Direction direction, uint32_t end) noexcept;
  void release_held(ScannedSession& session, WorkerContext& context) noexcept;
  void discard_held(ScannedSession& session) noexcept;
  [[nodiscard]] uint32_t place_of(const ScannedSession& session) const noexcept {
    return static_cast<uint32_t>(&session - sessions_.data());
  }
  [[nodiscard]] uint32_t index_of_object(const ScannedObject& object) const noexcept {
    return static_cast<uint32_t>(&object - objects_.data());
  }

  // A held packet of the session; null when there is none.
  [[nodiscard]] Packet* pattern_of(const ScannedSession& session) noexcept {
    Packet* packet = held_.front(session.queues[0]);
    return packet != nullptr ? packet : held_.front(session.queues[1]);
  }

  // scans.cpp
  void finish(ScannedObject& object) noexcept;
  void ask(ScannedObject& object) noexcept;
  void ask_early(ScannedObject& object) noexcept;
  void take_answer(ScannedObject& object, av::ScanAnswer& answer, WorkerContext& context) noexcept;
  void take_early_answer(ScannedObject& object, const av::ScanAnswer& answer) noexcept;
  void judge(ScannedObject& object, av::RefusalReason reason, av::ScanFailure failure,
             std::string_view signature, uint64_t signatures) noexcept;
  void let_go(ScannedObject& object) noexcept;
  void tend_object(ScannedObject& object) noexcept;
  void tend_session(ScannedSession& session, WorkerContext& context) noexcept;
  [[nodiscard]] bool scanner_is_there() const noexcept;
  [[nodiscard]] uint64_t engine_of(const ScannedSession& session) const noexcept;

  // refusing.cpp
  struct AnswerSegment {
    ids::Direction direction = ids::Direction::ToClient;
    uint8_t flags = 0;
    uint32_t sequence = 0;
    uint32_t acknowledgement = 0;
  };
  void decide(ScannedSession& session, uint32_t object, av::RefusalReason reason,
              av::ScanFailure failure, std::string_view signature, uint64_t signatures) noexcept;
  void record(ScannedSession& session, const Pending& pending, AntivirusAction action,
              uint64_t reference) noexcept;
  // Carries out what decide() said. `pattern`: a packet of the session, held or `at_hand`; null
  // when there is none: nobody is told until the next packet comes.
  void carry_out(ScannedSession& session, Packet* pattern, bool at_hand,
                 WorkerContext& context) noexcept;
  void refuse_held(ScannedSession& session, WorkerContext& context) noexcept;
  [[nodiscard]] bool may_answer(const ScannedSession& session,
                                const Pending& pending) const noexcept;
  void start_answer(ScannedSession& session, const Pending& pending, const Packet& pattern,
                    uint64_t reference, Session& owner) noexcept;
  void send_answer(ScannedSession& session, WorkerContext& context) noexcept;
  void send_resets(const ScannedSession& session, const Session& owner, bool client_too,
                   bool at_hand, const Packet& pattern, WorkerContext& context) noexcept;
  void send_segment(const ScannedSession& session, const AnswerSegment& segment,
                    std::span<const uint8_t> payload, const Packet& pattern,
                    WorkerContext& context) noexcept;
  [[nodiscard]] size_t write_answer(const ScannedSession& session) noexcept;
  void tend_answer(ScannedSession& session, WorkerContext& context) noexcept;
  [[nodiscard]] uint64_t next_reference() noexcept {
    constexpr uint64_t kMostWorkers = 64;
    return next_reference_++ * kMostWorkers + worker_;
  }

  const AntivirusSet* set_ = nullptr;
  std::atomic<uint32_t> adopted_{0};
  ObjectGuardLimits limits_;
  uint16_t worker_ = 0;
  std::unique_ptr<av::WorkerRegion> region_;
  std::unique_ptr<av::CleanObjects> clean_;
  std::unique_ptr<AntivirusRecordRing> records_;
  std::unique_ptr<RecordRing<av::StoredObject, 256>> returned_;
  std::vector<ScannedSession> sessions_;
  std::vector<uint32_t> free_sessions_;
  std::vector<ScannedObject> objects_;
  std::vector<uint32_t> free_objects_;
  std::array<uint32_t, av::kScanSlots> object_of_slot_{};
  HeldSegments held_;
  std::vector<char> text_;  // of an answer, while it is sent

  uint32_t first_watched_ = kNone32;
  uint32_t next_visit_ = kNone32;  // where the walk over the watched goes on

  // Of the segment at hand.
  uint32_t current_ = kNone32;
  SegmentPlace segment_;
  bool payload_changed_ = false;
  Pending pending_;

  uint32_t now_ms_ = 0;
  uint64_t now_us_ = 0;
  uint32_t tended_ms_ = 0;
  uint64_t heartbeat_ = 0;
  uint32_t heartbeat_ms_ = 0;
  uint64_t next_reference_ = 1;
  std::atomic<int64_t> wall_offset_us_{0};
  std::atomic<bool> forget_clean_{false};
  AntivirusCounters counters_;
};

}  // namespace masugata::dataplane
