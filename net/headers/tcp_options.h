// SPDX-License-Identifier: GPL-2.0-or-later
// TCP options (RFC 9293 section 3.1, RFC 7323, RFC 2018): a checked walk, what they say, and the
// clamp of the maximum segment size.
#pragma once

#include <cstddef>
#include <cstdint>

#include "net/byte_order.h"
#include "net/checksum.h"
#include "net/headers/transport.h"

namespace masugata::net {

enum class TcpOptionKind : uint8_t {
  End = 0,
  NoOperation = 1,
  MaximumSegmentSize = 2,
  WindowScale = 3,
  SackPermitted = 4,
  Sack = 5,
  Timestamps = 8,
};

inline constexpr size_t kTcpMaximumOptionBytes = 40;
inline constexpr uint8_t kTcpMaximumWindowScale = 14;  // RFC 7323 section 2.3

// One option; `value` has `value_bytes` bytes behind kind and length.
struct TcpOption {
  TcpOptionKind kind = TcpOptionKind::End;
  uint8_t value_bytes = 0;
  const uint8_t* value = nullptr;
};

// Walks the options of a TCP header, of which `header_bytes` (20..60, from TcpView) are present.
// Padding (no operation) is passed over; the walk ends at the end-of-options byte, at the end of
// the header or at the first malformed option. Never reads outside the header.
class TcpOptionWalk {
 public:
  TcpOptionWalk(const uint8_t* header, size_t header_bytes) noexcept
      : next_(header + kTcpMinimumHeaderBytes), end_(header + header_bytes) {}

  // The next option in `out`, or false at the end of the walk.
  bool next(TcpOption& out) noexcept {
    while (next_ < end_ && *next_ == static_cast<uint8_t>(TcpOptionKind::NoOperation)) ++next_;
    if (next_ >= end_ || *next_ == static_cast<uint8_t>(TcpOptionKind::End)) return false;
    const auto available = static_cast<size_t>(end_ - next_);
    if (available < 2 || next_[1] < 2 || next_[1] > available) {
      malformed_ = true;
      return false;
    }
    out.kind = static_cast<TcpOptionKind>(next_[0]);
    out.value_bytes = static_cast<uint8_t>(next_[1] - 2U);
    out.value = next_ + 2;
    next_ += next_[1];
    return true;
  }
  // After next() returned false: did it stop at an option that is cut short or impossibly long?
  [[nodiscard]] bool malformed() const noexcept { return malformed_; }

 private:
  const uint8_t* next_;
  const uint8_t* end_;
  bool malformed_ = false;
};

// Whether a length fits the options whose length is fixed; unknown kinds have any length.
[[nodiscard]] constexpr bool tcp_option_length_valid(TcpOptionKind kind,
                                                     uint8_t value_bytes) noexcept {
  switch (kind) {
    case TcpOptionKind::MaximumSegmentSize:
      return value_bytes == 2;
    case TcpOptionKind::WindowScale:
      return value_bytes == 1;
    case TcpOptionKind::SackPermitted:
      return value_bytes == 0;
    case TcpOptionKind::Sack:
      return value_bytes != 0 && value_bytes % 8 == 0 && value_bytes <= 32;
    case TcpOptionKind::Timestamps:
      return value_bytes == 8;
    default:
      return true;
  }
}

// What the options of one header say. Host byte order.
struct TcpOptionFacts {
  uint16_t maximum_segment_size = 0;  // 0 = absent
  uint8_t window_scale = 0;           // at most 14 (greater ones are cut, RFC 7323 section 2.3)
  bool has_window_scale = false;
  bool sack_permitted = false;
  bool has_timestamps = false;
  uint32_t timestamp_value = 0;
  uint32_t timestamp_echo = 0;
  friend bool operator==(const TcpOptionFacts&, const TcpOptionFacts&) = default;
};

// Reads all options; false when one is malformed or has the wrong length for its kind (`out` then
// holds what came before it). The last of repeated options counts.
inline bool parse_tcp_options(const uint8_t* header, size_t header_bytes,
                              TcpOptionFacts& out) noexcept {
  out = TcpOptionFacts{};
  TcpOptionWalk walk(header, header_bytes);
  TcpOption option;
  while (walk.next(option)) {
    if (!tcp_option_length_valid(option.kind, option.value_bytes)) return false;
    switch (option.kind) {
      case TcpOptionKind::MaximumSegmentSize:
        out.maximum_segment_size = load_be16(option.value).host();
        break;
      case TcpOptionKind::WindowScale:
        out.has_window_scale = true;
        out.window_scale =
            option.value[0] > kTcpMaximumWindowScale ? kTcpMaximumWindowScale : option.value[0];
        break;
      case TcpOptionKind::SackPermitted:
        out.sack_permitted = true;
        break;
      case TcpOptionKind::Timestamps:
        out.has_timestamps = true;
        out.timestamp_value = load_be32(option.value).host();
        out.timestamp_echo = load_be32(option.value + 4).host();
        break;
      default:
        break;
    }
  }
  return !walk.malformed();
}

// Whether every option is well formed.
[[nodiscard]] inline bool tcp_options_valid(const uint8_t* header, size_t header_bytes) noexcept {
  TcpOptionWalk walk(header, header_bytes);
  TcpOption option;
  while (walk.next(option)) {
    if (!tcp_option_length_valid(option.kind, option.value_bytes)) return false;
  }
  return !walk.malformed();
}

// Lowers the maximum segment size of a SYN or SYN-ACK to `maximum`, never raises it, and updates
// the TCP checksum incrementally (RFC 1624), also when the option stands at an odd offset. A SYN
// without the option is left alone: its sender gets segments of at most 536 (IPv4) or 1,220 bytes
// (IPv6) (RFC 9293 section 3.7.1). Returns true when the header was changed.
// The caller has seen the SYN flag; `header_bytes` (20..60) are present.
inline bool clamp_tcp_maximum_segment_size(uint8_t* header, size_t header_bytes,
                                           uint16_t maximum) noexcept {
  TcpOptionWalk walk(header, header_bytes);
  TcpOption option;
  bool changed = false;
  while (walk.next(option)) {
    if (option.kind != TcpOptionKind::MaximumSegmentSize || option.value_bytes != 2) continue;
    const Be16 old_value = load_be16(option.value);
    if (old_value.host() <= maximum) continue;
    const Be16 new_value = Be16::from_host(maximum);
    const auto position = static_cast<size_t>(option.value - header);
    const bool odd = position % 2 != 0;
    // At an odd offset the two bytes belong to different words of the sum, which sees them swapped.
    const uint16_t old_word = odd ? old_value.host() : old_value.raw;
    const uint16_t new_word = odd ? new_value.host() : new_value.raw;
    store(header + position, new_value);
    const uint16_t field = load_be16(header + 16).raw;
    store(header + 16, Be16{checksum_apply(field, checksum_delta(old_word, new_word))});
    changed = true;
  }
  return changed;
}

}  // namespace masugata::net
