// SPDX-License-Identifier: GPL-2.0-or-later
// Classes of rules: what `classtype` names, with their description and priority.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace masugata::ids {

struct RuleClass {
  std::string description;
  uint8_t priority = 3;  // 1 is the highest
};
using RuleClasses = std::map<std::string, RuleClass, std::less<>>;

// The classes that rule sets expect everywhere.
[[nodiscard]] RuleClasses built_in_classes();

// Reads "config classification: NAME,DESCRIPTION,PRIORITY" lines; calls `on_problem` with line and
// reason for every line that is something else.
[[nodiscard]] RuleClasses read_classes(
    std::string_view text, const std::function<void(uint32_t, std::string)>& on_problem);

// Checks "config reference: NAME URL" lines in the same way; the addresses are of no use here.
void check_references(std::string_view text,
                      const std::function<void(uint32_t, std::string)>& on_problem);

}  // namespace masugata::ids
