// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "dataplane/kernel/kernel_interface.h"
#include "dataplane/kernel/kernel_requests.h"

namespace masugata::dataplane {
namespace {

config::Model model() {
  config::Model result;
  config::Port port;
  port.name = "wan0";
  result.ports.push_back(port);
  config::Interface wan;
  wan.name = "wan0";
  wan.mtu = 1400;
  wan.addresses = {*net::Prefix::parse("203.0.113.1/24"), *net::Prefix::parse("2001:db8::1/64")};
  result.interfaces.push_back(wan);
  return result;
}

const std::vector<net::MacAddress> kMacs = {net::MacAddress{{2, 0, 0, 0, 0, 1}}};

net::IpAddress address(const char* text) { return *net::IpAddress::parse(text); }

TEST(KernelConfiguration, TakesTwinsAndRoutes) {
  auto given = model();
  config::StaticRoute route;
  route.destination = *net::Prefix::parse("0.0.0.0/0");
  route.via = address("203.0.113.254");
  given.routes.push_back(route);
  const auto configuration = compile_kernel_configuration(given, kMacs);
  ASSERT_TRUE(configuration) << configuration.error().message();
  ASSERT_EQ(configuration->twins.size(), 1U);
  EXPECT_EQ(configuration->twins[0].mac, kMacs[0]);
  EXPECT_EQ(configuration->twins[0].mtu, 1400);
  EXPECT_EQ(configuration->twins[0].addresses.size(), 2U);
  EXPECT_TRUE(configuration->twins[0].answered.empty());
  EXPECT_EQ(configuration->routes.size(), 1U);
}

TEST(KernelConfiguration, AnswersForTranslatedAddressesOfItsNetworks) {
  auto given = model();
  config::NatPool pool;
  pool.addresses = {*net::AddressRange::parse("203.0.113.10-203.0.113.12")};
  given.nat_pools.push_back(pool);
  config::DestinationNatRule rule;
  rule.destination = {*net::AddressRange::parse("203.0.113.1"),    // its own
                      *net::AddressRange::parse("198.51.100.7"),   // routed to us
                      *net::AddressRange::parse("203.0.113.255"),  // broadcast
                      *net::AddressRange::parse("203.0.113.20")};
  given.destination_nat.push_back(rule);
  config::StaticNatRule one_to_one;
  one_to_one.external = *net::AddressRange::parse("2001:db8::5");
  given.static_nat.push_back(one_to_one);
  const auto configuration = compile_kernel_configuration(given, kMacs);
  ASSERT_TRUE(configuration) << configuration.error().message();
  const std::vector<net::IpAddress> expected = {address("203.0.113.10"), address("203.0.113.11"),
                                                address("203.0.113.12"), address("203.0.113.20"),
                                                address("2001:db8::5")};
  std::vector<net::IpAddress> seen = configuration->twins[0].answered;
  std::sort(seen.begin(), seen.end());
  auto sorted = expected;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(seen, sorted);
}

TEST(KernelConfiguration, RefusesTooManyAnsweredAddressesAndLongNames) {
  auto given = model();
  config::NatPool pool;
  pool.addresses = {*net::AddressRange::parse("203.0.0.0/8")};
  given.nat_pools.push_back(pool);
  const auto many = compile_kernel_configuration(given, kMacs);
  ASSERT_FALSE(many);
  EXPECT_NE(many.error().message().find("4096"), std::string::npos);
  given = model();
  given.interfaces[0].name = "a-name-of-16-chr";
  EXPECT_FALSE(compile_kernel_configuration(given, kMacs));
  EXPECT_FALSE(compile_kernel_configuration(model(), {})) << "no MAC for the port";
}

TEST(KernelConfiguration, StaticRoutesAreMarkedAsOurs) {
  config::StaticRoute route;
  route.destination = *net::Prefix::parse("2001:db8:9::/48");
  route.blackhole = true;
  const KernelRoute blackhole = as_kernel_route(route, 0);
  EXPECT_EQ(blackhole.protocol, kRouteProtocol);
  EXPECT_EQ(blackhole.metric, 1024U);
  EXPECT_TRUE(blackhole.hops.empty());
}

}  // namespace
}  // namespace masugata::dataplane
