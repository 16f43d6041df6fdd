// SPDX-License-Identifier: GPL-2.0-or-later
// Groups as rule headers write them, for addresses and ports alike:
//   any   10.0.0.1   !10.0.0.1   $HOME_NET   [10.0.0.0/8,!10.1.0.0/16,[$A,!$B]]
// A list is what its plain members hold together, less what its '!' members hold.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ids/rules/keyword_outcome.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {

// Traits: Value, static Range universe(), static Value next(Value), previous(Value) (never called
// at the ends of the universe), static std::optional<Range> read(std::string_view).
template <class Traits>
class GroupReader {
 public:
  using Value = typename Traits::Value;
  using Range = std::pair<Value, Value>;
  using Ranges = std::vector<Range>;

  explicit GroupReader(const std::map<std::string, std::string>& variables)
      : variables_(variables) {}

  // Sorted, disjoint, not adjacent, never empty.
  [[nodiscard]] Read<Ranges> read(std::string_view text) {
    members_ = 0;
    return read_member(text, 0);
  }

  static void merge(Ranges& ranges) {
    std::sort(ranges.begin(), ranges.end());
    Ranges merged;
    for (const Range& range : ranges) {
      if (!merged.empty() && (merged.back().second == Traits::universe().second ||
                              range.first <= Traits::next(merged.back().second))) {
        merged.back().second = std::max(merged.back().second, range.second);
      } else {
        merged.push_back(range);
      }
    }
    ranges = std::move(merged);
  }

  // Both sorted and disjoint.
  static Ranges subtract(const Ranges& from, const Ranges& what) {
    Ranges result;
    for (const Range& range : from) {
      Value first = range.first;
      bool left = true;
      for (const Range& hole : what) {
        if (hole.second < first || hole.first > range.second) continue;
        if (hole.first > first) result.push_back({first, Traits::previous(hole.first)});
        left = hole.second < range.second;
        if (!left) break;
        first = Traits::next(hole.second);
      }
      if (left) result.push_back({first, range.second});
    }
    return result;
  }

 private:
  static constexpr int kMaximumNesting = 24;
  static constexpr size_t kMaximumMembers = 16384;  // variables that name variables multiply

  Read<Ranges> read_member(std::string_view text, int nesting) {
    text = trimmed(text);
    if (nesting > kMaximumNesting) return wrong("is nested too deeply, or a variable names itself");
    if (++members_ > kMaximumMembers) return wrong("has too many members");
    if (text.empty()) return wrong("expects an address or port, not nothing");
    if (has_outer_comma(text)) return read_list(text, nesting);
    if (text.front() == '!') {
      auto inner = read_member(text.substr(1), nesting + 1);
      if (!inner) return inner;
      Ranges rest = subtract({Traits::universe()}, *inner);
      if (rest.empty())
        return wrong("matches nothing: " + in_quotes(text) + " excludes everything");
      return rest;
    }
    if (text.front() == '[') {
      if (text.back() != ']') return wrong("has a '[' without ']'");
      return read_list(text.substr(1, text.size() - 2), nesting);
    }
    if (text.front() == '$') {
      const auto found = variables_.find(std::string(text.substr(1)));
      if (found == variables_.end()) return wrong("uses the unknown variable " + in_quotes(text));
      return read_member(found->second, nesting + 1);
    }
    if (same_ignoring_case(text, "any")) return Ranges{Traits::universe()};
    if (const auto range = Traits::read(text)) return Ranges{*range};
    return wrong(std::string("expects ") + Traits::kExpected + ", not " + in_quotes(text));
  }

  Read<Ranges> read_list(std::string_view text, int nesting) {
    Ranges included;
    Ranges excluded;
    bool any_included = false;
    while (true) {
      const size_t end = outer_comma(text);
      std::string_view member = trimmed(text.substr(0, end));
      const bool negated = member.starts_with('!');
      auto ranges = read_member(negated ? member.substr(1) : member, nesting + 1);
      if (!ranges) return ranges;
      Ranges& target = negated ? excluded : included;
      target.insert(target.end(), ranges->begin(), ranges->end());
      any_included = any_included || !negated;
      if (end == std::string_view::npos) break;
      text.remove_prefix(end + 1);
    }
    if (!any_included) included.push_back(Traits::universe());
    merge(included);
    merge(excluded);
    Ranges result = subtract(included, excluded);
    if (result.empty()) return wrong("matches nothing: everything in it is excluded again");
    return result;
  }

  static size_t outer_comma(std::string_view text) noexcept {
    int nesting = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '[') ++nesting;
      if (text[i] == ']') --nesting;
      if (text[i] == ',' && nesting == 0) return i;
    }
    return std::string_view::npos;
  }
  static bool has_outer_comma(std::string_view text) noexcept {
    return outer_comma(text) != std::string_view::npos;
  }

  const std::map<std::string, std::string>& variables_;
  size_t members_ = 0;
};

}  // namespace masugata::ids
