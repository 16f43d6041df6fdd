// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/platform/quiescence.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace masugata::dataplane {
namespace {

std::unique_ptr<QuiescenceDomain> make(uint32_t workers) {
  auto domain = QuiescenceDomain::create(workers);
  EXPECT_TRUE(domain.has_value());
  return std::move(*domain);
}

TEST(QuiescenceDomain, RefusesNonsense) {
  EXPECT_FALSE(QuiescenceDomain::create(0));
  EXPECT_FALSE(QuiescenceDomain::create(5000));
  EXPECT_FALSE(make(2)->register_worker(2));
}

TEST(QuiescenceDomain, PassesAtOnceWithoutWorkers) {
  auto domain = make(4);
  EXPECT_TRUE(domain->passed(domain->start()));
  domain->wait();
}

TEST(QuiescenceDomain, WaitsForEveryRegisteredWorker) {
  auto domain = make(4);
  ASSERT_TRUE(domain->register_worker(0));
  ASSERT_TRUE(domain->register_worker(3));
  const auto token = domain->start();
  EXPECT_FALSE(domain->passed(token));
  domain->report(0);
  EXPECT_FALSE(domain->passed(token));
  domain->report(3);
  EXPECT_TRUE(domain->passed(token));
}

TEST(QuiescenceDomain, AReportBeforeTheTokenDoesNotCount) {
  auto domain = make(1);
  ASSERT_TRUE(domain->register_worker(0));
  domain->report(0);
  const auto token = domain->start();
  EXPECT_FALSE(domain->passed(token));
}

TEST(QuiescenceDomain, OfflineAndLeavingWorkersAreNotWaitedFor) {
  auto domain = make(2);
  ASSERT_TRUE(domain->register_worker(0));
  ASSERT_TRUE(domain->register_worker(1));
  const auto token = domain->start();
  domain->go_offline(0);
  domain->unregister_worker(1);
  EXPECT_TRUE(domain->passed(token));
  domain->go_online(0);
  const auto later = domain->start();
  EXPECT_FALSE(domain->passed(later));
  domain->report(0);
  EXPECT_TRUE(domain->passed(later));
}

TEST(QuiescenceDomain, WaitReturnsWhenAWorkerReports) {
  auto domain = make(1);
  ASSERT_TRUE(domain->register_worker(0));
  std::atomic<bool> stop{false};
  std::thread worker([&] {
    while (!stop.load()) domain->report(0);
  });
  domain->wait();
  stop.store(true);
  worker.join();
}

}  // namespace
}  // namespace masugata::dataplane
