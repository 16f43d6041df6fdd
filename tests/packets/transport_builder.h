// SPDX-License-Identifier: GPL-2.0-or-later
// The headers above IP, with their checksums.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "result/result.h"
#include "tests/packets/field_values.h"
#include "tests/packets/recipe.h"

namespace masugata::test {

// Who the pseudo-header names.
struct PacketEnds {
  AddressBytes source;
  AddressBytes destination;
};

// Header and `content` of a TCP, UDP, ICMP, ICMPv6 or SCTP layer. An ICMP error's quote is part of
// the header. Fault: a quote that cannot be built.
[[nodiscard]] Result<std::vector<uint8_t>> build_transport(const Layer& layer,
                                                           std::span<const uint8_t> content,
                                                           const PacketEnds& ends);

// The IP packet of a recipe without a link layer (what an ICMP error quotes).
[[nodiscard]] Result<std::vector<uint8_t>> build_network_packet(const Recipe& recipe);

}  // namespace masugata::test
