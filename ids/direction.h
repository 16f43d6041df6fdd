// SPDX-License-Identifier: GPL-2.0-or-later
// Which way a byte travels, as the rule language says it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace masugata::ids {

// The server is the side that did not open the flow (that received the SYN or the first packet).
enum class Direction : uint8_t { ToServer = 0, ToClient = 1 };

[[nodiscard]] constexpr Direction opposite(Direction direction) noexcept {
  return direction == Direction::ToServer ? Direction::ToClient : Direction::ToServer;
}
[[nodiscard]] constexpr size_t index_of(Direction direction) noexcept {
  return static_cast<size_t>(direction);
}

}  // namespace masugata::ids
