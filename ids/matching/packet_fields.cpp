// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/packet_fields.h"

#include "net/byte_order.h"
#include "net/headers/tcp_options.h"

namespace masugata::ids {
namespace {

constexpr size_t kIpv4HeaderBytes = 20;
constexpr size_t kIpv6HeaderBytes = 40;
constexpr size_t kSmallestIcmpBytes = 4;
constexpr uint8_t kPacketTooBig = 2;  // ICMPv6 (RFC 4443 section 3.2)

uint16_t be16(const uint8_t* bytes) noexcept { return net::load_be16(bytes).host(); }
uint32_t be32(const uint8_t* bytes) noexcept { return net::load_be32(bytes).host(); }

constexpr uint16_t bit_of(IpOption option) {
  return static_cast<uint16_t>(1U << static_cast<unsigned>(option));
}

// Option types of RFC 791, RFC 1108; 0 bits for those that rules cannot ask for by name.
constexpr uint16_t option_bit(uint8_t type) {
  switch (type) {
    case 0:
      return bit_of(IpOption::EndOfList);
    case 1:
      return bit_of(IpOption::NoOperation);
    case 7:
      return bit_of(IpOption::RecordRoute);
    case 68:
      return bit_of(IpOption::Timestamp);
    case 130:
      return bit_of(IpOption::Security);
    case 131:
      return bit_of(IpOption::LooseSourceRoute);
    case 133:
      return bit_of(IpOption::ExtendedSecurity);
    case 136:
      return bit_of(IpOption::StreamId);
    case 137:
      return bit_of(IpOption::StrictSourceRoute);
    default:
      return 0;
  }
}

// Echo, timestamp and information messages carry an identifier (RFC 792, RFC 4443 section 4).
constexpr bool has_identifier(bool ipv6, uint8_t type) {
  if (ipv6) return type == 128 || type == 129;
  return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

}  // namespace

PacketFields::PacketFields(const PacketFacts& packet) noexcept
    : packet_(packet), ip_protocol_(static_cast<uint8_t>(packet.key.protocol)) {
  if (!packet.is_ip) return;
  const auto network = packet.network;
  if (packet.is_ipv6) {
    if (network.size() >= kIpv6HeaderBytes) ipv6_ = network.data();
  } else if (network.size() >= kIpv4HeaderBytes) {
    ipv4_ = network.data();
    const size_t header = size_t{ipv4_[0] & 0x0fU} * 4;
    if (header > kIpv4HeaderBytes && header <= network.size()) {
      read_ipv4_options(network.subspan(kIpv4HeaderBytes, header - kIpv4HeaderBytes));
    }
  }
  if (!packet.is_fragment) read_transport();
}

void PacketFields::read_ipv4_options(std::span<const uint8_t> options) noexcept {
  ip_options_ = bit_of(IpOption::Any);
  while (!options.empty()) {
    const uint8_t type = options[0];
    ip_options_ = static_cast<uint16_t>(ip_options_ | option_bit(type));
    if (type == 0) return;
    size_t length = 1;
    if (type != 1) {
      if (options.size() < 2) return;
      length = options[1];
    }
    if (length < 1 || (type != 1 && length < 2) || length > options.size()) return;
    options = options.subspan(length);
  }
}

void PacketFields::read_transport() noexcept {
  const auto transport = packet_.transport;
  switch (packet_.key.protocol) {
    case net::Protocol::Tcp: {
      if (transport.size() < net::kTcpMinimumHeaderBytes) return;
      tcp_ = transport.data();
      const size_t header = size_t{static_cast<uint8_t>(tcp_[12] >> 4U)} * 4;
      if (header > net::kTcpMinimumHeaderBytes && header <= transport.size()) {
        read_tcp_options(transport.first(header));
      }
      return;
    }
    case net::Protocol::Icmp:
    case net::Protocol::Icmpv6:
      if (transport.size() < kSmallestIcmpBytes) return;
      icmp_ = transport.data();
      icmp_size_ = transport.size();
      return;
    default:
      return;
  }
}

void PacketFields::read_tcp_options(std::span<const uint8_t> header) noexcept {
  net::TcpOptionWalk walk(header.data(), header.size());
  net::TcpOption option;
  while (walk.next(option)) {
    if (!net::tcp_option_length_valid(option.kind, option.value_bytes)) continue;
    if (option.kind == net::TcpOptionKind::MaximumSegmentSize) {
      mss_ = be16(option.value);
      has_mss_ = true;
    } else if (option.kind == net::TcpOptionKind::WindowScale) {
      window_scale_ = option.value[0];
      has_window_scale_ = true;
    }
  }
}

uint8_t PacketFields::tcp_flags() const noexcept { return tcp_ != nullptr ? tcp_[13] : uint8_t{0}; }

bool PacketFields::more_fragments() const noexcept {
  return ipv4_ != nullptr && (ipv4_[6] & 0x20U) != 0;
}
bool PacketFields::dont_fragment() const noexcept {
  return ipv4_ != nullptr && (ipv4_[6] & 0x40U) != 0;
}
bool PacketFields::reserved_bit() const noexcept {
  return ipv4_ != nullptr && (ipv4_[6] & 0x80U) != 0;
}

bool PacketFields::number(NumberField field, uint64_t& value) const noexcept {
  switch (field) {
    case NumberField::IpTtl:
    case NumberField::IpTos:
    case NumberField::IpId:
    case NumberField::IpProtocol:
    case NumberField::IpFragmentOffset:
      return ip_number(field, value);
    case NumberField::TcpSequence:
    case NumberField::TcpAcknowledgement:
    case NumberField::TcpWindow:
    case NumberField::TcpMss:
    case NumberField::TcpWindowScale:
      return tcp_number(field, value);
    case NumberField::IcmpType:
    case NumberField::IcmpCode:
    case NumberField::IcmpId:
    case NumberField::IcmpSequence:
    case NumberField::Icmpv6Mtu:
      return icmp_number(field, value);
    case NumberField::IpVersion:
      value = packet_.is_ipv6 ? 6 : 4;
      return packet_.is_ip;
    case NumberField::VlanLayers:
      value = packet_.vlan_layers;
      return true;
    case NumberField::PayloadSize:
      value = packet_.payload.size();
      return packet_.is_ip;
    default:
      return false;
  }
}

bool PacketFields::ip_number(NumberField field, uint64_t& value) const noexcept {
  if (ipv4_ == nullptr && ipv6_ == nullptr) return false;
  switch (field) {
    case NumberField::IpTtl:
      value = ipv4_ != nullptr ? ipv4_[8] : ipv6_[7];
      return true;
    case NumberField::IpTos:
      if (ipv4_ == nullptr) return false;
      value = ipv4_[1];
      return true;
    case NumberField::IpProtocol:
      value = ip_protocol_;
      return true;
    case NumberField::IpId:
      if (ipv4_ == nullptr) return false;
      value = be16(ipv4_ + 4);
      return true;
    default:
      // In units of 8 bytes, as the header writes it.
      if (ipv4_ == nullptr) return false;
      value = be16(ipv4_ + 6) & 0x1fffU;
      return true;
  }
}

bool PacketFields::tcp_number(NumberField field, uint64_t& value) const noexcept {
  if (tcp_ == nullptr) return false;
  switch (field) {
    case NumberField::TcpSequence:
      value = be32(tcp_ + 4);
      return true;
    case NumberField::TcpAcknowledgement:
      value = be32(tcp_ + 8);
      return true;
    case NumberField::TcpWindow:
      value = be16(tcp_ + 14);
      return true;
    case NumberField::TcpMss:
      value = mss_;
      return has_mss_;
    default:
      value = window_scale_;
      return has_window_scale_;
  }
}

bool PacketFields::icmp_number(NumberField field, uint64_t& value) const noexcept {
  if (icmp_ == nullptr) return false;
  const bool ipv6 = packet_.key.protocol == net::Protocol::Icmpv6;
  switch (field) {
    case NumberField::IcmpType:
      value = icmp_[0];
      return true;
    case NumberField::IcmpCode:
      value = icmp_[1];
      return true;
    case NumberField::Icmpv6Mtu:
      if (!ipv6 || icmp_[0] != kPacketTooBig || icmp_size_ < 8) return false;
      value = be32(icmp_ + 4);
      return true;
    default:
      if (icmp_size_ < 8 || !has_identifier(ipv6, icmp_[0])) return false;
      value = be16(icmp_ + (field == NumberField::IcmpId ? 4 : 6));
      return true;
  }
}

}  // namespace masugata::ids
