// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/egress/packet_rewrite.h"

namespace masugata::dataplane {
namespace {

constexpr size_t kTcpChecksumOffset = 16;
constexpr size_t kUdpChecksumOffset = 6;
constexpr size_t kIcmpChecksumOffset = 2;
constexpr size_t kIcmpIdentifierOffset = 4;

}  // namespace

void rewrite_transport(uint8_t* transport, net::Protocol protocol, const Flow& flow) noexcept {
  const Rewrite& rewrite = flow.rewrite;
  switch (protocol) {
    case net::Protocol::Tcp:
      net::store(transport, rewrite.source_port);
      net::store(transport + 2, rewrite.destination_port);
      adjust_checksum(transport + kTcpChecksumOffset, rewrite.l4_checksum_delta);
      break;
    case net::Protocol::Udp: {
      net::store(transport, rewrite.source_port);
      net::store(transport + 2, rewrite.destination_port);
      uint8_t* field = transport + kUdpChecksumOffset;
      // Zero says that there is no checksum (RFC 768), and a sum of zero is written as its
      // complement.
      if (net::load_be16(field).raw == 0) break;
      adjust_checksum(field, rewrite.l4_checksum_delta);
      if (net::load_be16(field).raw == 0) net::store(field, net::Be16{0xffff});
      break;
    }
    case net::Protocol::Icmp:
      net::store(transport + kIcmpIdentifierOffset, rewrite.source_port);
      adjust_checksum(transport + kIcmpChecksumOffset, rewrite.l4_checksum_delta);
      break;
    default:
      break;
  }
}

}  // namespace masugata::dataplane
