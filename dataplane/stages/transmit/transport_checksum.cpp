// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/transmit/transport_checksum.h"

#include <rte_ip.h>
#include <rte_mbuf.h>

#include "net/checksum.h"
#include "net/headers/ipv4.h"

namespace masugata::dataplane {
namespace {

constexpr size_t kTcpChecksumOffset = 16;

bool is_version_4(const Packet& packet) noexcept { return (packet.network()[0] >> 4U) == 4; }

// The addresses as they stand in the header now: translation is over.
uint64_t pseudo_header(const Packet& packet, uint32_t length) noexcept {
  const uint8_t* network = packet.network();
  const bool ipv4 = is_version_4(packet);
  const uint64_t sum =
      ipv4 ? net::checksum_add(network + 12, 8) : net::checksum_add(network + 8, 32);
  return sum + net::Be16::from_host(static_cast<uint8_t>(net::Protocol::Tcp)).raw +
         net::Be32::from_host(length).raw;
}

uint32_t transport_bytes(const Packet& packet) noexcept {
  return static_cast<uint32_t>(packet.network_length) + packet.link_length -
         packet.transport_offset;
}

}  // namespace

void complete_checksum(Packet& packet) noexcept {
  if (!packet.has(kPacketChecksumPending)) return;
  packet.clear(kPacketChecksumPending);
  const uint32_t length = transport_bytes(packet);
  uint8_t* field = packet.transport() + kTcpChecksumOffset;
  net::store(field, net::Be16{});
  uint16_t sum = 0;
  (void)rte_raw_cksum_mbuf(&packet.mbuf(), packet.transport_offset, length, &sum);
  net::store(
      field,
      net::Be16{static_cast<uint16_t>(~net::checksum_fold(pseudo_header(packet, length) + sum))});
}

void leave_checksum_to_port(Packet& packet) noexcept {
  packet.clear(kPacketChecksumPending);
  rte_mbuf& mbuf = packet.mbuf();
  mbuf.l2_len = packet.link_length & 0x7fU;
  mbuf.l3_len = static_cast<uint16_t>(packet.transport_offset - packet.link_length) & 0x1ffU;
  mbuf.ol_flags =
      RTE_MBUF_F_TX_TCP_CKSUM | (is_version_4(packet) ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6);
  const uint64_t sum = pseudo_header(packet, transport_bytes(packet));
  net::store(packet.transport() + kTcpChecksumOffset, net::Be16{net::checksum_fold(sum)});
}

}  // namespace masugata::dataplane
