// SPDX-License-Identifier: GPL-2.0-or-later
// The TCP checksum of a packet whose payload the gateway has changed (kPacketChecksumPending).
// Changes of headers are cheaper to carry over incrementally (net/checksum.h); a changed payload
// is summed once, when the packet leaves: by the port where it can, else here.
#pragma once

#include "dataplane/pipeline/packet.h"

namespace masugata::dataplane {

// Sums the packet in software, over all its segments, and clears the flag. Nothing happens
// without the flag.
void complete_checksum(Packet& packet) noexcept;

// Leaves the sum to the port: lengths and flags in the mbuf, the pseudo-header's sum in the field,
// as rte_mbuf.h asks for RTE_MBUF_F_TX_TCP_CKSUM. Clears the flag.
void leave_checksum_to_port(Packet& packet) noexcept;

}  // namespace masugata::dataplane
