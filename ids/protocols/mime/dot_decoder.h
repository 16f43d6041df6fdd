// SPDX-License-Identifier: GPL-2.0-or-later
// Undoes dot-stuffing (RFC 5321 section 4.5.2, RFC 1939 section 3) and finds the line with a
// single dot that ends the data, over any segmentation.
#pragma once

#include <cstdint>
#include <span>

namespace masugata::ids::mime {

// Thread: the flow's worker. A lone LF counts as a line's end, as it does for many servers.
class DotDecoder {
 public:
  // Gives the next run of data at the front of `bytes` and removes it from there; the run may be
  // empty. Call until `bytes` is empty or ended().
  [[nodiscard]] std::span<const uint8_t> next(std::span<const uint8_t>& bytes) noexcept;
  // The single dot was seen: what is left in `bytes` is no data.
  [[nodiscard]] bool ended() const noexcept { return state_ == State::Ended; }
  // The end was CRLF "." CRLF to the letter. Otherwise some servers take what follows for data.
  [[nodiscard]] bool ended_strictly() const noexcept { return ended() && strict_; }
  void reset() noexcept {
    state_ = State::LineStart;
    strict_ = true;
  }

 private:
  enum class State : uint8_t { LineStart, Inside, Dot, DotReturn, Ended };
  State state_ = State::LineStart;
  bool strict_ = true;  // the line before ended with CRLF; at the end, its own line, too
  uint8_t last_ = 0;    // byte of the unfinished line
};

}  // namespace masugata::ids::mime
