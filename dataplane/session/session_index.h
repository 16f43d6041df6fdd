// SPDX-License-Identifier: GPL-2.0-or-later
// Hash index from flow keys to 32-bit entries: one cache line per bucket, 16-bit tags compared
// eight at a time. Knows nothing of keys: the owner confirms each candidate.
#pragma once

#include <emmintrin.h>

#include <bit>
#include <cstddef>
#include <cstdint>

#include "dataplane/session/memory_source.h"
#include "dataplane/session/prefetch.h"

namespace masugata::dataplane {

// One cache line: eight tags, eight entries, and the way to an overflow bucket.
struct alignas(64) IndexBucket {
  uint16_t tags[8];  // 0 = free
  uint32_t entries[8];
  uint32_t overflow;  // 0 = none, else overflow bucket number + 1
  uint32_t reserved[3];
};
static_assert(sizeof(IndexBucket) == 64);

// A bucket is chosen by the high half of a hash, the tag is its low 16 bits (never 0). The mean
// load is at most half of the slots; full buckets continue in overflow buckets from a bounded pool.
class SessionIndex {
 public:
  SessionIndex() = default;

  // Room for `entry_capacity` entries; false when the memory source has none.
  [[nodiscard]] bool allocate(MemorySource& memory, uint32_t entry_capacity) noexcept;
  [[nodiscard]] static size_t memory_bytes(uint32_t entry_capacity) noexcept;

  [[nodiscard]] uint32_t bucket_of(uint64_t hash) const noexcept {
    return static_cast<uint32_t>(((hash >> 32U) * bucket_count_) >> 32U);
  }
  [[nodiscard]] static uint16_t tag_of(uint64_t hash) noexcept {
    const auto tag = static_cast<uint16_t>(hash);
    return tag == 0 ? uint16_t{1} : tag;
  }
  void prefetch_bucket(uint64_t hash) const noexcept { prefetch_line(&buckets_[bucket_of(hash)]); }

  // The first entry whose tag agrees, in the home bucket only; false when there is none. A hint for
  // prefetching, not an answer.
  [[nodiscard]] bool first_candidate(uint64_t hash, uint32_t& entry) const noexcept {
    const IndexBucket& bucket = buckets_[bucket_of(hash)];
    const uint32_t hits = matching_slots(bucket, tag_of(hash));
    if (hits == 0) return false;
    entry = bucket.entries[std::countr_zero(hits) / 2];
    return true;
  }

  // The first entry with a matching tag that `confirm(entry)` accepts; false when there is none.
  template <class Confirm>
  [[nodiscard]] bool find(uint64_t hash, uint32_t& entry, Confirm&& confirm) const noexcept {
    const IndexBucket* bucket = &buckets_[bucket_of(hash)];
    const uint16_t tag = tag_of(hash);
    for (;;) {
      for (uint32_t hits = matching_slots(*bucket, tag); hits != 0; hits &= hits - 1) {
        const auto position = static_cast<uint32_t>(std::countr_zero(hits));
        const uint32_t candidate = bucket->entries[position / 2];
        if (confirm(candidate)) {
          entry = candidate;
          return true;
        }
        hits &= ~(1U << position);  // two mask bits per tag
      }
      if (bucket->overflow == 0) return false;
      bucket = &overflow_[bucket->overflow - 1];
    }
  }

  // Adds an entry (values are unique within the index); false when the bucket is full and the
  // overflow pool used up.
  [[nodiscard]] bool insert(uint64_t hash, uint32_t entry) noexcept;
  // Removes an entry that was inserted with a hash of this bucket; false when it is not there.
  bool erase(uint32_t bucket_number, uint32_t entry) noexcept;

  [[nodiscard]] uint32_t bucket_count() const noexcept { return bucket_count_; }
  [[nodiscard]] uint32_t overflow_capacity() const noexcept {
    return static_cast<uint32_t>(overflow_.size());
  }
  [[nodiscard]] uint32_t overflow_in_use() const noexcept { return overflow_in_use_; }

 private:
  // Two bits per slot whose tag agrees.
  [[nodiscard]] static uint32_t matching_slots(const IndexBucket& bucket, uint16_t tag) noexcept {
    const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(bucket.tags));
    const __m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16(static_cast<short>(tag)));
    return static_cast<uint32_t>(_mm_movemask_epi8(equal));
  }
  void release_overflow(IndexBucket& before, IndexBucket& bucket) noexcept;

  SourcedArray<IndexBucket> buckets_;
  SourcedArray<IndexBucket> overflow_;
  uint32_t bucket_count_ = 0;
  uint32_t overflow_free_ = 0;  // number + 1 of the first free overflow bucket
  uint32_t overflow_in_use_ = 0;
};

}  // namespace masugata::dataplane
