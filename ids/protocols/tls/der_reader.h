// SPDX-License-Identifier: GPL-2.0-or-later
// Elements of DER (X.690) one after the other. Not a validating reader: lengths are checked,
// canonical form is not.
#pragma once

#include <cstdint>
#include <span>

#include "ids/protocols/byte_reader.h"

namespace masugata::ids::der {

inline constexpr uint8_t kBoolean = 0x01;
inline constexpr uint8_t kInteger = 0x02;
inline constexpr uint8_t kBitString = 0x03;
inline constexpr uint8_t kOctetString = 0x04;
inline constexpr uint8_t kObjectIdentifier = 0x06;
inline constexpr uint8_t kUtcTime = 0x17;
inline constexpr uint8_t kGeneralizedTime = 0x18;
inline constexpr uint8_t kUniversalString = 0x1c;
inline constexpr uint8_t kBmpString = 0x1e;
inline constexpr uint8_t kSequence = 0x30;
inline constexpr uint8_t kSet = 0x31;

struct Element {
  uint8_t tag = 0;
  std::span<const uint8_t> content;
};

class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) noexcept : reader_(bytes) {}

  [[nodiscard]] bool at_end() const noexcept { return reader_.left() == 0; }
  // The tag of the next element; 0 at the end.
  [[nodiscard]] uint8_t next_tag() const noexcept {
    return at_end() ? uint8_t{0} : reader_.rest().front();
  }
  // False when no whole element is there: `truncated()` tells whether its header is not even.
  bool next(Element& element) noexcept {
    element.tag = reader_.u8();
    const uint8_t first = reader_.u8();
    size_t length = first;
    if ((first & 0x80U) != 0) {
      const size_t octets = first & 0x7fU;
      if (octets == 0 || octets > 4) return false;
      length = 0;
      for (size_t index = 0; index < octets; ++index) length = length << 8U | reader_.u8();
    }
    truncated_ = !reader_.ok();
    element.content = reader_.take(length);
    return reader_.ok();
  }
  // As above when the next element has `tag`; otherwise false and nothing is taken.
  bool next_if(uint8_t tag, Element& element) noexcept {
    return next_tag() == tag && next(element);
  }
  [[nodiscard]] bool truncated() const noexcept { return truncated_; }

 private:
  ByteReader reader_;
  bool truncated_ = false;
};

}  // namespace masugata::ids::der
