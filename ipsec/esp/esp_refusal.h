// SPDX-License-Identifier: GPL-2.0-or-later
// Why a packet was not encrypted or not decrypted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace masugata::ipsec {

// The dataplane maps each of them to a drop reason. After a refusal the bytes of the packet are
// undefined and the packet can only be freed.
enum class EspRefusal : uint8_t {
  None,            // the packet is what the caller asked for
  Dummy,           // next header 59: traffic flow confidentiality, to be discarded (RFC 4303 2.6)
  WrongDirection,  // an inbound SA was asked to encrypt or the reverse: a mistake of the caller
  NoRoom,          // less head- or tailroom than kEspHeadroomBytes and kEspTailroomBytes
  SequenceExhausted,  // the last sequence number is used up; a number never comes twice
  LifetimeExpired,    // hard lifetime in time, bytes or packets
  InnerMalformed,     // encrypting: no IP packet of exactly this length
  InnerFragment,      // encrypting in transport mode: only whole packets (RFC 4303 section 3.3.4)
  TooLong,            // encrypting: the outer packet would exceed 65,535 bytes
  TooShort,           // no room for what every ESP packet of this SA has
  BadAlignment,       // the encrypted part is no multiple of the cipher's block
  ReplayOld,          // left of the replay window
  ReplayDuplicate,    // received before
  AuthenticationFailed,
  BadPadding,      // authentic, but padding beyond the payload or not 1, 2, 3, ... (2.4)
  BadNextHeader,   // authentic, but not what the mode carries
  BadInnerLength,  // authentic, but the inner packet is longer than the payload or no IP header
  CryptoFailed,    // IPsec-MB did not do its work: a mistake of ours, and nothing leaves in clear
  CongestionUnmarkable,  // congestion experienced outside, not ECN-capable inside (RFC 6040 4.2)
};
inline constexpr size_t kEspRefusalCount =
    static_cast<size_t>(EspRefusal::CongestionUnmarkable) + 1;

// "replay-old": lower case words joined by "-", for counters and messages.
[[nodiscard]] std::string_view name_of(EspRefusal refusal) noexcept;

}  // namespace masugata::ipsec
