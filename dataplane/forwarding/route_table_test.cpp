// SPDX-License-Identifier: GPL-2.0-or-later
// The routing tables against a model that looks at every route.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "dataplane/forwarding/publisher.h"

namespace masugata::dataplane {
namespace {

class Model {
 public:
  void replace(const net::Prefix& prefix, const Route& route) { routes_[prefix] = route; }
  void remove(const net::Prefix& prefix) { routes_.erase(prefix); }
  [[nodiscard]] Route lookup(const net::IpAddress& address) const {
    Route best;
    int best_length = -1;
    for (const auto& [prefix, route] : routes_) {
      if (prefix.length > best_length && prefix.contains(address)) {
        best = route;
        best_length = prefix.length;
      }
    }
    return best;
  }
  [[nodiscard]] const std::map<net::Prefix, Route>& routes() const { return routes_; }

 private:
  std::map<net::Prefix, Route> routes_;
};

// Few distinct bytes, so that prefixes nest, cover and neighbour one another.
net::IpAddress random_address(std::mt19937& random, bool ipv4) {
  constexpr uint8_t kBytes[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x20};
  net::IpAddress address;
  if (ipv4) {
    uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = (value << 8U) | kBytes[random() % 6];
    return net::IpAddress::from_v4(net::Be32::from_host((value & 0x00ffffffU) | 0x0a000000U));
  }
  address.bytes[0] = 0x20;
  for (std::size_t i = 1; i < 16; ++i) address.bytes[i] = kBytes[random() % 3];
  return address;
}

net::Prefix random_prefix(std::mt19937& random, bool ipv4) {
  const auto bits = ipv4 ? 33U : 129U;
  return net::Prefix{random_address(random, ipv4), static_cast<uint8_t>(random() % bits)}.network();
}

Route numbered_route(uint32_t number) {
  Route route;
  route.kind = RouteKind::Gateway;
  route.interface = static_cast<uint16_t>(number % 7);
  route.gateway = net::IpAddress::from_v4(net::Be32::from_host(0xc0000200U + number % 200));
  return route;
}

class RouteTableTest : public ::testing::TestWithParam<FibKind> {
 protected:
  void SetUp() override {
    ForwardingSettings settings;
    settings.kind = GetParam();
    settings.maximum_routes_ipv4 = 1000;
    settings.maximum_routes_ipv6 = 1000;
    auto created = ForwardingPublisher::create(settings, quiescence);
    ASSERT_TRUE(created) << created.error().message();
    publisher = std::move(*created);
  }

  void compare(const Model& model, const net::IpAddress& address, uint32_t hash) {
    const Route expected = model.lookup(address);
    const Route& seen = publisher->view().lookup(address, hash);
    ASSERT_EQ(seen, expected) << address.to_string() << " seen " << name_of(seen.kind) << " "
                              << seen.gateway.to_string() << " expected "
                              << expected.gateway.to_string();
  }

  void compare_all(const Model& model, std::mt19937& random, bool ipv4) {
    for (const auto& [prefix, route] : model.routes()) {
      const net::AddressRange range = prefix.range();
      compare(model, range.first, static_cast<uint32_t>(random()));
      compare(model, range.last, static_cast<uint32_t>(random()));
      compare(model, range.last.next(), static_cast<uint32_t>(random()));
    }
    for (int i = 0; i < 100; ++i) {
      compare(model, random_address(random, ipv4), static_cast<uint32_t>(random()));
    }
  }

  void run(bool ipv4, uint32_t seed) {
    std::mt19937 random(seed);
    Model model;
    for (int batch = 0; batch < 60; ++batch) {
      for (int change = 0; change < 12; ++change) {
        const bool remove = random() % 3 == 0 && !model.routes().empty();
        if (remove) {
          auto victim = model.routes().begin();
          std::advance(victim, static_cast<long>(random() % model.routes().size()));
          const net::Prefix prefix = victim->first;
          publisher->remove_route(prefix);
          model.remove(prefix);
        } else {
          const net::Prefix prefix = random_prefix(random, ipv4);
          const Route route = numbered_route(static_cast<uint32_t>(random()));
          ASSERT_TRUE(publisher->replace_route({prefix, {{route, 1}}}));
          model.replace(prefix, route);
        }
      }
      const Status status = publisher->settle();
      ASSERT_TRUE(status) << status.error().message();
      compare_all(model, random, ipv4);
      if (HasFatalFailure()) return;
    }
    ASSERT_TRUE(publisher->set_routes({}));
    ASSERT_TRUE(publisher->settle());
    compare_all(Model{}, random, ipv4);
    EXPECT_EQ(publisher->statistics().path_sets, 0U);
  }

  NoReaders quiescence;
  std::unique_ptr<ForwardingPublisher> publisher;
};

TEST_P(RouteTableTest, AgreesWithTheModelForIpv4) {
  for (uint32_t seed = 1; seed <= 3 && !HasFatalFailure(); ++seed) run(true, seed);
}

TEST_P(RouteTableTest, AgreesWithTheModelForIpv6) {
  for (uint32_t seed = 1; seed <= 3 && !HasFatalFailure(); ++seed) run(false, seed);
}

TEST_P(RouteTableTest, FamiliesDoNotMeet) {
  const Route route = numbered_route(1);
  ASSERT_TRUE(publisher->replace_route({*net::Prefix::parse("::/0"), {{route, 1}}}));
  ASSERT_TRUE(publisher->settle());
  EXPECT_EQ(publisher->view().lookup(*net::IpAddress::parse("10.0.0.1"), 0).kind,
            RouteKind::Unreachable);
  EXPECT_EQ(publisher->view().lookup(*net::IpAddress::parse("2001:db8::1"), 0), route);
}

TEST_P(RouteTableTest, BulkAgreesWithSingleLookups) {
  std::mt19937 random(7);
  for (uint32_t i = 0; i < 200; ++i) {
    ASSERT_TRUE(publisher->replace_route(
        {random_prefix(random, i % 2 == 0), {{numbered_route(i), 1}, {numbered_route(i + 1), 2}}}));
  }
  ASSERT_TRUE(publisher->settle());
  const ForwardingView& view = publisher->view();
  for (std::size_t count = 0; count <= 32; ++count) {
    std::vector<net::IpAddress> addresses(32);
    std::vector<uint32_t> hashes(32);
    std::vector<const Route*> routes(32, nullptr);
    for (std::size_t i = 0; i < count; ++i) {
      addresses[i] = random_address(random, random() % 2 == 0);
      hashes[i] = static_cast<uint32_t>(random());
    }
    view.lookup_bulk(addresses.data(), hashes.data(), routes.data(), count);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(routes[i], &view.lookup(addresses[i], hashes[i]));
    }
    for (std::size_t i = count; i < 32; ++i) EXPECT_EQ(routes[i], nullptr);
  }
}

// Each round leaves DPDK's count of free second-level groups one off without the remedy in
// FibInstance::add().
TEST_P(RouteTableTest, LongPrefixesLikeTheirParentMayComeAndGo) {
  const Route route = numbered_route(1);
  for (const char* family : {"10.0.0.0/8", "2001:db8::/32"}) {
    const net::Prefix parent = *net::Prefix::parse(family);
    const bool ipv4 = parent.family() == net::Family::Ipv4;
    const auto length = static_cast<uint8_t>(ipv4 ? 27 : 64);
    const net::Prefix child{parent.address, length};
    ASSERT_TRUE(publisher->replace_route({parent, {{route, 1}}}));
    for (int round = 0; round < 3; ++round) {
      ASSERT_TRUE(publisher->replace_route({child, {{route, 1}}}));
      ASSERT_TRUE(publisher->settle());
      publisher->remove_route(child);
      ASSERT_TRUE(publisher->settle());
    }
    ASSERT_TRUE(publisher->replace_route({child, {{numbered_route(2), 1}}}));
    const Status status = publisher->settle();
    EXPECT_TRUE(status) << status.error().message();
    EXPECT_EQ(publisher->view().lookup(child.address, 0), numbered_route(2));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, RouteTableTest, ::testing::Values(FibKind::Compact, FibKind::Large),
                         [](const auto& parameter) {
                           return parameter.param == FibKind::Compact ? std::string("Compact")
                                                                      : std::string("Large");
                         });

}  // namespace
}  // namespace masugata::dataplane
