// SPDX-License-Identifier: GPL-2.0-or-later
// Indexes that cross component borders, and how each says "none".
#pragma once

#include <cstdint>

namespace masugata::dataplane {

using InterfaceIndex = uint16_t;  // into config::Model::interfaces
using PortIndex = uint16_t;       // into config::Model::ports

inline constexpr InterfaceIndex kNoInterface = 0xffff;
// In place of a DPDK port id on frames that the kernel sends by a tunnel's twin.
inline constexpr uint16_t kTunnelDevice = 0xfffe;
inline constexpr uint32_t kNoNextHop = 0xffffffffU;  // neighbour index of a forwarding view

}  // namespace masugata::dataplane
