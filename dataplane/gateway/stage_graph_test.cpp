// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/stage_graph.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace masugata::dataplane {
namespace {

TEST(StageGraph, IsDrawnInTheArchitecturesText) {
  std::ifstream file(MASUGATA_ARCHITECTURE_FILE);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_NE(text.find("\n```\n" + stage_graph_text() + "```\n"), std::string::npos)
      << MASUGATA_ARCHITECTURE_FILE << " should hold, as a block of its own:\n"
      << stage_graph_text();
}

}  // namespace
}  // namespace masugata::dataplane
