// SPDX-License-Identifier: GPL-2.0-or-later
// Which sequence numbers an inbound SA has already taken (RFC 4303 sections 3.4.3 and A2).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "ipsec/sa/sa_parameters.h"

namespace masugata::ipsec {

// The last `window` numbers up to the highest one that was authenticated, one bit each. The bits
// lie in a ring of words that the window moves over (the idea of RFC 6479), so that moving it
// clears words and shifts nothing; the window is exact for every size all the same. 1 KiB, owner
// worker.
class ReplayWindow {
 public:
  enum class Verdict : uint8_t {
    Fresh,
    Old,        // left of the window, or a number that no sender uses
    Duplicate,  // taken before
  };
  struct Examined {
    uint64_t sequence;  // with the high half that the sender must have meant; 0 when Old
    Verdict verdict;
  };

  // `window_packets`: 64 to 4096. `extended`: numbers have 64 bits, of which packets carry 32.
  ReplayWindow(uint32_t window_packets, bool extended) noexcept
      : window_(window_packets),
        word_mask_(std::bit_ceil((window_packets + 63) / 64 + 1) - 1),
        extended_(extended) {}

  // What the number `low` of a packet means; marks nothing. To be asked before the packet is
  // authenticated: an Old or Duplicate one costs no cryptography.
  [[nodiscard]] Examined examine(uint32_t low) const noexcept {
    const uint64_t sequence = extended_ ? infer(low) : low;
    if (sequence == 0) return {0, Verdict::Old};
    return {sequence, look_up(sequence)};
  }

  // Asked again with an examined number when the packet is authentic: two equal packets may have
  // passed examine() in one burst. Fresh marks the number and moves the window.
  Verdict accept(uint64_t sequence) noexcept {
    const Verdict verdict = look_up(sequence);
    if (verdict != Verdict::Fresh) return verdict;
    if (sequence > top_) {
      const uint64_t words = std::min<uint64_t>((sequence >> 6U) - (top_ >> 6U), word_mask_ + 1);
      for (uint64_t i = 1; i <= words; ++i) words_[((top_ >> 6U) + i) & word_mask_] = 0;
      top_ = sequence;
    }
    words_[(sequence >> 6U) & word_mask_] |= bit_of(sequence);
    return Verdict::Fresh;
  }

  // The highest authenticated number; 0 before the first.
  [[nodiscard]] uint64_t top() const noexcept { return top_; }
  [[nodiscard]] uint32_t window_packets() const noexcept { return window_; }

 private:
  static uint64_t bit_of(uint64_t sequence) noexcept { return uint64_t{1} << (sequence & 63U); }

  [[nodiscard]] Verdict look_up(uint64_t sequence) const noexcept {
    if (sequence > top_) return Verdict::Fresh;
    if (top_ - sequence >= window_) return Verdict::Old;
    const bool taken = (words_[(sequence >> 6U) & word_mask_] & bit_of(sequence)) != 0;
    return taken ? Verdict::Duplicate : Verdict::Fresh;
  }

  // RFC 4303 A2.2 in one piece: the only number with these low bits among the 2^32 that begin at
  // the left edge of the window. 0 when it would lie before the first number or beyond the last.
  [[nodiscard]] uint64_t infer(uint32_t low) const noexcept {
    const uint64_t edge = top_ - window_ + 1;
    const uint64_t sequence = edge + static_cast<uint32_t>(low - static_cast<uint32_t>(edge));
    const bool edge_before_zero = top_ < window_ - 1;
    const bool wrapped = sequence < edge;
    return wrapped == edge_before_zero ? sequence : 0;
  }

  static constexpr size_t kWords = 128;
  static_assert(kWords == std::bit_ceil(size_t{kLargestReplayWindow} / 64 + 1));

  uint64_t top_ = 0;
  uint32_t window_;
  uint32_t word_mask_;
  bool extended_;
  std::array<uint64_t, kWords> words_{};
};

}  // namespace masugata::ipsec
