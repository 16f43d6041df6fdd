// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/wire_checksum.h"

namespace masugata::test {
namespace {

// Big-endian 16-bit words; an odd last byte is the high half of a word.
uint32_t sum_words(std::span<const uint8_t> bytes, size_t field_offset) {
  uint32_t sum = 0;
  for (size_t index = 0; index < bytes.size(); ++index) {
    if (index == field_offset || index == field_offset + 1) continue;
    sum += index % 2 == 0 ? static_cast<uint32_t>(bytes[index]) << 8U : bytes[index];
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return sum;
}

uint16_t finish(uint32_t sum) {
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<uint16_t>(~sum);
}

}  // namespace

uint16_t header_checksum(std::span<const uint8_t> bytes, size_t field_offset) {
  return finish(sum_words(bytes, field_offset));
}

uint16_t transport_checksum(std::span<const uint8_t> bytes, size_t field_offset, uint8_t protocol,
                            const AddressBytes& source, const AddressBytes& destination) {
  constexpr size_t kNoField = SIZE_MAX - 1;
  uint32_t sum = sum_words(bytes, field_offset);
  sum += sum_words({source.bytes.data(), source.size}, kNoField);
  sum += sum_words({destination.bytes.data(), destination.size}, kNoField);
  sum += protocol;
  sum += static_cast<uint32_t>(bytes.size() >> 16U) + static_cast<uint32_t>(bytes.size() & 0xffffU);
  return finish(sum);
}

uint32_t sctp_checksum(std::span<const uint8_t> bytes) {
  uint32_t crc = 0xffffffffU;
  for (size_t index = 0; index < bytes.size(); ++index) {
    crc ^= index >= 8 && index < 12 ? 0U : bytes[index];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
  }
  return __builtin_bswap32(~crc);
}

}  // namespace masugata::test
