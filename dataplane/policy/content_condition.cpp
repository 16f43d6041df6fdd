// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/policy/content_condition.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace masugata::dataplane {
namespace {

static_assert(static_cast<size_t>(config::ApplicationCategory::Count) <= 32);

constexpr uint32_t bit_of(config::ApplicationCategory category) noexcept {
  return uint32_t{1} << static_cast<uint32_t>(category);
}

Result<std::string> read_list(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return failure(path, std::string("cannot be read: ") + std::strerror(errno));
  std::string text(kMaximumListBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return failure(path, "cannot be read to its end");
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaximumListBytes) return failure(path, "is larger than 64 MiB");
  return text;
}

Status add_file(const std::string& path, net::DomainSet& set) {
  const auto text = read_list(path);
  if (!text) return tl::unexpected(text.error());
  const net::DomainListReport report = net::read_domain_list(*text, kMaximumListNames, set);
  if (report.too_many) {
    return failure(path, "holds more than " + std::to_string(kMaximumListNames) + " names");
  }
  if (report.first_wrong != 0) {
    return failure(path, "line " + std::to_string(report.first_wrong) + ": '" + report.wrong +
                             "' is not a domain name");
  }
  return {};
}

}  // namespace

Result<std::vector<std::shared_ptr<const net::DomainSet>>> load_domain_sets(
    const std::vector<config::DomainSet>& sets) {
  std::vector<std::shared_ptr<const net::DomainSet>> loaded;
  for (const config::DomainSet& source : sets) {
    auto set = std::make_shared<net::DomainSet>();
    for (const net::DomainPattern& pattern : source.domains) set->add(pattern);
    if (!source.file.empty()) {
      if (Status added = add_file(source.file, *set); !added) {
        return failure("line " + std::to_string(source.place.line) + ", domain-set " + source.name,
                       added.error().message());
      }
    }
    loaded.push_back(std::move(set));
  }
  return loaded;
}

ContentCondition::ContentCondition(const config::PolicyRule& rule,
                                   const std::vector<std::shared_ptr<const net::DomainSet>>& sets)
    : applications_(rule.applications) {
  std::sort(applications_.begin(), applications_.end());
  for (const config::ApplicationCategory category : rule.categories)
    categories_ |= bit_of(category);
  for (const uint16_t index : rule.domain_sets) domains_.push_back(sets[index]);
  if (rule.domains.empty()) return;
  auto own = std::make_shared<net::DomainSet>();
  for (const net::DomainPattern& pattern : rule.domains) own->add(pattern);
  domains_.push_back(std::move(own));
}

bool ContentCondition::has_application(const ApplicationFacts& content) const noexcept {
  if (applications_.empty() && categories_ == 0) return true;
  const auto names = [this](config::ApplicationId id) noexcept {
    return std::binary_search(applications_.begin(), applications_.end(), id);
  };
  if (names(content.application)) return true;
  if (content.carrier != config::kUnknownApplication && names(content.carrier)) return true;
  return (categories_ & bit_of(config::category_of(content.application))) != 0;
}

bool ContentCondition::holds(std::string_view name) const noexcept {
  return std::any_of(domains_.begin(), domains_.end(),
                     [name](const auto& set) noexcept { return set->matches(name); });
}

bool ContentCondition::matches(const ApplicationFacts& content,
                               const AddressNames& names) const noexcept {
  if (!content.known || !has_application(content)) return false;
  if (domains_.empty()) return true;
  if (!content.host.empty()) return holds(content.host);
  return std::any_of(names.names.begin(), names.names.begin() + names.count,
                     [this](std::string_view name) noexcept { return holds(name); });
}

bool ContentCondition::matches_address(const AddressNames& names) const noexcept {
  if (domains_.empty() || !applications_.empty() || categories_ != 0) return false;
  if (names.count == 0 || names.more) return false;
  return std::all_of(names.names.begin(), names.names.begin() + names.count,
                     [this](std::string_view name) noexcept { return holds(name); });
}

}  // namespace masugata::dataplane
