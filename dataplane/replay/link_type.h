// SPDX-License-Identifier: GPL-2.0-or-later
// Link types as capture files number them (the registry of LINKTYPE_ values).
#pragma once

#include <cstdint>

namespace masugata::dataplane {

enum class LinkType : uint16_t {
  Null = 0,  // address family in the byte order of the machine that captured
  Ethernet = 1,
  Ppp = 9,      // RFC 1661, with or without the HDLC-like address and control bytes
  RawBsd = 12,  // IPv4 or IPv6, by its first bits; BSD's number
  RawOpenBsd = 14,
  PppSerial = 50,  // RFC 1662
  Raw = 101,
  CiscoHdlc = 104,
  Loop = 108,  // address family in network byte order
  LinuxSll = 113,
  Ipv4 = 228,
  Ipv6 = 229,
  LinuxSll2 = 276,
};

[[nodiscard]] constexpr bool is_decoded_link_type(uint16_t number) noexcept {
  switch (static_cast<LinkType>(number)) {
    case LinkType::Null:
    case LinkType::Ethernet:
    case LinkType::Ppp:
    case LinkType::RawBsd:
    case LinkType::RawOpenBsd:
    case LinkType::PppSerial:
    case LinkType::Raw:
    case LinkType::CiscoHdlc:
    case LinkType::Loop:
    case LinkType::LinuxSll:
    case LinkType::Ipv4:
    case LinkType::Ipv6:
    case LinkType::LinuxSll2:
      return true;
  }
  return false;
}

}  // namespace masugata::dataplane
