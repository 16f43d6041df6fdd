// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/forwarding/neighbour_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

namespace masugata::dataplane {
namespace {

net::IpAddress numbered(uint32_t number) {
  return net::IpAddress::from_v4(net::Be32::from_host(0x0a000000U + number));
}

// All six bytes tell the same number, so that a torn read shows.
net::MacAddress repeated(uint8_t byte) { return {{byte, byte, byte, byte, byte, byte}}; }

TEST(NeighbourTable, FindsWhatWasCreatedByInterfaceAndAddress) {
  NeighbourTable table(16, 1);
  EXPECT_EQ(table.find(1, numbered(1)), kNoNeighbour);
  const auto index = table.create(1, numbered(1));
  ASSERT_TRUE(index);
  EXPECT_EQ(table.find(1, numbered(1)), *index);
  EXPECT_EQ(table.find(2, numbered(1)), kNoNeighbour);
  EXPECT_EQ(table.find(1, numbered(2)), kNoNeighbour);
  EXPECT_EQ(table.create(1, numbered(1)), index);
  EXPECT_EQ(table.interface(*index), 1);
  EXPECT_EQ(table.address(*index), numbered(1));
  EXPECT_EQ(table.size(), 1U);
}

TEST(NeighbourTable, ReadsOnlyUsableStates) {
  NeighbourTable table(4, 1);
  const NeighbourIndex index = *table.create(0, numbered(1));
  net::MacAddress mac;
  EXPECT_FALSE(table.read(index, mac));
  for (const NeighbourState state : {NeighbourState::Reachable, NeighbourState::Stale}) {
    table.update(index, repeated(7), state);
    mac = {};
    EXPECT_TRUE(table.read(index, mac));
    EXPECT_EQ(mac, repeated(7));
    EXPECT_EQ(table.state(index), state);
  }
  for (const NeighbourState state : {NeighbourState::Incomplete, NeighbourState::Failed}) {
    table.update(index, repeated(7), state);
    EXPECT_FALSE(table.read(index, mac)) << name_of(state);
  }
}

TEST(NeighbourTable, RefusesAtTheBoundAndReusesOnlyRecycledSlots) {
  NeighbourTable table(3, 1);
  for (uint32_t i = 0; i < 3; ++i) ASSERT_TRUE(table.create(0, numbered(i)));
  EXPECT_FALSE(table.create(0, numbered(3)));
  const NeighbourIndex gone = table.find(0, numbered(1));
  table.update(gone, repeated(1), NeighbourState::Reachable);
  table.unlink(gone);
  EXPECT_EQ(table.find(0, numbered(1)), kNoNeighbour);
  net::MacAddress mac;
  EXPECT_FALSE(table.read(gone, mac)) << "an index that a worker still holds must not send";
  EXPECT_EQ(table.address(gone), numbered(1)) << "the key stays until recycled";
  EXPECT_FALSE(table.create(0, numbered(3))) << "not recycled yet";
  table.recycle(gone);
  EXPECT_EQ(table.create(0, numbered(3)), gone);
  EXPECT_EQ(table.find(0, numbered(0)) != kNoNeighbour, true);
  EXPECT_EQ(table.find(0, numbered(2)) != kNoNeighbour, true);
}

TEST(NeighbourTable, UsedFlagIsTakenOnce) {
  NeighbourTable table(2, 1);
  const NeighbourIndex index = *table.create(0, numbered(1));
  EXPECT_FALSE(table.take_used(index));
  table.mark_used(index);
  table.mark_used(index);
  EXPECT_TRUE(table.take_used(index));
  EXPECT_FALSE(table.take_used(index));
}

TEST(NeighbourTable, ChainsSurviveRemovalAnywhere) {
  // A table of 64 slots has 128 buckets: 64 keys give chains of several. Every order of removal
  // must leave the rest findable.
  for (uint64_t secret = 0; secret < 20; ++secret) {
    NeighbourTable table(64, secret * 0x9e3779b97f4a7c15ULL);
    for (uint32_t i = 0; i < 64; ++i) ASSERT_TRUE(table.create(0, numbered(i)));
    for (uint32_t i = 0; i < 64; ++i) {
      const uint32_t victim = (i * 37 + static_cast<uint32_t>(secret)) % 64;
      table.unlink(table.find(0, numbered(victim)));
      std::set<net::IpAddress> left;
      for (const NeighbourRow& row : table.rows()) left.insert(row.address);
      EXPECT_EQ(left.size(), 63U - i);
      for (const net::IpAddress& address : left) {
        EXPECT_NE(table.find(0, address), kNoNeighbour);
      }
    }
    EXPECT_EQ(table.size(), 0U);
  }
}

// Readers look for keys that always exist while the writer adds, changes and removes others in
// the same chains: they must always be found and their MAC must never be torn.
TEST(NeighbourTable, ReadersSeeStableNeighboursWhileTheWriterWorks) {
  constexpr uint32_t kStable = 16;
  constexpr uint32_t kRounds = 20000;
  NeighbourTable table(64, 5);
  for (uint32_t i = 0; i < kStable; ++i) {
    table.update(*table.create(0, numbered(i)), repeated(1), NeighbourState::Reachable);
  }
  std::atomic<bool> stop{false};
  std::atomic<uint32_t> ready{0};
  std::atomic<uint64_t> missing{0};
  std::atomic<uint64_t> torn{0};
  auto reader = [&] {
    ready.fetch_add(1);
    for (uint32_t round = 0; !stop.load(std::memory_order_relaxed); ++round) {
      const NeighbourIndex index = table.find(0, numbered(round % kStable));
      net::MacAddress mac;
      if (index == kNoNeighbour || !table.read(index, mac)) {
        missing.fetch_add(1);
      } else if (mac != repeated(mac.bytes[0])) {
        torn.fetch_add(1);
      }
      table.mark_used(index == kNoNeighbour ? 0 : index);
    }
  };
  std::thread first(reader);
  std::thread second(reader);
  while (ready.load() < 2) std::this_thread::yield();
  // Slots are never recycled here (that needs quiescence), so churn is bounded by the capacity.
  for (uint32_t round = 0; round < kRounds; ++round) {
    table.update(round % kStable, repeated(static_cast<uint8_t>(round)), NeighbourState::Stale);
    if (round % 1000 == 0) {
      const auto added = table.create(0, numbered(1000 + round));
      if (added && round % 2000 == 0) table.unlink(*added);
    }
  }
  stop.store(true);
  first.join();
  second.join();
  EXPECT_EQ(missing.load(), 0U);
  EXPECT_EQ(torn.load(), 0U);
}

}  // namespace
}  // namespace masugata::dataplane
