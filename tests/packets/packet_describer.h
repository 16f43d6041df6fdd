// SPDX-License-Identifier: GPL-2.0-or-later
// Frame -> recipe: the inverse of packet_builder.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/packets/recipe.h"

namespace masugata::test {

// A frame taken apart. Building `recipe` gives the frame again, byte for byte; what cannot be read
// as the layer that was announced becomes a `raw` layer.
struct Dissection {
  Recipe recipe;  // completed; fields that follow from others are there and marked implied
  // Checksums that are wrong, each computed anew over the whole packet: "tcp checksum 0x1 is wrong,
  // 0x2 is right". A checksum that the frame is too short to verify is no defect.
  std::vector<std::string> defects;
};

[[nodiscard]] Dissection dissect_packet(std::span<const uint8_t> frame);

// The canonical recipe text.
[[nodiscard]] std::string describe_packet(std::span<const uint8_t> frame);

}  // namespace masugata::test
