// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/nat/rewrite.h"

#include <cstring>

#include "dataplane/nat/transport_fields.h"
#include "net/byte_order.h"
#include "net/checksum.h"

namespace masugata::dataplane {

namespace {

uint64_t address_sum(const net::FlowKey& key) noexcept {
  if (key.source.is_v4()) {
    return static_cast<uint64_t>(key.source.v4().raw) + key.destination.v4().raw;
  }
  const uint64_t sum = net::checksum_add(key.source.bytes.data(), key.source.bytes.size());
  return net::checksum_add(key.destination.bytes.data(), key.destination.bytes.size(), sum);
}

// 0xffff is the other zero of one's complement: as 0 it leaves the field's bytes alone.
uint16_t delta_of(uint64_t old_sum, uint64_t new_sum) noexcept {
  const uint16_t delta = net::checksum_delta(old_sum, new_sum);
  return delta == 0xffff ? uint16_t{0} : delta;
}

// What the transport checksum covers of the key.
uint64_t covered_sum(const net::FlowKey& key) noexcept {
  switch (key.protocol) {
    case net::Protocol::Tcp:
    case net::Protocol::Udp:
      return address_sum(key) + key.source_port.raw + key.destination_port.raw;
    case net::Protocol::Icmp:
      return key.source_port.raw;  // no pseudo header (RFC 792)
    case net::Protocol::Icmpv6:
      return address_sum(key) + key.source_port.raw;
    default:
      return 0;
  }
}

void write_network(const net::FlowKey& to, uint16_t delta, uint8_t* network) noexcept {
  if (!to.source.is_v4()) {
    std::memcpy(network + 8, to.source.bytes.data(), 16);
    std::memcpy(network + 24, to.destination.bytes.data(), 16);
    return;
  }
  const net::Be32 source = to.source.v4();
  const net::Be32 destination = to.destination.v4();
  net::store(network + 12, source);
  net::store(network + 16, destination);
  adjust_checksum(network + kIpv4ChecksumOffset, delta);
}

}  // namespace

ChecksumDeltas checksum_deltas(const net::FlowKey& from, const net::FlowKey& to) noexcept {
  ChecksumDeltas deltas;
  if (from.source.is_v4()) deltas.network = delta_of(address_sum(from), address_sum(to));
  deltas.transport = delta_of(covered_sum(from), covered_sum(to));
  return deltas;
}

FlowRewrite make_rewrite(const net::FlowKey& from, const net::FlowKey& to) noexcept {
  return {to, checksum_deltas(from, to), !(from == to)};
}

void apply_rewrite(const net::FlowKey& to, ChecksumDeltas deltas, uint8_t* network,
                   uint8_t* transport) noexcept {
  write_network(to, deltas.network, network);
  if (transport == nullptr) return;
  write_transport_ports(to, transport);
  switch (to.protocol) {
    case net::Protocol::Tcp:
      adjust_checksum(transport + kTcpChecksumOffset, deltas.transport);
      break;
    case net::Protocol::Udp:
      adjust_udp_checksum(transport + kUdpChecksumOffset, deltas.transport);
      break;
    case net::Protocol::Icmp:
    case net::Protocol::Icmpv6:
      adjust_checksum(transport + kIcmpChecksumOffset, deltas.transport);
      break;
    default:
      break;
  }
}

}  // namespace masugata::dataplane
