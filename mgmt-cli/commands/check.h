// SPDX-License-Identifier: GPL-2.0-or-later
// `masugata check FILE`: the configuration's own checks, without a gateway.
#pragma once

#include <iosfwd>
#include <string>

namespace masugata::cli {

// Problems go to `errors`, one per line, and the summary to `output`; with `as_json` one object to
// `output`. Returns kDone or kProblem (errors; warnings alone are fine).
[[nodiscard]] int run_check(const std::string& file, bool as_json, std::ostream& output,
                            std::ostream& errors);

}  // namespace masugata::cli
