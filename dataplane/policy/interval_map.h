// SPDX-License-Identifier: GPL-2.0-or-later
// A total function from unsigned integers to small values, constant on intervals.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "net/address.h"
#include "net/byte_order.h"

namespace masugata::dataplane {

using Address128 = unsigned __int128;

// An IPv6 address (or a v4-mapped one) as a number.
[[nodiscard]] inline Address128 number_of(const net::IpAddress& address) noexcept {
  return static_cast<Address128>(__builtin_bswap64(address.high_word())) << 64U |
         __builtin_bswap64(address.low_word());
}
[[nodiscard]] inline net::IpAddress address_of(Address128 number) noexcept {
  const uint64_t words[2] = {__builtin_bswap64(static_cast<uint64_t>(number >> 64U)),
                             __builtin_bswap64(static_cast<uint64_t>(number))};
  net::IpAddress address;
  std::memcpy(address.bytes.data(), words, sizeof words);
  return address;
}

// Built in ascending order by append(), then read only.
template <class Key>
class IntervalMap {
 public:
  // From `start` up to the next appended start the value is `value`. The first start must be 0,
  // starts must ascend. Equal neighbours are merged.
  void append(Key start, uint32_t value) {
    if (!values_.empty() && values_.back() == value) return;
    starts_.push_back(start);
    values_.push_back(value);
  }
  // Value at `key`. Undefined on an empty map. Branch-free binary search.
  [[nodiscard]] uint32_t at(Key key) const noexcept {
    const Key* base = starts_.data();
    size_t length = starts_.size();
    while (length > 1) {
      const size_t half = length / 2;
      base += static_cast<size_t>(base[half] <= key) * half;
      length -= half;
    }
    return values_[static_cast<size_t>(base - starts_.data())];
  }
  [[nodiscard]] size_t size() const noexcept { return starts_.size(); }
  [[nodiscard]] size_t memory_bytes() const noexcept {
    return starts_.capacity() * sizeof(Key) + values_.capacity() * sizeof(uint32_t);
  }

 private:
  std::vector<Key> starts_;
  std::vector<uint32_t> values_;
};

}  // namespace masugata::dataplane
