// SPDX-License-Identifier: GPL-2.0-or-later
// Work on packets whose bytes lie in several chained buffers. All offsets count from the first
// byte of the frame. noexcept, no allocation.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>

#include "dataplane/pipeline/drop_reason.h"
#include "dataplane/pipeline/packet.h"

namespace masugata::dataplane {

// Internet checksum sum (see net::checksum_add) over `length` bytes from `offset`; odd buffer
// lengths are taken care of. Precondition: offset + length <= pkt_len.
[[nodiscard]] uint64_t checksum_chain(const rte_mbuf& head, uint32_t offset,
                                      uint32_t length) noexcept;

// Copies `length` bytes from `offset` of the chain to `destination`. Same precondition.
void copy_from_chain(const rte_mbuf& head, uint32_t offset, uint32_t length,
                     uint8_t* destination) noexcept;

// Cuts a packet down to `length` bytes (link padding), freeing buffers that become empty.
void trim_chain(rte_mbuf& head, uint32_t length) noexcept;

// Whether the transport checksum of an unfragmented IP packet is right, over all its buffers.
// Needs link_length and network_length; finds the transport header by itself. None for protocols
// without a checksum and for UDP over IPv4 without one; otherwise TcpBadChecksum, UdpBadChecksum
// or IcmpBadChecksum. Too short a transport header: TcpShort, UdpShort, IcmpShort; an extension
// header chain that cannot be walked: Ipv6BadExtension.
[[nodiscard]] DropReason verify_chained_checksum(const Packet& packet) noexcept;

}  // namespace masugata::dataplane
