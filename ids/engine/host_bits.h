// SPDX-License-Identifier: GPL-2.0-or-later
// xbits and hostbits: bits of a host, or of a pair of hosts, that end by themselves.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ids/engine/expiring_table.h"
#include "ids/rules/condition.h"
#include "net/address.h"

namespace masugata::ids {

// Of one worker: hosts whose flows are spread over workers have their bits per worker. At the
// bound the bit that ends first is forgotten.
class HostBits {
 public:
  explicit HostBits(size_t buckets) : bits_(buckets) {}

  struct Question {
    const net::IpAddress* source = nullptr;  // of the packet at hand
    const net::IpAddress* destination = nullptr;
    uint64_t transaction = 0;  // unique number of the flow's transaction, 0 = none
    uint64_t time_us = 0;
  };
  // `names` are those of the plan: a bit keeps its meaning over a change of the plan.
  [[nodiscard]] bool check(const XbitsMatch& match, const std::vector<std::string>& names,
                           const Question& question) noexcept;
  void carry_out(const XbitsMatch& match, const std::vector<std::string>& names,
                 const Question& question) noexcept;
  [[nodiscard]] uint64_t lost() const noexcept { return bits_.lost(); }

 private:
  struct Key {
    net::IpAddress first;
    net::IpAddress second;
    uint64_t name = 0;  // hash of the name
    uint64_t place = 0;
  };
  struct Nothing {};
  [[nodiscard]] static bool is_set(ExpiringTable<Key, Nothing>& bits, const Key& key,
                                   uint64_t now_us) noexcept {
    return bits.find(key, now_us) != nullptr;
  }
  // Up to two keys: `both` means the bit on either host.
  static size_t keys_of(const XbitsMatch& match, const std::vector<std::string>& names,
                        const Question& question, Key (&keys)[2]) noexcept;
  ExpiringTable<Key, Nothing> bits_;
};

}  // namespace masugata::ids
