// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/large_packets.h"

#include <algorithm>

#include "dataplane/fragments/buffer_chain.h"

namespace masugata::dataplane {

ipsec::EspPacket LargePackets::copy(const Packet& packet, uint32_t length) noexcept {
  length = std::min<uint32_t>(length, kLongest);
  ipsec::EspPacket esp;
  esp.data = memory_.data() + ipsec::kEspHeadroomBytes;
  esp.length = length;
  esp.headroom = ipsec::kEspHeadroomBytes;
  esp.tailroom = ipsec::kEspTailroomBytes;
  copy_from_chain(packet.mbuf(), packet.link_length, length, esp.data);
  return esp;
}

bool LargePackets::put_back(ipsec::EspPacket& worked, Packet& packet, rte_mempool& pool) noexcept {
  rte_mbuf& mbuf = packet.mbuf();
  if (!replace_chain(mbuf, worked.data, worked.length, pool)) return false;
  worked.data = rte_pktmbuf_mtod(&mbuf, uint8_t*);
  return true;
}

}  // namespace masugata::dataplane
