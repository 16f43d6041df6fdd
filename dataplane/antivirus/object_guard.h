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
#include "dataplane/nat/ftp_control.h"
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
  [[nodiscard]] uint32_t open(const GuardedSession& session) noexcept override;
  void close(uint32_t place) noexcept override;
  // closed_segment() takes the packets of a session that is closed.
  [[nodiscard]] bool is_closed(uint32_t place) const noexcept override {
    return sessions_[place].closed;
  }
  [[nodiscard]] bool is_reset(uint32_t place) const noexcept override {
    return sessions_[place].reset;
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

  // What a control connection's server says of the end of a transfer (FTP), on its way to the
  // client: `sequence` in the server's numbers. The text that is to go in its place; empty: as it
  // is. Asked for each packet, repetitions too; the text is valid until the next call.
  [[nodiscard]] std::string_view instead_of(uint32_t place, const FtpFinalReply& reply,
                                            uint32_t sequence) noexcept;

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

  // --- ids::ContentReceiver ---
  ids::ContentId begin(const ids::ContentFacts& facts) noexcept override;
  void bytes(ids::ContentId content, std::span<const uint8_t> bytes) noexcept override;
  void arrived(ids::ContentId content, size_t bytes) noexcept override;
  void end(ids::ContentId content, ids::ContentEnd end) noexcept override;
  void request(std::string_view host, std::string_view location, std::string_view languages,
               bool answered_next) noexcept override;
  void unannounced(const ids::ContentFacts& facts) noexcept override;
  void encryption_asked(ids::ApplicationProtocol protocol) noexcept override;
  void opaque(ids::ApplicationProtocol protocol) noexcept override;

 private:
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
  void move_ahead(const ScannedSession& session, ScannedObject& object,
                  const SegmentPlace& segment) noexcept;
  void note_repetition(ScannedSession& session, const SegmentPlace& segment) noexcept;
  void take_reset(ScannedSession& session) noexcept;
  void find_limit(ScannedSession& session, ids::Direction direction) noexcept;
  void note_passed(ScannedSession& session, ids::Direction direction, uint32_t end) noexcept;
  void release_held(ScannedSession& session, WorkerContext& context) noexcept;
  void discard_held(ScannedSession& session) noexcept;
  [[nodiscard]] bool stands_before(const ScannedSession& session, uint32_t first,
                                   uint32_t second) const noexcept;
  // Whether another object, which stands before it in the stream to the client, is waited for.
  [[nodiscard]] bool stands_behind_another(const ScannedSession& session,
                                           uint32_t object) const noexcept;
  [[nodiscard]] uint32_t place_of(const ScannedSession& session) const noexcept {
    return static_cast<uint32_t>(&session - sessions_.data());
  }
  [[nodiscard]] uint32_t index_of_object(const ScannedObject& object) const noexcept {
    return static_cast<uint32_t>(&object - objects_.data());
  }

  // A held packet of the session: the one with the first byte of what the object holds, when there
  // is one; else any. Null when there is none.
  [[nodiscard]] Packet* pattern_of(const ScannedSession& session, uint32_t object) noexcept;

  // scans.cpp
  void finish(ScannedObject& object) noexcept;
  // False: no room among the scans, or no scanner: then it was judged.
  [[nodiscard]] bool submit(ScannedObject& object) noexcept;
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
  [[nodiscard]] uint64_t engine_of(const ScannedObject& object) const noexcept;

  // transfers.cpp
  // Null when it is gone.
  [[nodiscard]] const ScannedSession* control_of(const ScannedSession& data) const noexcept;
  void open_transfer(ScannedSession& data, uint32_t control) noexcept;
  void end_transfer(ScannedSession& data) noexcept;
  void refuse_transfer(ScannedSession& data, const PendingRefusal& pending,
                       uint64_t reference) noexcept;
  void note_completion(ScannedSession& control, const SegmentPlace& segment) noexcept;
  void tend_transfers(ScannedSession& session) noexcept;

  // refusing.cpp
  struct AnswerSegment {
    ids::Direction direction = ids::Direction::ToClient;
    uint8_t flags = 0;
    uint32_t sequence = 0;
    uint32_t acknowledgement = 0;
  };
  void decide(ScannedSession& session, uint32_t object, av::RefusalReason reason,
              av::ScanFailure failure, std::string_view signature, uint64_t signatures) noexcept;
  void record(ScannedSession& session, const PendingRefusal& pending, AntivirusAction action,
              uint64_t reference) noexcept;
  // Carries out what decide() said. `pattern`: a packet of the session, held or `at_hand`; null
  // when there is none: nobody is told until the next packet comes.
  void carry_out(ScannedSession& session, Packet* pattern, bool at_hand,
                 WorkerContext& context) noexcept;
  void refuse_held(ScannedSession& session, WorkerContext& context) noexcept;
  void put_down(ScannedObject& object) noexcept;
  // Puts the pending refusal off when what stands before its object has no verdict yet.
  [[nodiscard]] bool postpone(ScannedSession& session, bool at_hand) noexcept;
  void carry_out_postponed(ScannedSession& session, WorkerContext& context) noexcept;
  // Puts the pending refusal off while the end that would be answered lacks something before the
  // answer: when that is lost on the way, only its sender has it.
  [[nodiscard]] bool await_answered(ScannedSession& session, const Packet* pattern,
                                    const Session* owner) noexcept;
  [[nodiscard]] uint32_t first_of_answer(const ScannedSession& session, uint32_t object,
                                         const Packet& pattern,
                                         const Session& owner) const noexcept;
  [[nodiscard]] bool may_answer(const ScannedSession& session,
                                const PendingRefusal& pending) const noexcept;
  void start_answer(ScannedSession& session, const PendingRefusal& pending, const Packet& pattern,
                    uint64_t reference, Session& owner) noexcept;
  void send_answer(ScannedSession& session, WorkerContext& context) noexcept;
  // To the end that is not answered, or to both.
  void send_resets(const ScannedSession& session, const Session& owner, bool at_hand,
                   const Packet& pattern, WorkerContext& context) noexcept;
  [[nodiscard]] ids::Direction answered_end(const ScannedSession& session,
                                            const ScannedObject& object) const noexcept;
  void send_segment(const ScannedSession& session, const AnswerSegment& segment,
                    std::span<const uint8_t> payload, const Packet& pattern,
                    WorkerContext& context) noexcept;
  // `pattern`: the one that the session's answer has, or will have.
  [[nodiscard]] size_t write_answer(const ScannedSession& session, const Packet& pattern) noexcept;
  void send_text(const ScannedSession& session, AnswerSegment first, uint8_t last_flags,
                 size_t size, const Packet& pattern, WorkerContext& context) noexcept;
  void send_prefix(const ScannedSession& session, uint32_t object, const Session& owner,
                   const Packet& pattern, WorkerContext& context) noexcept;
  void tend_answer(ScannedSession& session, WorkerContext& context) noexcept;
  // Seconds since 1970.
  [[nodiscard]] uint64_t wall_s() const noexcept {
    return (now_us_ + static_cast<uint64_t>(wall_offset_us_.load(std::memory_order_relaxed))) /
           1'000'000;
  }
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
  static constexpr size_t kLargestPayload = 65536;
  std::vector<char> text_;  // of an answer with its prefix, while it is sent

  uint32_t first_watched_ = kNone32;
  uint32_t next_visit_ = kNone32;  // where the walk over the watched goes on

  // Of the segment at hand.
  uint32_t current_ = kNone32;
  SegmentPlace segment_;
  bool payload_changed_ = false;
  PendingRefusal pending_;

  uint32_t now_ms_ = 0;
  uint64_t now_us_ = 0;
  uint32_t tended_ms_ = 0;
  uint64_t heartbeat_ = 0;
  uint32_t heartbeat_ms_ = 0;
  uint64_t next_reference_ = 1;
  std::atomic<int64_t> wall_offset_us_{0};
  AntivirusCounters counters_;
};

}  // namespace masugata::dataplane
