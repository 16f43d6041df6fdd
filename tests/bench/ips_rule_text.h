// SPDX-License-Identifier: GPL-2.0-or-later
// Rule sets of any size for measuring, with the mix of protocols and keywords that public sets
// have.
#pragma once

#include <cstddef>
#include <string>

namespace masugata::bench {

// `count` rules in the rule language, the same text in every run.
[[nodiscard]] std::string make_rule_text(size_t count);

}  // namespace masugata::bench
