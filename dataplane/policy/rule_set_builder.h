// SPDX-License-Identifier: GPL-2.0-or-later
// One dimension of a classifier: from the ranges that rules name to sets of rules per interval.
// Compile side of classifier.h; allocates.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dataplane/policy/interval_map.h"

namespace masugata::dataplane {

// Stores sets of positions in the form that Classifier reads: summary words, then the words that
// are not zero. Equal sets are stored once.
class RuleSetStore {
 public:
  // `words` 64-bit words per set. Offset 0 is the empty set.
  explicit RuleSetStore(uint32_t words);
  void toggle(uint32_t position) noexcept;
  // The offset of the set as it stands after the toggles so far.
  [[nodiscard]] uint32_t intern();
  [[nodiscard]] uint32_t summary_words() const noexcept {
    return static_cast<uint32_t>(summary_.size());
  }
  [[nodiscard]] size_t bytes() const noexcept { return stored_.size() * sizeof(uint64_t); }
  [[nodiscard]] std::vector<uint64_t> take();

 private:
  [[nodiscard]] bool equals(uint32_t offset) const noexcept;

  std::vector<uint64_t> current_;
  std::vector<uint64_t> summary_;
  uint64_t fingerprint_ = 0;  // of the current set; equal sets have equal fingerprints
  std::vector<uint64_t> stored_;
  std::unordered_multimap<uint64_t, uint32_t> offsets_;
};

template <class Key>
struct KeyRange {
  Key first;
  Key last;  // inclusive
  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

// Collects what rules name in one dimension. Rules that name the same ranges (a named set) are
// handled together.
template <class Key>
class DimensionBuilder {
 public:
  // `ranges` in any order, overlapping or not; an empty list matches nothing.
  void add(uint32_t position, std::vector<KeyRange<Key>> ranges) {
    if (ranges.empty()) return;
    normalise(ranges);
    positions_of_[std::move(ranges)].push_back(position);
  }

  // Every interval's set. Stops early, with a map that must not be used, when the store grows
  // beyond `maximum_bytes`: the caller checks store.bytes().
  [[nodiscard]] IntervalMap<Key> build(RuleSetStore& store, size_t maximum_bytes) const {
    std::vector<Edge> edges;
    for (const auto& [ranges, positions] : positions_of_) {
      for (const KeyRange<Key>& range : ranges) {
        edges.push_back({range.first, &positions});
        if (range.last != kLargest) edges.push_back({static_cast<Key>(range.last + 1), &positions});
      }
    }
    std::sort(edges.begin(), edges.end(),
              [](const Edge& left, const Edge& right) { return left.key < right.key; });
    IntervalMap<Key> map;
    map.append(Key{0}, 0);
    for (size_t index = 0; index < edges.size() && store.bytes() <= maximum_bytes;) {
      const Key key = edges[index].key;
      if (key == 0) map = {};
      for (; index < edges.size() && edges[index].key == key; ++index) {
        for (const uint32_t position : *edges[index].positions) store.toggle(position);
      }
      map.append(key, store.intern());
    }
    clear_open_ends(store);
    return map;
  }

 private:
  static constexpr Key kLargest = static_cast<Key>(~Key{0});
  struct Edge {
    Key key;
    const std::vector<uint32_t>* positions;
  };
  struct Ordering {
    bool operator()(const std::vector<KeyRange<Key>>& left,
                    const std::vector<KeyRange<Key>>& right) const noexcept {
      return std::lexicographical_compare(
          left.begin(), left.end(), right.begin(), right.end(),
          [](const KeyRange<Key>& one, const KeyRange<Key>& other) {
            return one.first != other.first ? one.first < other.first : one.last < other.last;
          });
    }
  };

  // Sorted, and neither overlapping nor touching: then every edge of a range changes the set.
  static void normalise(std::vector<KeyRange<Key>>& ranges) {
    std::sort(ranges.begin(), ranges.end(),
              [](const KeyRange<Key>& left, const KeyRange<Key>& right) {
                return left.first < right.first;
              });
    size_t kept = 0;
    for (size_t index = 1; index < ranges.size(); ++index) {
      KeyRange<Key>& before = ranges[kept];
      if (before.last == kLargest || ranges[index].first <= before.last + 1) {
        before.last = std::max(before.last, ranges[index].last);
      } else {
        ranges[++kept] = ranges[index];
      }
    }
    ranges.resize(kept + 1);
  }

  // Ranges that reach the largest key have no closing edge: the next dimension starts empty.
  void clear_open_ends(RuleSetStore& store) const {
    for (const auto& [ranges, positions] : positions_of_) {
      if (ranges.back().last != kLargest) continue;
      for (const uint32_t position : positions) store.toggle(position);
    }
  }

  std::map<std::vector<KeyRange<Key>>, std::vector<uint32_t>, Ordering> positions_of_;
};

}  // namespace masugata::dataplane
