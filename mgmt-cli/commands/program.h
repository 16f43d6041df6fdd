// SPDX-License-Identifier: GPL-2.0-or-later
// The program `masugata` behind main(): options, dispatch, exit status.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace masugata::cli {

// Scripts rely on these.
enum ExitStatus : int {
  kDone = 0,
  kProblem = 1,  // errors in the configuration, a refusal, a denied explain is kDone
  kUsage = 2,
  kUnreachable = 3,  // no gateway to talk to
};

// What the program touches outside of itself.
struct Surroundings {
  std::ostream& output;
  std::ostream& errors;
  std::function<std::optional<std::string>(const std::string& name)> environment;
  // Becomes another program of the package; returns, with the exit status, only when that fails.
  std::function<int(const std::string& program, const std::vector<std::string>& arguments)> become =
      {};
};

// `arguments` without the program's name. Never throws.
[[nodiscard]] int run_program(const std::vector<std::string>& arguments, Surroundings surroundings);

}  // namespace masugata::cli
