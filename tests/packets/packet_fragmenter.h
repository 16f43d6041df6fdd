// SPDX-License-Identifier: GPL-2.0-or-later
// One fragment of a whole IP packet (the recipe modifier `cut`).
#pragma once

#include <cstdint>
#include <vector>

#include "result/result.h"
#include "tests/packets/recipe.h"

namespace masugata::test {

// The fragment of `frame` (IP header at `link_length`) that carries bytes offset..offset+length of
// what follows the IP header; hop-by-hop and routing headers stay in front (RFC 8200 4.5).
// `cut` may say `more` or `last` against the truth, and the id of the datagram.
// Fault: offset beyond the packet, or no IP packet.
[[nodiscard]] Result<std::vector<uint8_t>> cut_fragment(const std::vector<uint8_t>& frame,
                                                        size_t link_length, const Layer& cut);

}  // namespace masugata::test
