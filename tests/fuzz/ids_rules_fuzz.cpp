// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as a rule file and as threshold.config: no crash; every problem fits on a line; every
// index in a rule that loads is in bounds; the text kept of a rule reads as the same rule again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ids/rules/rule_set.h"

namespace {

using namespace masugata::ids;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_operand(const Rule& rule, const std::optional<Operand>& operand) {
  if (operand && operand->variable) require(*operand->variable < rule.variable_count);
}

void check_content(const Rule& rule, const ContentMatch& content) {
  require(!content.bytes.empty());
  require(content.fast_pattern_offset + content.fast_pattern_length <= content.bytes.size());
  require(content.replacement.empty() || content.replacement.size() == content.bytes.size());
  require(!(content.relative() && (content.offset || content.depth)));
  for (const auto& operand : {content.offset, content.depth, content.distance, content.within}) {
    check_operand(rule, operand);
  }
}

void check_buffers(const Rule& rule) {
  for (const BufferMatches& buffer : rule.buffers) {
    require(!buffer.matches.empty());
    require(static_cast<size_t>(buffer.buffer) < kBufferCount);
    for (const PayloadMatch& match : buffer.matches) {
      if (const auto* content = std::get_if<ContentMatch>(&match)) check_content(rule, *content);
      if (const auto* test = std::get_if<ByteTest>(&match)) {
        check_operand(rule, test->value);
        check_operand(rule, test->reading.byte_count);
      }
      if (const auto* math = std::get_if<ByteMath>(&match)) {
        require(math->variable < rule.variable_count);
        check_operand(rule, math->right);
      }
      if (const auto* extract = std::get_if<ByteExtract>(&match)) {
        require(extract->variable < rule.variable_count);
        require(extract->multiplier != 0);
      }
    }
  }
}

void check_conditions(const RuleSet& set, const Rule& rule) {
  for (const Condition& condition : rule.conditions) {
    if (const auto* bits = std::get_if<FlowbitsMatch>(&condition)) {
      require(!bits->bits.empty());
      for (const uint32_t bit : bits->bits) require(bit < set.flowbit_names.size());
    }
    if (const auto* counter = std::get_if<FlowintMatch>(&condition)) {
      require(counter->variable < set.flowint_names.size());
      require(!counter->other || *counter->other < set.flowint_names.size());
    }
    if (const auto* bit = std::get_if<XbitsMatch>(&condition)) {
      require(bit->bit < set.xbit_names.size());
    }
  }
}

void check_rule(const RuleSet& set, const Rule& rule, const RuleEnvironment& environment) {
  require(rule.sid != 0 && rule.priority != 0);
  require(rule.file < set.files.size());
  require(rule.source < set.address_sets.size() && rule.destination < set.address_sets.size());
  require(rule.source_port < set.port_sets.size() && rule.destination_port < set.port_sets.size());
  require(rule.variable_count <= kMaximumRuleVariables);
  check_buffers(rule);
  check_conditions(set, rule);
  const RuleSet again = read_rules({{"fuzz", rule.text}}, environment);
  require(again.rules.size() == 1);
  require(again.rules[0].sid == rule.sid && again.rules[0].message == rule.message);
  require(again.rules[0].conditions.size() == rule.conditions.size());
  require(again.rules[0].buffers.size() == rule.buffers.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const RuleEnvironment environment = RuleEnvironment::defaults();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  RuleSet set = read_rules({{"fuzz", std::string(text)}}, environment);
  for (const Rule& rule : set.rules) check_rule(set, rule, environment);
  apply_threshold_text(set, "fuzz", text, environment.address_variables);
  for (const RuleProblem& problem : set.problems) {
    require(!problem.reason.empty());
    require(problem.reason.find('\n') == std::string::npos);
  }
  return 0;
}
