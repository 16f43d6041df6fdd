// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/plan/address_index.h"

#include <algorithm>
#include <set>

namespace masugata::ids {

void AddressIndex::add(const AddressSet& set, uint32_t rule) {
  for (const auto& [first, last] : set.ranges) {
    ranges_.push_back({first, last, rule});
  }
}

void AddressIndex::build() {
  struct Event {
    net::IpAddress border;
    bool begins = false;
    uint32_t rule = 0;
  };
  std::vector<Event> events;
  for (const Range& range : ranges_) {
    events.push_back({range.first, true, range.rule});
    const net::IpAddress after = range.last.next();
    // The very last address has none after it: that piece has no end.
    if (after > range.last) {
      events.push_back({after, false, range.rule});
    }
  }
  std::sort(events.begin(), events.end(),
            [](const Event& left, const Event& right) { return left.border < right.border; });
  std::multiset<uint32_t> open;
  for (size_t i = 0; i < events.size();) {
    const net::IpAddress border = events[i].border;
    for (; i < events.size() && events[i].border == border; ++i) {
      if (events[i].begins) {
        open.insert(events[i].rule);
      } else {
        open.extract(events[i].rule);
      }
    }
    borders_.push_back(border);
    starts_.push_back(static_cast<uint32_t>(rules_.size()));
    std::unique_copy(open.begin(), open.end(), std::back_inserter(rules_));
  }
  starts_.push_back(static_cast<uint32_t>(rules_.size()));
  ranges_ = {};
}

std::span<const uint32_t> AddressIndex::find(const net::IpAddress& address) const noexcept {
  const auto after = std::upper_bound(borders_.begin(), borders_.end(), address);
  if (after == borders_.begin()) {
    return {};
  }
  const auto piece = static_cast<size_t>(after - borders_.begin() - 1);
  return std::span(rules_).subspan(starts_[piece], starts_[piece + 1] - starts_[piece]);
}

}  // namespace masugata::ids
