// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/fragments/buffer_chain.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "net/checksum.h"
#include "net/headers/ipv4.h"
#include "net/headers/ipv6.h"
#include "net/headers/transport.h"

namespace masugata::dataplane {
namespace {

using net::Protocol;

// Calls visit(bytes, length) for each contiguous piece of the range.
template <class Visit>
void for_each_piece(const rte_mbuf& head, uint32_t offset, uint32_t length,
                    Visit&& visit) noexcept {
  for (const rte_mbuf* buffer = &head; buffer != nullptr && length != 0; buffer = buffer->next) {
    if (offset >= buffer->data_len) {
      offset -= buffer->data_len;
      continue;
    }
    const uint32_t piece = std::min(length, buffer->data_len - offset);
    visit(rte_pktmbuf_mtod_offset(buffer, const uint8_t*, offset), piece);
    length -= piece;
    offset = 0;
  }
}

struct Transport {
  Protocol protocol = Protocol::Ipv6NoNext;
  uint32_t offset = 0;  // from the IP header
  bool found = false;
};

Transport find_transport(const Packet& packet) noexcept {
  const uint8_t* network = packet.network();
  const rte_mbuf& head = packet.mbuf();
  if (head.data_len < packet.link_length || packet.network_length == 0) return {};
  const size_t readable =
      std::min<size_t>(size_t{head.data_len} - packet.link_length, packet.network_length);
  if (readable >= net::kIpv4MinimumHeaderBytes && (network[0] >> 4U) == 4) {
    const auto header = static_cast<uint32_t>((network[0] & 0x0fU) * 4U);
    return {static_cast<Protocol>(network[9]), header, header <= readable};
  }
  net::Ipv6View view;
  if (net::Ipv6View::parse(network, packet.network_length, view) != net::Ipv6View::Malformed::No ||
      readable < net::kIpv6HeaderBytes) {
    return {};
  }
  const net::Ipv6Chain chain = net::Ipv6Chain::walk(view, readable);
  return {chain.protocol, chain.offset, chain.outcome == net::Ipv6Chain::Outcome::UpperLayer};
}

// A packet's checksum obligations by protocol.
struct ChecksumRule {
  DropReason wrong;
  DropReason too_short;
  uint32_t minimum_bytes;
  bool pseudo_header;
};

bool rule_for(Protocol protocol, bool ipv4, ChecksumRule& rule) noexcept {
  switch (protocol) {
    case Protocol::Tcp:
      rule = {DropReason::TcpBadChecksum, DropReason::TcpShort, 20, true};
      return true;
    case Protocol::Udp:
      rule = {DropReason::UdpBadChecksum, DropReason::UdpShort, 8, true};
      return true;
    case Protocol::Icmp:
      rule = {DropReason::IcmpBadChecksum, DropReason::IcmpShort, 8, false};
      return ipv4;
    case Protocol::Icmpv6:
      rule = {DropReason::IcmpBadChecksum, DropReason::IcmpShort, 8, true};
      return !ipv4;
    default:
      return false;
  }
}

net::FlowKey addresses_of(const uint8_t* network, bool ipv4) noexcept {
  net::FlowKey key;
  if (ipv4) {
    key.source = net::IpAddress::from_v4(net::load_be32(network + 12));
    key.destination = net::IpAddress::from_v4(net::load_be32(network + 16));
  } else {
    key.source = net::IpAddress::from_v6(network + 8);
    key.destination = net::IpAddress::from_v6(network + 24);
  }
  return key;
}

}  // namespace

uint64_t checksum_chain(const rte_mbuf& head, uint32_t offset, uint32_t length) noexcept {
  uint64_t sum = 0;
  bool odd = false;
  for_each_piece(head, offset, length, [&](const uint8_t* bytes, uint32_t piece) noexcept {
    const uint16_t part = net::checksum_fold(net::checksum_add(bytes, piece));
    // Behind an odd number of bytes the words are seen shifted by one byte: the sum is swapped.
    sum += odd ? __builtin_bswap16(part) : part;
    odd = odd != ((piece & 1U) != 0);
  });
  return sum;
}

void copy_from_chain(const rte_mbuf& head, uint32_t offset, uint32_t length,
                     uint8_t* destination) noexcept {
  for_each_piece(head, offset, length, [&](const uint8_t* bytes, uint32_t piece) noexcept {
    std::memcpy(destination, bytes, piece);
    destination += piece;
  });
}

bool equal_in_chains(const rte_mbuf& left, uint32_t left_offset, const rte_mbuf& right,
                     uint32_t right_offset, uint32_t length) noexcept {
  constexpr uint32_t kPieceBytes = 256;
  std::array<uint8_t, kPieceBytes> left_bytes;
  std::array<uint8_t, kPieceBytes> right_bytes;
  for (uint32_t done = 0; done < length; done += kPieceBytes) {
    const uint32_t piece = std::min(kPieceBytes, length - done);
    copy_from_chain(left, left_offset + done, piece, left_bytes.data());
    copy_from_chain(right, right_offset + done, piece, right_bytes.data());
    if (std::memcmp(left_bytes.data(), right_bytes.data(), piece) != 0) return false;
  }
  return true;
}

rte_mbuf* join_chains(rte_mbuf& head, rte_mbuf* tail, rte_mbuf* more) noexcept {
  head.pkt_len += more->pkt_len;
  while (more != nullptr) {
    rte_mbuf* next = more->next;
    const auto moved = std::min<uint16_t>(rte_pktmbuf_tailroom(tail), more->data_len);
    std::memcpy(rte_pktmbuf_mtod_offset(tail, uint8_t*, tail->data_len),
                rte_pktmbuf_mtod(more, const uint8_t*), moved);
    tail->data_len = static_cast<uint16_t>(tail->data_len + moved);
    more->data_len = static_cast<uint16_t>(more->data_len - moved);
    more->data_off = static_cast<uint16_t>(more->data_off + moved);
    more->next = nullptr;
    more->nb_segs = 1;
    if (more->data_len == 0) {
      rte_pktmbuf_free_seg(more);
    } else {
      tail->next = more;
      tail = more;
      ++head.nb_segs;
    }
    more = next;
  }
  return tail;
}

void trim_chain(rte_mbuf& head, uint32_t length) noexcept {
  if (head.pkt_len <= length) return;
  head.pkt_len = length;
  rte_mbuf* buffer = &head;
  while (length > buffer->data_len) {
    length -= buffer->data_len;
    buffer = buffer->next;
  }
  buffer->data_len = static_cast<uint16_t>(length);
  rte_mbuf* surplus = buffer->next;
  buffer->next = nullptr;
  while (surplus != nullptr) {
    rte_mbuf* next = surplus->next;
    rte_pktmbuf_free_seg(surplus);
    --head.nb_segs;
    surplus = next;
  }
}

bool replace_chain(rte_mbuf& head, const uint8_t* bytes, uint32_t length,
                   rte_mempool& pool) noexcept {
  uint32_t written = 0;
  rte_mbuf* buffer = &head;
  head.data_off = RTE_PKTMBUF_HEADROOM;
  for (;;) {
    const auto room = static_cast<uint16_t>(buffer->buf_len - buffer->data_off);
    const uint32_t piece = std::min<uint32_t>(length - written, room);
    std::memcpy(rte_pktmbuf_mtod(buffer, uint8_t*), bytes + written, piece);
    buffer->data_len = static_cast<uint16_t>(piece);
    written += piece;
    if (written == length) break;
    if (buffer->next == nullptr) {
      buffer->next = rte_pktmbuf_alloc(&pool);
      if (buffer->next == nullptr) return false;
      ++head.nb_segs;
    }
    buffer = buffer->next;
    buffer->data_off = 0;
  }
  rte_mbuf* surplus = std::exchange(buffer->next, nullptr);
  while (surplus != nullptr) {
    rte_mbuf* next = surplus->next;
    rte_pktmbuf_free_seg(surplus);
    --head.nb_segs;
    surplus = next;
  }
  head.pkt_len = length;
  return true;
}

DropReason verify_chained_checksum(const Packet& packet) noexcept {
  const Transport transport = find_transport(packet);
  const bool ipv4 = packet.mbuf().data_len > packet.link_length && (packet.network()[0] >> 4U) == 4;
  if (!transport.found) return ipv4 ? DropReason::Ipv4Short : DropReason::Ipv6BadExtension;
  ChecksumRule rule{};
  if (!rule_for(transport.protocol, ipv4, rule)) return DropReason::None;
  const rte_mbuf& head = packet.mbuf();
  const uint32_t start = packet.link_length + transport.offset;
  if (packet.network_length < transport.offset + rule.minimum_bytes ||
      head.pkt_len < uint32_t{packet.link_length} + packet.network_length) {
    return rule.too_short;
  }
  uint32_t length = packet.network_length - transport.offset;
  if (transport.protocol == Protocol::Udp) {
    std::array<uint8_t, net::kUdpHeaderBytes> udp;
    copy_from_chain(head, start, net::kUdpHeaderBytes, udp.data());
    if (net::load_be16(&udp[6]).raw == 0) {
      return ipv4 ? DropReason::None : DropReason::UdpBadChecksum;
    }
    const uint32_t covered = net::load_be16(&udp[4]).host();
    if (covered < net::kUdpHeaderBytes || covered > length) return DropReason::UdpBadLength;
    length = covered;
  }
  uint64_t sum = checksum_chain(head, start, length);
  if (rule.pseudo_header) {
    const net::FlowKey key = addresses_of(packet.network(), ipv4);
    sum += net::pseudo_header_sum(key.source, key.destination, transport.protocol, length);
  }
  return net::checksum_fold(sum) == 0xffff ? DropReason::None : rule.wrong;
}

}  // namespace masugata::dataplane
