// SPDX-License-Identifier: GPL-2.0-or-later
// Splits outgoing packets that are larger than the egress MTU (RFC 791 section 3.2, RFC 8200
// section 4.5).
#pragma once

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <array>
#include <cstdint>

#include "dataplane/pipeline/drop_reason.h"
#include "dataplane/pipeline/packet.h"

namespace masugata::dataplane {

// Fragments of one packet; 65,535 bytes at the IPv6 minimum MTU need 54.
inline constexpr uint32_t kMaximumFragments = 128;

enum class FragmentationNeed : uint8_t {
  None,      // send as it is
  Fragment,  // call fragment_packet() with the limit
  TooBig,    // must not be fragmented: ICMP fragmentation needed or packet too big, MtuExceeded
};

struct FragmentationPlan {
  FragmentationNeed need = FragmentationNeed::None;
  uint16_t limit = 0;  // bytes of the largest fragment as an IP packet
};

// What has to happen to a packet on an interface with this MTU (bytes of the IP packet). Pure.
// An unfragmented IPv4 packet may be split unless DF is set; an unfragmented IPv6 packet never. A
// reassembled datagram leaves in fragments no larger than the largest that came in, so that neither
// side sees sizes that the sender did not choose; when even that does not fit the MTU, DF (IPv4) or
// IPv6 make it TooBig and the sender learns the MTU.
[[nodiscard]] FragmentationPlan plan_fragmentation(const Packet& packet, uint16_t mtu) noexcept;

struct FragmentList {
  std::array<rte_mbuf*, kMaximumFragments> fragments{};
  uint32_t count = 0;
};

// Splits `packet` into buffers from `pool` (private area >= sizeof(Packet), fragments are never
// larger than one buffer's room). The packet itself stays the caller's and unchanged. It must be
// ready to send but for its size: its IP header valid, its transport checksum complete (an offload
// of it is impossible now); link header, Packet metadata and VLAN offload are copied to each.
// IPv4: identification as in the header, options copied as RFC 791 says (first: all; later ones:
// those with the copy bit), DF kept, header checksums written.
// IPv6: for packets with kPacketWasReassembled only; a fragment header is put behind hop-by-hop
// and routing headers with the packet's fragment_identification.
// Returns None and the fragments in order; or, with `out` empty and nothing leaked: NoBuffer,
// FragmentTooMany (more than kMaximumFragments), InternalError (packet inconsistent, or IPv6 that
// was not fragmented).
[[nodiscard]] DropReason fragment_packet(const Packet& packet, uint16_t limit, rte_mempool& pool,
                                         FragmentList& out) noexcept;

}  // namespace masugata::dataplane
