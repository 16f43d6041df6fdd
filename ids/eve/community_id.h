// SPDX-License-Identifier: GPL-2.0-or-later
// Community ID version 1: one name for a flow that all tools which see it agree on.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "net/flow_key.h"

namespace masugata::ids {

struct CommunityId {
  std::array<char, 30> text{};  // "1:" and 28 characters of base64
  [[nodiscard]] std::string_view view() const noexcept { return {text.data(), text.size()}; }
};

// The same for both directions. `icmp_type` and `icmp_code`: of ICMP and ICMPv6 packets, which
// take the place of ports; messages that come in pairs are named by both. No allocation.
[[nodiscard]] CommunityId community_id(const net::FlowKey& key, uint8_t icmp_type,
                                       uint8_t icmp_code, uint16_t seed) noexcept;

}  // namespace masugata::ids
