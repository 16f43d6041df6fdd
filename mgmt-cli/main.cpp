// SPDX-License-Identifier: GPL-2.0-or-later
// The command `masugata`.
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include "mgmt-cli/commands/become_program.h"
#include "mgmt-cli/commands/program.h"

int main(int count, char** arguments) {
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
  return masugata::cli::run_program(
      {arguments + 1, arguments + count},
      {std::cout, std::cerr, environment, masugata::cli::become_program});
}
