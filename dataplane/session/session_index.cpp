// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/session_index.h"

#include <algorithm>
#include <iterator>

namespace masugata::dataplane {

namespace {

constexpr uint32_t kSlotsPerBucket = 8;
// At a mean of four entries in eight slots, 2 % of the buckets overflow under an even hash; the
// pool holds six times as many.
constexpr uint32_t kMeanEntriesPerBucket = 4;
constexpr uint32_t kBucketsPerOverflowBucket = 8;
constexpr uint32_t kMinimumOverflowBuckets = 16;

uint32_t buckets_for(uint32_t entry_capacity) noexcept {
  return std::max(1U, (entry_capacity + kMeanEntriesPerBucket - 1) / kMeanEntriesPerBucket);
}

uint32_t overflow_buckets_for(uint32_t entry_capacity) noexcept {
  return buckets_for(entry_capacity) / kBucketsPerOverflowBucket + kMinimumOverflowBuckets;
}

// The position of the first slot with this tag, kSlotsPerBucket when there is none.
uint32_t position_of_tag(const IndexBucket& bucket, uint16_t tag) noexcept {
  uint32_t position = 0;
  while (position < kSlotsPerBucket && bucket.tags[position] != tag) ++position;
  return position;
}

uint32_t position_of_entry(const IndexBucket& bucket, uint32_t entry) noexcept {
  uint32_t position = 0;
  while (position < kSlotsPerBucket &&
         (bucket.tags[position] == 0 || bucket.entries[position] != entry)) {
    ++position;
  }
  return position;
}

bool is_empty(const IndexBucket& bucket) noexcept {
  return std::all_of(std::begin(bucket.tags), std::end(bucket.tags),
                     [](uint16_t tag) { return tag == 0; });
}

}  // namespace

bool SessionIndex::allocate(MemorySource& memory, uint32_t entry_capacity) noexcept {
  const uint32_t overflow_count = overflow_buckets_for(entry_capacity);
  if (!buckets_.allocate(memory, buckets_for(entry_capacity), "session index") ||
      !overflow_.allocate(memory, overflow_count, "session index overflow")) {
    return false;
  }
  bucket_count_ = buckets_for(entry_capacity);
  for (uint32_t number = 0; number < overflow_count; ++number) {
    overflow_[number].overflow = number + 1 < overflow_count ? number + 2 : 0;
  }
  overflow_free_ = 1;
  overflow_in_use_ = 0;
  return true;
}

size_t SessionIndex::memory_bytes(uint32_t entry_capacity) noexcept {
  return (static_cast<size_t>(buckets_for(entry_capacity)) + overflow_buckets_for(entry_capacity)) *
         sizeof(IndexBucket);
}

bool SessionIndex::insert(uint64_t hash, uint32_t entry) noexcept {
  IndexBucket* bucket = &buckets_[bucket_of(hash)];
  for (;;) {
    const uint32_t position = position_of_tag(*bucket, 0);
    if (position < kSlotsPerBucket) {
      bucket->tags[position] = tag_of(hash);
      bucket->entries[position] = entry;
      return true;
    }
    if (bucket->overflow == 0) break;
    bucket = &overflow_[bucket->overflow - 1];
  }
  if (overflow_free_ == 0) return false;
  const uint32_t fresh_number = overflow_free_;
  IndexBucket& fresh = overflow_[fresh_number - 1];
  overflow_free_ = fresh.overflow;
  fresh = IndexBucket{};
  fresh.tags[0] = tag_of(hash);
  fresh.entries[0] = entry;
  bucket->overflow = fresh_number;
  ++overflow_in_use_;
  return true;
}

bool SessionIndex::erase(uint32_t bucket_number, uint32_t entry) noexcept {
  IndexBucket* before = nullptr;
  IndexBucket* bucket = &buckets_[bucket_number];
  for (;;) {
    const uint32_t position = position_of_entry(*bucket, entry);
    if (position < kSlotsPerBucket) {
      bucket->tags[position] = 0;
      if (before != nullptr && is_empty(*bucket)) release_overflow(*before, *bucket);
      return true;
    }
    if (bucket->overflow == 0) return false;
    before = bucket;
    bucket = &overflow_[bucket->overflow - 1];
  }
}

void SessionIndex::release_overflow(IndexBucket& before, IndexBucket& bucket) noexcept {
  const uint32_t number = before.overflow;
  before.overflow = bucket.overflow;
  bucket.overflow = overflow_free_;
  overflow_free_ = number;
  --overflow_in_use_;
}

}  // namespace masugata::dataplane
