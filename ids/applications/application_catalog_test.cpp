// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/applications/application_catalog.h"

#include <gtest/gtest.h>

#include "ids/applications/application_classifier.h"

namespace masugata::ids {
namespace {

TEST(ApplicationCatalog, SpellsNamesAsRulesDo) {
  EXPECT_EQ(application_name_of("MS_OneDrive"), "ms-onedrive");
  EXPECT_EQ(application_name_of("Sina(Weibo)"), "sina-weibo");
  EXPECT_EQ(application_name_of("Z39.50"), "z39.50");
}

TEST(ApplicationCatalog, KnowsTheApplicationsOfTheConfigurationLanguage) {
  const auto classifier = ApplicationClassifier::create(1);
  ASSERT_NE(classifier, nullptr);
  // One line of config/applications_table.inc per name that stands here.
  EXPECT_EQ(classifier->catalog().differences(), std::vector<std::string>{});
}

}  // namespace
}  // namespace masugata::ids
