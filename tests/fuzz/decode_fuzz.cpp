// SPDX-License-Identifier: GPL-2.0-or-later
// Frames of any shape through the decoder. Input: one byte of choices, one byte that says how much
// of a chained frame lies in its first buffer, then the frame. Whatever comes: only readable bytes
// are read, every offset and length lies inside the frame, and what is dropped has a reason.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "dataplane/stages/decode/frame_decoder.h"
#include "net/headers/transport.h"

namespace {

using namespace masugata;             // NOLINT: a program of one file
using namespace masugata::dataplane;  // NOLINT
using net::Protocol;

constexpr uint8_t kNetworkChecked = 1;
constexpr uint8_t kTransportChecked = 2;
constexpr uint8_t kChained = 4;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_addresses(const net::FlowKey& key) {
  require(key.source.is_v4() == key.destination.is_v4());
  require(key.reserved == 0 && key.domain == 0);
}

// Link, network and transport header stand behind each other inside the readable bytes.
void check_headers(const Packet& packet, const FrameBytes& frame) {
  const size_t network_end = size_t{packet.link_length} + packet.network_length;
  require(network_end <= frame.length);
  require(packet.transport_offset >= packet.link_length + 20U);
  require(packet.transport_offset <= network_end);
  require(packet.transport_offset <= frame.readable);
}

void check_ports(const Packet& packet) {
  const net::FlowKey& key = packet.key;
  const bool first = key.source_port.raw != 0;
  const bool second = key.destination_port.raw != 0;
  if (packet.has(kPacketIsIcmpError)) return;
  switch (key.protocol) {
    case Protocol::Tcp:
      require(first && second && net::tcp_flags_valid(packet.tcp_flags));
      require(packet.payload_offset >= packet.transport_offset + 20U);
      break;
    case Protocol::Udp:
      require(second && packet.payload_offset == packet.transport_offset + 8U);
      break;
    case Protocol::Icmp:
    case Protocol::Icmpv6:
      require((key.protocol == Protocol::Icmp) == key.source.is_v4());
      require(key.source_port == key.destination_port);
      require(packet.payload_offset == packet.transport_offset + 8U);
      break;
    case Protocol::Sctp:
      require(packet.payload_offset == packet.transport_offset + 12U);
      break;
    default:
      require(!first && !second && packet.payload_offset == packet.transport_offset);
  }
}

void check_flow(const Packet& packet, const FrameBytes& frame) {
  check_addresses(packet.key);
  check_headers(packet, frame);
  check_ports(packet);
  const size_t network_end = size_t{packet.link_length} + packet.network_length;
  require(packet.payload_offset >= packet.transport_offset);
  require(packet.payload_offset <= frame.readable);
  require(size_t{packet.payload_offset} + packet.payload_length <= network_end);
  require(!packet.has(kPacketIsFragment));
}

void check_fragment(const Packet& packet, const FrameBytes& frame) {
  check_addresses(packet.key);
  check_headers(packet, frame);
  require(packet.has(kPacketIsFragment));
  require(packet.key.source_port.raw == 0 && packet.key.destination_port.raw == 0);
}

void check_verdict(const Verdict<FrameKind>& verdict, const Packet& packet,
                   const FrameBytes& frame) {
  require((verdict.next == FrameKind::Drop) == (verdict.reason != DropReason::None));
  require(verdict.reason < DropReason::Count);
  require(verdict.reason != DropReason::InternalError);
  require(packet.session == nullptr && packet.hash() == 0);
  if (verdict.next == FrameKind::Flow) check_flow(packet, frame);
  if (verdict.next == FrameKind::Fragment) check_fragment(packet, frame);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const uint8_t choices = data[0];
  const size_t length = size - 2;
  size_t readable = length;
  if ((choices & kChained) != 0) readable = length * data[1] / 255;
  // Exactly as large as the first buffer: a byte beyond it is a finding.
  const auto bytes = std::make_unique<uint8_t[]>(readable);
  if (readable != 0) std::memcpy(bytes.get(), data + 2, readable);

  net::EthernetView link;
  if (net::EthernetView::parse(bytes.get(), readable, link) != net::EthernetView::Malformed::No) {
    return 0;
  }
  require(link.header_bytes() <= readable && link.vlan() < 4096);
  const FrameBytes frame{bytes.get(), readable, length};
  const ReceiveChecks checks{(choices & kNetworkChecked) != 0, (choices & kTransportChecked) != 0};
  Packet packet;
  const Verdict<FrameKind> verdict = decode_frame(link, frame, checks, packet);
  require(packet.link_length == link.header_bytes());
  check_verdict(verdict, packet, frame);

  // A port that vouches for checksums changes nothing for a frame that passed without.
  if (verdict.next == FrameKind::Drop || choices >= 8) return 0;
  Packet trusted;
  const Verdict<FrameKind> again = decode_frame(link, frame, {true, true}, trusted);
  require(again.next == verdict.next && trusted.key == packet.key);
  require(trusted.payload_length == packet.payload_length && trusted.flags == packet.flags);
  return 0;
}
