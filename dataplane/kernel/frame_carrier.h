// SPDX-License-Identifier: GPL-2.0-or-later
// Between mbufs and a TAP: one frame there, one frame back.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/kernel/exception_path.h"
#include "dataplane/kernel/tap_device.h"

namespace masugata::dataplane {

// The longest frame that a twin can carry: 64 KB of IP, Ethernet and one tag.
inline constexpr std::size_t kMaximumFrameBytes = 65535 + 18;

// Writes `frame` without its 802.1Q tag when the twin stands for a VLAN. Does not free it. False:
// the kernel refused it, or it is shorter than an Ethernet header.
[[nodiscard]] bool write_frame(TapDevice& device, const TwinSettings& twin,
                               const rte_mbuf& frame) noexcept;

// Makes an mbuf chain of wire bytes; mbuf->port is the twin's. Null when the pool is empty.
[[nodiscard]] rte_mbuf* make_frame(std::span<const uint8_t> bytes, const TwinSettings& twin,
                                   rte_mempool* pool) noexcept;

// Reads one frame as it goes on the wire: tagged for the twin's VLAN, advertisements marked as a
// router's. The result lies in `buffer` (at least kMaximumFrameBytes); empty when nothing is there.
[[nodiscard]] std::span<const uint8_t> read_frame(TapDevice& device, const TwinSettings& twin,
                                                  std::span<uint8_t> buffer) noexcept;

}  // namespace masugata::dataplane
