// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/platform/kernel_drops.h"

#include <fstream>
#include <sstream>
#include <string>

namespace masugata::dataplane {

std::optional<uint64_t> received_drops(std::istream& table, std::string_view interface) {
  std::string line;
  while (std::getline(table, line)) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const size_t begin = line.find_first_not_of(' ');
    if (std::string_view(line).substr(begin, colon - begin) != interface) continue;
    std::istringstream figures(line.substr(colon + 1));
    uint64_t bytes = 0, packets = 0, errors = 0, drops = 0;
    if (figures >> bytes >> packets >> errors >> drops) return drops;
  }
  return std::nullopt;
}

uint64_t received_drops(std::string_view interface) {
  std::ifstream table("/proc/net/dev");
  return received_drops(table, interface).value_or(0);
}

}  // namespace masugata::dataplane
