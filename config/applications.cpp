// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/applications.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace masugata::config {
namespace {

struct Application {
  std::string_view name;
  ApplicationCategory category;
};

constexpr Application kApplications[] = {
#include "config/applications_table.inc"
};

constexpr std::array<std::string_view, static_cast<size_t>(ApplicationCategory::Count)>
    kCategoryNames{
#define MASUGATA_X(enumerator, name) name,
        MASUGATA_APPLICATION_CATEGORIES(MASUGATA_X)
#undef MASUGATA_X
    };

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& character : lower) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character + 32);
  }
  return lower;
}

// Insertions, removals and replacements that lead from one to the other.
size_t distance(std::string_view one, std::string_view other) {
  std::vector<size_t> row(other.size() + 1);
  for (size_t column = 0; column <= other.size(); ++column) row[column] = column;
  for (size_t line = 1; line <= one.size(); ++line) {
    size_t diagonal = std::exchange(row[0], line);
    for (size_t column = 1; column <= other.size(); ++column) {
      const size_t replaced = diagonal + (one[line - 1] == other[column - 1] ? 0 : 1);
      diagonal = row[column];
      row[column] = std::min({replaced, row[column] + 1, row[column - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

size_t application_count() noexcept { return std::size(kApplications); }

std::string_view application_name(ApplicationId id) noexcept {
  return kApplications[id < std::size(kApplications) ? id : kUnknownApplication].name;
}

ApplicationCategory category_of(ApplicationId id) noexcept {
  return kApplications[id < std::size(kApplications) ? id : kUnknownApplication].category;
}

std::string_view category_name(ApplicationCategory category) noexcept {
  return kCategoryNames[static_cast<size_t>(category)];
}

std::optional<ApplicationId> find_application(std::string_view name) {
  const std::string wanted = in_lower_case(name);
  if (wanted == kApplications[0].name) return kUnknownApplication;
  const auto* begin = std::begin(kApplications) + 1;
  const auto* found = std::lower_bound(
      begin, std::end(kApplications), wanted,
      [](const Application& left, const std::string& right) { return left.name < right; });
  if (found == std::end(kApplications) || found->name != wanted) return std::nullopt;
  return static_cast<ApplicationId>(found - std::begin(kApplications));
}

std::optional<ApplicationCategory> find_category(std::string_view name) {
  const auto* found = std::find(kCategoryNames.begin(), kCategoryNames.end(), name);
  if (found == kCategoryNames.end()) return std::nullopt;
  return static_cast<ApplicationCategory>(found - kCategoryNames.begin());
}

std::vector<std::string> applications_like(std::string_view text, size_t maximum) {
  const std::string wanted = in_lower_case(text.substr(0, 64));
  std::vector<std::pair<size_t, std::string_view>> near;
  for (const Application& application : kApplications) {
    size_t apart = distance(wanted, application.name);
    if (wanted.size() >= 3 && application.name.find(wanted) != std::string_view::npos) apart = 1;
    if (apart <= 2 || apart * 3 <= wanted.size()) near.emplace_back(apart, application.name);
  }
  std::sort(near.begin(), near.end());
  std::vector<std::string> names;
  for (size_t index = 0; index < std::min(near.size(), maximum); ++index) {
    names.emplace_back(near[index].second);
  }
  return names;
}

}  // namespace masugata::config
