// SPDX-License-Identifier: GPL-2.0-or-later
// Packets that lie in several buffers, or have no room around them: what encrypts and decrypts
// wants one piece of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/pipeline/packet.h"
#include "ipsec/esp/esp_packet.h"

struct rte_mempool;

namespace masugata::dataplane {

// One worker's own; holds one packet at a time.
class LargePackets {
 public:
  // Control thread, once: takes 64 KiB.
  void prepare() { memory_.resize(ipsec::kEspHeadroomBytes + kLongest + ipsec::kEspTailroomBytes); }

  // Whether encryption has to work on a copy of `packet`. Decryption: when it has several buffers.
  [[nodiscard]] static bool lacks_room(const Packet& packet) noexcept {
    const rte_mbuf& mbuf = packet.mbuf();
    return mbuf.nb_segs > 1 ||
           rte_pktmbuf_headroom(&mbuf) + packet.link_length < ipsec::kEspHeadroomBytes ||
           rte_pktmbuf_tailroom(&mbuf) < ipsec::kEspTailroomBytes;
  }

  // A copy of the IP packet, `length` bytes, with all the room that is wanted. Valid until the next
  // call; 65,535 bytes at most, as an IP packet has.
  [[nodiscard]] ipsec::EspPacket copy(const Packet& packet, uint32_t length) noexcept;

  // Puts what has become of the copy in place of what `packet` held, without a link header, which
  // has room before it. `worked.data` is moved there; behind the first buffer it goes on in the
  // next. False: there was no buffer, and `packet` can only be freed.
  [[nodiscard]] static bool put_back(ipsec::EspPacket& worked, Packet& packet,
                                     rte_mempool& pool) noexcept;

 private:
  static constexpr size_t kLongest = 65535;
  std::vector<uint8_t> memory_;
};

}  // namespace masugata::dataplane
