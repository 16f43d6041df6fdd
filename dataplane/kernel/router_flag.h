// SPDX-License-Identifier: GPL-2.0-or-later
// Makes the kernel's neighbour advertisements say that a router speaks.
#pragma once

#include <cstdint>
#include <span>

namespace masugata::dataplane {

// The kernel must not forward (forwarding=0 on every twin), so it advertises itself as a host, and
// hosts that learnt us as a default router would drop us for that (RFC 4861 section 7.2.5). Sets
// the R flag of a neighbour advertisement (section 4.4) and mends its checksum. `frame` starts at
// an untagged Ethernet header; everything else is left alone. True when it was changed.
bool set_router_flag(std::span<uint8_t> frame) noexcept;

}  // namespace masugata::dataplane
