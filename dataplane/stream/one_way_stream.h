// SPDX-License-Identifier: GPL-2.0-or-later
// One direction of a TCP connection: which bytes passed, which the receiver can read, which it has.
// Internal to TcpStreamPair.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/stream/kept_bytes.h"
#include "dataplane/stream/pieces_ahead.h"
#include "dataplane/stream/stream_segment.h"

namespace masugata::dataplane {

// Positions count from the first byte after the SYN. They are signed where a segment may reach
// back before it.
//
//   released | acknowledged | kept, unacknowledged | gap | piece | gap | piece
//            kept_from_  acknowledged_          next_                       highest_
//
// Thread: the worker's; packet path.
class OneWayStream {
 public:
  explicit OneWayStream(StreamMemory& memory) noexcept : kept_(memory), pieces_(memory) {}

  // ---- beginning ----
  [[nodiscard]] bool is_known() const noexcept { return known_; }
  [[nodiscard]] uint32_t first_sequence() const noexcept { return first_sequence_; }
  void begin(uint32_t first_sequence) noexcept;
  // The receiver has shown that it takes the beginning as we do.
  [[nodiscard]] bool is_confirmed() const noexcept { return confirmed_; }
  void confirm() noexcept { confirmed_ = true; }
  // A second SYN with other numbers before the first was answered: the answer decides which one
  // counts. There cannot be a third.
  [[nodiscard]] bool may_begin(uint32_t first_sequence) const noexcept;
  void offer_alternative(uint32_t first_sequence) noexcept;
  [[nodiscard]] bool is_ambiguous() const noexcept { return ambiguous_; }
  // False when the acknowledgement fits neither beginning.
  [[nodiscard]] bool resolve(uint32_t acknowledgement) noexcept;

  // ---- judging: changes nothing ----
  [[nodiscard]] int64_t position_of(uint32_t sequence) const noexcept {
    const uint32_t next = first_sequence_ + static_cast<uint32_t>(next_);
    return static_cast<int64_t>(next_) + static_cast<int32_t>(sequence - next);
  }
  [[nodiscard]] SegmentProblem judge_place(int64_t begin, int64_t end, bool fin) const noexcept;
  [[nodiscard]] SegmentProblem judge_ack(int64_t position, bool may_skip) const noexcept;
  [[nodiscard]] SegmentProblem judge_reset(int64_t position) const noexcept;
  [[nodiscard]] bool is_older(uint32_t timestamp_value) const noexcept {
    return timestamp_known_ && static_cast<int32_t>(timestamp_value - timestamp_recent_) < 0;
  }
  // The end of what can be read when everything before `end` is there.
  [[nodiscard]] uint64_t readable_end(uint64_t end) const noexcept;

  // ---- a segment's bytes ----
  // Compares with everything seen before and, inline, sets `payload` right.
  void overlay(int64_t begin, std::span<uint8_t> payload, bool rewrite,
               SegmentResult& result) noexcept;
  // Finds room for the new bytes of [begin, end); else the event that says which bound was met.
  [[nodiscard]] std::optional<StreamEvent> provide_room(uint64_t begin, uint64_t end,
                                                        const StreamSettings& settings) noexcept;
  // Remembers bytes for which there is room.
  void take(int64_t begin, std::span<const uint8_t> payload) noexcept;
  // Lets bytes pass for which there is none.
  void pass_unkept(int64_t begin, std::span<const uint8_t> payload) noexcept;
  void take_fin(uint64_t position) noexcept;
  void take_timestamp(int64_t begin, uint32_t value) noexcept;
  // Whether one more urgent byte can be remembered, and doing so.
  [[nodiscard]] bool has_room_for_urgent() const noexcept { return urgent_count_ < kUrgentBytes; }
  void take_urgent(uint64_t position) noexcept;
  // Gives back room that no byte has come to use.
  void tidy() noexcept;

  // The next readable bytes in [position, end), not beyond one block or one urgent byte; moves
  // `position` behind them. `payload` is at `begin`; where `payload_is_right` it is preferred to
  // what is stored. Empty at the end.
  [[nodiscard]] std::span<const uint8_t> read(uint64_t& position, uint64_t end, int64_t begin,
                                              std::span<const uint8_t> payload,
                                              bool payload_is_right,
                                              uint64_t urgent) const noexcept;
  // The bytes missing from `position` to the next piece, at most to `end`; moves `position`.
  [[nodiscard]] uint64_t pass_gap(uint64_t& position, uint64_t end) const noexcept;

  // The first piece behind the first gap, as far as it lies in one block; goes on behind it.
  [[nodiscard]] std::span<const uint8_t> flush(uint64_t& missing) noexcept;

  // ---- the receiver ----
  void acknowledge(int64_t position, uint32_t keep_bytes) noexcept;
  void permit(int64_t acknowledged, uint32_t window_bytes) noexcept;
  void limit_to_window() noexcept { window_known_ = true; }
  // Where the window ends that the sender was told of last, as far as it was ever told.
  [[nodiscard]] int64_t announced() const noexcept { return announced_; }
  void announce(int64_t position) noexcept { announced_ = std::max(announced_, position); }
  // Goes on behind gaps, at `position` or the end of the piece that covers it.
  void skip_to(uint64_t position) noexcept;

  [[nodiscard]] uint64_t next() const noexcept { return next_; }
  [[nodiscard]] uint64_t highest() const noexcept { return highest_; }
  [[nodiscard]] uint64_t acknowledged() const noexcept { return acknowledged_; }
  [[nodiscard]] bool has_fin() const noexcept { return fin_ != kNoFin; }
  [[nodiscard]] uint64_t fin() const noexcept { return fin_; }
  [[nodiscard]] bool has_ended() const noexcept { return next_ == fin_; }
  [[nodiscard]] const StreamCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] StreamCounters& counters() noexcept { return counters_; }

 private:
  static constexpr uint64_t kNoFin = ~uint64_t{0};
  static constexpr size_t kUrgentBytes = 4;

  void overlay_stale(int64_t begin, std::span<uint8_t> payload, bool rewrite,
                     SegmentResult& result) noexcept;
  void overlay_held(uint64_t from, uint64_t to, int64_t begin, std::span<uint8_t> payload,
                    bool rewrite, SegmentResult& result) noexcept;
  void forget_before(uint64_t position) noexcept;
  void advance(uint64_t position) noexcept;

  KeptBytes kept_;
  PiecesAhead pieces_;
  uint64_t next_ = 0;
  uint64_t kept_from_ = 0;
  uint64_t acknowledged_ = 0;
  uint64_t highest_ = 0;
  uint64_t permitted_ = 0;   // where the receiver's window ends
  int64_t announced_ = 0;    // where the one ends that was forwarded
  uint64_t unkept_end_ = 0;  // how far bytes behind a gap passed without being kept
  uint64_t fin_ = kNoFin;    // the position behind the last byte
  uint32_t largest_window_ = 0;
  uint32_t first_sequence_ = 0;
  uint32_t alternative_ = 0;
  uint32_t timestamp_recent_ = 0;  // RFC 7323 TS.Recent, as high as the receiver's can be
  bool known_ = false;
  bool confirmed_ = false;
  bool ambiguous_ = false;
  bool window_known_ = false;
  bool timestamp_known_ = false;
  uint8_t urgent_count_ = 0;
  std::array<uint64_t, kUrgentBytes> urgent_{};
  StreamCounters counters_;
};

}  // namespace masugata::dataplane
