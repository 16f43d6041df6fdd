// SPDX-License-Identifier: GPL-2.0-or-later
// Objects that were found clean, by their SHA-256 and the signatures that found them so.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

namespace masugata::av {

using Sha256 = std::array<uint8_t, 32>;

// A table of fixed size: each digest has four places, the one used longest ago gives way. The
// digest is compared whole, so nobody but who can break SHA-256 makes two objects meet. An entry
// says nothing for other signatures or other limits than those it was made with.
// Thread: one worker's. Packet path but for the constructor.
class CleanObjects {
 public:
  // `entries` is rounded up to a power of two of at least 4; 48 bytes each.
  explicit CleanObjects(uint32_t entries);

  // `engine` stands for signatures and limits, never 0.
  [[nodiscard]] bool contains(const Sha256& digest, uint64_t engine) noexcept;
  void add(const Sha256& digest, uint64_t engine) noexcept;
  void clear() noexcept;

 private:
  static constexpr uint32_t kWays = 4;
  struct Entry {
    Sha256 digest{};
    uint64_t engine = 0;  // 0 = free
    uint64_t used = 0;
  };
  [[nodiscard]] Entry* bucket_of(const Sha256& digest) noexcept;

  std::unique_ptr<Entry[]> entries_;
  uint32_t mask_ = 0;  // of buckets
  uint64_t tick_ = 0;
};

}  // namespace masugata::av
