// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/reading/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace masugata::config::reading {

void Context::add(Problem::Severity severity, DataNode at, std::string what, std::string accepted) {
  const text::Position position = at.position();
  problems_.add(
      {severity, position.line, position.column, at.path(), std::move(what), std::move(accepted)});
}

void Context::error(DataNode at, std::string what, std::string accepted) {
  add(Problem::Severity::Error, at, std::move(what), std::move(accepted));
}

void Context::warning(DataNode at, std::string what, std::string accepted) {
  add(Problem::Severity::Warning, at, std::move(what), std::move(accepted));
}

void Context::refuse(DataNode at) {
  const schema::StatementSchema* statement = at.statement();
  if (statement == nullptr) {
    error(at, fmt::format("'{}' is not right here", at.value()));
    return;
  }
  error(at, fmt::format("'{}' is not {}", at.value(), statement->value.noun),
        statement->value.accepted);
}

void Context::refuse_unknown(DataNode at, const char* thing, std::vector<std::string> known) {
  constexpr size_t kMaximumShown = 20;
  std::sort(known.begin(), known.end());
  std::string accepted;
  for (size_t index = 0; index < known.size() && index < kMaximumShown; ++index) {
    accepted += (accepted.empty() ? "" : ", ") + known[index];
  }
  if (known.size() > kMaximumShown)
    accepted += fmt::format(" and {} more", known.size() - kMaximumShown);
  error(at, fmt::format("no {} '{}' is defined", thing, at.value()), std::move(accepted));
}

bool Context::count(DataNode at, size_t added, size_t maximum, size_t& counter,
                    const char* things) {
  const bool reported_before = counter > maximum;
  counter += added;
  if (counter <= maximum) return true;
  if (!reported_before) {
    error(at, fmt::format("the rules up to here expand to more than {} {}", maximum, things),
          "fewer or smaller sets in rules");
  }
  return false;
}

bool Context::count_ranges(DataNode at, size_t added) {
  return count(at, added, kMaximumExpandedRanges, ranges_, "addresses, networks and ranges");
}

bool Context::count_services(DataNode at, size_t added) {
  return count(at, added, kMaximumExpandedServices, services_, "services");
}

}  // namespace masugata::config::reading
