// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/snapshot/snapshot.h"

#include <gtest/gtest.h>

#include "dataplane/snapshot/compile.h"
#include "dataplane/snapshot/test_gateway.h"

namespace masugata::dataplane {
namespace {

using test::ip;

std::unique_ptr<const Snapshot> compile(const config::Model& model, std::time_t now = 0) {
  auto snapshot = compile_snapshot(model, 7, now);
  EXPECT_TRUE(snapshot.has_value()) << snapshot.error().message();
  return std::move(*snapshot);
}

std::string fault(const config::Model& model) {
  const auto snapshot = compile_snapshot(model, 1, 0);
  return snapshot ? "" : snapshot.error().message();
}

TEST(Snapshot, FindsInterfacesByPortAndVlan) {
  config::Model model = test::make_model();
  config::Interface tagged = model.interfaces[test::kLan0];
  tagged.name = "lan0.10";
  tagged.vlan = 10;
  model.interfaces.push_back(tagged);
  const auto snapshot = compile(model);
  EXPECT_EQ(snapshot->generation, 7U);
  EXPECT_EQ(snapshot->vlans.find(0, 0), test::kLan0);
  EXPECT_EQ(snapshot->vlans.find(0, 10), 4);
  EXPECT_EQ(snapshot->vlans.find(0, 11), VlanTable::kNone);
  EXPECT_EQ(snapshot->vlans.find(1, 10), VlanTable::kNone);
  EXPECT_EQ(snapshot->vlans.find(4, 0), VlanTable::kNone);
  EXPECT_EQ(snapshot->vlans.find(0, 4096), VlanTable::kNone);
}

TEST(Snapshot, InterfacesKnowTheirZone) {
  const auto snapshot = compile(test::make_model());
  EXPECT_EQ(snapshot->interfaces[test::kDmz0].zone, test::kDmz);
  EXPECT_EQ(snapshot->interfaces[test::kSpare0].zone, kNoZone);
}

TEST(Snapshot, MssFollowsTheMtuUnlessSaidOtherwise) {
  config::Model model = test::make_model();
  model.interfaces[0].mtu = 1492;
  model.interfaces[1].tcp_mss_ipv4 = 1300;
  model.interfaces[2].clamp_mss = false;
  const auto snapshot = compile(model);
  EXPECT_EQ(snapshot->interfaces[0].mss_clamp_ipv4, 1452);
  EXPECT_EQ(snapshot->interfaces[0].mss_clamp_ipv6, 1432);
  EXPECT_EQ(snapshot->interfaces[1].mss_clamp_ipv4, 1300);
  EXPECT_EQ(snapshot->interfaces[2].mss_clamp_ipv4, 0);
}

TEST(Snapshot, TimeoutsAreMillisecondsThatFitASignedClock) {
  config::Model model = test::make_model();
  model.sessions.timeouts.udp_new = 31;
  model.sessions.timeouts.other = 4000000;
  const auto snapshot = compile(model);
  EXPECT_EQ(snapshot->sessions.timeouts.udp_new_ms, 31000U);
  EXPECT_EQ(snapshot->sessions.timeouts.tcp_established_ms, 7440000U);
  EXPECT_LT(snapshot->sessions.timeouts.other_ms, 1U << 30U);
  EXPECT_EQ(snapshot->fragments.timeout_ms, 30000U);
}

TEST(Snapshot, AddressTowardsAPeer) {
  SnapshotInterface interface;
  EXPECT_EQ(interface.address_towards(ip("10.0.0.9")), std::nullopt);
  for (const char* address : {"fe80::1/64", "192.0.2.1/24", "10.0.0.1/24", "2001:db8::1/64"}) {
    interface.addresses.push_back(*net::Prefix::parse(address));
  }
  EXPECT_EQ(interface.address_towards(ip("10.0.0.9")), ip("10.0.0.1"));
  EXPECT_EQ(interface.address_towards(ip("198.51.100.9")), ip("192.0.2.1"));
  EXPECT_EQ(interface.address_towards(ip("2001:db8:9::9")), ip("2001:db8::1"));
  EXPECT_EQ(interface.address_towards(ip("fe80::9")), ip("fe80::1"));
}

TEST(Snapshot, ScheduleChangesShareTheClassifiers) {
  config::Model model = test::make_model();
  test::add_rule(model, test::kLan, test::kWan, "guest").until =
      std::chrono::sys_seconds(std::chrono::seconds(1000));
  const auto before = compile(model, 10);
  ASSERT_EQ(before->next_schedule_change, 1000);
  const auto after = with_schedules_at(*before, 8, 1000);
  EXPECT_EQ(after->generation, 8U);
  EXPECT_EQ(after->policy.get(), before->policy.get());
  EXPECT_EQ(after->nat.get(), before->nat.get());
  EXPECT_EQ(after->next_schedule_change, std::nullopt);
  PacketFacts facts;
  facts.key.source = ip("10.0.0.5");
  facts.key.destination = ip("198.51.100.9");
  const auto rule = [&](const Snapshot& snapshot) {
    return snapshot.policy->decide(test::kLan, test::kWan, facts, snapshot.policy_masks).rule;
  };
  EXPECT_EQ(rule(*before), kFirstConfiguredRule);
  EXPECT_EQ(rule(*after), kDefaultDeny);
}

TEST(Snapshot, ContradictionsAreFaults) {
  config::Model model = test::make_model();
  model.interfaces[1].port = 0;
  EXPECT_EQ(fault(model), "line 0, interface wan0: VLAN 0 of this port is taken");
  model = test::make_model();
  model.interfaces[1].port = 9;
  EXPECT_EQ(fault(model), "line 0, interface wan0: is on an unknown port");
  model = test::make_model();
  model.zones[test::kWan].interfaces.push_back(test::kLan0);
  EXPECT_EQ(fault(model), "line 0, zone wan: interface lan0 is already in zone lan");
  model = test::make_model();
  model.zones[test::kWan].interfaces.push_back(99);
  EXPECT_EQ(fault(model), "line 0, zone wan: names an unknown interface");
  model = test::make_model();
  model.zones.clear();
  EXPECT_EQ(fault(model), "zones: the zone self is missing");
  model = test::make_model();
  config::NatPool pool;
  pool.name = "empty";
  model.nat_pools.push_back(pool);
  EXPECT_EQ(fault(model), "line 0, NAT pool empty: the pool has no addresses");
}

}  // namespace
}  // namespace masugata::dataplane
