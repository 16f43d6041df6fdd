// SPDX-License-Identifier: GPL-2.0-or-later
// Rebuilds what the receivers of a TCP connection will read, while its segments pass.
//
// The rule that makes evasion pointless: the bytes that were forwarded first win. A segment that
// covers bytes already forwarded is rewritten to them before it leaves, whatever the receiver's own
// preference would be. Out-of-order segments are forwarded at once and their bytes are remembered;
// the receiver cannot read them before the segment that closes the gap, and that one can still be
// stopped. (RFC 9293 section 3.10.7.4; sequence arithmetic of section 3.4)
//
//   SegmentResult result = pair.accept(direction, segment);
//   while (auto readable = pair.next(result)) inspect(*readable);
//   ok ? pair.commit(result) : pair.refuse(result);
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/stream/one_way_stream.h"
#include "dataplane/stream/stream_memory.h"
#include "dataplane/stream/stream_segment.h"
#include "ids/direction.h"

namespace masugata::dataplane {

// What is announced to a sender even when the memory is used up: every window without a scale, and
// enough to notice losses by later segments.
inline constexpr uint32_t kSmallestWindow = 65536;

// Both directions of one connection. Thread: the worker that owns the connection; packet path.
// Memory: sizeof plus the blocks that unacknowledged bytes take, bounded by StreamSettings and
// StreamMemory; a connection at rest has none.
class TcpStreamPair {
 public:
  // Both outlive the pair.
  TcpStreamPair(StreamMemory& memory, const StreamSettings& settings) noexcept;
  TcpStreamPair(const TcpStreamPair&) = delete;
  TcpStreamPair& operator=(const TcpStreamPair&) = delete;
  ~TcpStreamPair() = default;

  // Judges a segment of `direction`, sets its payload right, and finds what would become readable.
  // The acknowledgement that it carries takes effect at once, everything else on commit(). After
  // Forward, ForwardChanged and NoMemory exactly one of commit() and refuse() follows, with no
  // other call but next() between; after Drop commit() and refuse() do nothing.
  [[nodiscard]] SegmentResult accept(ids::Direction direction,
                                     const StreamSegment& segment) noexcept;

  // The readable bytes of `result` piece by piece: those of the other direction behind a gap that
  // the acknowledgement revealed, then those of the segment, then those stored that follow it. At
  // most kMaximumReadablePieces. The spans lie in the packet or in the stream's memory.
  [[nodiscard]] std::optional<ReadableBytes> next(SegmentResult& result) noexcept;

  // The segment is forwarded. After NoMemory: forwarded, its bytes readable if they are in order,
  // but not kept (or older ones forgotten instead).
  void commit(const SegmentResult& result) noexcept;
  // The segment is not forwarded: nothing of it is remembered.
  void refuse(const SegmentResult& result) noexcept;

  // At the end of a flow or of a capture: gives what lies behind gaps, each with its `missing`
  // bytes. Call until nothing comes; nothing but the destructor may follow.
  [[nodiscard]] std::optional<ReadableBytes> flush() noexcept;

  // Where the stream of that direction begins: its SYN, or midstream pick-up.
  [[nodiscard]] bool is_known(ids::Direction direction) const noexcept {
    return at(direction).is_known();
  }
  // Each side has acknowledged the beginning of the other.
  [[nodiscard]] bool is_established() const noexcept {
    return streams_[0].is_confirmed() && streams_[1].is_confirmed();
  }
  [[nodiscard]] bool is_midstream() const noexcept { return midstream_; }
  // Both sides have ended, or one has reset.
  [[nodiscard]] bool is_closed() const noexcept {
    return reset_ || (streams_[0].has_ended() && streams_[1].has_ended());
  }
  // For a segment of `direction` that is forwarded now, after commit(): its window field, or a
  // lower one. What its sender permits the other side beyond `span_bytes`, or beyond what the
  // memory affords, might have to be refused; who is told so does not send it. Never below
  // kSmallestWindow, and never behind what was announced before (RFC 9293 section 3.8.6), but where
  // the segment's own window is.
  [[nodiscard]] uint16_t announce_window(ids::Direction direction,
                                         const StreamSegment& segment) noexcept;
  // Bytes from the first one after the SYN to the highest seen, gaps included (stream_size).
  [[nodiscard]] uint64_t stream_bytes(ids::Direction direction) const noexcept {
    return at(direction).highest();
  }
  [[nodiscard]] const StreamCounters& counters(ids::Direction direction) const noexcept {
    return at(direction).counters();
  }

 private:
  [[nodiscard]] OneWayStream& at(ids::Direction direction) noexcept {
    return streams_[ids::index_of(direction)];
  }
  [[nodiscard]] const OneWayStream& at(ids::Direction direction) const noexcept {
    return streams_[ids::index_of(direction)];
  }
  [[nodiscard]] bool may_skip() const noexcept {
    return settings_.mode == StreamMode::Capture || settings_.gap == GapPolicy::SkipCounted;
  }
  // By how many bits the window field of `segment` is shifted.
  [[nodiscard]] uint8_t window_shift(ids::Direction direction,
                                     const StreamSegment& segment) const noexcept;

  [[nodiscard]] SegmentProblem judge(ids::Direction direction, const StreamSegment& segment,
                                     SegmentResult& result) noexcept;
  [[nodiscard]] SegmentProblem judge_syn(ids::Direction direction, const StreamSegment& segment,
                                         SegmentResult& result) noexcept;
  [[nodiscard]] SegmentProblem judge_reset(ids::Direction direction,
                                           const StreamSegment& segment) const noexcept;
  [[nodiscard]] SegmentProblem judge_ack(ids::Direction direction, const StreamSegment& segment,
                                         SegmentResult& result) noexcept;
  [[nodiscard]] bool pick_up(ids::Direction direction, const StreamSegment& segment) noexcept;
  void take_ack(ids::Direction direction, const StreamSegment& segment,
                SegmentResult& result) noexcept;
  void take_payload(const StreamSegment& segment, SegmentResult& result) noexcept;
  [[nodiscard]] bool take_urgent(const StreamSegment& segment, SegmentResult& result) noexcept;
  void commit_syn(const SegmentResult& result) noexcept;
  void finish_skip(const SegmentResult& result) noexcept;

  const StreamMemory& memory_;
  const StreamSettings& settings_;
  OneWayStream streams_[2];
  uint8_t scale_[2] = {kSegmentWithoutScale, kSegmentWithoutScale};
  bool syn_seen_[2] = {};
  bool timestamps_[2] = {};  // offered in the SYN
  bool signed_ = false;
  bool midstream_ = false;
  bool reset_ = false;
  uint8_t flushed_ = 0;  // directions that flush() is done with
};

// Of one segment: every kept block once, every piece ahead with its gap, and the payload.
inline constexpr size_t kMaximumReadablePieces =
    2 * (kMaximumSpanBytes / kStreamBlockBytes + kMaximumPiecesAhead) + 16;

}  // namespace masugata::dataplane
