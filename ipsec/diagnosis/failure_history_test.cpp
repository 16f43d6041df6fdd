// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/diagnosis/failure_history.h"

#include <gtest/gtest.h>

namespace masugata::ipsec {
namespace {

Failure failure(FailureKind kind, int64_t at, const char* received = "x") {
  Failure made;
  made.kind = kind;
  made.site = "osaka";
  made.received = received;
  made.first = made.last = at;
  return made;
}

TEST(FailureHistory, CountsWhatRepeatsAndTellsOfItSeldom) {
  FailureHistory history;
  int alerts = 0;
  for (int i = 0; i < 150; ++i) {
    const auto added = history.add(failure(FailureKind::Secret, 100 + i));
    alerts += added.alert_due ? 1 : 0;
    ASSERT_EQ(added.failure->count, static_cast<uint64_t>(i + 1));
  }
  EXPECT_EQ(alerts, 3);  // 1, 10, 100
  const auto kept = history.of_site("osaka");
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].failure.first, 100);
  EXPECT_EQ(kept[0].failure.last, 249);
}

TEST(FailureHistory, StandsUntilTheTunnelIsUp) {
  FailureHistory history;
  history.add(failure(FailureKind::Secret, 1));
  history.add(failure(FailureKind::IkeProposal, 2));
  EXPECT_EQ(history.standing("osaka")->kind, FailureKind::IkeProposal);
  EXPECT_EQ(history.came_up("osaka").size(), 2U);
  EXPECT_FALSE(history.standing("osaka"));
  EXPECT_EQ(history.of_site("osaka").size(), 2U);
  EXPECT_TRUE(history.came_up("osaka").empty());
  // Back again: that is news.
  EXPECT_TRUE(history.add(failure(FailureKind::Secret, 9)).alert_due);
  EXPECT_EQ(history.standing("osaka")->count, 2U);
}

TEST(FailureHistory, KeepsWhatATunnelThatIsUpSuffersFrom) {
  FailureHistory history;
  history.add(failure(FailureKind::PfsGroup, 1));
  EXPECT_TRUE(history.came_up("osaka").empty());
  EXPECT_TRUE(history.standing("osaka"));
}

TEST(FailureHistory, TakesAConsequenceForOne) {
  FailureHistory history;
  Failure expired = failure(FailureKind::CertificateExpired, 10);
  expired.ike_id = 4;
  history.add(expired);
  Failure refused = failure(FailureKind::CertificateName, 11);
  refused.ike_id = 4;
  EXPECT_EQ(history.add(refused).failure, nullptr);
  refused.ike_id = 5;  // another try
  EXPECT_NE(history.add(refused).failure, nullptr);
}

TEST(FailureHistory, CountsATryOnlyWhenItIsOver) {
  FailureHistory history;
  Failure trying = failure(FailureKind::Unreachable, 1);
  trying.provisional = true;
  EXPECT_FALSE(history.add(trying).alert_due);
  EXPECT_FALSE(history.add(trying).alert_due);
  EXPECT_TRUE(history.standing("osaka")->provisional);
  const auto added = history.add(failure(FailureKind::Unreachable, 5));
  EXPECT_TRUE(added.alert_due);
  EXPECT_EQ(added.failure->count, 1U);
  EXPECT_EQ(added.failure->first, 1);
  trying.received = "another";
  history.add(trying);
  history.answered("osaka");
  EXPECT_EQ(history.of_site("osaka").size(), 1U);
}

TEST(FailureHistory, HasBounds) {
  FailureHistory history;
  for (size_t i = 0; i < 100; ++i) {
    history.add(failure(FailureKind::Identity, static_cast<int64_t>(i), std::to_string(i).c_str()));
    Failure stranger = failure(FailureKind::NotConfigured, 1, std::to_string(i).c_str());
    stranger.site.clear();
    history.add(stranger);
  }
  EXPECT_EQ(history.of_site("osaka").size(), FailureHistory::kPerSite);
  EXPECT_EQ(history.of_site("osaka")[0].failure.received, "99");
  EXPECT_EQ(history.of_site("").size(), FailureHistory::kStrangers);
  history.keep_only({});
  EXPECT_TRUE(history.of_site("osaka").empty());
  EXPECT_FALSE(history.of_site("").empty());
}

}  // namespace
}  // namespace masugata::ipsec
