// SPDX-License-Identifier: GPL-2.0-or-later
// TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792) and ICMPv6 (RFC 4443) headers.
// Each parse() proves the lengths once; getters behind it cannot fail.
#pragma once

#include <cstddef>
#include <cstdint>

#include "net/byte_order.h"

namespace masugata::net {

enum TcpFlag : uint8_t {
  kTcpFin = 0x01,
  kTcpSyn = 0x02,
  kTcpRst = 0x04,
  kTcpPsh = 0x08,
  kTcpAck = 0x10,
  kTcpUrg = 0x20,
  kTcpEce = 0x40,
  kTcpCwr = 0x80,
};

inline constexpr size_t kTcpMinimumHeaderBytes = 20;
inline constexpr size_t kUdpHeaderBytes = 8;
inline constexpr size_t kIcmpHeaderBytes = 8;

class TcpView {
 public:
  enum class Malformed : uint8_t { No, Short, BadOffset };
  // `length`: bytes of the segment, from the IP header's length fields.
  static Malformed parse(const uint8_t* bytes, size_t length, TcpView& out) noexcept {
    if (length < kTcpMinimumHeaderBytes) return Malformed::Short;
    out.bytes_ = bytes;
    const size_t header = out.header_bytes();
    if (header < kTcpMinimumHeaderBytes || header > length) return Malformed::BadOffset;
    return Malformed::No;
  }
  [[nodiscard]] Be16 source_port() const noexcept { return load_be16(bytes_); }
  [[nodiscard]] Be16 destination_port() const noexcept { return load_be16(bytes_ + 2); }
  [[nodiscard]] uint32_t sequence() const noexcept { return load_be32(bytes_ + 4).host(); }
  [[nodiscard]] uint32_t acknowledgement() const noexcept { return load_be32(bytes_ + 8).host(); }
  [[nodiscard]] uint16_t header_bytes() const noexcept {
    return static_cast<uint16_t>((bytes_[12] >> 4U) * 4U);
  }
  [[nodiscard]] uint8_t flags() const noexcept { return bytes_[13]; }
  [[nodiscard]] uint16_t window() const noexcept { return load_be16(bytes_ + 14).host(); }
  [[nodiscard]] Be16 checksum() const noexcept { return load_be16(bytes_ + 16); }
  [[nodiscard]] uint16_t urgent_pointer() const noexcept { return load_be16(bytes_ + 18).host(); }
  [[nodiscard]] const uint8_t* bytes() const noexcept { return bytes_; }

 private:
  const uint8_t* bytes_ = nullptr;
};

// Whether a flag byte is one that a TCP sends (RFC 9293 section 3.10): every segment but a SYN or
// RST carries ACK; SYN never comes with FIN or RST, FIN never with RST. ECE and CWR are free
// (RFC 3168), PSH and URG are free except on a lone FIN or nothing.
[[nodiscard]] constexpr bool tcp_flags_valid(uint8_t flags) noexcept {
  const bool syn = (flags & kTcpSyn) != 0;
  const bool fin = (flags & kTcpFin) != 0;
  const bool rst = (flags & kTcpRst) != 0;
  const bool ack = (flags & kTcpAck) != 0;
  if (syn) return !fin && !rst;
  if (rst) return !fin;
  return ack;
}

class UdpView {
 public:
  enum class Malformed : uint8_t { No, Short, BadLength };
  static Malformed parse(const uint8_t* bytes, size_t length, UdpView& out) noexcept {
    if (length < kUdpHeaderBytes) return Malformed::Short;
    out.bytes_ = bytes;
    if (out.length() < kUdpHeaderBytes || out.length() > length) return Malformed::BadLength;
    return Malformed::No;
  }
  [[nodiscard]] Be16 source_port() const noexcept { return load_be16(bytes_); }
  [[nodiscard]] Be16 destination_port() const noexcept { return load_be16(bytes_ + 2); }
  [[nodiscard]] uint16_t length() const noexcept { return load_be16(bytes_ + 4).host(); }
  [[nodiscard]] Be16 checksum() const noexcept { return load_be16(bytes_ + 6); }

 private:
  const uint8_t* bytes_ = nullptr;
};

enum class IcmpType : uint8_t {
  EchoReply = 0,
  DestinationUnreachable = 3,
  SourceQuench = 4,
  Redirect = 5,
  EchoRequest = 8,
  RouterAdvertisement = 9,
  RouterSolicitation = 10,
  TimeExceeded = 11,
  ParameterProblem = 12,
  TimestampRequest = 13,
  TimestampReply = 14,
};

enum class Icmpv6Type : uint8_t {
  DestinationUnreachable = 1,
  PacketTooBig = 2,
  TimeExceeded = 3,
  ParameterProblem = 4,
  EchoRequest = 128,
  EchoReply = 129,
  RouterSolicitation = 133,
  RouterAdvertisement = 134,
  NeighbourSolicitation = 135,
  NeighbourAdvertisement = 136,
  Redirect = 137,
};

class IcmpView {
 public:
  // false when shorter than the 8 bytes that every message has.
  static bool parse(const uint8_t* bytes, size_t length, IcmpView& out) noexcept {
    if (length < kIcmpHeaderBytes) return false;
    out.bytes_ = bytes;
    return true;
  }
  [[nodiscard]] uint8_t type() const noexcept { return bytes_[0]; }
  [[nodiscard]] uint8_t code() const noexcept { return bytes_[1]; }
  [[nodiscard]] Be16 identifier() const noexcept { return load_be16(bytes_ + 4); }

 private:
  const uint8_t* bytes_ = nullptr;
};

}  // namespace masugata::net
