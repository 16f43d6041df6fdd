// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/timer_wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace masugata::dataplane {
namespace {

// A wheel and what each entry really waits for.
class TimerWheelTest : public ::testing::Test {
 protected:
  void start(uint32_t capacity, uint32_t now_ms) {
    ASSERT_TRUE(wheel_.allocate(memory_, capacity, now_ms));
    deadlines_.assign(capacity, 0);
  }
  void arm(uint32_t entry, uint32_t deadline_ms) {
    deadlines_[entry] = deadline_ms;
    wheel_.schedule(entry, deadline_ms);
  }
  // Moves on; records when each entry expired.
  size_t advance(uint32_t now_ms, size_t maximum_events = 1'000'000) {
    return wheel_.advance(
        now_ms, maximum_events,
        [&](uint32_t entry, uint32_t& deadline_ms) {
          deadline_ms = deadlines_[entry];
          if (static_cast<int32_t>(deadline_ms - now_ms) > 0) return true;
          expired_[entry] = now_ms;
          return false;
        },
        [](uint32_t) {});
  }

  HeapMemory memory_;
  TimerWheel wheel_;
  std::vector<uint32_t> deadlines_;
  std::map<uint32_t, uint32_t> expired_;
};

TEST_F(TimerWheelTest, FiresOnceAndNeverEarly) {
  start(4, 0);
  arm(0, 30'000);
  advance(29'999);
  EXPECT_TRUE(expired_.empty());
  advance(30'000 + TimerWheel::kTickMs);
  EXPECT_EQ(expired_.count(0), 1U);
  EXPECT_EQ(wheel_.size(), 0U);
  EXPECT_EQ(advance(1'000'000), 0U);
}

TEST_F(TimerWheelTest, EveryDelayIsMetWithinOneTick) {
  const std::vector<uint32_t> delays{
      0,      1,      63,      64,        65,         10'000,     32'767,     32'768,
      32'769, 65'536, 100'000, 7'440'000, 16'777'215, 16'777'216, 16'800'000, 86'400'000};
  for (const uint32_t begin_ms : {0U, 12'345U, 0xffff0000U, 0xfffffff0U}) {
    start(static_cast<uint32_t>(delays.size()), begin_ms);
    expired_.clear();
    for (uint32_t entry = 0; entry < delays.size(); ++entry) arm(entry, begin_ms + delays[entry]);
    constexpr uint32_t kStepMs = 16;
    for (uint32_t passed_ms = 0; passed_ms <= 86'401'000; passed_ms += kStepMs) {
      advance(begin_ms + passed_ms);
    }
    for (uint32_t entry = 0; entry < delays.size(); ++entry) {
      ASSERT_EQ(expired_.count(entry), 1U) << "delay " << delays[entry];
      const uint32_t late_ms = expired_[entry] - begin_ms - delays[entry];
      EXPECT_LE(late_ms, 2 * TimerWheel::kTickMs + kStepMs)
          << "delay " << delays[entry] << " from " << begin_ms;
    }
  }
}

TEST_F(TimerWheelTest, AWholeTurnAheadIsNotNow) {
  start(1, 0);
  arm(0, TimerWheel::kCoarseTurnMs);
  EXPECT_EQ(advance(1), 0U);
  EXPECT_EQ(advance(TimerWheel::kFineTurnMs), 0U);
}

TEST_F(TimerWheelTest, WorkPerCallIsBoundedAndNothingIsLost) {
  constexpr uint32_t kEntries = 1000;
  start(kEntries, 0);
  for (uint32_t entry = 0; entry < kEntries; ++entry) arm(entry, 5000);
  size_t calls = 0;
  while (expired_.size() < kEntries) {
    EXPECT_LE(advance(10'000, 32), 32U);
    ASSERT_LT(++calls, 100U);
  }
  EXPECT_EQ(calls, (kEntries + 31) / 32);
}

TEST_F(TimerWheelTest, AnEntryWhoseDeadlineMovedIsArmedAgain) {
  start(1, 0);
  arm(0, 1000);
  deadlines_[0] = 5000;  // as a packet does: without telling the wheel
  advance(2000);
  EXPECT_TRUE(expired_.empty());
  EXPECT_TRUE(wheel_.armed(0));
  advance(5000 + TimerWheel::kTickMs);
  EXPECT_EQ(expired_.count(0), 1U);
}

TEST_F(TimerWheelTest, CancelAndMove) {
  start(3, 0);
  arm(0, 1000);
  arm(1, 7'440'000);
  arm(2, 1000);
  wheel_.cancel(0);
  wheel_.cancel(0);
  EXPECT_FALSE(wheel_.armed(0));
  EXPECT_TRUE(wheel_.fires_later_than(1, 10'000));
  EXPECT_FALSE(wheel_.fires_later_than(2, 10'000));
  arm(1, 10'000);
  EXPECT_FALSE(wheel_.fires_later_than(1, 10'000));
  advance(11'000);
  EXPECT_EQ(expired_.count(0), 0U);
  EXPECT_EQ(expired_.count(1), 1U);
  EXPECT_EQ(expired_.count(2), 1U);
}

TEST_F(TimerWheelTest, OthersMayBeCancelledFromWithin) {
  start(3, 0);
  for (uint32_t entry = 0; entry < 3; ++entry) wheel_.schedule(entry, 1000);
  std::vector<uint32_t> seen;
  wheel_.advance(
      2000, 100,
      [&](uint32_t entry, uint32_t&) {
        seen.push_back(entry);
        wheel_.cancel(1);
        return false;
      },
      [](uint32_t) {});
  EXPECT_EQ(seen, (std::vector<uint32_t>{0, 2}));
}

TEST_F(TimerWheelTest, ALongPauseIsCaughtUp) {
  start(2, 100);
  arm(0, 100 + 60'000);
  arm(1, 100 + 20'000'000);
  advance(100 + 90'000'000);  // a day at once
  EXPECT_EQ(expired_.size(), 2U);
}

TEST_F(TimerWheelTest, AgreesWithAModelUnderRandomUse) {
  constexpr uint32_t kEntries = 300;
  std::mt19937 random(7);
  auto draw = [&](uint32_t bound) { return static_cast<uint32_t>(random() % bound); };
  uint32_t now_ms = 0xfff00000U;
  start(kEntries, now_ms);
  std::map<uint32_t, uint32_t> model;  // entry → deadline
  for (int step = 0; step < 40'000; ++step) {
    const uint32_t entry = draw(kEntries);
    const uint32_t kind = draw(10);
    if (kind < 4) {
      arm(entry, now_ms + draw(200'000));
      model[entry] = deadlines_[entry];
    } else if (kind < 5) {
      wheel_.cancel(entry);
      model.erase(entry);
    } else if (kind < 7 && model.count(entry) != 0) {
      deadlines_[entry] += draw(50'000);  // lazily
      model[entry] = deadlines_[entry];
    }
    now_ms += draw(500);
    expired_.clear();
    advance(now_ms);
    for (const auto& [ended, when] : expired_) {
      ASSERT_EQ(model.count(ended), 1U);
      ASSERT_LE(static_cast<int32_t>(model[ended] - when), 0);
      model.erase(ended);
    }
    for (const auto& [waiting, deadline_ms] : model) {
      ASSERT_TRUE(wheel_.armed(waiting));
      ASSERT_GT(static_cast<int32_t>(deadline_ms + 2 * TimerWheel::kTickMs - now_ms), 0);
    }
    ASSERT_EQ(wheel_.size(), model.size());
  }
}

}  // namespace
}  // namespace masugata::dataplane
