// SPDX-License-Identifier: GPL-2.0-or-later
// ICMP errors about ESP that the gateway sent itself (RFC 4301 section 8.2).
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/pipeline/packet.h"
#include "dataplane/pipeline/worker_context.h"
#include "net/byte_order.h"

namespace masugata::dataplane {

// What an error says, and of which packet.
struct OuterError {
  net::Be32 spi;
  // The largest packet that passes where the error comes from; 0: the error is about something
  // else.
  uint16_t mtu = 0;
};

// Of a packet with kPacketIsIcmpError. Nothing when it does not quote ESP, plain or in UDP, as far
// as the SPI: then it may be about IKE.
[[nodiscard]] std::optional<OuterError> about_outer_packet(const Packet& packet) noexcept;

// Takes notice of an error for which about_outer_packet() has an answer. IpsecError: it quotes an
// SA of ours to that peer, and a smaller path MTU goes to the control thread. Otherwise nobody
// here sent what it quotes.
[[nodiscard]] DropReason take_error(const Packet& packet, WorkerContext& context) noexcept;

}  // namespace masugata::dataplane
