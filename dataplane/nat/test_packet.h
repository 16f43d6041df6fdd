// SPDX-License-Identifier: GPL-2.0-or-later
// Packets for the tests of this folder: written from a key, read back into one, checksums computed
// from scratch and never incrementally.
#pragma once

#include <cstdint>
#include <vector>

#include "net/checksum.h"
#include "net/flow_key.h"

namespace masugata::dataplane::test {

using Bytes = std::vector<uint8_t>;

inline size_t network_bytes(const net::FlowKey& key) { return key.source.is_v4() ? 20 : 40; }

inline uint16_t checksum_of(const uint8_t* bytes, size_t length, uint64_t start = 0) {
  return static_cast<uint16_t>(~net::checksum_fold(net::checksum_add(bytes, length, start)));
}

// Where the transport checksum stands in the transport header; 0 for none.
inline size_t checksum_place(net::Protocol protocol) {
  switch (protocol) {
    case net::Protocol::Tcp:
      return 16;
    case net::Protocol::Udp:
      return 6;
    case net::Protocol::Icmp:
    case net::Protocol::Icmpv6:
      return 2;
    default:
      return 0;
  }
}

inline void put_bytes(Bytes& packet, size_t offset, const void* from, size_t length) {
  std::memcpy(packet.data() + offset, from, length);
}

inline void put16(Bytes& packet, size_t offset, uint16_t value) {
  net::store(packet.data() + offset, net::Be16::from_host(value));
}

inline void write_network(Bytes& packet, const net::FlowKey& key, net::Protocol protocol) {
  if (key.source.is_v4()) {
    packet[0] = 0x45;
    put16(packet, 2, static_cast<uint16_t>(packet.size()));
    packet[8] = 64;
    packet[9] = static_cast<uint8_t>(protocol);
    put_bytes(packet, 12, key.source.bytes.data() + 12, 4);
    put_bytes(packet, 16, key.destination.bytes.data() + 12, 4);
    const uint16_t checksum = checksum_of(packet.data(), 20);
    put_bytes(packet, 10, &checksum, 2);
    return;
  }
  packet[0] = 0x60;
  put16(packet, 4, static_cast<uint16_t>(packet.size() - 40));
  packet[6] = static_cast<uint8_t>(protocol);
  packet[7] = 64;
  put_bytes(packet, 8, key.source.bytes.data(), 16);
  put_bytes(packet, 24, key.destination.bytes.data(), 16);
}

// The pseudo header counts for everything but ICMP over IPv4.
inline uint16_t transport_checksum(const Bytes& packet, const net::FlowKey& key,
                                   net::Protocol protocol) {
  const size_t offset = network_bytes(key);
  const size_t length = packet.size() - offset;
  const uint64_t pseudo = protocol == net::Protocol::Icmp
                              ? 0
                              : net::pseudo_header_sum(key.source, key.destination, protocol,
                                                       static_cast<uint32_t>(length));
  return checksum_of(packet.data() + offset, length, pseudo);
}

inline void write_transport_checksum(Bytes& packet, const net::FlowKey& key,
                                     net::Protocol protocol) {
  const size_t place = checksum_place(protocol);
  if (place == 0) return;
  uint16_t checksum = transport_checksum(packet, key, protocol);
  if (protocol == net::Protocol::Udp && checksum == 0) checksum = 0xffff;
  put_bytes(packet, network_bytes(key) + place, &checksum, 2);
}

inline Bytes make_packet(const net::FlowKey& key, size_t payload_bytes = 32) {
  const size_t offset = network_bytes(key);
  const bool tcp = key.protocol == net::Protocol::Tcp;
  Bytes packet(offset + (tcp ? 20U : 8U) + payload_bytes, 0);
  for (size_t index = offset + 8; index < packet.size(); ++index) {
    packet[index] = static_cast<uint8_t>(index * 37);
  }
  write_network(packet, key, key.protocol);
  if (key.protocol == net::Protocol::Icmp || key.protocol == net::Protocol::Icmpv6) {
    packet[offset] = key.protocol == net::Protocol::Icmp ? 8 : 128;
    put16(packet, offset + 4, key.source_port.host());
  } else {
    put16(packet, offset, key.source_port.host());
    put16(packet, offset + 2, key.destination_port.host());
  }
  if (key.protocol == net::Protocol::Udp)
    put16(packet, offset + 4, static_cast<uint16_t>(8 + payload_bytes));
  if (tcp) packet[offset + 12] = 0x50;
  const size_t place = checksum_place(key.protocol);
  if (place != 0) put16(packet, offset + place, 0);
  write_transport_checksum(packet, key, key.protocol);
  return packet;
}

// An ICMP error from `router` to `to` about `quoted` (cut to `quoted_bytes`).
inline Bytes make_error(const net::IpAddress& router, const net::IpAddress& to, const Bytes& quoted,
                        size_t quoted_bytes) {
  net::FlowKey key;
  key.source = router;
  key.destination = to;
  const net::Protocol protocol = to.is_v4() ? net::Protocol::Icmp : net::Protocol::Icmpv6;
  const size_t offset = network_bytes(key);
  Bytes packet(offset + 8 + quoted_bytes, 0);
  packet[offset] = to.is_v4() ? 3 : 1;
  packet[offset + 1] = to.is_v4() ? 3 : 4;
  put_bytes(packet, offset + 8, quoted.data(), quoted_bytes);
  write_network(packet, key, protocol);
  write_transport_checksum(packet, key, protocol);
  return packet;
}

}  // namespace masugata::dataplane::test
