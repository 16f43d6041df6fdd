// SPDX-License-Identifier: GPL-2.0-or-later
// What goes into stream reassembly and what comes out of it, per segment. Plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "dataplane/stream/kept_bytes.h"
#include "dataplane/stream/pieces_ahead.h"
#include "ids/direction.h"

namespace masugata::dataplane {

inline constexpr uint8_t kSegmentWithoutScale = 0xff;

// One TCP segment, host byte order, in the numbers of its sender (before translation of sequence
// numbers in both directions, or after it in both).
struct StreamSegment {
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint16_t window = 0;  // as in the header, not scaled
  uint16_t urgent_pointer = 0;
  uint8_t flags = 0;                            // net::kTcpSyn...
  uint8_t window_scale = kSegmentWithoutScale;  // of a SYN (RFC 7323), else ignored
  bool has_timestamp = false;                   // RFC 7323 section 3
  uint32_t timestamp_value = 0;
  bool has_signature = false;  // TCP MD5 or TCP-AO option: the receiver may ignore the segment
  std::span<uint8_t> payload;  // in the packet: rewritten in place where it differs

  [[nodiscard]] bool has(uint8_t flag) const noexcept { return (flags & flag) != 0; }
};

// Fills a segment from a TCP header of `header` (data offset bytes, all present) and its payload.
// Options are read leniently: reading stops at the first malformed one.
[[nodiscard]] StreamSegment read_stream_segment(std::span<const uint8_t> header,
                                                std::span<uint8_t> payload) noexcept;

enum class StreamMode : uint8_t {
  Inline,   // this gateway forwards or drops: nothing is readable that did not pass here
  Capture,  // a record of what has passed elsewhere: nothing can be rewritten or dropped; bytes
            // that the receiver acknowledged and nobody saw are gaps
};

// A segment with urgent data. A receiver without SO_OOBINLINE takes the urgent byte out of what it
// reads (RFC 6093), so leaving URG alone would give it another stream than the one inspected.
enum class UrgentPolicy : uint8_t {
  Clear,   // the caller clears URG and the pointer: an ordinary byte for everybody
  Drop,    // such segments are dropped
  TakeOut  // the flag stays and the byte is taken out of what is read (Capture's default)
};

enum class SynDataPolicy : uint8_t {
  Inspect,  // bytes of the stream like others (RFC 7413; RFC 9293 section 3.10.7.2)
  Drop,     // a SYN with data is dropped
};

// Bytes that the receiver acknowledged although they never passed here (one-sided paths).
enum class GapPolicy : uint8_t {
  Refuse,       // the acknowledgement is not believed and its segment dropped
  SkipCounted,  // reported as `missing`, the stream goes on behind them
};

// Of a profile; shared by many flows and outliving them.
struct StreamSettings {
  StreamMode mode = StreamMode::Inline;
  UrgentPolicy urgent = UrgentPolicy::Clear;
  SynDataPolicy syn_data = SynDataPolicy::Inspect;
  GapPolicy gap = GapPolicy::Refuse;  // Capture: always skipped
  bool midstream = false;             // take streams whose handshake was not seen
  // Per direction: bytes kept for comparison until acknowledged, and remembered ahead of a gap,
  // from the oldest to the newest. At most kMaximumSpanBytes.
  uint32_t span_bytes = kMaximumSpanBytes;
  uint16_t pieces_ahead = kMaximumPiecesAhead;  // separate pieces behind gaps, per direction
  // Acknowledged bytes that are kept all the same, to notice that a late repetition differs. The
  // receiver has no use for them: 0 for a gateway.
  uint32_t acknowledged_bytes = 0;
};

enum class SegmentFate : uint8_t {
  Forward,         // payload unchanged
  ForwardChanged,  // payload was rewritten in place: the checksum must be corrected
  Drop,            // must not reach the receiver; `problem` says why. Capture: the receiver has
                   // ignored it, and so has this stream
  NoMemory,        // a bound was met; the payload may have been rewritten all the same
                   // (payload_changed). The profile decides: refuse() (the sender tries again), or
                   // commit(): goes on, but these bytes cannot be compared later
};

enum class SegmentProblem : uint8_t {
  None,
  NotSynchronized,  // no SYN seen and no midstream pick-up
  BeyondWindow,     // ahead of what the receiver permitted
  BeforeWindow,     // older than anything an honest sender repeats
  FinMismatch,      // a FIN at another place than the one seen
  DataAfterFin,
  SynData,        // data in a SYN, when the policy is to drop
  SynMismatch,    // a SYN with other numbers inside a known stream
  Urgent,         // urgent data, when the policy is to drop
  OldTimestamp,   // the receiver drops it (RFC 7323 section 5: PAWS)
  MissingAck,     // without ACK: the receiver drops it (RFC 9293 section 3.10.7.4)
  AckOfUnsent,    // acknowledges what never passed here (RFC 9293 section 3.10.7.4)
  AckTooOld,      // RFC 5961 section 5.2
  ResetNotExact,  // RST in the window but not at the next number (RFC 5961 section 3.2)
  ResetOutOfWindow,
  Signature,  // a signed segment in a stream that began without
  Count
};

// Oddities, named as in ids stream_events() (find_event(stream_events(), name_of(event))).
enum class StreamEvent : uint8_t {
  OverlapDifferentData,   // reassembly_overlap_different_data
  SequenceGap,            // reassembly_seq_gap
  InsertMemory,           // reassembly_insert_memcap
  InsertLimit,            // reassembly_insert_limit
  SegmentBeforeBase,      // reassembly_segment_before_base_seq
  Retransmission,         // pkt_retransmission
  InvalidTimestamp,       // pkt_invalid_timestamp
  InvalidAck,             // pkt_invalid_ack
  BrokenAck,              // pkt_broken_ack: an acknowledgement number without ACK
  OutOfWindow,            // est_packet_out_of_window
  BeforeLastAck,          // est_pkt_before_last_ack
  FinOutOfWindow,         // fin_out_of_window
  SynResend,              // est_syn_resend
  SynResendDifferent,     // est_syn_resend_diff_seq
  SynAckResend,           // est_synack_resend
  SynAckResendDifferent,  // est_synack_resend_with_diff_seq
  SuspectedReset,         // suspected_rst_inject
  UrgentLimit,            // reassembly_urgent_oob_limit_reached
  Count
};
[[nodiscard]] std::string_view name_of(StreamEvent event) noexcept;

class StreamEvents {
 public:
  void add(StreamEvent event) noexcept { bits_ |= 1U << static_cast<unsigned>(event); }
  [[nodiscard]] bool has(StreamEvent event) const noexcept {
    return (bits_ >> static_cast<unsigned>(event) & 1U) != 0;
  }
  [[nodiscard]] bool any() const noexcept { return bits_ != 0; }

 private:
  uint32_t bits_ = 0;
};

// New bytes of a stream in order, after a gap of `missing` bytes. Valid until commit() or refuse().
struct ReadableBytes {
  ids::Direction direction = ids::Direction::ToServer;
  std::span<const uint8_t> bytes;
  uint64_t missing = 0;
};

struct SegmentResult {
  SegmentFate fate = SegmentFate::Forward;
  SegmentProblem problem = SegmentProblem::None;
  StreamEvents events;
  bool payload_changed = false;   // ForwardChanged, and possible with NoMemory
  bool clear_urgent = false;      // the caller clears URG and the urgent pointer
  bool overlapped = false;        // covered bytes seen before
  bool overlap_differed = false;  // ... with other content
  bool in_order_bytes = false;    // TcpStreamPair::next() has something of this direction
  bool ahead = false;             // its new bytes, or its FIN, lie behind a gap
  bool repeated = false;          // has bytes, and none that is new
  bool ended = false;             // on commit this direction's stream is complete (FIN reached)
  bool reset = false;             // a believable RST
  bool reopens = false;           // with Drop: a SYN over a closed connection, begin a new pair
  // Of what next() gives of this direction: so many bytes stand behind the segment's own last one.
  uint32_t bytes_behind = 0;
  uint64_t missing = 0;  // bytes of the *other* direction found to be lost by this ACK; next() has
                         // that gap and what lies behind it
  // The plan of commit(); nobody else's business.
  struct Plan {
    std::span<const uint8_t> payload;
    int64_t begin = 0;  // positions in the stream; 0 is the first byte after the SYN
    uint64_t read_position = 0;
    uint64_t read_end = 0;
    uint64_t skip_position = 0;  // of the other direction
    uint64_t skip_end = 0;
    uint64_t skip_acknowledged = 0;
    uint64_t urgent_position = 0;
    uint32_t timestamp_value = 0;
    uint32_t first_sequence = 0;  // of a SYN
    uint16_t flags = 0;
    uint8_t window_scale = kSegmentWithoutScale;
    ids::Direction direction = ids::Direction::ToServer;
  } plan;
};

// Of one direction, since the beginning.
struct StreamCounters {
  uint64_t readable_bytes = 0;       // given to inspection
  uint64_t retransmitted_bytes = 0;  // seen before with the same content
  uint64_t rewritten_bytes = 0;      // seen before with other content, and set right
  uint64_t stale_bytes = 0;          // below the acknowledged point, zeroed
  uint64_t missing_bytes = 0;        // gaps
  uint64_t unkept_bytes = 0;         // went on without being remembered
  uint32_t ahead_segments = 0;       // came out of order
  uint32_t dropped_segments = 0;
};

}  // namespace masugata::dataplane
