// SPDX-License-Identifier: GPL-2.0-or-later
// Work on packets whose bytes lie in several chained buffers. All offsets count from the first
// byte of the frame. noexcept, no allocation.
#pragma once

#include <rte_mbuf.h>
#include <rte_mempool.h>

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

// Whether `length` bytes of two chains are the same. Same precondition for both.
[[nodiscard]] bool equal_in_chains(const rte_mbuf& left, uint32_t left_offset,
                                   const rte_mbuf& right, uint32_t right_offset,
                                   uint32_t length) noexcept;

// Moves the bytes of `more` behind those of `head`, whose last buffer is `tail` (returned: the new
// last one): each buffer is filled to its end before the next begins, emptied ones are freed.
// Buffers must be direct and unshared. `more` must no longer be used as a packet.
rte_mbuf* join_chains(rte_mbuf& head, rte_mbuf* tail, rte_mbuf* more) noexcept;

// Cuts a packet down to `length` bytes (link padding), freeing buffers that become empty.
void trim_chain(rte_mbuf& head, uint32_t length) noexcept;

// Puts `length` bytes in place of what a packet holds: the first buffer begins behind its usual
// headroom and is filled to the end before the next begins; buffers that are missing come from
// `pool`, those left over are freed. False when there is none: the packet can only be freed then.
// Buffers must be direct and unshared; `bytes` must not lie in them.
[[nodiscard]] bool replace_chain(rte_mbuf& head, const uint8_t* bytes, uint32_t length,
                                 rte_mempool& pool) noexcept;

// Whether the transport checksum of an unfragmented IP packet is right, over all its buffers.
// Needs link_length and network_length; finds the transport header by itself. None for protocols
// without a checksum and for UDP over IPv4 without one; otherwise TcpBadChecksum, UdpBadChecksum
// or IcmpBadChecksum. Too short a transport header: TcpShort, UdpShort, IcmpShort; a UDP length
// that does not fit: UdpBadLength; an unreadable IPv4 header: Ipv4Short; an extension header chain
// that cannot be walked: Ipv6BadExtension.
[[nodiscard]] DropReason verify_chained_checksum(const Packet& packet) noexcept;

}  // namespace masugata::dataplane
