// SPDX-License-Identifier: GPL-2.0-or-later
// The transport layer part of decoding.
#pragma once

#include "dataplane/stages/decode/frame_decoder.h"

namespace masugata::dataplane {

// Decodes the transport header of an unfragmented packet whose network header is decoded
// (link_length, transport_offset, network_length, key addresses and protocol).
// Fills ports, payload_offset, payload_length, tcp_flags, icmp_*; for an ICMP error replaces `key`
// by the reverse of the quoted packet's key and sets kPacketIsIcmpError.
Verdict<FrameKind> decode_transport(const FrameBytes& frame, const ReceiveChecks& checks,
                                    Packet& packet) noexcept;

}  // namespace masugata::dataplane
