// SPDX-License-Identifier: GPL-2.0-or-later
// Literals that are searched for all at once: a Hyperscan database in block mode, and which rules
// each literal speaks for.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "result/result.h"

struct hs_database;
struct hs_scratch;

namespace masugata::ids {

struct DatabaseCloser {
  void operator()(hs_database* database) const noexcept;
};
using DatabasePointer = std::unique_ptr<hs_database, DatabaseCloser>;

// Receives the numbers of rules whose literal is present. Called during scan().
class PatternGroup {
 public:
  // Bytes of a literal beyond this are not searched for: the rule is verified anyway.
  static constexpr size_t kLongestLiteral = 64;
  static constexpr uint32_t kAnywhere = UINT32_MAX;
  // For scan(): nothing is known of the place of the bytes, or rules do not agree where to count
  // from.
  static constexpr uint64_t kUnplaced = UINT64_MAX;

  // Building, on the control thread: add everything, then compile once.
  // `bytes` is not empty; caseless ones may be in any case. `last_end`: it counts only where it
  // ends at or before that byte of what is searched.
  void add(std::string_view bytes, bool caseless, uint32_t rule, uint32_t last_end = kAnywhere);
  [[nodiscard]] bool empty() const noexcept { return literals_.empty(); }
  [[nodiscard]] size_t literal_count() const noexcept { return literals_.size(); }
  // Longest literal in bytes: how far apart two scans of one stream must overlap, plus one.
  [[nodiscard]] size_t longest() const noexcept { return longest_; }
  // Bytes of the database and the tables; 0 before compile().
  [[nodiscard]] size_t memory_bytes() const noexcept;

  // Sorts the literals, then takes the database from `cache_folder` (empty: none) or compiles it
  // and leaves it there. `from_cache` says which. May run on several groups at once.
  [[nodiscard]] Status compile(const std::string& cache_folder, bool& from_cache);
  [[nodiscard]] const hs_database* database() const noexcept { return database_.get(); }

  // Calls `found(rule)` for each rule of each literal inside `bytes`; a rule may come more than
  // once. `first` is the number of bytes[0] in the buffer. `scratch` was made for this database.
  template <class Found>
  void scan(std::span<const uint8_t> bytes, uint64_t first, hs_scratch* scratch,
            Found&& found) const noexcept {
    if (!database_ || bytes.empty()) {
      return;
    }
    struct Context {
      uint64_t first;
      std::remove_reference_t<Found>& found;
    } context{first, found};
    auto relay = [](const PatternGroup& group, uint32_t literal, uint64_t end,
                    void* given) noexcept {
      const Context& wanted = *static_cast<Context*>(given);
      // Only the first place of a literal is told, and no other could end earlier.
      const uint64_t place = wanted.first == kUnplaced ? 0 : wanted.first + end;
      for (uint32_t i = group.first_rule_[literal]; i < group.first_rule_[literal + 1]; ++i) {
        if (place <= group.rules_[i].last_end) {
          wanted.found(group.rules_[i].number);
        }
      }
    };
    scan_with(bytes, scratch, relay, &context);
  }

 private:
  struct PlacedRule {
    uint32_t number = 0;
    uint32_t last_end = kAnywhere;
    friend auto operator<=>(const PlacedRule&, const PlacedRule&) noexcept = default;
  };
  struct Literal {
    std::string bytes;
    bool caseless = false;
    std::vector<PlacedRule> rules;
  };
  using Relay = void (*)(const PatternGroup&, uint32_t literal, uint64_t end, void*) noexcept;
  void scan_with(std::span<const uint8_t> bytes, hs_scratch* scratch, Relay relay,
                 void* context) const noexcept;
  void number_literals();

  std::vector<Literal> literals_;     // while building: unsorted
  std::vector<uint32_t> first_rule_;  // by literal: where its rules begin in rules_
  std::vector<PlacedRule> rules_;
  size_t longest_ = 0;
  DatabasePointer database_;
};

}  // namespace masugata::ids
