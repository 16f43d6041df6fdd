// SPDX-License-Identifier: GPL-2.0-or-later
// What rules are judged against at one moment.
#pragma once

#include <cstdint>
#include <span>

#include "ids/engine/flow_inspection.h"
#include "ids/matching/packet_fields.h"

namespace masugata::ids {

struct Subject {
  const PacketFacts* packet = nullptr;
  const PacketFields* fields = nullptr;
  FlowInspection* flow = nullptr;  // null: outside flows
  const FlowState* state = nullptr;
  Direction direction = Direction::ToServer;  // of the bytes that are judged
  net::FlowKey key;                           // from the sender of those bytes
  Transaction* transaction = nullptr;         // null: packet and stream rules
  uint64_t stream_from = 0;                   // of a transaction: where its side began
  std::span<const uint8_t> payload;  // of the packet, if it is of `direction` and not encrypted
  uint32_t stream_reach = 0;         // only so many last bytes of the stream count; 0: all
  bool stream_news = false;          // the stream of `direction` has new bytes
  bool is_packet = true;             // false: the flow ends, and there is no packet
  bool outside_stream = false;  // TCP that no stream takes in: stream rules see the packet instead
};

}  // namespace masugata::ids
