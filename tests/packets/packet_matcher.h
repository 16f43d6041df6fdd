// SPDX-License-Identifier: GPL-2.0-or-later
// Does a frame say what was expected? Every difference is explained.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tests/packets/recipe.h"

namespace masugata::test {

struct MatchResult {
  // "tcp seq: expected 1000, received 2000". Empty: it matches.
  std::vector<std::string> differences;
  // Values of the `$name`s of the expectation, canonical text.
  std::map<std::string, std::string> captures;

  [[nodiscard]] bool matches() const { return differences.empty(); }
  // One difference per line, then the received packet as a recipe.
  [[nodiscard]] std::string explain(std::span<const uint8_t> frame) const;
};

// A frame matches when its layers are those of `expected`, every field named there has that value,
// and every checksum is right (recomputed over the whole packet). A VLAN tag, an extension header
// or a payload that is not expected is a difference (`payload-any` allows one); Ethernet padding
// and an ICMP error's quote are not. An expected recipe with `cut` is built and compared with its
// bytes above the IP header.
[[nodiscard]] MatchResult match_packet(const Recipe& expected, std::span<const uint8_t> frame);

}  // namespace masugata::test
