// SPDX-License-Identifier: GPL-2.0-or-later
// Which rules' address sets hold an address: for the hundreds of rules that are lists of hosts.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "ids/rules/rule.h"
#include "net/address.h"

namespace masugata::ids {

// The addresses are cut at every border of a range; each piece knows its rules. Built once on the
// control thread; immutable then. Memory: eight to twenty-four bytes per border and four per rule
// and piece.
class AddressIndex {
 public:
  // `set` is not any. Call before build().
  void add(const AddressSet& set, uint32_t rule);
  void build();
  // The rules whose set holds `address`, ascending.
  [[nodiscard]] std::span<const uint32_t> find(const net::IpAddress& address) const noexcept;
  [[nodiscard]] bool empty() const noexcept { return borders_.empty(); }

 private:
  struct Range {
    net::IpAddress first;
    net::IpAddress last;
    uint32_t rule = 0;
  };
  std::vector<Range> ranges_;  // until build()
  // Piece i is [borders_[i], borders_[i+1]); the rules of it are at starts_[i] .. starts_[i+1].
  std::vector<net::IpAddress> borders_;
  std::vector<uint32_t> starts_;
  std::vector<uint32_t> rules_;
};

}  // namespace masugata::ids
