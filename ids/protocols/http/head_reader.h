// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a message's head is in lines as everybody reads them (RFC 9112 section 2.2). libhtp ends
// lines at a CR alone, depending on whether the next byte came in the same packet, and takes some
// empty lines for none.
#pragma once

#include <cstdint>
#include <span>

namespace masugata::ids {

// Of the heads of one direction, over any segmentation. Thread: the flow's worker.
class HeadReader {
 public:
  // The next bytes of heads, in order, from anywhere in a first line; behind an empty line another
  // head may begin (an interim response). False, from then on: not so.
  [[nodiscard]] bool read(std::span<const uint8_t> bytes) noexcept;
  // What was read ends with a line.
  [[nodiscard]] bool is_behind_line() const noexcept { return state_ == State::LineBegin; }
  // What was read ends with a head's empty line.
  [[nodiscard]] bool is_behind_head() const noexcept { return state_ == State::Over; }

 private:
  enum class State : uint8_t {
    First,
    FirstReturn,
    Line,
    LineReturn,  // several before LF are forgiven, as everybody does
    LineBegin,
    EmptyReturn,
    Over,
    Broken,
  };
  [[nodiscard]] State next(uint8_t byte) const noexcept;

  State state_ = State::First;
};

}  // namespace masugata::ids
