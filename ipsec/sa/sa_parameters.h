// SPDX-License-Identifier: GPL-2.0-or-later
// What a security association is, as charon tells it and as the dataplane builds it: plain values,
// no behaviour of packets and no DPDK. Everyone who speaks about SAs uses these types.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "ipsec/sa/esp_transform.h"
#include "ipsec/sa/key_bytes.h"
#include "net/address.h"
#include "net/byte_order.h"
#include "result/result.h"

namespace masugata::ipsec {

enum class Direction : uint8_t { Inbound, Outbound };
enum class Mode : uint8_t { Tunnel, Transport };

// 1 to 255 are reserved by IANA, 0 is never on the wire (RFC 4303 section 2.1).
inline constexpr uint32_t kFirstUsableSpi = 256;

// UDP ports of RFC 3948, host order; both 0 means plain ESP (protocol 50).
struct UdpEncapsulation {
  uint16_t local_port = 0;
  uint16_t remote_port = 0;
  [[nodiscard]] constexpr bool enabled() const noexcept { return remote_port != 0; }
  friend bool operator==(const UdpEncapsulation&, const UdpEncapsulation&) = default;
};

// Amounts after which an SA is renewed (soft) or may no longer be used (hard). 0: no limit.
// `bytes` counts inner packets: what is encrypted without ESP's own padding.
struct LifetimeLimits {
  uint64_t seconds = 0;
  uint64_t bytes = 0;
  uint64_t packets = 0;
  friend bool operator==(const LifetimeLimits&, const LifetimeLimits&) = default;
};

// One of the networks that may use the SA (RFC 7296 section 3.13.1).
struct TrafficSelector {
  net::AddressRange addresses;
  uint8_t protocol = 0;  // 0: any
  // Inclusive, host order; for ICMP type in the high byte, code in the low one (RFC 4301 4.4.1.1).
  uint16_t first_port = 0;
  uint16_t last_port = 0xffff;
  friend bool operator==(const TrafficSelector&, const TrafficSelector&) = default;
};

// Bounded list: what does not fit is refused where it is read.
struct TrafficSelectors {
  static constexpr size_t kMaximum = 16;
  std::array<TrafficSelector, kMaximum> entries{};
  uint8_t count = 0;

  // False when full.
  [[nodiscard]] bool add(const TrafficSelector& selector) noexcept {
    if (count >= kMaximum) return false;
    entries[count++] = selector;
    return true;
  }
  [[nodiscard]] const TrafficSelector* begin() const noexcept { return entries.data(); }
  [[nodiscard]] const TrafficSelector* end() const noexcept { return entries.data() + count; }
};

// The don't-fragment bit of the outer IPv4 header (RFC 4301 section 8.1).
enum class DfHandling : uint8_t { Copy, Set, Clear };
// RFC 6040: Normal copies ECN out and combines it on the way in; Compatibility sends Not-ECT
// outside (section 4.1) and is for peers that do not read the outer bits.
enum class EcnHandling : uint8_t { Normal, Compatibility };

// How the outer header of a tunnel is made from the inner one, and back. Without meaning in
// transport mode.
struct TunnelHeaderHandling {
  DfHandling df = DfHandling::Copy;
  EcnHandling ecn = EcnHandling::Normal;
  bool copy_dscp_out = true;  // else `dscp` (RFC 4301 section 5.1.2.1, note 5)
  bool copy_dscp_in = false;  // the inner DSCP stays as the sender's site wrote it
  uint8_t dscp = 0;           // 0..63
  uint8_t hop_limit = 64;     // TTL or hop limit of the outer header, at least 1
  friend bool operator==(const TunnelHeaderHandling&, const TunnelHeaderHandling&) = default;
};

// The range of windows (packets) that an inbound SA may ask for (RFC 4303 section 3.4.3).
inline constexpr uint32_t kSmallestReplayWindow = 64;
inline constexpr uint32_t kLargestReplayWindow = 4096;

// One direction of a child SA. Holds keys: move-only through KeyBytes, wiped when it goes.
struct SaParameters {
  net::Be32 spi;
  Direction direction = Direction::Inbound;
  Mode mode = Mode::Tunnel;
  EspTransform transform;
  KeyBytes encryption_key;  // with the salt at its end, transform.encryption_key_bytes()
  KeyBytes integrity_key;   // transform.integrity_key_bytes()

  // Outer addresses as this gateway sees them, one family: `local` is the source of what an
  // outbound SA sends and the destination of what an inbound SA receives.
  net::IpAddress local;
  net::IpAddress remote;
  UdpEncapsulation udp;

  bool extended_sequence = false;                          // ESN (RFC 4303 section 2.2.1)
  uint32_t replay_window_packets = kSmallestReplayWindow;  // inbound only
  LifetimeLimits soft;
  LifetimeLimits hard;

  uint32_t request_id = 0;  // charon's reqid: the child configuration that the SA belongs to
  uint32_t tunnel_id = 0;   // if_id: the tunnel port of the site; 0: none
  TrafficSelectors local_selectors;
  TrafficSelectors remote_selectors;
  TunnelHeaderHandling header;

  // A copy with copies of the keys.
  [[nodiscard]] SaParameters duplicate() const;
};

// Whether an SA can have these outer addresses and ports: both addresses set, unicast, of one
// family; both ports or none.
[[nodiscard]] Status check_outer_addresses(const net::IpAddress& local,
                                           const net::IpAddress& remote, UdpEncapsulation udp);

// The same for an SA of `mode`, which the fault calls `sa`.
[[nodiscard]] Status check_outer(const std::string& sa, Mode mode, const net::IpAddress& local,
                                 const net::IpAddress& remote, UdpEncapsulation udp);

// Whether an SA can be built from `parameters`: SPI, transform, key lengths, outer addresses (both
// set, unicast, one family), window, lifetimes (soft not beyond hard), header handling. The fault
// names the SPI and never a key byte. To be called before EspSa is built from values that came from
// outside.
[[nodiscard]] Status check(const SaParameters& parameters);

}  // namespace masugata::ipsec
