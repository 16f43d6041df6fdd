// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel/router_flag.h"

#include <cstddef>

namespace masugata::dataplane {

namespace {
constexpr std::size_t kNetwork = 14;
constexpr std::size_t kNextHeader = kNetwork + 6;
constexpr std::size_t kTransport = kNetwork + 40;
constexpr std::size_t kChecksum = kTransport + 2;
constexpr std::size_t kFlags = kTransport + 4;
constexpr std::size_t kShortest = kTransport + 24;  // RFC 4861 section 7.1.2
constexpr uint8_t kIcmpv6 = 58;
constexpr uint8_t kNeighbourAdvertisement = 136;
constexpr uint8_t kRouterFlag = 0x80;
}  // namespace

bool set_router_flag(std::span<uint8_t> frame) noexcept {
  if (frame.size() < kShortest || frame[12] != 0x86 || frame[13] != 0xdd) return false;
  if (frame[kNextHeader] != kIcmpv6 || frame[kTransport] != kNeighbourAdvertisement) return false;
  if ((frame[kFlags] & kRouterFlag) != 0) return false;
  frame[kFlags] |= kRouterFlag;
  // RFC 1624: the sum grows by 0x8000, so its complement shrinks by that, with end-around borrow.
  const uint32_t checksum = (static_cast<uint32_t>(frame[kChecksum]) << 8U) | frame[kChecksum + 1];
  uint32_t sum = (~checksum & 0xffffU) + (static_cast<uint32_t>(kRouterFlag) << 8U);
  sum = (sum & 0xffffU) + (sum >> 16U);
  const uint32_t mended = ~sum & 0xffffU;
  frame[kChecksum] = static_cast<uint8_t>(mended >> 8U);
  frame[kChecksum + 1] = static_cast<uint8_t>(mended);
  return true;
}

}  // namespace masugata::dataplane
