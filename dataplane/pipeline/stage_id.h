// SPDX-License-Identifier: GPL-2.0-or-later
// The stages, in the order in which a worker runs them. This order is the pipeline.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace masugata::dataplane {

enum class StageId : uint8_t {
  Decode,      // bytes -> fields; malformed packets end here
  Defragment,  // fragments -> datagrams
  Decrypt,     // ESP to the gateway -> the packets inside
  Track,       // packets -> sessions; TCP state
  Admit,       // misses -> new sessions: anti-spoofing, NAT, route, policy
  Inspect,     // streams, rules: is what it carries an attack
  Egress,      // translation, TTL, MSS, MTU, next hop
  Encrypt,     // packets into a tunnel -> ESP
  Punt,        // to the kernel's twin
  Transmit,    // to the port's queue
  Count,
};

inline constexpr size_t kStageCount = static_cast<size_t>(StageId::Count);

inline constexpr std::array<std::string_view, kStageCount> kStageNames{
    "decode",  "defragment", "decrypt", "track", "admit",
    "inspect", "egress",     "encrypt", "punt",  "transmit"};

[[nodiscard]] constexpr std::string_view stage_name(StageId id) noexcept {
  return kStageNames[static_cast<size_t>(id)];
}

}  // namespace masugata::dataplane
