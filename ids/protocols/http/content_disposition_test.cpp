// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/content_disposition.h"

#include <gtest/gtest.h>

namespace masugata::ids {
namespace {

TEST(ContentDisposition, FindsParameters) {
  EXPECT_EQ(find_parameter("a; NAME=b ; c=d", "name"), "b");
  EXPECT_EQ(find_parameter("a; x=\"1;name=no\"; name=\"yes;\"", "name"), "yes;");
  EXPECT_EQ(find_parameter("a; name=\"q\\\"uote\"", "name"), "q\\\"uote");
  EXPECT_EQ(find_parameter("a; name=\"open", "name"), "open");
  EXPECT_EQ(find_parameter("a; names=b", "name"), std::nullopt);
  EXPECT_EQ(find_parameter("", "name"), std::nullopt);
}

TEST(ContentDisposition, PrefersThePlainFileName) {
  EXPECT_EQ(file_name_of("attachment; filename*=UTF-8''b.txt; filename=a.txt"), "a.txt");
  EXPECT_EQ(file_name_of("attachment; filename*=UTF-8'en'b.txt"), "b.txt");
  EXPECT_EQ(file_name_of("attachment; filename=\"\""), std::nullopt);
  EXPECT_EQ(file_name_of("inline"), std::nullopt);
}

}  // namespace
}  // namespace masugata::ids
