// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/fragments/fragment_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace masugata::dataplane {
namespace {

using Outcome = FragmentIndex::Outcome;

std::array<uint8_t, 4096> handle_space;
void* handle(size_t number) { return &handle_space.at(number); }

FragmentArrival arrival(uint16_t identification, uint16_t offset, uint16_t length, bool more,
                        const char* source = "192.0.2.1") {
  static size_t next_handle = 0;
  FragmentArrival result;
  result.datagram.source = *net::IpAddress::parse(source);
  result.datagram.destination = *net::IpAddress::parse("198.51.100.1");
  result.datagram.destination_port = net::Be16{identification};
  result.datagram.protocol = net::Protocol::Udp;
  result.handle = handle(next_handle++ % handle_space.size());
  result.offset = offset;
  result.length = length;
  result.network_length = static_cast<uint16_t>(length + 20);
  result.more = more;
  return result;
}

ReassemblyLimits small_limits() {
  ReassemblyLimits limits;
  limits.datagrams = 8;
  limits.datagrams_per_source = 4;
  limits.fragments_per_datagram = 6;
  limits.held_fragments = 16;
  limits.timeout_ms = 1000;
  return limits;
}

class FragmentIndexTest : public ::testing::Test {
 protected:
  FragmentIndex index_{small_limits(), net::HashSecret{}};

  uint32_t drain(uint32_t datagram) {
    uint32_t count = 0;
    while (index_.take_fragment(datagram) != nullptr) ++count;
    return count;
  }
};

TEST_F(FragmentIndexTest, CompletesInEveryOrder) {
  std::array<FragmentArrival, 4> parts{arrival(1, 0, 64, true), arrival(1, 64, 64, true),
                                       arrival(1, 128, 8, true), arrival(1, 136, 5, false)};
  std::array<size_t, 4> order{0, 1, 2, 3};
  do {
    for (size_t step = 0; step < 3; ++step) {
      EXPECT_EQ(index_.offer(parts[order[step]], 0).outcome, Outcome::Held);
    }
    const auto last = index_.offer(parts[order[3]], 0);
    ASSERT_EQ(last.outcome, Outcome::Completed);
    EXPECT_EQ(index_.total_length(last.datagram), 141);
    EXPECT_EQ(index_.largest_fragment(last.datagram), 84);
    for (const FragmentArrival& part : parts) {
      EXPECT_EQ(index_.take_fragment(last.datagram), part.handle);
    }
    EXPECT_EQ(index_.take_fragment(last.datagram), nullptr);
    index_.erase(last.datagram);
    EXPECT_EQ(index_.open_datagrams(), 0U);
    EXPECT_EQ(index_.held_fragments(), 0U);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(FragmentIndexTest, OverlapVoidsTheDatagramUntilItsTimeout) {
  struct Case {
    uint16_t offset;
    uint16_t length;
    bool more;
  };
  // Held is [64, 128): by one unit from below, from above, inside, around, same start.
  for (const Case& overlap :
       {Case{8, 64, true}, Case{120, 64, true}, Case{72, 8, true}, Case{0, 256, true},
        Case{64, 72, true}, Case{64, 56, true}, Case{64, 64, false}}) {
    ASSERT_EQ(index_.offer(arrival(2, 64, 64, true), 0).outcome, Outcome::Held);
    const auto offer = index_.offer(arrival(2, overlap.offset, overlap.length, overlap.more), 1);
    ASSERT_EQ(offer.outcome, Outcome::Discarded) << overlap.offset;
    EXPECT_EQ(offer.reason, DropReason::FragmentOverlap);
    EXPECT_EQ(drain(offer.datagram), 1U);
    const auto later = index_.offer(arrival(2, 512, 8, true), 2);
    EXPECT_EQ(later.outcome, Outcome::Refused);
    EXPECT_EQ(later.reason, DropReason::FragmentOverlap);
    EXPECT_EQ(index_.oldest_expired(999), kNoDatagram);
    ASSERT_EQ(index_.oldest_expired(1000), offer.datagram);
    EXPECT_TRUE(index_.discarded(offer.datagram));
    index_.erase(offer.datagram);
    EXPECT_EQ(index_.open_datagrams(), 0U);
  }
}

TEST_F(FragmentIndexTest, ReportsDuplicatesWithoutKeepingThem) {
  const FragmentArrival first = arrival(3, 0, 64, true);
  ASSERT_EQ(index_.offer(first, 0).outcome, Outcome::Held);
  const auto again = index_.offer(arrival(3, 0, 64, true), 0);
  EXPECT_EQ(again.outcome, Outcome::Duplicate);
  EXPECT_EQ(again.existing, first.handle);
  EXPECT_EQ(index_.held_fragments(), 1U);
  index_.discard(again.datagram, DropReason::FragmentOverlap);
  EXPECT_EQ(drain(again.datagram), 1U);
  EXPECT_EQ(index_.offer(arrival(3, 64, 64, false), 0).reason, DropReason::FragmentOverlap);
}

TEST_F(FragmentIndexTest, RefusesContradictoryEnds) {
  ASSERT_EQ(index_.offer(arrival(4, 64, 8, false), 0).outcome, Outcome::Held);
  auto offer = index_.offer(arrival(4, 128, 8, true), 0);  // behind the end
  EXPECT_EQ(offer.outcome, Outcome::Discarded);
  EXPECT_EQ(offer.reason, DropReason::FragmentInconsistent);

  ASSERT_EQ(index_.offer(arrival(5, 64, 8, false), 0).outcome, Outcome::Held);
  offer = index_.offer(arrival(5, 32, 8, false), 0);  // another end
  EXPECT_EQ(offer.reason, DropReason::FragmentInconsistent);

  ASSERT_EQ(index_.offer(arrival(6, 64, 8, true), 0).outcome, Outcome::Held);
  offer = index_.offer(arrival(6, 32, 8, false), 0);  // an end before what came
  EXPECT_EQ(offer.reason, DropReason::FragmentInconsistent);
}

TEST_F(FragmentIndexTest, CongestionMarksAreMergedOrRefused) {
  FragmentArrival marked = arrival(7, 0, 64, true);
  marked.congestion = 3;
  FragmentArrival capable = arrival(7, 64, 8, false);
  capable.congestion = 2;
  ASSERT_EQ(index_.offer(marked, 0).outcome, Outcome::Held);
  const auto done = index_.offer(capable, 0);
  ASSERT_EQ(done.outcome, Outcome::Completed);
  EXPECT_TRUE(index_.congestion_experienced(done.datagram));

  FragmentArrival not_capable = arrival(8, 64, 8, false);
  marked.datagram = not_capable.datagram;
  ASSERT_EQ(index_.offer(marked, 0).outcome, Outcome::Held);
  EXPECT_EQ(index_.offer(not_capable, 0).reason, DropReason::FragmentInconsistent);
}

TEST_F(FragmentIndexTest, TooManyFragmentsVoidTheDatagram) {
  for (uint16_t part = 0; part < 6; ++part) {
    ASSERT_EQ(index_.offer(arrival(9, static_cast<uint16_t>(part * 8), 8, true), 0).outcome,
              Outcome::Held);
  }
  const auto offer = index_.offer(arrival(9, 48, 8, true), 0);
  EXPECT_EQ(offer.outcome, Outcome::Discarded);
  EXPECT_EQ(offer.reason, DropReason::FragmentTooMany);
  EXPECT_EQ(drain(offer.datagram), 6U);
}

TEST_F(FragmentIndexTest, SourceLimitHoldsPerAddressAndIpv6Network) {
  for (uint16_t id = 0; id < 4; ++id) {
    ASSERT_EQ(index_.offer(arrival(id, 0, 8, true), 0).outcome, Outcome::Held);
  }
  EXPECT_EQ(index_.offer(arrival(4, 0, 8, true), 0).reason, DropReason::FragmentSourceLimit);
  // Further fragments of open datagrams and other sources pass.
  EXPECT_EQ(index_.offer(arrival(0, 8, 8, true), 0).outcome, Outcome::Held);
  for (uint16_t id = 0; id < 4; ++id) {
    const char* const hosts[] = {"2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"};
    ASSERT_EQ(index_.offer(arrival(id, 0, 8, true, hosts[id]), 0).outcome, Outcome::Held);
  }
  EXPECT_EQ(index_.open_datagrams(), 8U);
}

TEST_F(FragmentIndexTest, SourceSlotsComeBack) {
  for (int round = 0; round < 50; ++round) {
    const auto offer = index_.offer(arrival(1, 0, 8, true), 0);
    ASSERT_EQ(offer.outcome, Outcome::Held);
    drain(index_.oldest());
    index_.erase(index_.oldest());
  }
  EXPECT_EQ(index_.oldest(), kNoDatagram);
}

TEST_F(FragmentIndexTest, NewestIsRefusedWhenTheTableIsFull) {
  const char* const sources[] = {"192.0.2.1", "192.0.2.2"};
  for (uint16_t id = 0; id < 8; ++id) {
    ASSERT_EQ(index_.offer(arrival(id, 0, 8, true, sources[id / 4]), 0).outcome, Outcome::Held);
  }
  EXPECT_EQ(index_.offer(arrival(1, 0, 8, true, "192.0.2.3"), 0).reason,
            DropReason::FragmentTableFull);
  EXPECT_EQ(index_.open_datagrams(), 8U);
}

TEST_F(FragmentIndexTest, NewestIsRefusedWhenBuffersAreUsedUp) {
  uint16_t held = 0;
  for (uint16_t id = 0; id < 4; ++id) {
    for (uint16_t part = 0; part < 4; ++part, ++held) {
      ASSERT_EQ(index_.offer(arrival(id, static_cast<uint16_t>(part * 8), 8, true), 0).outcome,
                Outcome::Held);
    }
  }
  ASSERT_EQ(held, 16);
  EXPECT_EQ(index_.offer(arrival(0, 64, 8, true), 0).reason, DropReason::FragmentTableFull);
  EXPECT_EQ(index_.offer(arrival(9, 0, 8, true, "192.0.2.9"), 0).reason,
            DropReason::FragmentTableFull);
  EXPECT_EQ(index_.open_datagrams(), 4U);
}

TEST_F(FragmentIndexTest, ExpiresFromTheFirstFragmentOnAcrossTheWrapOfTheClock) {
  const uint32_t start = 0xffffff00U;
  ASSERT_EQ(index_.offer(arrival(1, 0, 8, true), start).outcome, Outcome::Held);
  ASSERT_EQ(index_.offer(arrival(2, 0, 8, true), start + 10).outcome, Outcome::Held);
  ASSERT_EQ(index_.offer(arrival(1, 8, 8, true), start + 900).outcome, Outcome::Held);
  EXPECT_EQ(index_.oldest_expired(start + 999), kNoDatagram);
  const uint32_t oldest = index_.oldest_expired(start + 1000);
  ASSERT_NE(oldest, kNoDatagram);
  EXPECT_TRUE(index_.holds_first(oldest));
  EXPECT_EQ(drain(oldest), 2U);
  index_.erase(oldest);
  EXPECT_EQ(index_.oldest_expired(start + 1000), kNoDatagram);
  EXPECT_NE(index_.oldest_expired(start + 1010), kNoDatagram);
}

TEST_F(FragmentIndexTest, IdentityIsTheWholeKey) {
  ASSERT_EQ(index_.offer(arrival(1, 0, 8, true), 0).outcome, Outcome::Held);
  FragmentArrival other = arrival(1, 8, 8, false);
  other.datagram.domain = 7;
  EXPECT_EQ(index_.offer(other, 0).outcome, Outcome::Held);
  other = arrival(1, 8, 8, false);
  other.datagram.protocol = net::Protocol::Tcp;
  EXPECT_EQ(index_.offer(other, 0).outcome, Outcome::Held);
  EXPECT_EQ(index_.open_datagrams(), 3U);
}

TEST(ReassemblyLimits, SharesTheConfigurationAmongWorkers) {
  config::FragmentSettings settings;
  settings.maximum_datagrams = 10;
  settings.timeout_seconds = 600;
  const ReassemblyLimits limits = ReassemblyLimits::of_worker(settings, 4, 0);
  EXPECT_EQ(limits.datagrams, 3U);
  EXPECT_EQ(limits.timeout_ms, 60000U);
  EXPECT_EQ(limits.held_fragments, 1U);
}

}  // namespace
}  // namespace masugata::dataplane
