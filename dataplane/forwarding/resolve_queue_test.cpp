// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/forwarding/resolve_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "dataplane/forwarding/resolve_request.h"

namespace masugata::dataplane {
namespace {

using Packet = std::unique_ptr<int>;
using Queue = ResolveQueue<Packet>;

NeighbourKey key(uint32_t number) {
  return {net::IpAddress::from_v4(net::Be32::from_host(0x0a000000U + number)), 3};
}

class ResolveQueueTest : public ::testing::Test {
 protected:
  Queue::Admission push(Queue& queue, uint32_t neighbour, int packet, uint32_t now_ms) {
    auto held = std::make_unique<int>(packet);
    const auto admission = queue.push(key(neighbour), held, now_ms);
    const bool taken =
        admission == Queue::Admission::Queued || admission == Queue::Admission::QueuedFirst;
    EXPECT_EQ(held == nullptr, taken) << "a refused packet stays with the caller";
    return admission;
  }

  void poll(Queue& queue, uint32_t now_ms, uint32_t budget = 1000) {
    ready.clear();
    expired.clear();
    asked = 0;
    queue.poll(
        table, now_ms, budget,
        [&](Packet&& packet, NeighbourIndex index) {
          EXPECT_EQ(index, table.find(3, table.address(index)));
          ready.push_back(*packet);
        },
        [&](Packet&& packet, const NeighbourKey&) { expired.push_back(*packet); },
        [&](const NeighbourKey&) { ++asked; });
  }

  void answer(uint32_t neighbour, NeighbourState state) {
    table.update(*table.create(3, key(neighbour).address), net::MacAddress{{2, 0, 0, 0, 0, 1}},
                 state);
  }

  NeighbourTable table{64, 1};
  std::vector<int> ready;
  std::vector<int> expired;
  int asked = 0;
};

TEST_F(ResolveQueueTest, GivesPacketsBackInOrderWhenTheNeighbourAnswers) {
  Queue queue;
  EXPECT_EQ(push(queue, 1, 10, 0), Queue::Admission::QueuedFirst);
  EXPECT_EQ(push(queue, 1, 11, 1), Queue::Admission::Queued);
  EXPECT_EQ(push(queue, 2, 20, 1), Queue::Admission::QueuedFirst);
  poll(queue, 2);
  EXPECT_TRUE(ready.empty());
  answer(1, NeighbourState::Incomplete);
  poll(queue, 3);
  EXPECT_TRUE(ready.empty());
  answer(1, NeighbourState::Reachable);
  poll(queue, 4);
  EXPECT_EQ(ready, (std::vector<int>{10, 11}));
  EXPECT_EQ(queue.packets(), 1U);
  EXPECT_EQ(queue.neighbours(), 1U);
}

TEST_F(ResolveQueueTest, RefusesTheNewestAtEachBound) {
  Queue queue({.maximum_neighbours = 2, .maximum_packets = 5, .maximum_packets_per_neighbour = 3});
  for (int i = 0; i < 3; ++i) push(queue, 1, i, 0);
  EXPECT_EQ(push(queue, 1, 3, 0), Queue::Admission::NeighbourFull);
  EXPECT_EQ(push(queue, 2, 4, 0), Queue::Admission::QueuedFirst);
  EXPECT_EQ(push(queue, 3, 5, 0), Queue::Admission::QueueFull) << "third neighbour";
  EXPECT_EQ(push(queue, 2, 6, 0), Queue::Admission::Queued);
  EXPECT_EQ(push(queue, 2, 7, 0), Queue::Admission::QueueFull) << "sixth packet";
  answer(1, NeighbourState::Stale);
  poll(queue, 1);
  EXPECT_EQ(ready, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(push(queue, 3, 8, 1), Queue::Admission::QueuedFirst) << "there is room again";
}

TEST_F(ResolveQueueTest, ExpiresAllAfterTheTimeoutOfTheFirst) {
  // The clock wraps in between.
  const uint32_t start = 0xffffff00U;
  Queue queue({.timeout_ms = 3000, .retry_ms = 10000});
  push(queue, 1, 10, start);
  push(queue, 1, 11, start + 2000);
  poll(queue, start + 2999);
  EXPECT_TRUE(expired.empty());
  poll(queue, start + 3000);
  EXPECT_EQ(expired, (std::vector<int>{10, 11}));
  EXPECT_EQ(queue.packets(), 0U);
  EXPECT_EQ(push(queue, 1, 12, start + 3001), Queue::Admission::QueuedFirst);
}

TEST_F(ResolveQueueTest, BelievesAFailureOnlyAfterTheGrace) {
  Queue queue({.failure_grace_ms = 100});
  answer(1, NeighbourState::Failed);
  push(queue, 1, 10, 1000);
  poll(queue, 1099);
  EXPECT_TRUE(expired.empty()) << "the control thread is about to try again";
  poll(queue, 1100);
  EXPECT_EQ(expired, (std::vector<int>{10}));
}

TEST_F(ResolveQueueTest, AsksAgainOncePerRetryTime) {
  Queue queue({.timeout_ms = 10000, .retry_ms = 1000});
  push(queue, 1, 10, 0);
  poll(queue, 999);
  EXPECT_EQ(asked, 0);
  poll(queue, 1000);
  EXPECT_EQ(asked, 1);
  poll(queue, 1001);
  EXPECT_EQ(asked, 0);
  poll(queue, 2000);
  EXPECT_EQ(asked, 1);
}

TEST_F(ResolveQueueTest, PollsWithinItsBudgetAndReachesEveryNeighbour) {
  Queue queue;
  for (uint32_t i = 0; i < 10; ++i) push(queue, i, static_cast<int>(i), 0);
  for (uint32_t i = 0; i < 10; ++i) answer(i, NeighbourState::Reachable);
  std::vector<int> all;
  for (int turn = 0; turn < 10; ++turn) {
    poll(queue, 1, 1);
    EXPECT_EQ(ready.size(), 1U);
    all.insert(all.end(), ready.begin(), ready.end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_F(ResolveQueueTest, UnansweredOnesDoNotHideAnsweredOnes) {
  Queue queue;
  for (uint32_t i = 0; i < 5; ++i) push(queue, i, static_cast<int>(i), 0);
  answer(4, NeighbourState::Reachable);
  std::vector<int> all;
  for (int turn = 0; turn < 5; ++turn) {
    poll(queue, 1, 1);
    all.insert(all.end(), ready.begin(), ready.end());
  }
  EXPECT_EQ(all, (std::vector<int>{4}));
}

TEST_F(ResolveQueueTest, ClearGivesEverythingBack) {
  Queue queue;
  for (uint32_t i = 0; i < 7; ++i) push(queue, i % 3, static_cast<int>(i), 0);
  int drained = 0;
  queue.clear([&](Packet&& packet) { drained += packet != nullptr ? 1 : 0; });
  EXPECT_EQ(drained, 7);
  EXPECT_EQ(queue.packets(), 0U);
}

TEST(ResolveRequestRing, KeepsOrderAndRefusesWhenFull) {
  ResolveRequestRing ring;
  NeighbourKey request;
  EXPECT_FALSE(ring.pop(request));
  for (uint32_t lap = 0; lap < 3; ++lap) {
    for (uint32_t i = 0; i < ResolveRequestRing::kCapacity; ++i) ASSERT_TRUE(ring.push(key(i)));
    EXPECT_FALSE(ring.push(key(999)));
    for (uint32_t i = 0; i < ResolveRequestRing::kCapacity; ++i) {
      ASSERT_TRUE(ring.pop(request));
      EXPECT_EQ(request, key(i));
    }
    EXPECT_FALSE(ring.pop(request));
  }
}

}  // namespace
}  // namespace masugata::dataplane
