// SPDX-License-Identifier: GPL-2.0-or-later
// Whether the chunks of a body are written as everybody reads them (RFC 9112 section 7.1). libhtp
// and others forgive differently: what is a size to one is the end to another.
#pragma once

#include <cstdint>
#include <span>

namespace masugata::ids {

// Of one body, over any segmentation. Thread: the flow's worker.
class ChunkReader {
 public:
  // Bytes of the body from its first size on, in order. False, from then on: not so. What stands
  // behind the body is not looked at.
  [[nodiscard]] bool read(std::span<const uint8_t> bytes) noexcept;
  // The body's end was read, with its trailer.
  [[nodiscard]] bool is_over() const noexcept { return state_ == State::Over; }
  // Are the next so many bytes a chunk's data?
  [[nodiscard]] bool is_data(uint64_t bytes) const noexcept {
    return state_ == State::Data && bytes <= left_;
  }
  // So many bytes are missing. False: nobody knows where in the chunks it goes on.
  [[nodiscard]] bool skip(uint64_t bytes) noexcept;

 private:
  enum class State : uint8_t {
    Size,       // hexadecimal digits
    Blank,      // behind them
    Extension,  // behind a semicolon
    SizeEnd,    // LF behind CR
    Data,
    DataEnd,     // CR or LF
    DataReturn,  // LF behind CR
    TrailerLine,
    Trailer,
    TrailerLineReturn,  // LF behind CR at the end of a line
    TrailerReturn,      // LF behind CR of the empty line
    Over,
    Broken,
  };
  [[nodiscard]] State next(uint8_t byte) noexcept;
  [[nodiscard]] State begin_data() noexcept;

  State state_ = State::Size;
  uint8_t digits_ = 0;
  uint64_t left_ = 0;
};

}  // namespace masugata::ids
