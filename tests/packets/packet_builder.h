// SPDX-License-Identifier: GPL-2.0-or-later
// Recipe -> frame. Lengths, checksums, next headers and types are computed unless they are named.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "result/result.h"
#include "tests/packets/recipe.h"

namespace masugata::test {

// What a recipe without an `eth` layer gets.
struct LinkDefaults {
  std::string source_mac = "02:00:00:00:01:0a";
  std::string destination_mac = "02:00:00:00:00:01";
};

// The whole frame. Fields that are not named: ttl and hop-limit 64, id 0, win 64240, seq and ack 0,
// TCP flags S. Fault: the recipe holds "*" or a capture, or names no addresses.
[[nodiscard]] Result<std::vector<uint8_t>> build_packet(const Recipe& recipe,
                                                        const LinkDefaults& link);
[[nodiscard]] Result<std::vector<uint8_t>> build_packet(std::string_view text,
                                                        const LinkDefaults& link = {});

}  // namespace masugata::test
