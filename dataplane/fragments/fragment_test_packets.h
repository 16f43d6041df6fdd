// SPDX-License-Identifier: GPL-2.0-or-later
// Packets for the tests of fragments and of generated answers: bytes made by plain means, so that
// the code under test is not checked against itself.
#pragma once

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/pipeline/packet.h"

namespace masugata::dataplane::test {

using Bytes = std::vector<uint8_t>;

// A pool of packet buffers with Packet in the private area. Destroy packets first.
class BufferPool {
 public:
  explicit BufferPool(unsigned buffers = 255, uint16_t room = 2048);
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  [[nodiscard]] rte_mempool& get() const { return *pool_; }
  [[nodiscard]] unsigned in_use() const { return rte_mempool_in_use_count(pool_); }

 private:
  rte_mempool* pool_;
};

// The 14-byte link header that make_packet() puts in front: destination, source, type by version.
inline constexpr uint16_t kLinkBytes = 14;

// A received frame with `network` behind its link header, padded to 60 bytes, Packet filled in as
// decode does for fragments. `segment_bytes` != 0 spreads it over buffers of that many bytes.
Packet& make_packet(const BufferPool& pool, const Bytes& network, uint16_t segment_bytes = 0);
void free_packet(Packet& packet);

// The IP packet's bytes, from all buffers.
Bytes network_bytes(const Packet& packet);

// Whole IP packets with a correct UDP checksum; payload bytes count upwards. `source_tail` varies
// the last byte of the source address.
Bytes udp_over_ipv4(size_t payload_bytes, uint16_t identification, uint8_t source_tail = 1,
                    const Bytes& options = {});
Bytes udp_over_ipv6(size_t payload_bytes, uint8_t source_tail = 1);

// Bytes [offset, offset + length) of the data of a whole packet as a fragment; the header says
// what the arguments say, whether or not it makes sense.
Bytes fragment_of_ipv4(const Bytes& whole, size_t offset, size_t length, bool more);
Bytes fragment_of_ipv6(const Bytes& whole, size_t offset, size_t length, bool more,
                       uint32_t identification);
void set_ipv4_checksum(Bytes& packet);

// Sum of an IP packet's transport checksum including pseudo-header, for UDP and TCP; true if right.
bool transport_checksum_right(const Bytes& network, size_t header_bytes);

}  // namespace masugata::dataplane::test
