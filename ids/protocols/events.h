// SPDX-License-Identifier: GPL-2.0-or-later
// Named events: what is odd in an application stream, in a packet or in a TCP stream. The names
// are those that rules use ("http.gzip_decompression_failed", "ipv4.opt_pad_required",
// "3whs_ack_in_wrong_dir"). Each list lives with the code that raises it.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "ids/protocols/application_protocol.h"

namespace masugata::ids {

inline constexpr size_t kMaximumEvents = 192;  // per protocol, and of packets, and of streams
using EventSet = std::bitset<kMaximumEvents>;

// The events of one protocol, in the order of their numbers, without the "http." before them. Of
// Unknown: those about the choice of a protocol ("applayer_unexpected_protocol").
[[nodiscard]] std::span<const std::string_view> application_events(ApplicationProtocol) noexcept;
// decode-event names with their prefix ("ipv4.pkt_too_small").
[[nodiscard]] std::span<const std::string_view> decode_events() noexcept;
// stream-event names without "stream.".
[[nodiscard]] std::span<const std::string_view> stream_events() noexcept;

// Upper and lower case are the same.
[[nodiscard]] std::optional<uint8_t> find_event(std::span<const std::string_view> events,
                                                std::string_view name) noexcept;

}  // namespace masugata::ids
