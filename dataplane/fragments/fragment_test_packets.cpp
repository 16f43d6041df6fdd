// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/fragments/fragment_test_packets.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>

namespace masugata::dataplane::test {
namespace {

void put16(Bytes& bytes, size_t position, size_t value) {
  bytes.at(position) = static_cast<uint8_t>(value >> 8U);
  bytes.at(position + 1) = static_cast<uint8_t>(value);
}

// The textbook checksum, byte by byte.
uint16_t textbook_sum(const Bytes& bytes, size_t from, uint32_t sum = 0) {
  for (size_t index = from; index < bytes.size(); ++index) {
    sum += (index - from) % 2 == 0 ? static_cast<uint32_t>(bytes[index]) << 8U : bytes[index];
  }
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<uint16_t>(sum);
}

uint16_t transport_sum(const Bytes& network, size_t header_bytes) {
  const bool ipv4 = network[0] >> 4U == 4;
  Bytes pseudo(network.begin() + (ipv4 ? 12 : 8), network.begin() + (ipv4 ? 20 : 40));
  pseudo.resize(pseudo.size() + 4, 0);
  pseudo[pseudo.size() - 1] = ipv4 ? network[9] : network[6];
  const size_t length = network.size() - header_bytes;
  pseudo.resize(pseudo.size() + 2);
  put16(pseudo, pseudo.size() - 2, length);
  return textbook_sum(network, header_bytes, textbook_sum(pseudo, 0));
}

void append_udp(Bytes& packet, size_t payload_bytes) {
  const size_t udp = packet.size();
  packet.resize(udp + 8 + payload_bytes);
  put16(packet, udp, 4000);
  put16(packet, udp + 2, 53);
  put16(packet, udp + 4, 8 + payload_bytes);
  for (size_t index = 0; index < payload_bytes; ++index) {
    packet[udp + 8 + index] = static_cast<uint8_t>(index + index / 251);
  }
}

}  // namespace

BufferPool::BufferPool(unsigned buffers, uint16_t room) {
  static std::atomic<unsigned> number{0};
  const std::string name = "test-pool-" + std::to_string(number++);
  pool_ =
      rte_pktmbuf_pool_create(name.c_str(), buffers, 0, sizeof(Packet),
                              static_cast<uint16_t>(room + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);
  if (pool_ == nullptr) throw std::runtime_error("no memory for " + name);
}

BufferPool::~BufferPool() { rte_mempool_free(pool_); }

Packet& make_packet(const BufferPool& pool, const Bytes& network, uint16_t segment_bytes) {
  Bytes frame{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
  const bool ipv4 = network[0] >> 4U == 4;
  frame.push_back(ipv4 ? 0x08 : 0x86);
  frame.push_back(ipv4 ? 0x00 : 0xdd);
  frame.insert(frame.end(), network.begin(), network.end());
  if (frame.size() < 60) frame.resize(60, 0xaa);
  rte_mbuf* head = nullptr;
  size_t done = 0;
  while (done < frame.size()) {
    rte_mbuf* buffer = rte_pktmbuf_alloc(&pool.get());
    if (buffer == nullptr) throw std::runtime_error("pool is empty");
    const size_t room = segment_bytes != 0 ? segment_bytes : rte_pktmbuf_tailroom(buffer);
    const auto piece = static_cast<uint16_t>(std::min(room, frame.size() - done));
    std::memcpy(rte_pktmbuf_append(buffer, piece), frame.data() + done, piece);
    done += piece;
    if (head == nullptr) {
      head = buffer;
    } else {
      rte_pktmbuf_chain(head, buffer);
    }
  }
  Packet& packet = Packet::of(head);
  packet = Packet{};
  packet.link_length = kLinkBytes;
  packet.network_length = static_cast<uint16_t>(network.size());
  packet.ingress_interface = 3;
  packet.ingress_port = 1;
  packet.set(kPacketIsFragment);
  return packet;
}

void free_packet(Packet& packet) { rte_pktmbuf_free(&packet.mbuf()); }

Bytes network_bytes(const Packet& packet) {
  Bytes bytes;
  for (const rte_mbuf* buffer = &packet.mbuf(); buffer != nullptr; buffer = buffer->next) {
    const auto* data = rte_pktmbuf_mtod(buffer, const uint8_t*);
    bytes.insert(bytes.end(), data, data + buffer->data_len);
  }
  if (bytes.size() < size_t{packet.link_length} + packet.network_length ||
      bytes.size() != packet.mbuf().pkt_len) {
    throw std::runtime_error("packet is shorter than it says");
  }
  return {bytes.begin() + packet.link_length,
          bytes.begin() + packet.link_length + packet.network_length};
}

void set_ipv4_checksum(Bytes& packet) {
  const size_t header = (packet[0] & 0x0fU) * size_t{4};
  put16(packet, 10, 0);
  const Bytes only_header(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(header));
  put16(packet, 10, 0xffffU - textbook_sum(only_header, 0));
}

Bytes udp_over_ipv4(size_t payload_bytes, uint16_t identification, uint8_t source_tail,
                    const Bytes& options) {
  Bytes packet{0x45, 0, 0, 0, 0, 0, 0, 0, 60, 17, 0, 0, 192, 0, 2, source_tail, 198, 51, 100, 7};
  packet.insert(packet.end(), options.begin(), options.end());
  const size_t header = packet.size();
  packet[0] = static_cast<uint8_t>(0x40U | (header / 4));
  append_udp(packet, payload_bytes);
  put16(packet, 2, packet.size());
  put16(packet, 4, identification);
  put16(packet, header + 6, 0xffffU - transport_sum(packet, header));
  set_ipv4_checksum(packet);
  return packet;
}

Bytes udp_over_ipv6(size_t payload_bytes, uint8_t source_tail) {
  Bytes packet(40, 0);
  packet[0] = 0x60;
  packet[6] = 17;
  packet[7] = 60;
  packet[8] = 0x20;
  packet[9] = 0x01;
  packet[23] = source_tail;
  packet[24] = 0x20;
  packet[25] = 0x01;
  packet[39] = 0x77;
  append_udp(packet, payload_bytes);
  put16(packet, 4, packet.size() - 40);
  put16(packet, 46, 0xffffU - transport_sum(packet, 40));
  return packet;
}

Bytes fragment_of_ipv4(const Bytes& whole, size_t offset, size_t length, bool more) {
  const size_t header = (whole[0] & 0x0fU) * size_t{4};
  Bytes fragment(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(header));
  for (size_t index = 0; index < length; ++index) {
    const size_t at = header + offset + index;
    fragment.push_back(at < whole.size() ? whole[at] : uint8_t{0});
  }
  put16(fragment, 2, fragment.size());
  put16(fragment, 6, ((fragment[6] & 0x40U) << 8U) | (offset / 8) | (more ? 0x2000U : 0U));
  set_ipv4_checksum(fragment);
  return fragment;
}

Bytes fragment_of_ipv6(const Bytes& whole, size_t offset, size_t length, bool more,
                       uint32_t identification) {
  Bytes fragment(whole.begin(), whole.begin() + 40);
  const uint8_t next_header = fragment[6];
  fragment[6] = 44;
  fragment.insert(fragment.end(), {next_header, 0, 0, 0, 0, 0, 0, 0});
  put16(fragment, 42, offset | (more ? 1U : 0U));
  put16(fragment, 44, identification >> 16U);
  put16(fragment, 46, identification & 0xffffU);
  for (size_t index = 0; index < length; ++index) {
    const size_t at = 40 + offset + index;
    fragment.push_back(at < whole.size() ? whole[at] : uint8_t{0});
  }
  put16(fragment, 4, fragment.size() - 40);
  return fragment;
}

bool transport_checksum_right(const Bytes& network, size_t header_bytes) {
  return transport_sum(network, header_bytes) == 0xffff;
}

}  // namespace masugata::dataplane::test
