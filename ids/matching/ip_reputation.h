// SPDX-License-Identifier: GPL-2.0-or-later
// Reputation of addresses for `iprep`: categories, and scores 0..127 of hosts and networks.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"
#include "result/result.h"

namespace masugata::ids {

// Filled before it is published; then immutable and read by all workers.
class IpReputationTable {
 public:
  static constexpr size_t kMaximumCategories = 60;
  static constexpr uint8_t kMaximumScore = 127;

  // "id,shortname,description" per line, ids 0..59; empty lines and # comments are passed over.
  // Fails at the first line that is none, naming file and line, and changes nothing then.
  [[nodiscard]] Status add_categories(std::string_view file, std::string_view text);
  // "address,category,score" per line, an address being a host or a CIDR network. As above.
  [[nodiscard]] Status add_scores(std::string_view file, std::string_view text);
  // Sorts what was added; lookups before it find nothing that is new.
  void finish();

  // The number of a category name; nullopt when there is none of that name.
  [[nodiscard]] std::optional<uint8_t> find_category(std::string_view name) const noexcept;
  // The score of the longest network that holds the address and has one in this category;
  // nullopt when there is none.
  [[nodiscard]] std::optional<uint8_t> score_of(const net::IpAddress& address,
                                                uint8_t category) const noexcept;
  [[nodiscard]] size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    net::IpAddress network;
    uint8_t length = 0;  // of the 128 bits
    uint8_t category = 0;
    uint8_t score = 0;
  };
  std::map<std::string, uint8_t, std::less<>> categories_;
  std::vector<Entry> entries_;  // sorted by category, length (longest first), network
  std::vector<Entry> added_;
  // Where the entries of a category and length begin; lengths that occur are in used_lengths_.
  struct Group {
    uint8_t category = 0;
    uint8_t length = 0;
    size_t begin = 0;
    size_t end = 0;
  };
  std::vector<Group> groups_;
};

}  // namespace masugata::ids
