// SPDX-License-Identifier: GPL-2.0-or-later
// Checksums computed the slow way over whole packets. On purpose not net/checksum.h: this is what
// the gateway's sums, incremental or not, are compared with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/packets/field_values.h"

namespace masugata::test {

// RFC 1071 over `bytes`, with the 16-bit field at `field_offset` taken as zero. Host order.
[[nodiscard]] uint16_t header_checksum(std::span<const uint8_t> bytes, size_t field_offset);

// The same with the pseudo-header of the addresses' family (RFC 9293 3.1, RFC 8200 8.1) in front.
[[nodiscard]] uint16_t transport_checksum(std::span<const uint8_t> bytes, size_t field_offset,
                                          uint8_t protocol, const AddressBytes& source,
                                          const AddressBytes& destination);

// CRC32c of an SCTP packet with its checksum field taken as zero (RFC 9260 appendix A), as the
// number that stands in the field in network order.
[[nodiscard]] uint32_t sctp_checksum(std::span<const uint8_t> bytes);

}  // namespace masugata::test
