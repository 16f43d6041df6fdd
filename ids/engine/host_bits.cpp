// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/engine/host_bits.h"

#include <algorithm>
#include <functional>
#include <string>

namespace masugata::ids {

size_t HostBits::keys_of(const XbitsMatch& match, const std::vector<std::string>& names,
                         const Question& question, Key (&keys)[2]) noexcept {
  const uint64_t name =
      match.bit < names.size() ? std::hash<std::string>{}(names[match.bit]) : match.bit;
  keys[0].name = keys[1].name = name;
  switch (match.track) {
    case XbitsMatch::Track::Source:
      keys[0].first = *question.source;
      return 1;
    case XbitsMatch::Track::Destination:
      keys[0].first = *question.destination;
      return 1;
    case XbitsMatch::Track::Both:
      keys[0].first = *question.source;
      keys[1].first = *question.destination;
      return 2;
    case XbitsMatch::Track::Pair:
      keys[0].first = std::min(*question.source, *question.destination);
      keys[0].second = std::max(*question.source, *question.destination);
      keys[0].place = 1;
      return 1;
    case XbitsMatch::Track::Transaction:
      keys[0].place = question.transaction + 2;
      return question.transaction == 0 ? 0 : 1;
  }
  return 0;
}

bool HostBits::check(const XbitsMatch& match, const std::vector<std::string>& names,
                     const Question& question) noexcept {
  Key keys[2];
  const size_t count = keys_of(match, names, question, keys);
  bool any = false;
  for (size_t i = 0; i < count; ++i) {
    any = any || is_set(bits_, keys[i], question.time_us);
  }
  return match.operation == XbitsMatch::Operation::IsNotSet ? !any : any;
}

void HostBits::carry_out(const XbitsMatch& match, const std::vector<std::string>& names,
                         const Question& question) noexcept {
  Key keys[2];
  const size_t count = keys_of(match, names, question, keys);
  for (size_t i = 0; i < count; ++i) {
    const bool set = match.operation == XbitsMatch::Operation::Set ||
                     (match.operation == XbitsMatch::Operation::Toggle &&
                      !is_set(bits_, keys[i], question.time_us));
    if (set) {
      bits_.put(keys[i], question.time_us,
                question.time_us + match.expire_seconds * uint64_t{1'000'000});
    } else {
      bits_.remove(keys[i]);
    }
  }
}

}  // namespace masugata::ids
