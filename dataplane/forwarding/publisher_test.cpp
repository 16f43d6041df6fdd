// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/forwarding/publisher.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace masugata::dataplane {
namespace {

// Tokens pass when the test says so.
class ManualQuiescence final : public Quiescence {
 public:
  [[nodiscard]] Token start() noexcept override { return ++started; }
  [[nodiscard]] bool passed(Token token) noexcept override { return token <= let_through; }
  void wait() noexcept override { let_through = started; }

  Token started = 0;
  Token let_through = 0;
};

net::Prefix prefix(const char* text) { return *net::Prefix::parse(text); }
net::IpAddress address(const char* text) { return *net::IpAddress::parse(text); }

RoutePath via(const char* gateway, uint16_t interface = 0, uint8_t weight = 1) {
  return {{RouteKind::Gateway, interface, address(gateway)}, weight};
}
RoutePath connected(uint16_t interface) { return {{RouteKind::Connected, interface, {}}, 1}; }

class PublisherTest : public ::testing::Test {
 protected:
  std::unique_ptr<ForwardingPublisher> make(ForwardingSettings settings = {}) {
    auto created = ForwardingPublisher::create(settings, quiescence);
    EXPECT_TRUE(created) << created.error().message();
    return std::move(*created);
  }
  ManualQuiescence quiescence;
};

TEST_F(PublisherTest, NoRouteIsUnreachable) {
  auto publisher = make();
  const Route& route = publisher->view().lookup(address("192.0.2.1"), 77);
  EXPECT_EQ(route.kind, RouteKind::Unreachable);
  EXPECT_EQ(route.interface, kNoInterface);
  EXPECT_EQ(publisher->view().lookup(address("2001:db8::1"), 77).kind, RouteKind::Unreachable);
}

TEST_F(PublisherTest, OldViewAnswersUntilEveryWorkerHasMoved) {
  auto publisher = make();
  ASSERT_TRUE(publisher->replace_route({prefix("10.0.0.0/8"), {via("192.0.2.1")}}));
  const ForwardingView& before = publisher->view();
  EXPECT_EQ(before.lookup(address("10.1.1.1"), 0).kind, RouteKind::Unreachable) << "only staged";
  ASSERT_TRUE(publisher->publish());
  const ForwardingView& after = publisher->view();
  EXPECT_NE(&before, &after);
  EXPECT_NE(before.generation(), after.generation());
  EXPECT_EQ(after.lookup(address("10.1.1.1"), 0).gateway, address("192.0.2.1"));

  ASSERT_TRUE(publisher->advance());
  EXPECT_FALSE(publisher->settled());
  EXPECT_EQ(before.lookup(address("10.1.1.1"), 0).kind, RouteKind::Unreachable)
      << "a worker still reads it";
  quiescence.let_through = quiescence.started;
  ASSERT_TRUE(publisher->advance());
  EXPECT_TRUE(publisher->settled());
  EXPECT_EQ(before.lookup(address("10.1.1.1"), 0).gateway, address("192.0.2.1"))
      << "both instances agree";
  EXPECT_EQ(&publisher->view(), &after) << "settling publishes nothing";
}

TEST_F(PublisherTest, ChangesWhileDrainingWaitForTheirTurn) {
  auto publisher = make();
  ASSERT_TRUE(publisher->replace_route({prefix("10.0.0.0/8"), {via("192.0.2.1")}}));
  ASSERT_TRUE(publisher->publish());
  const uint32_t generation = publisher->view().generation();
  ASSERT_TRUE(publisher->replace_route({prefix("10.0.0.0/8"), {via("192.0.2.2")}}));
  ASSERT_TRUE(publisher->replace_route({prefix("10.1.0.0/16"), {via("192.0.2.3")}}));
  ASSERT_TRUE(publisher->publish());
  EXPECT_EQ(publisher->view().generation(), generation);
  EXPECT_EQ(publisher->view().lookup(address("10.1.0.1"), 0).gateway, address("192.0.2.1"));
  quiescence.let_through = quiescence.started;
  ASSERT_TRUE(publisher->advance());
  EXPECT_EQ(publisher->view().lookup(address("10.1.0.1"), 0).gateway, address("192.0.2.3"));
  EXPECT_EQ(publisher->view().lookup(address("10.2.0.1"), 0).gateway, address("192.0.2.2"));
  EXPECT_FALSE(publisher->settled());
  ASSERT_TRUE(publisher->settle());
  EXPECT_TRUE(publisher->settled());
}

TEST_F(PublisherTest, NothingStagedPublishesNothing) {
  auto publisher = make();
  ASSERT_TRUE(publisher->replace_route({prefix("10.0.0.0/8"), {via("192.0.2.1")}}));
  ASSERT_TRUE(publisher->settle());
  const uint32_t generation = publisher->view().generation();
  ASSERT_TRUE(publisher->replace_route({prefix("10.0.0.0/8"), {via("192.0.2.1")}}));
  publisher->remove_route(prefix("172.16.0.0/12"));
  ASSERT_TRUE(publisher->settle());
  EXPECT_EQ(publisher->view().generation(), generation);
}

TEST_F(PublisherTest, SetRoutesReplacesTheWholeTable) {
  auto publisher = make();
  ASSERT_TRUE(publisher->set_routes(
      {{prefix("0.0.0.0/0"), {via("192.0.2.1")}}, {prefix("10.0.0.0/24"), {connected(1)}}}));
  ASSERT_TRUE(publisher->settle());
  ASSERT_TRUE(publisher->set_routes(
      {{prefix("0.0.0.0/0"), {via("192.0.2.9")}}, {prefix("2001:db8::/32"), {connected(2)}}}));
  ASSERT_TRUE(publisher->settle());
  const ForwardingView& view = publisher->view();
  EXPECT_EQ(view.lookup(address("10.0.0.1"), 0).gateway, address("192.0.2.9"));
  EXPECT_EQ(view.lookup(address("2001:db8::1"), 0).interface, 2);
  ASSERT_EQ(publisher->routes().size(), 2U);
  EXPECT_EQ(publisher->routes()[0].prefix, prefix("0.0.0.0/0")) << "IPv4 first";
  EXPECT_EQ(publisher->statistics().path_sets, 2U);
  EXPECT_EQ(publisher->find_route(prefix("2001:db8::/32"))->paths.front().route.interface, 2);
  EXPECT_FALSE(publisher->find_route(prefix("10.0.0.0/24")));
}

TEST_F(PublisherTest, BoundsAreFaultsAndChangeNothing) {
  ForwardingSettings settings;
  settings.maximum_routes_ipv4 = 2;
  settings.maximum_routes_ipv6 = 1;
  settings.maximum_path_sets = 3;
  auto publisher = make(settings);
  ASSERT_TRUE(publisher->replace_route({prefix("10.0.0.0/24"), {via("192.0.2.1")}}));
  ASSERT_TRUE(publisher->replace_route({prefix("10.0.1.0/24"), {via("192.0.2.2")}}));
  const auto full = publisher->replace_route({prefix("10.0.2.0/24"), {via("192.0.2.1")}});
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().message().find("2 routes of IPv4"), std::string::npos)
      << full.error().message();
  const auto sets = publisher->replace_route({prefix("10.0.1.0/24"), {via("192.0.2.3")}});
  ASSERT_FALSE(sets);
  EXPECT_NE(sets.error().message().find("next hops"), std::string::npos);
  ASSERT_TRUE(publisher->replace_route({prefix("2001:db8::/32"), {via("192.0.2.1")}}));
  EXPECT_FALSE(publisher->set_routes({{prefix("10.0.0.0/24"), {via("192.0.2.1")}},
                                      {prefix("10.0.1.0/24"), {via("192.0.2.1")}},
                                      {prefix("10.0.2.0/24"), {via("192.0.2.1")}}}));
  EXPECT_EQ(publisher->statistics().refused_routes, 3U);
  ASSERT_TRUE(publisher->settle());
  EXPECT_EQ(publisher->view().lookup(address("10.0.1.9"), 0).gateway, address("192.0.2.2"));
  EXPECT_EQ(publisher->routes().size(), 3U);
}

TEST_F(PublisherTest, RefusesMalformedEntries) {
  auto publisher = make();
  EXPECT_FALSE(publisher->replace_route({prefix("10.0.0.0/24"), {}}));
  EXPECT_FALSE(publisher->replace_route({prefix("10.0.0.1/24"), {via("192.0.2.1")}}));
  EXPECT_FALSE(publisher->replace_route({{address("10.0.0.0"), 40}, {via("192.0.2.1")}}));
  EXPECT_TRUE(publisher->settled());
}

TEST_F(PublisherTest, FullTablesLeaveTheRouteOutOfBothInstances) {
  // The trie needs groups for every /128 in a /24 of its own: more than there are.
  ForwardingSettings settings;
  settings.kind = FibKind::Large;
  settings.maximum_routes_ipv4 = 16;
  settings.maximum_routes_ipv6 = 8192;
  auto publisher = make(settings);
  const uint32_t count = 4000;  // 13 groups each, 32767 in all
  for (uint32_t i = 0; i < count; ++i) {
    net::IpAddress host;
    host.bytes = {0x20, static_cast<uint8_t>(i >> 8U), static_cast<uint8_t>(i), 1};
    ASSERT_TRUE(publisher->replace_route({{host, 128}, {connected(3)}}));
  }
  EXPECT_FALSE(publisher->settle());
  const auto statistics = publisher->statistics();
  EXPECT_GT(statistics.refused_routes, 0U);
  EXPECT_EQ(statistics.routes_ipv6 + statistics.refused_routes, count);
  EXPECT_EQ(publisher->routes().size(), statistics.routes_ipv6);
  for (const RouteEntry& entry : publisher->routes()) {
    EXPECT_EQ(publisher->view().lookup(entry.prefix.address, 0).interface, 3);
  }
  EXPECT_EQ(publisher->view().lookup(address("2000:0f9f::"), 0).kind, RouteKind::Unreachable);
  ASSERT_TRUE(publisher->set_routes({}));
  EXPECT_TRUE(publisher->settle());
  EXPECT_EQ(publisher->statistics().path_sets, 0U);
}

TEST_F(PublisherTest, EqualCostPathsShareByWeightAndKeepAFlow) {
  auto publisher = make();
  ASSERT_TRUE(publisher->replace_route(
      {prefix("0.0.0.0/0"), {via("192.0.2.1", 0, 1), via("192.0.2.2", 1, 3)}}));
  ASSERT_TRUE(publisher->settle());
  std::mt19937 random(3);
  std::map<net::IpAddress, int> spread;
  for (int i = 0; i < 40000; ++i) {
    const auto hash = static_cast<uint32_t>(random());
    const Route& route = publisher->view().lookup(address("198.51.100.1"), hash);
    EXPECT_EQ(route, publisher->view().lookup(address("198.51.100.1"), hash));
    ++spread[route.gateway];
  }
  EXPECT_NEAR(spread[address("192.0.2.1")], 10000, 500);
  EXPECT_NEAR(spread[address("192.0.2.2")], 30000, 500);
}

TEST_F(PublisherTest, LargeWeightsKeepEveryPath) {
  auto publisher = make();
  std::vector<RoutePath> paths;
  for (uint16_t i = 0; i < 20; ++i) paths.push_back(via("192.0.2.1", i, i == 0 ? 255 : 1));
  ASSERT_TRUE(publisher->replace_route({prefix("0.0.0.0/0"), paths}));
  ASSERT_TRUE(publisher->settle());
  std::map<uint16_t, int> spread;
  for (uint64_t i = 0; i < 4096; ++i) {
    ++spread
        [publisher->view().lookup(address("1.2.3.4"), static_cast<uint32_t>(i << 20U)).interface];
  }
  EXPECT_EQ(spread.size(), kMaximumPaths) << "cut off after the sixteenth";
  EXPECT_FALSE(spread.contains(16));
}

TEST_F(PublisherTest, RemovedNeighbourSlotsWaitForQuiescence) {
  ForwardingSettings settings;
  settings.maximum_neighbours = 1;
  auto publisher = make(settings);
  const net::MacAddress mac{{2, 0, 0, 0, 0, 1}};
  const auto first =
      publisher->replace_neighbour({0, address("10.0.0.1"), mac, NeighbourState::Reachable});
  ASSERT_TRUE(first);
  EXPECT_EQ(publisher->view().neighbours().find(0, address("10.0.0.1")), *first);
  const uint32_t generation = publisher->view().generation();
  publisher->remove_neighbour(0, address("10.0.0.1"));
  net::MacAddress seen;
  EXPECT_FALSE(publisher->neighbours().read(*first, seen));
  const NeighbourUpdate next{0, address("10.0.0.2"), mac, NeighbourState::Reachable};
  EXPECT_FALSE(publisher->replace_neighbour(next));
  ASSERT_TRUE(publisher->publish());
  EXPECT_NE(publisher->view().generation(), generation);
  EXPECT_FALSE(publisher->replace_neighbour(next)) << "a worker may still hold the index";
  EXPECT_EQ(publisher->neighbours().address(*first), address("10.0.0.1"));
  quiescence.let_through = quiescence.started;
  ASSERT_TRUE(publisher->advance());
  EXPECT_EQ(publisher->replace_neighbour(next).value(), *first);
  EXPECT_EQ(publisher->statistics().refused_neighbours, 2U);
}

TEST_F(PublisherTest, DeadNeighboursMakeRoomAtTheBound) {
  ForwardingSettings settings;
  settings.maximum_neighbours = 2;
  auto publisher = make(settings);
  const net::MacAddress mac{{2, 0, 0, 0, 0, 1}};
  ASSERT_TRUE(publisher->replace_neighbour({0, address("10.0.0.1"), mac, NeighbourState::Stale}));
  ASSERT_TRUE(publisher->replace_neighbour({0, address("10.0.0.2"), {}, NeighbourState::Failed}));
  const NeighbourUpdate next{0, address("10.0.0.3"), mac, NeighbourState::Reachable};
  EXPECT_FALSE(publisher->replace_neighbour(next));
  ASSERT_TRUE(publisher->settle());
  EXPECT_TRUE(publisher->replace_neighbour(next));
  EXPECT_NE(publisher->neighbours().find(0, address("10.0.0.1")), kNoNeighbour) << "alive";
  publisher->remove_neighbours(0);
  EXPECT_EQ(publisher->statistics().neighbours, 0U);
}

// Two readers look up addresses whose routes are replaced, and whose more specific routes come and
// go, all the time: there must be an answer through a gateway at every moment, and the two halves
// of one batch must be seen together.
TEST(PublisherConcurrency, ReadersNeverMissARouteNorSeeHalfABatch) {
  auto domain = QuiescenceDomain::create(2);
  ASSERT_TRUE(domain);
  auto created = ForwardingPublisher::create({}, **domain);
  ASSERT_TRUE(created) << created.error().message();
  ForwardingPublisher& publisher = **created;
  ASSERT_TRUE(publisher.set_routes(
      {{prefix("10.0.0.0/8"), {via("192.0.2.1")}}, {prefix("172.16.0.0/12"), {via("192.0.2.1")}}}));
  ASSERT_TRUE(publisher.settle());

  std::atomic<bool> stop{false};
  std::array<std::atomic<uint64_t>, 2> looked{};
  std::atomic<uint64_t> wrong{0};
  auto reader = [&](uint32_t worker) {
    (*domain)->register_worker(worker);
    while (!stop.load(std::memory_order_relaxed)) {
      const ForwardingView& view = publisher.view();
      const uint32_t generation = view.generation();
      const Route left = view.lookup(address("10.1.2.3"), 0);
      const Route right = view.lookup(address("172.16.2.3"), 0);
      if (left.kind != RouteKind::Gateway || left.gateway != right.gateway ||
          generation != view.generation()) {
        wrong.fetch_add(1);
      }
      looked[worker].fetch_add(1, std::memory_order_relaxed);
      (*domain)->report(worker);
    }
    (*domain)->unregister_worker(worker);
  };
  std::thread first(reader, 0);
  std::thread second(reader, 1);
  while (looked[0].load() == 0 || looked[1].load() == 0) std::this_thread::yield();
  for (uint32_t round = 0; round < 120; ++round) {
    const char* gateway = round % 2 == 0 ? "192.0.2.2" : "192.0.2.3";
    if (round % 3 == 0) {
      ASSERT_TRUE(publisher.replace_route({prefix("10.1.2.0/24"), {via(gateway)}}));
      ASSERT_TRUE(publisher.replace_route({prefix("172.16.2.0/24"), {via(gateway)}}));
    } else {
      publisher.remove_route(prefix("10.1.2.0/24"));
      publisher.remove_route(prefix("172.16.2.0/24"));
      ASSERT_TRUE(publisher.replace_route({prefix("10.0.0.0/8"), {via(gateway)}}));
      ASSERT_TRUE(publisher.replace_route({prefix("172.16.0.0/12"), {via(gateway)}}));
    }
    ASSERT_TRUE(publisher.publish());
    while (!publisher.settled()) {
      ASSERT_TRUE(publisher.advance());
      std::this_thread::yield();
    }
  }
  stop.store(true);
  first.join();
  second.join();
  EXPECT_EQ(wrong.load(), 0U);
}

}  // namespace
}  // namespace masugata::dataplane
