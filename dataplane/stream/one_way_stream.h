// SPDX-License-Identifier: GPL-2.0-or-later
// One direction of a TCP connection: which bytes passed, which the receiver can read, which it has.
#pragma once

#include <cstdint>

#include "dataplane/stream/stream_memory.h"
#include "dataplane/stream/stream_segment.h"

namespace masugata::dataplane {

inline constexpr uint32_t kMaximumSpanBytes = 4U << 20U;

// Internal to TcpStreamPair.
class OneWayStream {
 public:
  [[nodiscard]] bool is_known() const noexcept { return known_; }
  [[nodiscard]] uint64_t highest() const noexcept { return highest_; }
  [[nodiscard]] const StreamCounters& counters() const noexcept { return counters_; }

 private:
  StreamCounters counters_;
  uint64_t highest_ = 0;
  bool known_ = false;
};

}  // namespace masugata::dataplane
