// SPDX-License-Identifier: GPL-2.0-or-later
// Compiled pattern databases kept on disk under the name of what they were compiled from, so that
// a start or a reload with the same rules does not compile again.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ids/plan/pattern_group.h"

namespace masugata::ids {

// SHA-256 of `text` in lower-case hexadecimal.
[[nodiscard]] std::string digest_of(std::string_view text);

// The database kept under `name`, or null: not there, damaged, or of another Hyperscan.
[[nodiscard]] DatabasePointer load_database(const std::string& folder, const std::string& name);

// Keeps `database` under `name`, in place at once or not at all. A folder that cannot be written
// is no failure: the next start compiles again.
void keep_database(const std::string& folder, const std::string& name, const hs_database* database);

}  // namespace masugata::ids
