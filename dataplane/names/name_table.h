// SPDX-License-Identifier: GPL-2.0-or-later
// By which names servers are known to one worker: address -> names, as DNS answers taught them.
#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/policy/address_names.h"
#include "dataplane/session/memory_source.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// A longer name is known by its last bytes, which is what sets of domains look at.
inline constexpr size_t kKnownNameBytes = 79;

// What is taught: an address has a name for some time.
struct NameLesson {
  net::IpAddress address;
  uint32_t lifetime_s = 0;
  bool mentioned = false;  // some rule speaks of the name: it stays when room is short
  uint8_t name_bytes = 0;
  char name[kKnownNameBytes] = {};
  void set_name(std::string_view text) noexcept;  // lower case
  [[nodiscard]] std::string_view view() const noexcept { return {name, name_bytes}; }
};

enum class Learnt : uint8_t {
  Added,
  Renewed,   // was known
  Replaced,  // in place of something that was still valid: the table or the address is full
};

// Buckets of eight addresses, four names each. In a full bucket an address goes whose names have
// expired, else one of which no rule speaks, else the one that expires first. Expired names stay
// until their place is needed: sessions that began with them are judged again by them.
// `now_s` is the worker's clock in seconds, which does not wrap.
// Thread: the worker's, but allocate().
class NameTable {
 public:
  // `addresses` is rounded up to a power of two, at least 8. False without memory.
  [[nodiscard]] bool allocate(MemorySource& memory, uint32_t addresses,
                              const net::HashSecret& secret);
  [[nodiscard]] bool is_allocated() const noexcept { return entries_.size() != 0; }

  Learnt learn(const NameLesson& lesson, uint32_t now_s) noexcept;
  // Names that are valid at `now_s`; with `also_expired` those that were, too.
  [[nodiscard]] AddressNames find(const net::IpAddress& address, uint32_t now_s,
                                  bool also_expired) const noexcept;
  // Addresses with or without names that are still valid.
  [[nodiscard]] uint32_t size() const noexcept { return size_; }
  [[nodiscard]] size_t memory_bytes() const noexcept { return entries_.bytes(); }

 private:
  static constexpr size_t kBucket = 8;
  struct Name {
    uint32_t expires_s;
    bool mentioned;
    uint8_t bytes;  // 0 = none
    char text[kKnownNameBytes];
  };
  struct Entry {
    net::IpAddress address;
    uint32_t crowded_until_s;  // a name had to go that was valid until then
    bool used;
    bool crowded;
    Name names[kNamesOfAddress];
  };
  [[nodiscard]] Entry* bucket_of(const net::IpAddress& address) noexcept;
  [[nodiscard]] Entry& place_for(const net::IpAddress& address, uint32_t now_s,
                                 bool& replaced) noexcept;
  static Learnt add_name(Entry& entry, const NameLesson& lesson, uint32_t now_s) noexcept;

  SourcedArray<Entry> entries_;
  net::HashSecret secret_;
  uint32_t mask_ = 0;  // of buckets
  uint32_t size_ = 0;
};

// The table as policy reads it at one moment.
class KnownNames final : public NameSource {
 public:
  KnownNames(const NameTable& table, uint32_t now_s, bool also_expired) noexcept
      : table_(table), now_s_(now_s), also_expired_(also_expired) {}
  [[nodiscard]] AddressNames names_of(const net::IpAddress& address) const noexcept override {
    return table_.find(address, now_s_, also_expired_);
  }

 private:
  const NameTable& table_;
  uint32_t now_s_;
  bool also_expired_;
};

}  // namespace masugata::dataplane
