// SPDX-License-Identifier: GPL-2.0-or-later
// The variables of a scenario: counters of repeat and values that expectations captured.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace masugata::test {

using Variables = std::map<std::string, std::string>;

// Replaces every `$name` that has a value; `$name+3` and `$name-3` are computed modulo 2^32 when
// the value is a number. Names are letters, digits and '_'. Unknown ones stay.
[[nodiscard]] std::string substitute(std::string_view text, const Variables& variables);

}  // namespace masugata::test
