// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/icmp/tcp_packet.h"

#include <algorithm>
#include <cstring>

#include "net/checksum.h"

namespace masugata::dataplane {
namespace {

using net::TcpOptionKind;

constexpr uint8_t kNoOperation = static_cast<uint8_t>(TcpOptionKind::NoOperation);

// Each option is padded to four bytes, so that timestamps and the segment size lie aligned.
uint16_t write_options(const net::TcpOptionFacts& options, uint8_t* out) noexcept {
  uint16_t written = 0;
  if (options.maximum_segment_size != 0) {
    out[0] = static_cast<uint8_t>(TcpOptionKind::MaximumSegmentSize);
    out[1] = 4;
    net::store(out + 2, net::Be16::from_host(options.maximum_segment_size));
    written = 4;
  }
  if (options.sack_permitted) {
    const uint8_t bytes[4] = {kNoOperation, kNoOperation,
                              static_cast<uint8_t>(TcpOptionKind::SackPermitted), 2};
    std::memcpy(out + written, bytes, sizeof bytes);
    written = static_cast<uint16_t>(written + sizeof bytes);
  }
  if (options.has_timestamps) {
    const uint8_t bytes[4] = {kNoOperation, kNoOperation,
                              static_cast<uint8_t>(TcpOptionKind::Timestamps), 10};
    std::memcpy(out + written, bytes, sizeof bytes);
    net::store(out + written + 4, net::Be32::from_host(options.timestamp_value));
    net::store(out + written + 8, net::Be32::from_host(options.timestamp_echo));
    written = static_cast<uint16_t>(written + 12);
  }
  if (options.has_window_scale) {
    const uint8_t bytes[4] = {kNoOperation, static_cast<uint8_t>(TcpOptionKind::WindowScale), 3,
                              options.window_scale};
    std::memcpy(out + written, bytes, sizeof bytes);
    written = static_cast<uint16_t>(written + sizeof bytes);
  }
  return written;
}

}  // namespace

bool read_tcp_facts(const Packet& packet, TcpFacts& out) noexcept {
  const rte_mbuf& head = packet.mbuf();
  if (packet.key.protocol != net::Protocol::Tcp || packet.has(kPacketIsFragment) ||
      packet.transport_offset < packet.link_length || head.data_len <= packet.transport_offset) {
    return false;
  }
  const uint8_t* header = packet.frame() + packet.transport_offset;
  net::TcpView view;
  if (net::TcpView::parse(header, size_t{head.data_len} - packet.transport_offset, view) !=
      net::TcpView::Malformed::No) {
    return false;
  }
  out.key = packet.key;
  out.sequence = view.sequence();
  out.acknowledgement = view.acknowledgement();
  out.window = view.window();
  out.flags = view.flags();
  out.payload_length = packet.payload_length;
  return net::parse_tcp_options(header, view.header_bytes(), out.options);
}

rte_mbuf* TcpPacketBuilder::build(const Packet& received, Heading heading, const TcpFacts& segment,
                                  std::span<const uint8_t> payload) const noexcept {
  uint8_t options[net::kTcpMaximumOptionBytes];
  const uint16_t option_bytes = write_options(segment.options, options);
  const auto tcp_bytes = static_cast<uint16_t>(net::kTcpMinimumHeaderBytes + option_bytes);
  const uint16_t header = network_header_bytes(segment.key.family());
  if (payload.size() > size_t{UINT16_MAX} - header - tcp_bytes) return nullptr;
  const auto segment_bytes = static_cast<uint16_t>(tcp_bytes + payload.size());
  rte_mbuf* buffer = start_generated_packet(
      *pool_, received, heading, static_cast<uint16_t>(header + segment_bytes), segment.key);
  if (buffer == nullptr) return nullptr;
  Packet& packet = Packet::of(buffer);
  packet.key.protocol = net::Protocol::Tcp;
  packet.transport_offset = static_cast<uint16_t>(packet.link_length + header);
  packet.payload_offset = static_cast<uint16_t>(packet.transport_offset + tcp_bytes);
  packet.payload_length = static_cast<uint16_t>(payload.size());
  packet.tcp_flags = segment.flags;
  write_network_header(packet.network(), segment.key, net::Protocol::Tcp, segment_bytes, 0);

  uint8_t* tcp = packet.transport();
  net::store(tcp, segment.key.source_port);
  net::store(tcp + 2, segment.key.destination_port);
  net::store(tcp + 4, net::Be32::from_host(segment.sequence));
  net::store(tcp + 8, net::Be32::from_host(segment.acknowledgement));
  tcp[12] = static_cast<uint8_t>((tcp_bytes / 4U) << 4U);
  tcp[13] = segment.flags;
  net::store(tcp + 14, net::Be16::from_host(segment.window));
  std::memset(tcp + 16, 0, 4);
  std::memcpy(tcp + net::kTcpMinimumHeaderBytes, options, option_bytes);
  std::copy(payload.begin(), payload.end(), tcp + tcp_bytes);
  uint64_t sum = net::pseudo_header_sum(segment.key.source, segment.key.destination,
                                        net::Protocol::Tcp, segment_bytes);
  sum = net::checksum_add(tcp, segment_bytes, sum);
  net::store(tcp + 16, net::Be16{static_cast<uint16_t>(~net::checksum_fold(sum))});
  return buffer;
}

}  // namespace masugata::dataplane
