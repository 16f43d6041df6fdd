// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/twin_counters.h"

#include <fstream>
#include <iterator>
#include <sstream>

namespace masugata::dataplane {

std::map<std::string, TwinCounters> parse_twin_counters(std::string_view text) {
  std::map<std::string, TwinCounters> counters;
  std::istringstream lines{std::string(text)};
  std::string line;
  while (std::getline(lines, line)) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const size_t begin = line.find_first_not_of(' ');
    std::istringstream fields(line.substr(colon + 1));
    // Both halves begin: bytes packets errs drop; the first one has eight columns.
    uint64_t value[12] = {};
    bool complete = true;
    for (uint64_t& field : value) complete = complete && (fields >> field);
    if (!complete) continue;
    TwinCounters& twin = counters[line.substr(begin, colon - begin)];
    twin.to_kernel = {value[1], value[0], value[2], value[3]};
    twin.from_kernel = {value[9], value[8], value[10], value[11]};
  }
  return counters;
}

std::map<std::string, TwinCounters> read_twin_counters() {
  std::ifstream file("/proc/self/net/dev");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return parse_twin_counters(text);
}

}  // namespace masugata::dataplane
