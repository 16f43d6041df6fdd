// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/objects/clean_objects.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace masugata::av {

CleanObjects::CleanObjects(uint32_t entries) {
  const uint32_t count = std::bit_ceil(std::max(entries, kWays));
  entries_ = std::make_unique<Entry[]>(count);
  mask_ = count / kWays - 1;
}

CleanObjects::Entry* CleanObjects::bucket_of(const Sha256& digest) noexcept {
  uint32_t number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  return &entries_[size_t{number & mask_} * kWays];
}

bool CleanObjects::contains(const Sha256& digest, uint64_t engine) noexcept {
  Entry* bucket = bucket_of(digest);
  for (uint32_t way = 0; way < kWays; ++way) {
    if (bucket[way].engine == engine && bucket[way].digest == digest) {
      bucket[way].used = ++tick_;
      return true;
    }
  }
  return false;
}

void CleanObjects::add(const Sha256& digest, uint64_t engine) noexcept {
  Entry* bucket = bucket_of(digest);
  Entry* place = bucket;
  for (uint32_t way = 0; way < kWays; ++way) {
    // The same object under older signatures gives its place first.
    if (bucket[way].digest == digest) {
      place = &bucket[way];
      break;
    }
    if (bucket[way].used < place->used) place = &bucket[way];
  }
  *place = {digest, engine, ++tick_};
}

void CleanObjects::clear() noexcept {
  std::fill_n(entries_.get(), (size_t{mask_} + 1) * kWays, Entry{});
}

}  // namespace masugata::av
