// SPDX-License-Identifier: GPL-2.0-or-later
// The headers that a tunnel puts before the ESP header.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "ipsec/sa/sa_parameters.h"

namespace masugata::ipsec {

// Outer IPv4 or IPv6 header (RFC 4301 section 5.1.2) and UDP header (RFC 3948), made once; write()
// sets what differs from packet to packet. Owner worker.
class OuterHeader {
 public:
  // Bytes that write() overwrites before the ESP header, whatever the headers take.
  static constexpr size_t kWrittenBytes = 48;

  // Of the inner packet.
  struct Inner {
    uint8_t traffic_class;
    bool dont_fragment;  // IPv4's bit; always set for IPv6, whose packets only their sender may cut
  };

  // Addresses of one family; `handling` as check() lets it pass.
  OuterHeader(const net::IpAddress& local, const net::IpAddress& remote,
              const UdpEncapsulation& udp, const TunnelHeaderHandling& handling) noexcept;

  // IP and UDP header together.
  [[nodiscard]] size_t bytes() const noexcept { return bytes_; }
  // Whether finish_udp() is to be called when the packet is encrypted (UDP over IPv6 has no zero
  // checksum, RFC 8200 section 8.1; over IPv4 it is zero, RFC 3948 section 2.1).
  [[nodiscard]] bool needs_udp_checksum() const noexcept { return !is_v4_ && has_udp_; }

  // `esp`: where the ESP header stands, kWrittenBytes writable before it; `esp_bytes`: from there
  // to the end of the ICV. finish_udp() reads them.
  void write(uint8_t* esp, uint32_t esp_bytes, Inner inner, uint16_t identification) const noexcept;
  static void finish_udp(uint8_t* esp, uint32_t esp_bytes) noexcept;

 private:
  // Ends where the ESP header begins; its start is unused when headers are shorter than IPv6 and
  // UDP.
  alignas(16) std::array<uint8_t, kWrittenBytes> template_{};
  uint32_t constant_sum_ = 0;  // of the IPv4 header without what write() sets
  uint8_t bytes_ = 0;
  bool is_v4_;
  bool has_udp_;
  uint8_t copied_class_bits_;
  uint8_t fixed_class_bits_;
  bool copy_df_;
  bool set_df_;
};

}  // namespace masugata::ipsec
