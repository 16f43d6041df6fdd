// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/synproxy/syn_cookie.h"

#include <array>
#include <cstring>

namespace masugata::dataplane {
namespace {

// Ascending; what a client says is rounded down to one of these.
constexpr std::array<uint16_t, 8> kSegmentSizes{64, 536, 1200, 1360, 1400, 1440, 1452, 1460};
constexpr uint8_t kNoScale = 0xff;
constexpr std::array<uint8_t, 8> kScales{kNoScale, 0, 2, 4, 6, 7, 8, 10};

// RFC 9293 section 3.7.1: what a SYN without the option means.
constexpr uint16_t kDefaultSegmentSizeIpv4 = 536;
constexpr uint16_t kDefaultSegmentSizeIpv6 = 1220;

constexpr uint32_t kPeriodShift = 16;  // 65.536 s
constexpr uint8_t kParityBit = 0x01;
constexpr uint8_t kSackBit = 0x02;
constexpr unsigned kScalePosition = 2;
constexpr unsigned kSegmentSizePosition = 5;

uint8_t index_of_segment_size(uint16_t size) noexcept {
  uint8_t index = 0;
  while (index + 1U < kSegmentSizes.size() && kSegmentSizes[index + 1U] <= size) ++index;
  return index;
}

uint8_t index_of_scale(const net::TcpOptionFacts& options) noexcept {
  if (!options.has_window_scale) return 0;
  uint8_t index = 1;
  while (index + 1U < kScales.size() && kScales[index + 1U] <= options.window_scale) ++index;
  return index;
}

uint8_t encode(const TcpFacts& syn, uint32_t period) noexcept {
  uint16_t size = syn.options.maximum_segment_size;
  if (size == 0) {
    size =
        syn.key.family() == net::Family::Ipv4 ? kDefaultSegmentSizeIpv4 : kDefaultSegmentSizeIpv6;
  }
  return static_cast<uint8_t>((uint32_t{index_of_segment_size(size)} << kSegmentSizePosition) |
                              (uint32_t{index_of_scale(syn.options)} << kScalePosition) |
                              (syn.options.sack_permitted ? kSackBit : 0U) | (period & kParityBit));
}

CookieFacts decode(uint8_t state) noexcept {
  CookieFacts facts;
  const uint8_t scale = kScales[(state >> kScalePosition) & 0x07U];
  facts.maximum_segment_size = kSegmentSizes[state >> kSegmentSizePosition];
  facts.has_window_scale = scale != kNoScale;
  facts.window_scale = facts.has_window_scale ? scale : uint8_t{0};
  facts.sack_permitted = (state & kSackBit) != 0;
  return facts;
}

}  // namespace

uint32_t SynCookies::authenticate(const net::FlowKey& key, uint32_t client_sequence,
                                  uint32_t period, uint8_t state) const noexcept {
  struct {
    net::FlowKey key;
    uint32_t client_sequence;
    uint32_t period_and_state;
  } input{key, client_sequence, (period << 8U) | state};
  static_assert(sizeof input == 48, "no padding: every byte is hashed");
  const auto mac = static_cast<uint32_t>(net::siphash(secret_, &input, sizeof input));
  return (mac & 0xffffff00U) | state;
}

uint32_t SynCookies::make(const TcpFacts& syn, uint32_t now_ms) const noexcept {
  const uint32_t period = now_ms >> kPeriodShift;
  return authenticate(syn.key, syn.sequence, period, encode(syn, period));
}

TcpFacts SynCookies::answer(const TcpFacts& syn, uint16_t our_mss, uint32_t now_ms) const noexcept {
  TcpFacts reply;
  reply.key = syn.key.reversed();
  reply.sequence = make(syn, now_ms);
  reply.acknowledgement = syn.sequence + 1;
  reply.flags = net::kTcpSyn | net::kTcpAck;
  reply.window = 0;
  reply.options.maximum_segment_size = our_mss;
  reply.options.sack_permitted = syn.options.sack_permitted;
  reply.options.has_window_scale = syn.options.has_window_scale;
  reply.options.window_scale = syn.options.has_window_scale ? kAnnouncedWindowScale : uint8_t{0};
  return reply;
}

bool SynCookies::check(const TcpFacts& ack, uint32_t now_ms, CookieFacts& out) const noexcept {
  constexpr uint8_t kDecisive = net::kTcpSyn | net::kTcpRst | net::kTcpFin | net::kTcpAck;
  if ((ack.flags & kDecisive) != net::kTcpAck) return false;
  const uint32_t cookie = ack.acknowledgement - 1;
  const auto state = static_cast<uint8_t>(cookie & 0xffU);
  uint32_t period = now_ms >> kPeriodShift;
  if ((state & kParityBit) != (period & kParityBit)) {
    constexpr uint32_t kLastPeriod = 0xffffffffU >> kPeriodShift;
    period = (period - 1) & kLastPeriod;
  }
  if (authenticate(ack.key, ack.sequence - 1, period, state) != cookie) return false;
  out = decode(state);
  return true;
}

}  // namespace masugata::dataplane
