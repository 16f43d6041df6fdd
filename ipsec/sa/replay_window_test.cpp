// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/sa/replay_window.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace masugata::ipsec {
namespace {

using Verdict = ReplayWindow::Verdict;
constexpr uint64_t kTwoTo32 = uint64_t{1} << 32U;

Verdict receive(ReplayWindow& window, uint64_t sequence) {
  const auto examined = window.examine(static_cast<uint32_t>(sequence));
  if (examined.verdict != Verdict::Fresh) return examined.verdict;
  if (examined.sequence != sequence) return Verdict::Old;  // the ICV would not fit
  return window.accept(sequence);
}

class WindowSizes : public ::testing::TestWithParam<uint32_t> {};

TEST_P(WindowSizes, EdgeIsExact) {
  for (const bool extended : {false, true}) {
    for (const uint64_t top : {uint64_t{4096}, uint64_t{5000}, uint64_t{64 * 1000 + 63}}) {
      ReplayWindow window(GetParam(), extended);
      ASSERT_EQ(receive(window, top), Verdict::Fresh);
      EXPECT_EQ(receive(window, top), Verdict::Duplicate);
      EXPECT_EQ(receive(window, top - GetParam()), Verdict::Old);
      EXPECT_EQ(receive(window, top - GetParam() + 1), Verdict::Fresh);
      EXPECT_EQ(receive(window, top - GetParam() + 1), Verdict::Duplicate);
      EXPECT_EQ(window.top(), top);
      ASSERT_EQ(receive(window, top + 1), Verdict::Fresh);
      EXPECT_EQ(receive(window, top - GetParam() + 1), Verdict::Old);
      EXPECT_EQ(receive(window, top - GetParam() + 2), Verdict::Fresh);
    }
  }
}

// Against a set that remembers everything.
TEST_P(WindowSizes, AgreesWithASetOverRandomSchedules) {
  std::mt19937_64 random(GetParam());
  for (const bool extended : {false, true}) {
    ReplayWindow window(GetParam(), extended);
    std::set<uint64_t> taken;
    uint64_t top = 0;
    uint64_t centre = extended ? kTwoTo32 - 20'000 : 1;
    if (extended) {
      ASSERT_EQ(receive(window, centre), Verdict::Fresh);
      taken.insert(centre);
      top = centre;
    }
    for (int i = 0; i < 40'000; ++i) {
      centre += random() % 3;
      if (random() % 1000 == 0) centre += random() % (3 * GetParam());
      const uint64_t back = random() % (GetParam() + GetParam() / 4);
      const uint64_t sequence = centre > back ? centre - back : 1;
      Verdict expected = Verdict::Fresh;
      if (sequence <= top && top - sequence >= GetParam()) {
        expected = Verdict::Old;
      } else if (!taken.insert(sequence).second) {
        expected = Verdict::Duplicate;
      }
      ASSERT_EQ(receive(window, sequence), expected) << sequence << " with top " << top;
      if (expected == Verdict::Fresh) top = std::max(top, sequence);
    }
    if (extended) {
      EXPECT_GT(top, kTwoTo32) << "the schedule was meant to cross 2^32";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, WindowSizes,
                         ::testing::Values(64U, 65U, 100U, 127U, 128U, 1000U, 1024U, 4095U, 4096U));

TEST(ReplayWindow, ZeroIsNeverFresh) {
  ReplayWindow plain(64, false);
  EXPECT_EQ(plain.examine(0).verdict, Verdict::Old);
  ReplayWindow extended(64, true);
  EXPECT_EQ(extended.examine(0).verdict, Verdict::Old);
}

TEST(ReplayWindow, NothingIsMarkedByExamine) {
  ReplayWindow window(64, true);
  EXPECT_EQ(window.examine(7).verdict, Verdict::Fresh);
  EXPECT_EQ(window.examine(7).verdict, Verdict::Fresh);
  EXPECT_EQ(window.top(), 0U);
  EXPECT_EQ(window.accept(7), Verdict::Fresh);
  EXPECT_EQ(window.accept(7), Verdict::Duplicate);
}

TEST(ReplayWindow, WithoutExtensionTheLastNumberIsTheEnd) {
  ReplayWindow window(64, false);
  EXPECT_EQ(receive(window, kTwoTo32 - 1), Verdict::Fresh);
  EXPECT_EQ(window.examine(1).verdict, Verdict::Old) << "never wraps";
}

// RFC 4303 A2.2: Tl and Th are the halves of the top, W the window.
TEST(ReplayWindow, HighHalfIsInferredAsTheRfcSays) {
  for (const uint32_t window_packets : {64U, 1000U, 4096U}) {
    const uint64_t tops[] = {1,
                             window_packets - 1,
                             window_packets,
                             kTwoTo32 - 1,
                             kTwoTo32,
                             kTwoTo32 + window_packets - 2,
                             kTwoTo32 + window_packets - 1,
                             5 * kTwoTo32 - 2,
                             5 * kTwoTo32 + 3};
    for (const uint64_t top : tops) {
      ReplayWindow window(window_packets, true);
      for (uint64_t step = kTwoTo32 / 2; step < top; step += kTwoTo32 / 2) {
        ASSERT_EQ(receive(window, step), Verdict::Fresh);
      }
      if (window.top() != top) {
        ASSERT_EQ(receive(window, top), Verdict::Fresh);
      }
      const uint64_t top_low = top & (kTwoTo32 - 1);
      const uint64_t top_high = top >> 32U;
      for (const int64_t offset :
           {-5000LL, -4097LL, -4096LL, -4095LL, -1001LL, -1000LL, -999LL, -65LL, -64LL, -63LL, -2LL,
            -1LL, 1LL, 2LL, 1LL << 31U, (1LL << 32U) - 4097}) {
        const auto low = static_cast<uint32_t>(top + static_cast<uint64_t>(offset));
        const auto edge_low = static_cast<uint32_t>(top_low - window_packets + 1);
        uint64_t high = top_high;
        bool impossible = false;
        if (top_low >= window_packets - 1) {
          if (low < edge_low) ++high;
        } else if (low >= edge_low) {
          impossible = high == 0;
          --high;
        }
        const auto examined = window.examine(low);
        if (impossible || (high == 0 && low == 0)) {
          EXPECT_EQ(examined.verdict, Verdict::Old) << top << " " << offset;
        } else {
          EXPECT_EQ(examined.sequence, high << 32U | low) << top << " " << offset;
        }
      }
    }
  }
}

TEST(ReplayWindow, AJumpOverTheWholeRingForgetsEverything) {
  ReplayWindow window(4096, true);
  for (uint64_t i = 1; i <= 8192; ++i) ASSERT_EQ(receive(window, i), Verdict::Fresh);
  const uint64_t far = 8192 * 5 + 17;
  ASSERT_EQ(receive(window, far), Verdict::Fresh);
  for (uint64_t i = far - 4095; i < far; ++i) ASSERT_EQ(receive(window, i), Verdict::Fresh) << i;
}

}  // namespace
}  // namespace masugata::ipsec
