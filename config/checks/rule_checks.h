// SPDX-License-Identifier: GPL-2.0-or-later
// What is formally right in a rule but cannot be meant. Internal to config.
#pragma once

#include <string>
#include <unordered_map>

#include "config/reading/context.h"

namespace masugata::config::checks {

// Errors: source and destination have no family in common, or none that the protocol has.
void check_rule_families(reading::Context& context, schema::DataNode node, const PolicyRule& rule);

// Warnings: statements that have no effect with the action of the rule.
void check_rule_effect(reading::Context& context, schema::DataNode node, const PolicyRule& rule);

// Warnings for rules that can never match: behind a rule of the section that matches everything,
// or with exactly the conditions of an earlier one. Constant time per rule.
class ShadowCheck {
 public:
  explicit ShadowCheck(reading::Context& context) : context_(context) {}
  void add(schema::DataNode node, const PolicyRule& rule);

 private:
  reading::Context& context_;
  std::string catch_all_;                                 // name of the rule that takes the rest
  std::unordered_map<std::string, std::string> earlier_;  // conditions -> name
};

}  // namespace masugata::config::checks
