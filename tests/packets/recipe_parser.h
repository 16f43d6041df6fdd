// SPDX-License-Identifier: GPL-2.0-or-later
// Recipe text -> recipe. README.md in this folder is the grammar with examples.
#pragma once

#include <string_view>

#include "result/result.h"
#include "tests/packets/recipe.h"

namespace masugata::test {

// The result is completed(). Values may be "*" or "$name"; building such a recipe fails, matching
// with it does not. Fault: `where` is the layer, `what` names the word and what was expected.
[[nodiscard]] Result<Recipe> parse_recipe(std::string_view text);

}  // namespace masugata::test
