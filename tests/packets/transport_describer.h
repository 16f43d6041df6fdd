// SPDX-License-Identifier: GPL-2.0-or-later
// The headers above IP, taken apart.
#pragma once

#include <cstdint>
#include <span>

#include "tests/packets/packet_describer.h"
#include "tests/packets/transport_builder.h"

namespace masugata::test {

// Appends the layers of `bytes`, which follow an IP header that announces `protocol`.
// `complete` says that the packet is whole, so that lengths and checksums can be verified.
void dissect_transport(std::span<const uint8_t> bytes, uint64_t protocol, const PacketEnds& ends,
                       bool complete, Dissection& out);

// Appends the layers of an IP packet without its link layer; used for what ICMP errors quote.
void dissect_network(std::span<const uint8_t> bytes, Dissection& out);

// Appends a payload layer, nothing for no bytes.
void append_payload(std::span<const uint8_t> bytes, Recipe& recipe);

// Appends a raw layer.
void append_raw(std::span<const uint8_t> bytes, Recipe& recipe);

}  // namespace masugata::test
