// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/names/name_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace masugata::dataplane {
namespace {

bool is_over(uint32_t expires_s, uint32_t now_s) noexcept { return expires_s <= now_s; }

// How much a name is worth keeping; grows with what may go last.
uint64_t worth(bool mentioned, uint32_t expires_s, uint32_t now_s) noexcept {
  if (is_over(expires_s, now_s)) return 0;
  return (mentioned ? uint64_t{1} << 33U : 0) + 1 + (expires_s - now_s);
}

}  // namespace

void NameLesson::set_name(std::string_view text) noexcept {
  if (text.size() > kKnownNameBytes) text = text.substr(text.size() - kKnownNameBytes);
  name_bytes = static_cast<uint8_t>(text.size());
  std::memcpy(name, text.data(), text.size());
}

bool NameTable::allocate(MemorySource& memory, uint32_t addresses, const net::HashSecret& secret) {
  const uint32_t buckets = std::bit_ceil((addresses + 7U) / 8U);
  if (!entries_.allocate(memory, size_t{buckets} * kBucket, "names of addresses")) return false;
  mask_ = buckets - 1;
  secret_ = secret;
  return true;
}

NameTable::Entry* NameTable::bucket_of(const net::IpAddress& address) noexcept {
  net::FlowKey key;
  key.source = address;
  return &entries_[(net::hash_flow(key, secret_) & mask_) * kBucket];
}

NameTable::Entry& NameTable::place_for(const net::IpAddress& address, uint32_t now_s,
                                       bool& replaced) noexcept {
  Entry* bucket = bucket_of(address);
  Entry* best = nullptr;
  uint64_t least = 0;
  for (size_t i = 0; i < kBucket; ++i) {
    Entry& entry = bucket[i];
    if (entry.used && entry.address == address) return entry;
    uint64_t value = 0;
    for (const Name& name : entry.names) {
      if (name.bytes != 0) value = std::max(value, worth(name.mentioned, name.expires_s, now_s));
    }
    // A free place before one whose names are over.
    value = entry.used ? value + 1 : 0;
    if (best == nullptr || value < least) {
      best = &entry;
      least = value;
    }
  }
  if (!best->used) ++size_;
  replaced = least > 1;
  *best = {};
  best->address = address;
  best->used = true;
  return *best;
}

Learnt NameTable::add_name(Entry& entry, const NameLesson& lesson, uint32_t now_s) noexcept {
  const uint32_t expires = now_s + lesson.lifetime_s;
  Name* place = nullptr;
  uint64_t least = 0;
  for (Name& name : entry.names) {
    if (std::string_view(name.text, name.bytes) == lesson.view()) {
      // A shorter life later does not take back a longer one: clients remember it, too.
      if (is_over(name.expires_s, expires)) name.expires_s = expires;
      name.mentioned = lesson.mentioned;
      return Learnt::Renewed;
    }
    const uint64_t value = name.bytes == 0 ? 0 : 1 + worth(name.mentioned, name.expires_s, now_s);
    if (place == nullptr || value < least) {
      place = &name;
      least = value;
    }
  }
  const bool replaced = least > 1;
  if (replaced) {
    const bool longer = !entry.crowded || is_over(entry.crowded_until_s, place->expires_s);
    entry.crowded = true;
    if (longer) entry.crowded_until_s = place->expires_s;
  }
  place->expires_s = expires;
  place->mentioned = lesson.mentioned;
  place->bytes = lesson.name_bytes;
  std::memcpy(place->text, lesson.name, lesson.name_bytes);
  return replaced ? Learnt::Replaced : Learnt::Added;
}

Learnt NameTable::learn(const NameLesson& lesson, uint32_t now_s) noexcept {
  bool replaced = false;
  Entry& entry = place_for(lesson.address, now_s, replaced);
  const Learnt learnt = add_name(entry, lesson, now_s);
  return replaced ? Learnt::Replaced : learnt;
}

AddressNames NameTable::find(const net::IpAddress& address, uint32_t now_s,
                             bool also_expired) const noexcept {
  AddressNames found;
  if (!is_allocated()) return found;
  net::FlowKey key;
  key.source = address;
  const Entry* bucket = &entries_[(net::hash_flow(key, secret_) & mask_) * kBucket];
  const Entry* end = bucket + kBucket;
  const Entry* entry = std::find_if(
      bucket, end, [&](const Entry& other) { return other.used && other.address == address; });
  if (entry == end) return found;
  for (const Name& name : entry->names) {
    if (name.bytes == 0 || (!also_expired && is_over(name.expires_s, now_s))) continue;
    found.names[found.count++] = {name.text, name.bytes};
  }
  found.more = entry->crowded && !is_over(entry->crowded_until_s, now_s);
  return found;
}

}  // namespace masugata::dataplane
