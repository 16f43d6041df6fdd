// SPDX-License-Identifier: GPL-2.0-or-later
// IPv6 headers and the chain of extension headers (RFC 8200).
#pragma once

#include <cstddef>
#include <cstdint>

#include "net/address.h"
#include "net/byte_order.h"
#include "net/flow_key.h"

namespace masugata::net {

inline constexpr size_t kIpv6HeaderBytes = 40;

class Ipv6View {
 public:
  enum class Malformed : uint8_t { No, Short, BadVersion, BadPayloadLength };

  // `available`: bytes of the frame behind the link header. Jumbograms (payload length 0, RFC 2675)
  // are refused. On Malformed::No, 40 < total_length() <= available.
  static Malformed parse(const uint8_t* bytes, size_t available, Ipv6View& out) noexcept {
    if (available < kIpv6HeaderBytes) return Malformed::Short;
    if ((bytes[0] >> 4U) != 6) return Malformed::BadVersion;
    out.bytes_ = bytes;
    const size_t payload = out.payload_length();
    // Without a next header there may be nothing behind the header; with one there must be.
    if (payload == 0 && out.next_header() != Protocol::Ipv6NoNext) {
      return Malformed::BadPayloadLength;
    }
    if (payload > available - kIpv6HeaderBytes) return Malformed::BadPayloadLength;
    return Malformed::No;
  }

  [[nodiscard]] uint16_t payload_length() const noexcept { return load_be16(bytes_ + 4).host(); }
  [[nodiscard]] uint32_t total_length() const noexcept {
    return static_cast<uint32_t>(kIpv6HeaderBytes) + payload_length();
  }
  [[nodiscard]] uint8_t traffic_class() const noexcept {
    return static_cast<uint8_t>((load_be16(bytes_).host() >> 4U) & 0xffU);
  }
  [[nodiscard]] Protocol next_header() const noexcept { return static_cast<Protocol>(bytes_[6]); }
  [[nodiscard]] uint8_t hop_limit() const noexcept { return bytes_[7]; }
  [[nodiscard]] const uint8_t* source_bytes() const noexcept { return bytes_ + 8; }
  [[nodiscard]] const uint8_t* destination_bytes() const noexcept { return bytes_ + 24; }
  [[nodiscard]] const uint8_t* bytes() const noexcept { return bytes_; }

 private:
  const uint8_t* bytes_ = nullptr;
};

// The way from the fixed header to the upper-layer header.
struct Ipv6Chain {
  enum class Outcome : uint8_t {
    UpperLayer,     // `protocol` starts at `offset`
    Fragment,       // a fragment header stands at `offset` (offset or M bit non-zero)
    Malformed,      // cut short, or a length beyond the packet
    BadOrder,       // hop-by-hop not first, or a header that may come once came twice
    TooMany,        // more than kMaximumHeaders
    RoutingHeader,  // segments left (RFC 5095, RFC 8200 4.4): the packet chooses its own way
    UnknownOption,  // an option whose type says "discard when unknown" (RFC 8200 4.2)
  };
  static constexpr unsigned kMaximumHeaders = 8;

  Outcome outcome = Outcome::Malformed;
  Protocol protocol = Protocol::Ipv6NoNext;
  uint16_t offset = 0;  // from the start of the IPv6 header
  bool has_extensions = false;
  // Offset of the byte that names the header at `offset` as its next header.
  uint16_t next_header_offset = 6;

  // Walks the chain of a packet that Ipv6View::parse accepted; reads only inside total_length() and
  // inside the first `readable` bytes (the rest may lie in another buffer; a chain that goes
  // beyond them is Malformed, RFC 7112).
  // An atomic fragment (offset 0, M clear; RFC 6946) is passed over like any extension header.
  static Ipv6Chain walk(const Ipv6View& view, size_t readable) noexcept;
};

}  // namespace masugata::net
