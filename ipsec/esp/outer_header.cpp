// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/esp/outer_header.h"

#include <cstring>

#include "ipsec/esp/ecn.h"
#include "net/checksum.h"
#include "net/headers/ipv4.h"
#include "net/headers/ipv6.h"

namespace masugata::ipsec {
namespace {

constexpr size_t kUdpBytes = 8;
constexpr uint16_t kDontFragment = 0x4000;

uint8_t protocol_of(bool udp) noexcept {
  return static_cast<uint8_t>(udp ? net::Protocol::Udp : net::Protocol::Esp);
}

// Returns the sum of the header for its checksum.
uint32_t make_v4(uint8_t* ip, const net::IpAddress& local, const net::IpAddress& remote,
                 uint8_t hop_limit, bool udp) noexcept {
  ip[0] = 0x45;
  ip[8] = hop_limit;
  ip[9] = protocol_of(udp);
  net::store(ip + 12, local.v4());
  net::store(ip + 16, remote.v4());
  return net::checksum_fold(net::checksum_add(ip, net::kIpv4MinimumHeaderBytes));
}

void make_v6(uint8_t* ip, const net::IpAddress& local, const net::IpAddress& remote,
             uint8_t hop_limit, bool udp) noexcept {
  ip[0] = 0x60;
  ip[6] = protocol_of(udp);
  ip[7] = hop_limit;
  std::memcpy(ip + 8, local.bytes.data(), 16);
  std::memcpy(ip + 24, remote.bytes.data(), 16);
}

}  // namespace

OuterHeader::OuterHeader(const net::IpAddress& local, const net::IpAddress& remote,
                         const UdpEncapsulation& udp, const TunnelHeaderHandling& handling) noexcept
    : is_v4_(local.is_v4()),
      has_udp_(udp.enabled()),
      copy_df_(handling.df == DfHandling::Copy),
      set_df_(handling.df == DfHandling::Set) {
  const uint8_t copied_ecn = handling.ecn == EcnHandling::Normal ? kEcnMask : 0;
  copied_class_bits_ = static_cast<uint8_t>((handling.copy_dscp_out ? kDscpMask : 0) | copied_ecn);
  fixed_class_bits_ =
      handling.copy_dscp_out ? uint8_t{0} : static_cast<uint8_t>(handling.dscp << 2U);
  bytes_ = static_cast<uint8_t>((is_v4_ ? net::kIpv4MinimumHeaderBytes : net::kIpv6HeaderBytes) +
                                (has_udp_ ? kUdpBytes : 0));
  uint8_t* ip = template_.data() + kWrittenBytes - bytes_;
  if (is_v4_) {
    constant_sum_ = make_v4(ip, local, remote, handling.hop_limit, has_udp_);
  } else {
    make_v6(ip, local, remote, handling.hop_limit, has_udp_);
  }
  if (has_udp_) {
    uint8_t* header = template_.data() + kWrittenBytes - kUdpBytes;
    net::store(header, net::Be16::from_host(udp.local_port));
    net::store(header + 2, net::Be16::from_host(udp.remote_port));
  }
}

void OuterHeader::write(uint8_t* esp, uint32_t esp_bytes, Inner inner,
                        uint16_t identification) const noexcept {
  std::memcpy(esp - kWrittenBytes, template_.data(), kWrittenBytes);
  uint8_t* ip = esp - bytes_;
  const auto traffic_class =
      static_cast<uint8_t>((inner.traffic_class & copied_class_bits_) | fixed_class_bits_);
  if (has_udp_) {
    const auto udp_length = static_cast<uint16_t>(esp_bytes + kUdpBytes);
    net::store(esp - 4, net::Be16::from_host(udp_length));
  }
  const auto total = static_cast<uint16_t>(esp_bytes + bytes_);
  if (!is_v4_) {
    ip[0] = static_cast<uint8_t>(0x60U | static_cast<uint32_t>(traffic_class) >> 4U);
    ip[1] = static_cast<uint8_t>((static_cast<uint32_t>(traffic_class) & 0x0fU) << 4U);
    net::store(ip + 4, net::Be16::from_host(static_cast<uint16_t>(total - net::kIpv6HeaderBytes)));
    return;
  }
  ip[1] = traffic_class;
  const bool dont_fragment = set_df_ || (copy_df_ && inner.dont_fragment);
  const auto length = net::Be16::from_host(total);
  const auto identity = net::Be16::from_host(identification);
  const auto flags = net::Be16::from_host(dont_fragment ? kDontFragment : 0);
  net::store(ip + 2, length);
  net::store(ip + 4, identity);
  net::store(ip + 6, flags);
  // The type of service is the second byte of its word: the high one as a little-endian number.
  uint32_t sum = constant_sum_ + length.raw + identity.raw + flags.raw +
                 (static_cast<uint32_t>(traffic_class) << 8U);
  sum = (sum & 0xffffU) + (sum >> 16U);
  sum = (sum & 0xffffU) + (sum >> 16U);
  net::store(ip + 10, net::Be16{static_cast<uint16_t>(~sum)});
}

void OuterHeader::finish_udp(uint8_t* esp, uint32_t esp_bytes) noexcept {
  uint8_t* udp = esp - kUdpBytes;
  const uint32_t length = esp_bytes + static_cast<uint32_t>(kUdpBytes);
  const uint8_t* ip = udp - net::kIpv6HeaderBytes;
  net::store(udp + 6, net::Be16{0});
  const uint64_t pseudo =
      net::pseudo_header_sum(net::IpAddress::from_v6(ip + 8), net::IpAddress::from_v6(ip + 24),
                             net::Protocol::Udp, length);
  const auto checksum =
      static_cast<uint16_t>(~net::checksum_fold(net::checksum_add(udp, length, pseudo)));
  net::store(udp + 6, net::Be16{checksum == 0 ? uint16_t{0xffff} : checksum});
}

}  // namespace masugata::ipsec
