// SPDX-License-Identifier: GPL-2.0-or-later
// What the headers of one fragment say (RFC 791 section 3.1, RFC 8200 section 4.5).
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/pipeline/drop_reason.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// Offsets count from the first byte of the IP header. Filled in as far as the packet goes; only
// `problem == None` together with `is_fragment` makes it fit for reassembly.
struct FragmentFacts {
  // Identity of the datagram: addresses and identification (upper half as source port, lower half
  // as destination port); protocol is the IPv4 one, Ipv6Fragment for IPv6, whose fragments may
  // disagree about the next header (RFC 8200). `domain` is left to the reassembly table.
  net::FlowKey datagram;
  uint32_t identification = 0;          // 16 bits for IPv4
  uint16_t fragment_header_offset = 0;  // IPv6: where the fragment header stands
  uint16_t next_header_offset = 0;      // IPv6: the byte that names the fragment header
  uint16_t data_offset = 0;             // first byte of the fragment's own data
  uint16_t data_length = 0;             // bytes
  uint16_t offset = 0;                  // of the data inside the datagram, bytes
  net::Protocol protocol = net::Protocol::HopByHop;  // what starts at data_offset of the first one
  uint8_t congestion = 0;                            // ECN field (RFC 3168), 0..3
  bool more = false;
  bool is_fragment = false;  // IPv6: also true for atomic fragments (RFC 6946)
  // Why the fragment must not be taken:
  //   Ipv4Short, Ipv4BadVersion, Ipv4BadHeaderLength, Ipv6Short, Ipv6BadExtension: not parseable;
  //   Ipv4BadFragment, Ipv6BadFragment: no data, or a middle fragment that is no multiple of 8;
  //   FragmentTooLarge: the datagram would be longer than 65,535 bytes, IP header included (for
  //     IPv6 that is 40 bytes stricter than RFC 8200: lengths are kept in 16 bits);
  //   FragmentTooSmall: a first fragment without all headers up to and including the transport
  //     header (RFC 7112, RFC 1858), or a later one that begins inside the transport header.
  DropReason problem = DropReason::None;

  [[nodiscard]] bool first() const noexcept { return offset == 0; }
  // A datagram in one fragment; it is taken in isolation (RFC 6946).
  [[nodiscard]] bool atomic() const noexcept { return is_fragment && offset == 0 && !more; }
  [[nodiscard]] uint32_t end() const noexcept {
    return static_cast<uint32_t>(offset) + data_length;
  }
};

// Reads the fragment fields of the IP packet at `network`, of which `network_length` bytes belong
// to the packet (link padding excluded) and `readable` lie contiguously there (readable <=
// network_length; they differ for chained buffers only). Reads nothing outside `readable`.
// Pure, any thread. IPv6 headers other than hop-by-hop, routing and destination options end the
// search for a fragment header.
[[nodiscard]] FragmentFacts parse_fragment(const uint8_t* network, size_t network_length,
                                           size_t readable) noexcept;
[[nodiscard]] inline FragmentFacts parse_fragment(const uint8_t* network,
                                                  size_t network_length) noexcept {
  return parse_fragment(network, network_length, network_length);
}

// Bytes of transport header that a packet of `protocol` must have to be told apart: 20 for TCP, 8
// for UDP, ICMP, ICMPv6 and ESP, 12 for SCTP, 4 for GRE, 0 for everything else.
[[nodiscard]] size_t minimum_transport_bytes(net::Protocol protocol) noexcept;

}  // namespace masugata::dataplane
