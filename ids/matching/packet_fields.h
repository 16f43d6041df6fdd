// SPDX-License-Identifier: GPL-2.0-or-later
// The header fields of a packet that rules ask for, read once per packet.
#pragma once

#include <cstdint>
#include <span>

#include "ids/engine/packet_facts.h"
#include "ids/rules/condition.h"

namespace masugata::ids {

// Read from PacketFacts with every length checked; what the packet does not have is absent.
// Refers to the PacketFacts, which must live as long. Worker thread.
class PacketFields {
 public:
  explicit PacketFields(const PacketFacts& packet) noexcept;

  [[nodiscard]] const PacketFacts& packet() const noexcept { return packet_; }

  // A packet field as a number; false when the packet has no such field (a TCP window is only in
  // TCP; the type of service, the identification and the fragment offset, in units of 8 bytes,
  // only in IPv4) or `field` is not a packet's.
  [[nodiscard]] bool number(NumberField field, uint64_t& value) const noexcept;

  [[nodiscard]] bool has_tcp() const noexcept { return tcp_ != nullptr; }
  [[nodiscard]] uint8_t tcp_flags() const noexcept;  // 0 without TCP
  [[nodiscard]] bool has_ipv4() const noexcept { return ipv4_ != nullptr; }
  [[nodiscard]] bool more_fragments() const noexcept;
  [[nodiscard]] bool dont_fragment() const noexcept;
  [[nodiscard]] bool reserved_bit() const noexcept;
  // Does the IPv4 header carry it? `Any`: any option at all.
  [[nodiscard]] bool has_ip_option(IpOption option) const noexcept {
    return (ip_options_ & (1U << static_cast<unsigned>(option))) != 0;
  }

 private:
  void read_ipv4_options(std::span<const uint8_t> options) noexcept;
  void read_transport() noexcept;
  void read_tcp_options(std::span<const uint8_t> header) noexcept;
  [[nodiscard]] bool tcp_number(NumberField field, uint64_t& value) const noexcept;
  [[nodiscard]] bool icmp_number(NumberField field, uint64_t& value) const noexcept;
  [[nodiscard]] bool ip_number(NumberField field, uint64_t& value) const noexcept;

  const PacketFacts& packet_;
  const uint8_t* ipv4_ = nullptr;  // 20 bytes at least
  const uint8_t* ipv6_ = nullptr;  // 40 bytes
  const uint8_t* tcp_ = nullptr;   // 20 bytes at least
  const uint8_t* icmp_ = nullptr;  // 4 bytes at least, as many as icmp_size_ says
  size_t icmp_size_ = 0;
  uint16_t ip_options_ = 0;  // bits by IpOption
  uint16_t mss_ = 0;
  bool has_mss_ = false;
  uint8_t window_scale_ = 0;
  bool has_window_scale_ = false;
  uint8_t ip_protocol_ = 0;
};

}  // namespace masugata::ids
