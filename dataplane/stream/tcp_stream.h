// SPDX-License-Identifier: GPL-2.0-or-later
// Rebuilds what the receiver of a TCP stream will read, while its segments pass.
//
// The rule that makes evasion pointless: the bytes that were forwarded first win. A segment that
// covers bytes already forwarded is rewritten to them before it leaves, whatever the receiver's own
// preference would be. Out-of-order segments are forwarded at once and their bytes are remembered;
// the receiver cannot read them before the segment that closes the gap, and that one can still be
// stopped. (RFC 9293 section 3.10.7.4; sequence arithmetic of section 3.4)
#pragma once

#include <cstdint>
#include <span>

namespace masugata::dataplane {

// A pool of equal blocks that all streams of one worker keep bytes in. Taken at start, bounded.
class StreamMemory;

// What became of one segment.
enum class SegmentFate : uint8_t {
  Forward,         // unchanged
  ForwardChanged,  // payload was rewritten in place to what had been forwarded before: the
                   // checksum must be corrected
  Drop,            // must not reach the receiver; `reason` says why
  NoMemory,        // a bound was met: the bytes are not remembered. The profile decides
};

enum class SegmentProblem : uint8_t {
  None,
  BeyondWindow,  // further ahead than kMaximumAhead or the receiver's window
  FinMismatch,   // a FIN at another place than the one seen
  DataAfterFin,
  SynData,  // data in a SYN that is not TCP Fast Open
  Urgent,   // urgent data, when the policy is to drop
};

struct SegmentResult {
  SegmentFate fate = SegmentFate::Forward;
  SegmentProblem problem = SegmentProblem::None;
  bool overlapped = false;        // covered bytes seen before
  bool overlap_differed = false;  // ... with other content
  bool in_order_bytes = false;    // next() has something new
};

}  // namespace masugata::dataplane
