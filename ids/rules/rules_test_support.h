// SPDX-License-Identifier: GPL-2.0-or-later
// For tests: one rule from its options or its whole text.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

#include "ids/rules/rule_set.h"

namespace masugata::ids {

// The set of one text, with HOME_NET 10.0.0.0/8 and EXTERNAL_NET the rest.
inline RuleSet read_text(std::string text) {
  RuleEnvironment environment = RuleEnvironment::defaults();
  environment.address_variables["HOME_NET"] = "10.0.0.0/8";
  environment.address_variables["EXTERNAL_NET"] = "!$HOME_NET";
  return read_rules({{"test.rules", std::move(text)}}, environment);
}

// "alert tcp any any -> any any (OPTIONS sid:1;)"; the header may be another one.
inline RuleSet read_options(std::string_view options,
                            std::string_view header = "alert tcp any any -> any any") {
  return read_text(std::string(header) + " (" + std::string(options) + " sid:1;)");
}

// The rule, which must have loaded; an empty rule otherwise, with a failure.
inline Rule rule_of(const RuleSet& set) {
  for (const RuleProblem& problem : set.problems) {
    ADD_FAILURE() << problem.keyword << ": " << problem.reason;
  }
  if (set.rules.size() == 1) return set.rules[0];
  ADD_FAILURE() << set.rules.size() << " rules instead of one";
  return {};
}
inline Rule loaded(std::string_view options,
                   std::string_view header = "alert tcp any any -> any any") {
  return rule_of(read_options(options, header));
}

// Match number `index` of buffer number `buffer` as a T.
template <class T>
T match_of(const Rule& rule, size_t index = 0, size_t buffer = 0) {
  if (buffer < rule.buffers.size() && index < rule.buffers[buffer].matches.size()) {
    if (const T* match = std::get_if<T>(&rule.buffers[buffer].matches[index])) return *match;
  }
  ADD_FAILURE() << "no such match";
  return {};
}

template <class T>
T condition_of(const Rule& rule, size_t index = 0) {
  if (index < rule.conditions.size()) {
    if (const T* condition = std::get_if<T>(&rule.conditions[index])) return *condition;
  }
  ADD_FAILURE() << "no such condition";
  return {};
}

// One rule that must not load: which keyword is to blame, and a part of the reason.
struct WrongOption {
  const char* options;
  const char* keyword;
  const char* reason;
  const char* header = "alert tcp any any -> any any";
};

inline void expect_problem(const WrongOption& wrong, bool unsupported = false) {
  SCOPED_TRACE(wrong.options);
  const RuleSet set = read_options(wrong.options, wrong.header);
  EXPECT_TRUE(set.rules.empty());
  ASSERT_EQ(set.problems.size(), 1U);
  const RuleProblem& problem = set.problems[0];
  EXPECT_EQ(problem.keyword, wrong.keyword);
  EXPECT_NE(problem.reason.find(wrong.reason), std::string::npos) << problem.reason;
  EXPECT_EQ(problem.unsupported, unsupported);
  EXPECT_EQ(problem.sid, 1U);
  EXPECT_EQ(problem.line, 1U);
}

}  // namespace masugata::ids
