// SPDX-License-Identifier: GPL-2.0-or-later
// What the rules of one set share while they are read: numbered names, groups, classes, files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ids/rules/classification.h"
#include "ids/rules/keyword_outcome.h"
#include "ids/rules/rule_set.h"

namespace masugata::ids {

// Numbers names in the order of their first use; the names are kept in the rule set.
class NameNumbers {
 public:
  explicit NameNumbers(std::vector<std::string>& names) : names_(names) {}
  [[nodiscard]] uint32_t number_of(std::string_view name);

 private:
  std::vector<std::string>& names_;
  std::unordered_map<std::string, uint32_t> numbers_;
};

class SetBuilder {
 public:
  // Both outlive the builder. Reads the classes and checks the references of the environment.
  SetBuilder(RuleSet& set, const RuleEnvironment& environment);
  SetBuilder(const SetBuilder&) = delete;
  SetBuilder& operator=(const SetBuilder&) = delete;

  // Index into RuleSet::address_sets / port_sets; equal groups share one.
  [[nodiscard]] Read<uint32_t> addresses(std::string_view text);
  [[nodiscard]] Read<uint32_t> ports(std::string_view text);

  // Null when the class is unknown.
  [[nodiscard]] const RuleClass* find_class(std::string_view name) const;

  // The path of a data file that a rule names: as it is when absolute, else beside the rule file,
  // else in the data folder. Error: there is no such file.
  [[nodiscard]] Read<std::string> find_data_file(uint32_t rule_file, std::string_view name) const;

  NameNumbers flowbits;
  NameNumbers flowints;
  NameNumbers xbits;
  NameNumbers flow_variables;

 private:
  RuleSet& set_;
  const RuleEnvironment& environment_;
  RuleClasses classes_;
  std::unordered_map<std::string, uint32_t> address_texts_;
  std::unordered_map<std::string, uint32_t> port_texts_;
  std::unordered_map<std::string, uint32_t> address_values_;
  std::unordered_map<std::string, uint32_t> port_values_;
};

}  // namespace masugata::ids
