// SPDX-License-Identifier: GPL-2.0-or-later
// Profiles by name as the packet path numbers them: a name keeps its slot for as long as the
// gateway runs, whatever its place in the configuration.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "result/result.h"

namespace masugata::dataplane {

// Control thread.
class ProfileSlots {
 public:
  // `kind`: the statement that names the profiles, for faults. At most `maximum` slots.
  ProfileSlots(std::string kind, size_t maximum) : kind_(std::move(kind)), maximum_(maximum) {}

  // Whether all of `profiles`, which have names, could have slots; changes nothing.
  template <class Profiles>
  [[nodiscard]] Status check(const Profiles& profiles) const {
    size_t wanted = names_.size();
    for (const auto& profile : profiles) wanted += find(profile.name).has_value() ? 0U : 1U;
    return wanted <= maximum_ ? Status() : too_many(kind_);
  }
  template <class Profiles>
  void add_all(const Profiles& profiles) {
    for (const auto& profile : profiles) add(profile.name);
  }
  void add(const std::string& name) {
    if (!find(name)) names_.push_back(name);
  }

  [[nodiscard]] std::optional<size_t> find(const std::string& name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) return std::nullopt;
    return static_cast<size_t>(found - names_.begin());
  }
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
  [[nodiscard]] size_t size() const noexcept { return names_.size(); }
  [[nodiscard]] bool full() const noexcept { return names_.size() >= maximum_; }
  [[nodiscard]] Status too_many(const std::string& kind) const {
    return failure(kind, fmt::format("more than {} different profiles since the start of "
                                     "masugatad: restart it",
                                     maximum_));
  }

 private:
  std::string kind_;
  size_t maximum_;
  std::vector<std::string> names_;  // by slot
};

}  // namespace masugata::dataplane
