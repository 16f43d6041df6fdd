// SPDX-License-Identifier: GPL-2.0-or-later
// Reading rule files: text in the Suricata 7/8 rule language to rules, problem by problem.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ids/rules/rule.h"
#include "result/result.h"

namespace masugata::ids {

// A rule that does not load, or a line that is no rule. Loading goes on after it.
struct RuleProblem {
  std::string file;
  uint32_t line = 0;
  uint32_t sid = 0;          // 0 when it could not be read
  std::string keyword;       // the keyword that is to blame; "header" for the part before '('
  std::string reason;        // "is not supported", "expects a number, not 'x'" ...
  bool unsupported = false;  // the language has it and we do not; else the rule is wrong
};

// What stands around the rules: variables, classes, limits. Defaults are those of an
// administrator who has said nothing: HOME_NET any, EXTERNAL_NET any, the usual ports.
struct RuleEnvironment {
  std::map<std::string, std::string>
      address_variables;                              // "HOME_NET" -> "[10.0.0.0/8,!10.1.0.0/16]"
  std::map<std::string, std::string> port_variables;  // "HTTP_PORTS" -> "[80,8080]"
  std::string classification_text;  // classification.config; empty: the built-in classes
  std::string reference_text;       // reference.config; empty: the built-in ones
  std::string threshold_text;       // threshold.config: suppress, threshold, rate_filter
  std::string data_folder;          // where dataset and hash-list files are looked for, after the
                                    // folder of the rule file
  [[nodiscard]] static RuleEnvironment defaults();
};

// `suppress gen_id 1, sig_id 5[, track by_src, ip 10.0.0.0/8]`
struct Suppression {
  uint32_t gid = 1;
  uint32_t sid = 0;  // 0 = every rule of the gid
  enum class Track : uint8_t { Rule, Source, Destination, Either } track = Track::Rule;
  AddressSet addresses;
};

// Packets for which some rules neither alert nor act. Not of rule files: who reads them adds these.
struct RuleException {
  std::vector<std::pair<uint32_t, uint32_t>> sids;  // first and last; empty = every rule
  AddressSet source;                                // both must hold the packet's
  AddressSet destination;
};

struct RuleSet {
  std::vector<std::string> files;
  std::vector<Rule> rules;  // in the order read; a later revision of a sid replaces the earlier
  std::vector<RuleProblem> problems;
  uint32_t disabled = 0;  // commented-out rules seen

  std::vector<AddressSet> address_sets;  // [0] is any
  std::vector<PortSet> port_sets;        // [0] is any
  std::vector<std::string> flowbit_names;
  std::vector<std::string> flowint_names;
  std::vector<std::string> xbit_names;
  std::vector<std::string> flow_variable_names;  // pcre captures
  std::vector<Suppression> suppressions;
  std::vector<RuleException> exceptions;
};

struct RuleText {
  std::string file;  // name for messages and the folder for relative paths
  std::string text;
};

// Reads all texts as one set. Never fails as a whole: what does not load is in `problems`.
// At most 1,000,000 rules and 64 KiB per rule; beyond, a problem. Any thread.
[[nodiscard]] RuleSet read_rules(const std::vector<RuleText>& texts,
                                 const RuleEnvironment& environment);

// Reads the files and then as above; a file that cannot be read fails all.
[[nodiscard]] Result<RuleSet> load_rule_files(const std::vector<std::string>& paths,
                                              const RuleEnvironment& environment);

// Reads and applies threshold.config text to a set already read (suppress, threshold,
// event_filter, rate_filter); problems are appended. `address_variables`: for `ip $HOME_NET`.
void apply_threshold_text(RuleSet& rules, std::string_view file, std::string_view text,
                          const std::map<std::string, std::string>& address_variables = {});

}  // namespace masugata::ids
