// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <utility>

#include "config/reading/readers.h"

namespace masugata::config::reading {
namespace {

constexpr size_t kMaximumDomainSets = 1024;
constexpr size_t kNamesShown = 8;

void refuse_application(Context& context, DataNode leaf) {
  std::string accepted;
  for (const std::string& name : applications_like(leaf.value(), kNamesShown)) {
    accepted += (accepted.empty() ? "" : ", ") + name;
  }
  if (accepted.empty()) accepted = "a name of docs/applications.md, for example bittorrent";
  context.error(leaf, fmt::format("no application '{}' is recognised", leaf.value()),
                std::move(accepted));
}

// False after an error.
bool read_domain_of_rule(Context& context, DataNode leaf, PolicyRule& rule) {
  const auto set = context.names.domain_sets.find(std::string(leaf.value()));
  if (set != context.names.domain_sets.end()) {
    set->second.used = true;
    rule.domain_sets.push_back(set->second.value);
    return true;
  }
  if (leaf.value().find('.') == std::string_view::npos) {
    context.refuse_name(leaf, "domain set", context.names.domain_sets);
    return false;
  }
  auto pattern = net::parse_domain_pattern(leaf.value());
  if (!pattern) {
    context.refuse(leaf);
    return false;
  }
  rule.domains.push_back(std::move(*pattern));
  return true;
}

}  // namespace

void read_domain_sets(Context& context) {
  for (const DataNode node : context.tree().top("sets").children("domain-set")) {
    if (context.model.domain_sets.size() == kMaximumDomainSets) {
      context.error(node, fmt::format("more than {} domain sets", kMaximumDomainSets));
      return;
    }
    DomainSet set;
    set.name = node.child("name").value();
    set.place = place_of(node);
    set.file = node.child("file").value();
    for (const DataNode leaf : node.children("domain")) {
      auto pattern = net::parse_domain_pattern(leaf.value());
      if (pattern) {
        set.domains.push_back(std::move(*pattern));
      } else {
        context.refuse(leaf);
      }
    }
    const auto index = static_cast<uint16_t>(context.model.domain_sets.size());
    context.names.domain_sets[set.name] = {index, node, false};
    context.model.domain_sets.push_back(std::move(set));
  }
}

bool read_applications_of_rule(Context& context, DataNode node, PolicyRule& rule) {
  bool right = true;
  for (const DataNode leaf : node.children("application")) {
    if (const auto application = find_application(leaf.value())) {
      rule.applications.push_back(*application);
    } else {
      refuse_application(context, leaf);
      right = false;
    }
  }
  for (const DataNode leaf : node.children("application-category")) {
    // A value that is no category has been reported with its type.
    if (const auto category = find_category(leaf.value())) {
      rule.categories.push_back(*category);
    } else {
      right = false;
    }
  }
  for (const DataNode leaf : node.children("domain")) {
    right = read_domain_of_rule(context, leaf, rule) && right;
  }
  return right;
}

}  // namespace masugata::config::reading
