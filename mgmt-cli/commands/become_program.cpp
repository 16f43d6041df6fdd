// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/commands/become_program.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "mgmt-cli/commands/program.h"

namespace masugata::cli {

int become_program(const std::string& program, const std::vector<std::string>& arguments) {
  std::error_code error;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string beside = (own.parent_path() / program).string();
  // Services are not in the PATH of everybody.
  const std::string service = (own.parent_path().parent_path() / "sbin" / program).string();
  std::vector<char*> words = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) {
    words.push_back(const_cast<char*>(argument.c_str()));
  }
  words.push_back(nullptr);
  if (!error && access(beside.c_str(), X_OK) == 0) {
    execv(beside.c_str(), words.data());
  } else if (!error && access(service.c_str(), X_OK) == 0) {
    execv(service.c_str(), words.data());
  } else {
    execvp(program.c_str(), words.data());
  }
  const int cause = errno;
  if (cause == ENOENT) {
    std::cerr << "masugata: " << program << " is not installed beside masugata or in PATH\n";
  } else {
    std::cerr << "masugata: " << program << " cannot be started: " << std::strerror(cause) << "\n";
  }
  return kProblem;
}

}  // namespace masugata::cli
