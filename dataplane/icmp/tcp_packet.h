// SPDX-License-Identifier: GPL-2.0-or-later
// TCP segments that the gateway reads in full or writes itself (resets, SYN proxy, challenges).
#pragma once

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <cstdint>
#include <span>

#include "dataplane/icmp/generated_packet.h"
#include "dataplane/pipeline/packet.h"
#include "net/headers/tcp_options.h"
#include "net/headers/transport.h"

namespace masugata::dataplane {

// A TCP segment, host byte order. Read from a packet, or the order to write one.
struct TcpFacts {
  net::FlowKey key;  // addresses and ports as on the wire
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint16_t window = 0;          // the field, unscaled
  uint8_t flags = 0;            // net::TcpFlag
  uint16_t payload_length = 0;  // when written: that of the payload that goes with it
  net::TcpOptionFacts options;

  [[nodiscard]] bool has(uint8_t flag) const noexcept { return (flags & flag) != 0; }
  // SEG.LEN of RFC 9293: payload plus one each for SYN and FIN.
  [[nodiscard]] uint32_t sequence_length() const noexcept {
    return payload_length + (has(net::kTcpSyn) ? 1U : 0U) + (has(net::kTcpFin) ? 1U : 0U);
  }
};

// Reads the TCP header of a decoded packet (key, transport_offset and payload_length filled in);
// false when it is not TCP or its header is not wholly in the first buffer.
[[nodiscard]] bool read_tcp_facts(const Packet& packet, TcpFacts& out) noexcept;

// Writes segments. One worker's; the pool is the only thing it holds.
class TcpPacketBuilder {
 public:
  explicit TcpPacketBuilder(rte_mempool& pool) noexcept : pool_(&pool) {}

  // The segment in a fresh buffer, link header taken from `received` (see Heading), checksums
  // complete; options are written in the order MSS, SACK permitted, timestamps, window scale, each
  // when present, then `payload`. nullptr without a buffer or when it does not fit one (NoBuffer).
  [[nodiscard]] rte_mbuf* build(const Packet& received, Heading heading, const TcpFacts& segment,
                                std::span<const uint8_t> payload = {}) const noexcept;

 private:
  rte_mempool* pool_;
};

}  // namespace masugata::dataplane
