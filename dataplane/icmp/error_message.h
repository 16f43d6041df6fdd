// SPDX-License-Identifier: GPL-2.0-or-later
// ICMP and ICMPv6 error messages (RFC 792, RFC 1191, RFC 1812 section 4.3, RFC 4443).
#pragma once

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <cstddef>
#include <cstdint>

#include "dataplane/icmp/rate_limiter.h"
#include "dataplane/pipeline/packet.h"
#include "net/address.h"

namespace masugata::dataplane {

// What is reported; ICMP type/code for IPv4 and ICMPv6 type/code for IPv6 follow from it.
enum class IcmpError : uint8_t {
  NetworkUnreachable,  // 3/0    1/0 no route to destination
  HostUnreachable,     // 3/1    1/3 address unreachable
  PortUnreachable,     // 3/3    1/4
  AdminProhibited,     // 3/13   1/1
  PacketTooBig,        // 3/4    2/0, with the next hop's MTU
  HopLimitExceeded,    // 11/0   3/0
  ReassemblyTimeout,   // 11/1   3/1
};

// Why a packet gets no error (RFC 1812 4.3.2.7, RFC 4443 2.4 e).
enum class IcmpSilence : uint8_t {
  Answer,          // it may be answered
  IcmpError,       // the packet is an ICMP error or redirect itself
  Multicast,       // multicast or broadcast destination, on either layer
  LaterFragment,   // not the first fragment
  SourceUnusable,  // unspecified, loopback, multicast, broadcast, class E or v4-mapped source
  Unreadable,      // headers cut short: nobody knows what it is
  RateLimited,
  NoBuffer,
  Count,
};

// Whether the packet may be answered with `error`. `network`: the packet as it came from its
// sender, `network_length` bytes of which `readable` are contiguous. `link_multicast`: it was
// received as link-layer multicast or broadcast. Pure. The directed broadcast of a connected
// network is not known here; such packets arrive as link-layer broadcast or are dropped by routing.
[[nodiscard]] IcmpSilence may_answer_with(IcmpError error, const uint8_t* network,
                                          size_t network_length, size_t readable,
                                          bool link_multicast) noexcept;

struct IcmpErrorRequest {
  IcmpError error = IcmpError::HostUnreachable;
  net::IpAddress source;  // ours, of the packet's family: the ingress interface's address
  uint16_t mtu = 0;       // PacketTooBig only: bytes of the largest IP packet that would pass
};

struct IcmpErrorResult {
  rte_mbuf* message = nullptr;  // BackToSender, ready for transmission; the caller's to send
  IcmpSilence silence = IcmpSilence::Answer;  // why there is none
};

// Writes the error about `offending` into a buffer of `pool`. The offending packet stays unchanged
// and the caller's; it must look as its sender sent it (before translation; a lowered TTL is
// allowed), because it is quoted: as much as fits 576 bytes (IPv4, RFC 1812 4.3.2.3) or 1,280 bytes
// (IPv6, RFC 4443 2.4 c) of message. A token of `limiter` is taken only when a message may be sent.
[[nodiscard]] IcmpErrorResult build_icmp_error(const Packet& offending,
                                               const IcmpErrorRequest& request, rte_mempool& pool,
                                               IcmpRateLimiter& limiter, uint32_t now_ms) noexcept;

}  // namespace masugata::dataplane
