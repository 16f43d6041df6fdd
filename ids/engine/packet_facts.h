// SPDX-License-Identifier: GPL-2.0-or-later
// One packet as the inspection engine sees it. Spans point into the packet; nothing is owned.
#pragma once

#include <cstdint>
#include <span>

#include "ids/direction.h"
#include "ids/protocols/events.h"
#include "net/address.h"
#include "net/flow_key.h"

namespace masugata::ids {

struct PacketFacts {
  uint64_t time_us = 0;                // since 1970, of the capture or the worker's clock
  uint64_t number = 0;                 // 1.. in a capture ("pcap_cnt"); 0 = none
  net::FlowKey key;                    // as on the wire, before translation
  std::span<const uint8_t> frame;      // from the link header; may be empty
  std::span<const uint8_t> network;    // from the IP header to the end of the packet
  std::span<const uint8_t> transport;  // from the transport header
  std::span<const uint8_t> payload;    // of TCP, UDP, ...; of other protocols after the IP header
  uint16_t link_type = 1;              // of `frame`, as in capture files
  uint16_t vlan[2] = {};               // 0 = none
  uint16_t third_vlan = 0;             // below those two; 0 = none
  uint8_t vlan_layers = 0;             // tags that the frame has, the three above at most
  bool is_ipv6 = false;
  bool is_ip = true;         // false: only decode events are of interest
  bool is_fragment = false;  // an unfinished fragment; the reassembled datagram comes by itself
  bool was_reassembled = false;
  bool from_tunnel = false;  // the inner packet of a tunnel
  // TCP: the stream does not take the payload in (wrong checksum, outside the window, no
  // connection): stream rules look at the packet instead.
  bool outside_stream = false;
  EventSet decode_events;
  EventSet stream_events;
  Direction direction = Direction::ToServer;  // within its flow
};

}  // namespace masugata::ids
