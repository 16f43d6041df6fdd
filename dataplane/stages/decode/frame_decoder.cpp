// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/decode/frame_decoder.h"

#include "dataplane/stages/decode/transport_decoder.h"
#include "net/checksum.h"
#include "net/headers/ipv4.h"
#include "net/headers/ipv6.h"

namespace masugata::dataplane {
namespace {

using net::EtherType;
using net::Ipv4View;
using net::Ipv6Chain;
using net::Ipv6View;
using net::Protocol;

constexpr Verdict<FrameKind> refuse(DropReason reason) noexcept { return drop<FrameKind>(reason); }

DropReason reason_of(Ipv4View::Malformed malformed) noexcept {
  switch (malformed) {
    case Ipv4View::Malformed::No:
      return DropReason::None;
    case Ipv4View::Malformed::Short:
      return DropReason::Ipv4Short;
    case Ipv4View::Malformed::BadVersion:
      return DropReason::Ipv4BadVersion;
    case Ipv4View::Malformed::BadHeaderLength:
      return DropReason::Ipv4BadHeaderLength;
    case Ipv4View::Malformed::BadTotalLength:
      return DropReason::Ipv4BadTotalLength;
  }
  return DropReason::InternalError;
}

DropReason reason_of(Ipv6View::Malformed malformed) noexcept {
  switch (malformed) {
    case Ipv6View::Malformed::No:
      return DropReason::None;
    case Ipv6View::Malformed::Short:
      return DropReason::Ipv6Short;
    case Ipv6View::Malformed::BadVersion:
      return DropReason::Ipv6BadVersion;
    case Ipv6View::Malformed::BadPayloadLength:
      return DropReason::Ipv6BadPayloadLength;
  }
  return DropReason::InternalError;
}

DropReason reason_of(Ipv6Chain::Outcome outcome) noexcept {
  switch (outcome) {
    case Ipv6Chain::Outcome::UpperLayer:
    case Ipv6Chain::Outcome::Fragment:
      return DropReason::None;
    case Ipv6Chain::Outcome::Malformed:
      return DropReason::Ipv6BadExtension;
    case Ipv6Chain::Outcome::BadOrder:
      return DropReason::Ipv6ExtensionOrder;
    case Ipv6Chain::Outcome::TooMany:
      return DropReason::Ipv6TooManyExtensions;
    case Ipv6Chain::Outcome::RoutingHeader:
      return DropReason::Ipv6RoutingHeader;
    case Ipv6Chain::Outcome::UnknownOption:
      return DropReason::Ipv6UnknownOption;
  }
  return DropReason::InternalError;
}

DropReason check_addresses_v4(uint32_t source, uint32_t destination, Packet& packet) noexcept {
  const uint32_t source_net = source >> 24U;
  const uint32_t destination_net = destination >> 24U;
  // One comparison for the usual case: both first octets in 1..126 or 128..223.
  const bool source_unicast = source_net - 1 < 223 && source_net != 127;
  if (!source_unicast) [[unlikely]] {
    // A host without an address asks for one from 0.0.0.0 (RFC 2131 section 4.1).
    if (source != 0 || destination != 0xffffffffU) return DropReason::MartianSource;
  }
  if (destination_net >= 224) [[unlikely]] {
    if (destination_net >= 240 && destination != 0xffffffffU) {
      return DropReason::MartianDestination;
    }
    packet.set(kPacketNetworkLocal);
  } else if (destination_net == 0 || destination_net == 127) {
    return DropReason::MartianDestination;
  }
  return source == destination ? DropReason::Land : DropReason::None;
}

Verdict<FrameKind> decode_ipv4(const FrameBytes& frame, const ReceiveChecks& checks,
                               Packet& packet) noexcept {
  const uint8_t* bytes = frame.bytes + packet.link_length;
  const size_t available = frame.length - packet.link_length;
  const size_t readable = frame.readable - packet.link_length;
  if (readable < net::kIpv4MinimumHeaderBytes) return refuse(DropReason::Ipv4Short);
  Ipv4View view;
  const auto malformed = Ipv4View::parse(bytes, available, view);
  if (malformed != Ipv4View::Malformed::No) [[unlikely]]
    return refuse(reason_of(malformed));
  if (view.header_bytes() > readable) [[unlikely]]
    return refuse(DropReason::Ipv4Short);
  if (!checks.network_checksum_good && !view.checksum_valid()) [[unlikely]] {
    return refuse(DropReason::Ipv4BadChecksum);
  }
  if (view.has_options()) [[unlikely]] {
    packet.set(kPacketHasIpOptions);
    const auto options = view.check_options();
    if (options == Ipv4View::Options::Malformed) return refuse(DropReason::Ipv4BadOptions);
    if (options == Ipv4View::Options::SourceRoute) return refuse(DropReason::Ipv4SourceRoute);
  }
  if (view.reserved_flag()) [[unlikely]]
    return refuse(DropReason::Ipv4ReservedFlag);
  if (view.dont_fragment()) packet.set(kPacketDontFragment);

  const DropReason martian =
      check_addresses_v4(view.source().host(), view.destination().host(), packet);
  if (martian != DropReason::None) [[unlikely]]
    return refuse(martian);

  packet.network_length = view.total_length();
  packet.transport_offset = static_cast<uint16_t>(packet.link_length + view.header_bytes());
  packet.key.source = net::IpAddress::from_v4(view.source());
  packet.key.destination = net::IpAddress::from_v4(view.destination());
  packet.key.protocol = view.protocol();
  if (view.is_fragment()) [[unlikely]] {
    packet.set(kPacketIsFragment);
    return forward_to(FrameKind::Fragment);
  }
  return decode_transport(frame, checks, packet);
}

DropReason check_addresses_v6(Packet& packet) noexcept {
  const net::IpAddress& source = packet.key.source;
  const net::IpAddress& destination = packet.key.destination;
  if (source.is_v4() || source.is_loopback() || source.is_multicast()) {
    return DropReason::MartianSource;
  }
  if (destination.is_v4() || destination.is_loopback() || destination.is_unspecified()) {
    return DropReason::MartianDestination;
  }
  if (destination.is_multicast()) packet.set(kPacketNetworkLocal);
  // Duplicate address detection and MLD speak from :: to multicast (RFC 4862 5.4.2).
  if (source.is_unspecified() && !destination.is_multicast()) return DropReason::MartianSource;
  return source == destination ? DropReason::Land : DropReason::None;
}

Verdict<FrameKind> decode_ipv6(const FrameBytes& frame, const ReceiveChecks& checks,
                               Packet& packet) noexcept {
  const uint8_t* bytes = frame.bytes + packet.link_length;
  const size_t readable = frame.readable - packet.link_length;
  if (readable < net::kIpv6HeaderBytes) [[unlikely]]
    return refuse(DropReason::Ipv6Short);
  Ipv6View view;
  const auto malformed = Ipv6View::parse(bytes, frame.length - packet.link_length, view);
  if (malformed != Ipv6View::Malformed::No) [[unlikely]]
    return refuse(reason_of(malformed));
  packet.set(kPacketDontFragment);
  packet.network_length = static_cast<uint16_t>(view.total_length());
  packet.key.source = net::IpAddress::from_v6(view.source_bytes());
  packet.key.destination = net::IpAddress::from_v6(view.destination_bytes());
  const DropReason martian = check_addresses_v6(packet);
  if (martian != DropReason::None) [[unlikely]]
    return refuse(martian);

  const Ipv6Chain chain = Ipv6Chain::walk(view, readable);
  const DropReason bad_chain = reason_of(chain.outcome);
  if (bad_chain != DropReason::None) [[unlikely]]
    return refuse(bad_chain);
  if (chain.has_extensions) packet.set(kPacketHasIpOptions);
  packet.transport_offset = static_cast<uint16_t>(packet.link_length + chain.offset);
  packet.key.protocol = chain.protocol;
  if (chain.outcome == Ipv6Chain::Outcome::Fragment) [[unlikely]] {
    packet.set(kPacketIsFragment);
    return forward_to(FrameKind::Fragment);
  }
  return decode_transport(frame, checks, packet);
}

}  // namespace

Verdict<FrameKind> decode_network(EtherType type, const FrameBytes& frame,
                                  const ReceiveChecks& checks, Packet& packet) noexcept {
  // Jumbo frames end well below 16 bits; a reassembled datagram may reach 65,535 + link header.
  if (frame.length - packet.link_length > 0xffffU) [[unlikely]] {
    return refuse(DropReason::FragmentTooLarge);
  }
  if (type == EtherType::Ipv4) [[likely]]
    return decode_ipv4(frame, checks, packet);
  if (type == EtherType::Ipv6) return decode_ipv6(frame, checks, packet);
  if (type == EtherType::Arp) return forward_to(FrameKind::Kernel);
  return refuse(DropReason::UnknownEtherType);
}

Verdict<FrameKind> decode_frame(const net::EthernetView& link, const FrameBytes& frame,
                                const ReceiveChecks& checks, Packet& packet) noexcept {
  packet.link_length = link.header_bytes();
  return decode_network(link.type(), frame, checks, packet);
}

}  // namespace masugata::dataplane
