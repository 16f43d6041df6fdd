// SPDX-License-Identifier: GPL-2.0-or-later
// The configurations that docs/vpn.md shows: each is taken as it stands there, with what the page
// leaves to the reader put in.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "config/load.h"

namespace masugata::config {
namespace {

constexpr const char* kPage = "/docs/vpn.md";
constexpr const char* kOffice = R"(
interfaces {
    interface wan0 { device 0000:01:00.0; address 203.0.113.2/24; }
    interface lan0 { device 0000:02:00.0; address 10.0.1.1/24; }
}
zones { zone wan { interface wan0; } zone lan { interface lan0; } zone branches { } }
ips { rules { file /etc/masugata/rules/office.rules; } profile office { } }
av { profile office { } }
)";

// The blocks between ``` that are configurations: shell commands have no braces at their beginning.
std::vector<std::string> configurations() {
  std::ifstream file(std::string(MASUGATA_SOURCE_ROOT) + kPage);
  std::vector<std::string> found;
  std::string line, block;
  bool inside = false;
  while (std::getline(file, line)) {
    if (!line.starts_with("```")) {
      if (inside) block += line + "\n";
      continue;
    }
    const std::string first = block.substr(0, block.find('\n'));
    if (inside && first.find('{') != std::string::npos) found.push_back(block);
    inside = !inside;
    block.clear();
  }
  return found;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
}

// What stands for "..." on the page.
std::string completed(std::string text) {
  replace_all(text, "wan0 { device ...;", "wan0 { device 0000:01:00.0;");
  replace_all(text, "lan0 { device ...;", "lan0 { device 0000:02:00.0;");
  replace_all(text, "site osaka { ...;",
              "site osaka { peer 198.51.100.7; zone branches; authentication { psk-file "
              "/etc/masugata/secrets/osaka; }");
  const bool whole = text.find("interfaces {") != std::string::npos;
  return whole ? text : kOffice + text;
}

// What kOffice has and a block does not need.
bool is_of_the_office(const Problem& problem) {
  return problem.severity == Problem::Severity::Warning &&
         (problem.what.find("nothing uses") != std::string::npos ||
          problem.what == "the zone has no interface");
}

TEST(DocumentedTunnels, AreTakenAsTheyStand) {
  const std::vector<std::string> all = configurations();
  ASSERT_EQ(all.size(), 7U) << "not all of " << kPage << " is looked at, or more than it";
  for (const std::string& block : all) {
    const std::string text = completed(block);
    EXPECT_EQ(text.find("..."), std::string::npos) << text;
    const Loaded loaded = load_text(text, "vpn.md");
    EXPECT_TRUE(loaded.model) << text;
    for (const Problem& problem : loaded.problems) {
      if (is_of_the_office(problem)) continue;
      ADD_FAILURE() << format_problem(problem, "vpn.md") << "\n" << text;
    }
  }
}

}  // namespace
}  // namespace masugata::config
