// SPDX-License-Identifier: GPL-2.0-or-later
// IPv4 headers (RFC 791).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "net/address.h"
#include "net/byte_order.h"
#include "net/checksum.h"
#include "net/flow_key.h"

namespace masugata::net {

inline constexpr size_t kIpv4MinimumHeaderBytes = 20;

class Ipv4View {
 public:
  enum class Malformed : uint8_t { No, Short, BadVersion, BadHeaderLength, BadTotalLength };

  // `available`: bytes of the frame behind the link header. Link padding behind total_length() is
  // not part of the packet. On Malformed::No, header_bytes() <= total_length() <= available.
  static Malformed parse(const uint8_t* bytes, size_t available, Ipv4View& out) noexcept {
    if (available < kIpv4MinimumHeaderBytes) return Malformed::Short;
    if ((bytes[0] >> 4U) != 4) return Malformed::BadVersion;
    out.bytes_ = bytes;
    const size_t header = out.header_bytes();
    if (header < kIpv4MinimumHeaderBytes || header > available) return Malformed::BadHeaderLength;
    const size_t total = out.total_length();
    if (total < header || total > available) return Malformed::BadTotalLength;
    return Malformed::No;
  }

  [[nodiscard]] uint16_t header_bytes() const noexcept {
    return static_cast<uint16_t>((bytes_[0] & 0x0fU) * 4U);
  }
  [[nodiscard]] uint16_t total_length() const noexcept { return load_be16(bytes_ + 2).host(); }
  [[nodiscard]] uint8_t traffic_class() const noexcept { return bytes_[1]; }
  [[nodiscard]] Be16 identification() const noexcept { return load_be16(bytes_ + 4); }
  [[nodiscard]] bool reserved_flag() const noexcept { return (bytes_[6] & 0x80U) != 0; }
  [[nodiscard]] bool dont_fragment() const noexcept { return (bytes_[6] & 0x40U) != 0; }
  [[nodiscard]] bool more_fragments() const noexcept { return (bytes_[6] & 0x20U) != 0; }
  // In bytes.
  [[nodiscard]] uint32_t fragment_offset() const noexcept {
    return (load_be16(bytes_ + 6).host() & 0x1fffU) * 8U;
  }
  [[nodiscard]] bool is_fragment() const noexcept {
    return (load_be16(bytes_ + 6).host() & 0x3fffU) != 0;
  }
  [[nodiscard]] uint8_t ttl() const noexcept { return bytes_[8]; }
  [[nodiscard]] Protocol protocol() const noexcept { return static_cast<Protocol>(bytes_[9]); }
  [[nodiscard]] Be32 source() const noexcept { return load_be32(bytes_ + 12); }
  [[nodiscard]] Be32 destination() const noexcept { return load_be32(bytes_ + 16); }
  [[nodiscard]] bool checksum_valid() const noexcept {
    if (has_options()) return checksum_fold(checksum_add(bytes_, header_bytes())) == 0xffff;
    uint32_t words[kIpv4MinimumHeaderBytes / 4];
    std::memcpy(words, bytes_, sizeof words);
    return checksum_fold(static_cast<uint64_t>(words[0]) + words[1] + words[2] + words[3] +
                         words[4]) == 0xffff;
  }
  [[nodiscard]] bool has_options() const noexcept {
    return header_bytes() > kIpv4MinimumHeaderBytes;
  }

  enum class Options : uint8_t { Fine, Malformed, SourceRoute };
  // Walks the options once (RFC 791 section 3.1); source routing is told apart because policy
  // cannot hold for packets that choose their own way (RFC 7126 section 4.3).
  [[nodiscard]] Options check_options() const noexcept {
    const uint8_t* option = bytes_ + kIpv4MinimumHeaderBytes;
    const uint8_t* const end = bytes_ + header_bytes();
    bool source_route = false;
    while (option < end) {
      if (option[0] == 0) break;  // end of options
      if (option[0] == 1) {       // no operation
        ++option;
        continue;
      }
      if (end - option < 2) return Options::Malformed;
      const ptrdiff_t length = option[1];
      if (length < 2 || length > end - option) return Options::Malformed;
      if (option[0] == 131 || option[0] == 137) source_route = true;
      option += length;
    }
    return source_route ? Options::SourceRoute : Options::Fine;
  }

 private:
  const uint8_t* bytes_ = nullptr;
};

}  // namespace masugata::net
