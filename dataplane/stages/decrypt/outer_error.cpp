// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/decrypt/outer_error.h"

#include <algorithm>
#include <array>
#include <span>

#include "dataplane/ipsec/ipsec_gate.h"
#include "net/headers/quoted_packet.h"
#include "net/headers/transport.h"

namespace masugata::dataplane {
namespace {

constexpr size_t kUdpHeaderBytes = 8;
constexpr size_t kSpiBytes = 4;
constexpr uint16_t kSmallestIpv4Path = 576;   // no smaller claim is believed
constexpr uint16_t kSmallestIpv6Path = 1280;  // RFC 8200 section 5

// The MTU that a router without RFC 1191 must have meant, which dropped a packet of `length`
// bytes: sizes that links have (section 7).
uint16_t usual_mtu_below(uint16_t length) noexcept {
  constexpr std::array<uint16_t, 9> kSizes{32000, 17914, 8166, 4352, 2002, 1492, 1006, 576, 0};
  return *std::find_if(kSizes.begin(), kSizes.end(),
                       [length](uint16_t size) { return size < length; });
}

// `icmp`: the message with a whole header and quote; `quoted_bytes`: length of the quoted packet.
uint16_t mtu_of(const Packet& packet, const uint8_t* icmp, uint16_t quoted_bytes,
                bool ipv4) noexcept {
  uint32_t mtu = 0;
  if (ipv4) {
    constexpr uint8_t kFragmentationNeeded = 4;
    if (packet.icmp_type != static_cast<uint8_t>(net::IcmpType::DestinationUnreachable) ||
        packet.icmp_code != kFragmentationNeeded) {
      return 0;
    }
    mtu = net::load_be16(icmp + 6).host();
    if (mtu == 0) mtu = usual_mtu_below(quoted_bytes);
  } else {
    constexpr uint8_t kPacketTooBig = 2;
    if (packet.icmp_type != kPacketTooBig) return 0;
    mtu = net::load_be32(icmp + 4).host();
  }
  // What is not smaller than the packet was no reason to drop it.
  if (mtu >= quoted_bytes) return 0;
  return std::max(static_cast<uint16_t>(mtu), ipv4 ? kSmallestIpv4Path : kSmallestIpv6Path);
}

}  // namespace

std::optional<OuterError> about_outer_packet(const Packet& packet) noexcept {
  const size_t readable = packet.mbuf().data_len;
  const size_t begin = packet.transport_offset + net::kIcmpHeaderBytes;
  if (begin >= readable) return std::nullopt;
  const uint8_t* icmp = packet.frame() + packet.transport_offset;
  const std::span<const uint8_t> quote(packet.frame() + begin, readable - begin);
  const net::Family family = packet.key.source.family();
  net::QuotedPacket quoted;
  if (!net::QuotedPacket::parse(family, quote.data(), quote.size(), quoted)) return std::nullopt;
  size_t esp = quoted.transport_offset;
  if (quoted.key.protocol == net::Protocol::Udp) {
    esp += kUdpHeaderBytes;
  } else if (quoted.key.protocol != net::Protocol::Esp) {
    return std::nullopt;
  }
  if (esp + kSpiBytes > quote.size()) return std::nullopt;
  OuterError error;
  error.spi = net::load_be32(quote.data() + esp);
  // Four zero bytes are IKE's (RFC 3948 section 2.2).
  if (error.spi.raw == 0) return std::nullopt;
  const bool ipv4 = family == net::Family::Ipv4;
  const uint32_t length = ipv4 ? net::load_be16(quote.data() + 2).host()
                               : net::load_be16(quote.data() + 4).host() + uint32_t{40};
  error.mtu = mtu_of(packet, icmp, static_cast<uint16_t>(std::min<uint32_t>(length, 0xffff)), ipv4);
  return error;
}

DropReason take_error(const Packet& packet, WorkerContext& context) noexcept {
  const std::optional<OuterError> error = about_outer_packet(packet);
  const IpsecView* view = context.ipsec->view();
  if (!error || view == nullptr) return DropReason::IcmpErrorNoSession;
  // The key is that of the quoted packet, turned round.
  const uint16_t found = view->find_outbound(error->spi, packet.key.destination, packet.key.source);
  if (found == kNoSa) return DropReason::IcmpErrorNoSession;
  const OuterAddresses& outer = view->sas[found].outer;
  if (outer.udp.enabled() != (packet.key.protocol == net::Protocol::Udp)) {
    return DropReason::IcmpErrorNoSession;
  }
  if (error->mtu != 0) context.ipsec->note_path(outer, error->mtu);
  return DropReason::IpsecError;
}

}  // namespace masugata::dataplane
