// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/set_builder.h"

#include <filesystem>

#include "ids/rules/header_groups.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

// Equal sets have equal keys.
template <class Set>
std::string key_of(const Set& set) {
  std::string key;
  for (const auto& range : set.ranges) {
    key.append(reinterpret_cast<const char*>(&range.first), sizeof range.first);
    key.append(reinterpret_cast<const char*>(&range.second), sizeof range.second);
  }
  return key;
}

template <class Set, class ReadGroup>
Read<uint32_t> index_of_group(std::string_view text,
                              std::unordered_map<std::string, uint32_t>& texts,
                              std::unordered_map<std::string, uint32_t>& values,
                              std::vector<Set>& sets, ReadGroup read_group) {
  const auto known = texts.find(std::string(text));
  if (known != texts.end()) return known->second;
  auto set = read_group(text);
  if (!set) return tl::unexpected(set.error());
  uint32_t index = 0;
  if (!set->any) {
    const auto next = static_cast<uint32_t>(sets.size());
    const auto [place, is_new] = values.emplace(key_of(*set), next);
    if (is_new) sets.push_back(std::move(*set));
    index = place->second;
  }
  texts.emplace(std::string(text), index);
  return index;
}

}  // namespace

uint32_t NameNumbers::number_of(std::string_view name) {
  const auto [place, is_new] =
      numbers_.emplace(std::string(name), static_cast<uint32_t>(names_.size()));
  if (is_new) names_.emplace_back(name);
  return place->second;
}

SetBuilder::SetBuilder(RuleSet& set, const RuleEnvironment& environment)
    : flowbits(set.flowbit_names),
      flowints(set.flowint_names),
      xbits(set.xbit_names),
      flow_variables(set.flow_variable_names),
      set_(set),
      environment_(environment) {
  set_.address_sets.assign(1, AddressSet{});
  set_.port_sets.assign(1, PortSet{});
  const auto problem_in = [this](const char* file, const char* keyword) {
    return [this, file, keyword](uint32_t line, std::string reason) {
      set_.problems.push_back({file, line, 0, keyword, std::move(reason), false});
    };
  };
  classes_ = environment.classification_text.empty()
                 ? built_in_classes()
                 : read_classes(environment.classification_text,
                                problem_in("classification.config", "classification"));
  check_references(environment.reference_text, problem_in("reference.config", "reference"));
}

Read<uint32_t> SetBuilder::addresses(std::string_view text) {
  return index_of_group(text, address_texts_, address_values_, set_.address_sets,
                        [this](std::string_view group) {
                          return read_address_group(group, environment_.address_variables);
                        });
}

Read<uint32_t> SetBuilder::ports(std::string_view text) {
  return index_of_group(text, port_texts_, port_values_, set_.port_sets,
                        [this](std::string_view group) {
                          return read_port_group(group, environment_.port_variables);
                        });
}

const RuleClass* SetBuilder::find_class(std::string_view name) const {
  const auto found = classes_.find(name);
  return found == classes_.end() ? nullptr : &found->second;
}

Read<std::string> SetBuilder::find_data_file(uint32_t rule_file, std::string_view name) const {
  namespace fs = std::filesystem;
  const fs::path path(name);
  std::vector<fs::path> candidates{path};
  if (path.is_relative()) {
    candidates = {fs::path(set_.files[rule_file]).parent_path() / path};
    if (!environment_.data_folder.empty()) {
      candidates.push_back(fs::path(environment_.data_folder) / path);
    }
  }
  for (const fs::path& candidate : candidates) {
    std::error_code error;
    if (fs::is_regular_file(candidate, error)) return candidate.string();
  }
  return wrong("names the file " + in_quotes(name) +
               ", which is neither beside the rule file nor in the data folder");
}

}  // namespace masugata::ids
