// SPDX-License-Identifier: GPL-2.0-or-later
// A hash table of fixed size whose entries end by themselves.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace masugata::ids {

// Buckets of eight. When a bucket is full, an entry that has ended makes room, else the one that
// would end first is given up (lost() counts them). Time is packet time in microseconds and may
// stand still, but what runs back is treated as standing still. Not shared between threads.
// `Key` is compared as bytes: it must have no padding.
template <class Key, class Value>
class ExpiringTable {
 public:
  // `buckets` is a power of two.
  explicit ExpiringTable(size_t buckets) : buckets_(buckets) {}

  // Null when there is none or it has ended at `now_us`.
  [[nodiscard]] Value* find(const Key& key, uint64_t now_us) noexcept {
    for (Entry& entry : bucket_of(key)) {
      if (entry.ends_us > now_us && std::memcmp(&entry.key, &key, sizeof key) == 0) {
        return &entry.value;
      }
    }
    return nullptr;
  }

  // A new value that ends at `ends_us`; what was there under the key is replaced.
  Value& put(const Key& key, uint64_t now_us, uint64_t ends_us) noexcept {
    Entry* chosen = nullptr;
    for (Entry& entry : bucket_of(key)) {
      if (std::memcmp(&entry.key, &key, sizeof key) == 0) {
        chosen = &entry;
        break;
      }
      if (chosen == nullptr || entry.ends_us < chosen->ends_us) {
        chosen = &entry;
      }
    }
    if (chosen->ends_us > now_us && std::memcmp(&chosen->key, &key, sizeof key) != 0) {
      ++lost_;
    }
    *chosen = Entry{key, ends_us, Value{}};
    return chosen->value;
  }

  // Moves the end of an entry that find() returned.
  void prolong(const Key& key, uint64_t ends_us) noexcept {
    for (Entry& entry : bucket_of(key)) {
      if (std::memcmp(&entry.key, &key, sizeof key) == 0) {
        entry.ends_us = ends_us;
      }
    }
  }

  void remove(const Key& key) noexcept { prolong(key, 0); }
  void clear() noexcept {
    for (Bucket& bucket : buckets_) {
      bucket = Bucket{};
    }
  }
  [[nodiscard]] uint64_t lost() const noexcept { return lost_; }

 private:
  struct Entry {
    Key key{};
    uint64_t ends_us = 0;
    Value value{};
  };
  using Bucket = std::array<Entry, 8>;

  Bucket& bucket_of(const Key& key) noexcept {
    uint64_t words[(sizeof(Key) + 7) / 8] = {};
    std::memcpy(words, &key, sizeof key);
    uint64_t hash = 0x9e3779b97f4a7c15ULL;
    for (const uint64_t word : words) {
      const auto product = static_cast<unsigned __int128>(hash ^ word) * 0xd6e8feb86659fd93ULL;
      hash = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64U);
      hash += 0xa0761d6478bd642fULL;
    }
    return buckets_[(hash ^ hash >> 32U) & (buckets_.size() - 1)];
  }

  std::vector<Bucket> buckets_;
  uint64_t lost_ = 0;
};

}  // namespace masugata::ids
