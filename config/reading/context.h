// SPDX-License-Identifier: GPL-2.0-or-later
// What the readers of the subjects share: the Model that is being made, the names that were
// defined so far, and the place where findings go. Internal to config.
#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/model.h"
#include "config/problem.h"
#include "config/schema/data_tree.h"

namespace masugata::config::reading {

using schema::DataNode;

// A definition that rules refer to by name, with the note whether any did.
template <class Value>
struct Definition {
  Value value;
  DataNode node;  // empty for what is built in
  bool used = false;
};

template <class Value>
using Definitions = std::unordered_map<std::string, Definition<Value>>;

struct Names {
  Definitions<std::vector<net::AddressRange>> address_sets;  // includes resolved, ranges merged
  Definitions<std::vector<ServiceMatch>> services;           // services and service sets
  Definitions<Schedule> schedules;
  Definitions<uint16_t> domain_sets;                 // indexes into Model::domain_sets
  Definitions<uint16_t> pools;                       // indexes into Model::nat_pools
  Definitions<uint16_t> ips_profiles;                // indexes into Model::ips.profiles
  Definitions<uint16_t> av_profiles;                 // indexes into Model::antivirus.profiles
  std::unordered_map<std::string, ZoneIndex> zones;  // with `self`, without `any`
  std::unordered_map<std::string, uint16_t> interfaces;
};

// Bounds of the Model as a whole: what sets expand to in all rules together.
inline constexpr size_t kMaximumExpandedRanges = 4'000'000;
inline constexpr size_t kMaximumExpandedServices = 1'000'000;

class Context {
 public:
  Context(const schema::DataTree& tree, ProblemList& problems, std::chrono::sys_seconds now)
      : tree_(tree), problems_(problems), now_(now) {}

  [[nodiscard]] const schema::DataTree& tree() const { return tree_; }
  [[nodiscard]] std::chrono::sys_seconds now() const { return now_; }
  Model model;
  Names names;

  void error(DataNode at, std::string what, std::string accepted = {});
  void warning(DataNode at, std::string what, std::string accepted = {});
  // With errors, what seems to be missing may only have been left out for being wrong.
  [[nodiscard]] bool has_errors() const { return problems_.has_errors(); }
  // "'x' is not a port", with what the schema says about the statement.
  void refuse(DataNode at);
  // "no zone 'x' is defined", with the names that are (some of them when they are many).
  template <class Map>
  void refuse_name(DataNode at, const char* thing, const Map& defined) {
    std::vector<std::string> known;
    // Listing the names costs more than everything else: only while anyone will read it.
    if (!problems_.is_full()) {
      for (const auto& [name, value] : defined) known.push_back(name);
    }
    refuse_unknown(at, thing, std::move(known));
  }

  // Count what the Model grows by; false, with one error, once a bound is exceeded.
  bool count_ranges(DataNode at, size_t added);
  bool count_services(DataNode at, size_t added);

 private:
  void add(Problem::Severity severity, DataNode at, std::string what, std::string accepted);
  void refuse_unknown(DataNode at, const char* thing, std::vector<std::string> known);
  bool count(DataNode at, size_t added, size_t maximum, size_t& counter, const char* things);

  const schema::DataTree& tree_;
  ProblemList& problems_;
  std::chrono::sys_seconds now_;
  size_t ranges_ = 0;
  size_t services_ = 0;
};

[[nodiscard]] inline Place place_of(DataNode node) {
  const text::Position position = node.position();
  return {position.line, position.column};
}

// The value of a numeric leaf; its type has been checked. `fallback` when it is not written.
template <class Number>
[[nodiscard]] Number number_or(DataNode leaf, Number fallback) {
  if (!leaf) return fallback;
  const std::string_view text = leaf.value();
  Number number = fallback;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace masugata::config::reading
