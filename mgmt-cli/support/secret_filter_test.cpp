// SPDX-License-Identifier: GPL-2.0-or-later
#include "mgmt-cli/support/secret_filter.h"

#include <gtest/gtest.h>

namespace masugata::cli {
namespace {

constexpr const char* kSecret = "correct horse";

TEST(SecretFilter, HidesASecretInEveryForm) {
  SecretFilter filter;
  filter.add(kSecret);
  std::string text =
      "a correct horse, 636f727265637420686f727365, 636F727265637420686F727365, "
      "Y29ycmVjdCBob3JzZQ==; correct horsecorrect horse";
  EXPECT_EQ(filter.hide_in(text), 6U);
  EXPECT_EQ(text.find("horse"), std::string::npos) << text;
  EXPECT_EQ(text.find("636"), std::string::npos) << text;
  EXPECT_EQ(text.find("Y29ycmVjdCBob3Jz"), std::string::npos) << text;
  EXPECT_EQ(text.substr(0, 11), "a (hidden),");
}

TEST(SecretFilter, LeavesOrdinaryWordsAlone) {
  SecretFilter filter;
  filter.add("a");
  filter.add("");
  filter.add(kSecret);
  std::string text = "a correct hors and a secret";
  EXPECT_EQ(filter.hide_in(text), 0U);
  EXPECT_EQ(text, "a correct hors and a secret");
}

TEST(SecretFilter, KnowsTheSecretsOfTheConfiguration) {
  config::Model model;
  model.vpn.sites.resize(2);
  model.vpn.sites[1].psk = config::Secret(kSecret);
  model.vpn.sites[0].psk_file = "/nonexistent";
  SecretFilter filter;
  filter.add_secrets_of(model);
  std::string text = "psk \"correct horse\";";
  EXPECT_EQ(filter.hide_in(text), 1U);
}

}  // namespace
}  // namespace masugata::cli
