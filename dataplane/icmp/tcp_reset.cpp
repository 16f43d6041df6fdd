// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/icmp/tcp_reset.h"

namespace masugata::dataplane {

bool reset_for(const TcpFacts& segment, TcpFacts& reset) noexcept {
  if (segment.has(net::kTcpRst)) return false;
  reset = TcpFacts{};
  reset.key = segment.key.reversed();
  if (segment.has(net::kTcpAck)) {
    reset.sequence = segment.acknowledgement;
    reset.flags = net::kTcpRst;
  } else {
    reset.acknowledgement = segment.sequence + segment.sequence_length();
    reset.flags = net::kTcpRst | net::kTcpAck;
  }
  return true;
}

rte_mbuf* build_tcp_reset(const Packet& received, const TcpPacketBuilder& builder) noexcept {
  TcpFacts segment;
  TcpFacts reset;
  if (!read_tcp_facts(received, segment) || !reset_for(segment, reset)) return nullptr;
  return builder.build(received, Heading::BackToSender, reset);
}

}  // namespace masugata::dataplane
