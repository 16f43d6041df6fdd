// SPDX-License-Identifier: GPL-2.0-or-later
// Refusing TCP (RFC 9293 sections 3.5.2 and 3.10.7.1).
#pragma once

#include "dataplane/icmp/tcp_packet.h"

namespace masugata::dataplane {

// The RST that the addressee of `segment` would answer if it knew no such connection: with the
// sequence number that the segment acknowledges, or else sequence 0 and ACK of the whole segment.
// false for a segment that carries RST itself: resets are never answered.
[[nodiscard]] bool reset_for(const TcpFacts& segment, TcpFacts& reset) noexcept;

// Reads `received`, builds its reset and heads it back to the sender. nullptr when there is none to
// send (not TCP, RST) or no buffer. Rate limiting is the caller's (IcmpRateLimiter).
[[nodiscard]] rte_mbuf* build_tcp_reset(const Packet& received,
                                        const TcpPacketBuilder& builder) noexcept;

}  // namespace masugata::dataplane
