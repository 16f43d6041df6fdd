// SPDX-License-Identifier: GPL-2.0-or-later
// Reads a frame once and for all: every later stage works on what stands in Packet.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/pipeline/packet.h"
#include "dataplane/pipeline/verdict.h"
#include "net/headers/ethernet.h"

namespace masugata::dataplane {

// What the frame is, as far as its way through the stages is concerned.
enum class FrameKind : uint8_t {
  Drop,      // malformed; the reason says how
  Flow,      // belongs to a flow: `key` is filled in
  Fragment,  // addresses and protocol are filled in, ports are not
  Kernel,    // ARP, neighbour discovery, MLD: the kernel's business on this link
};

// What the port already checked, from the receive offload flags of the mbuf.
struct ReceiveChecks {
  bool network_checksum_good = false;
  bool transport_checksum_good = false;
};

// The bytes of a frame. `readable` of them lie contiguously at `bytes`; `length` counts the whole
// frame. They differ only for chained buffers.
struct FrameBytes {
  const uint8_t* bytes = nullptr;
  size_t readable = 0;
  size_t length = 0;
};

// Decodes link, network and transport headers into `packet` (link_length .. key, flags, icmp_*,
// tcp_flags); hash_* stays untouched. Malformed frames are refused with the DropReason that names
// what is wrong. The transport checksum of chained frames is left to verify_chained_checksum().
// Reads only `frame.readable` bytes. Pure: no state, no packet is changed.
// Sources: RFC 791, 8200, 9293, 768, 792, 4443; RFC 6890 and RFC 1812 5.3.7 for martians.
Verdict<FrameKind> decode_frame(const net::EthernetView& link, const FrameBytes& frame,
                                const ReceiveChecks& checks, Packet& packet) noexcept;

// The network layer part of decode_frame for a packet whose link header is known: used again
// for reassembled datagrams.
Verdict<FrameKind> decode_network(net::EtherType type, const FrameBytes& frame,
                                  const ReceiveChecks& checks, Packet& packet) noexcept;

}  // namespace masugata::dataplane
