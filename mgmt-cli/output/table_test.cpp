// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/output/table.h"

#include <gtest/gtest.h>

namespace masugata::cli {
namespace {

TEST(Table, FitsItsColumnsToWhatStandsInThem) {
  Table table({{"NAME"}, {"COUNT", Align::Right}, {"REST"}});
  EXPECT_EQ(table.to_string(), "");
  table.add_row({"a", "1", "x"});
  table.add_row({"longer", "1,234,567", ""});
  EXPECT_EQ(table.to_string(),
            "NAME        COUNT  REST\n"
            "a               1  x\n"
            "longer  1,234,567\n");
}

TEST(Table, LeavesOutColumnsThatSayNothing) {
  Table table({{"NAME"}, {"VLAN"}, {"ZONE"}});
  table.add_row({"a", "", "lan"});
  EXPECT_EQ(table.to_string("  "), "  NAME  ZONE\n  a     lan\n");
}

TEST(Table, NamesCannotPlayWithTheTerminal) {
  Table table({{"NAME"}, {"X"}});
  table.add_row({"a\x1b[2J\nb", "x"});
  EXPECT_EQ(table.to_string(), "NAME     X\na?[2J?b  x\n");
}

TEST(Table, CountsCharactersNotBytes) {
  Table table({{"N"}, {"X"}});
  table.add_row({"\xc3\xa4\xc3\xb6", "1"});
  table.add_row({"abc", "2"});
  EXPECT_EQ(table.to_string(), "N    X\n\xc3\xa4\xc3\xb6   1\nabc  2\n");
}

}  // namespace
}  // namespace masugata::cli
