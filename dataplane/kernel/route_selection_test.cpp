// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel/route_selection.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

namespace masugata::dataplane {
namespace {

using Placement = RouteSelection::Placement;

net::Prefix prefix(const char* text) { return *net::Prefix::parse(text); }

KernelHop hop(int link, const char* gateway = nullptr) {
  KernelHop result;
  result.link = link;
  if (gateway != nullptr) result.gateway = net::IpAddress::parse(gateway);
  return result;
}

KernelRoute route(const char* destination, std::vector<KernelHop> hops, uint32_t metric = 0,
                  uint8_t type = RTN_UNICAST, uint32_t table = RT_TABLE_MAIN) {
  return {prefix(destination), table, metric, type, 0, std::move(hops)};
}

// Links 1..9 are ours with interface = link, others foreign.
InterfaceIndex ours(int link) {
  return link >= 1 && link <= 9 ? static_cast<InterfaceIndex>(link) : kNoInterface;
}

std::vector<RoutePath> paths(const RouteSelection& selection, const char* destination) {
  const auto entry = selection.best(prefix(destination), ours);
  return entry ? entry->paths : std::vector<RoutePath>{};
}

Route only(const RouteSelection& selection, const char* destination) {
  const auto all = paths(selection, destination);
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? Route{} : all.front().route;
}

TEST(RouteSelection, LowestMetricWinsAndTheNextSurfaces) {
  RouteSelection selection;
  const auto better = route("0.0.0.0/0", {hop(1, "192.0.2.1")}, 10);
  selection.add(route("0.0.0.0/0", {hop(2, "198.51.100.1")}, 20), Placement::Unstated);
  selection.add(better, Placement::Unstated);
  EXPECT_EQ(only(selection, "0.0.0.0/0").interface, 1);
  EXPECT_TRUE(selection.remove(better));
  EXPECT_EQ(only(selection, "0.0.0.0/0").interface, 2);
  EXPECT_TRUE(selection.remove(route("0.0.0.0/0", {hop(2, "198.51.100.1")}, 20)));
  EXPECT_FALSE(selection.best(prefix("0.0.0.0/0"), ours));
  EXPECT_TRUE(selection.prefixes().empty());
}

TEST(RouteSelection, LocalTableWinsOverMain) {
  RouteSelection selection;
  selection.add(route("10.0.0.1/32", {hop(1)}), Placement::Unstated);
  selection.add(route("10.0.0.1/32", {hop(2)}, 0, RTN_LOCAL, RT_TABLE_LOCAL), Placement::Unstated);
  EXPECT_EQ(only(selection, "10.0.0.1/32"), (Route{RouteKind::Local, 2, {}}));
}

TEST(RouteSelection, TranslatesEveryType) {
  RouteSelection selection;
  selection.add(route("10.1.0.0/16", {}, 0, RTN_BLACKHOLE), Placement::Unstated);
  selection.add(route("10.2.0.0/16", {}, 0, RTN_PROHIBIT), Placement::Unstated);
  selection.add(route("10.3.0.0/16", {}, 0, RTN_UNREACHABLE), Placement::Unstated);
  selection.add(route("10.4.0.0/16", {hop(3)}), Placement::Unstated);
  selection.add(route("10.4.255.255/32", {hop(3)}, 0, RTN_BROADCAST, RT_TABLE_LOCAL),
                Placement::Unstated);
  EXPECT_EQ(only(selection, "10.1.0.0/16").kind, RouteKind::Blackhole);
  EXPECT_EQ(only(selection, "10.2.0.0/16").kind, RouteKind::Prohibit);
  EXPECT_EQ(only(selection, "10.3.0.0/16").kind, RouteKind::Unreachable);
  EXPECT_EQ(only(selection, "10.4.0.0/16"), (Route{RouteKind::Connected, 3, {}}));
  EXPECT_EQ(only(selection, "10.4.255.255/32"), (Route{RouteKind::Broadcast, 3, {}}));
}

TEST(RouteSelection, ForeignLinksCloseThePrefixUnlessOursServesIt) {
  RouteSelection selection;
  selection.add(route("10.9.0.0/24", {hop(50)}), Placement::Unstated);
  EXPECT_EQ(only(selection, "10.9.0.0/24").kind, RouteKind::Unreachable)
      << "must not fall through to the default route";
  selection.add(route("10.9.0.0/24", {hop(1, "192.0.2.1")}, 100), Placement::Unstated);
  EXPECT_EQ(only(selection, "10.9.0.0/24").interface, 1) << "ours, though its metric is worse";
  selection.add(route("10.0.0.9/32", {hop(50)}, 0, RTN_LOCAL, RT_TABLE_LOCAL), Placement::Unstated);
  EXPECT_EQ(only(selection, "10.0.0.9/32").kind, RouteKind::Local);
}

TEST(RouteSelection, DeadHopsLeaveTheSet) {
  RouteSelection selection;
  auto both = route("10.0.0.0/8", {hop(1, "192.0.2.1"), hop(2, "198.51.100.1")});
  both.hops[0].weight = 3;
  selection.add(both, Placement::Unstated);
  ASSERT_EQ(paths(selection, "10.0.0.0/8").size(), 2U);
  EXPECT_EQ(paths(selection, "10.0.0.0/8")[0].weight, 3);
  both.hops[0].alive = false;
  selection.add(both, Placement::Replace);
  EXPECT_EQ(only(selection, "10.0.0.0/8").interface, 2);
  both.hops[1].alive = false;
  selection.add(both, Placement::Replace);
  EXPECT_EQ(paths(selection, "10.0.0.0/8").size(), 2U) << "all dead: as good as none";
}

TEST(RouteSelection, Ipv6SetsGrowAndShrink) {
  RouteSelection selection;
  const auto first = hop(1, "2001:db8:1::1");
  const auto second = hop(2, "2001:db8:2::1");
  selection.add(route("2001:db8:f::/48", {first}, 1024), Placement::Unstated);
  selection.add(route("2001:db8:f::/48", {first, second}, 1024), Placement::Append);
  EXPECT_EQ(paths(selection, "2001:db8:f::/48").size(), 2U);
  EXPECT_TRUE(selection.remove(route("2001:db8:f::/48", {first}, 1024)));
  EXPECT_EQ(only(selection, "2001:db8:f::/48").interface, 2);
  selection.add(route("2001:db8:f::/48", {first}, 1024), Placement::Replace);
  EXPECT_EQ(only(selection, "2001:db8:f::/48").interface, 1);
}

TEST(RouteSelection, HiddenRoutesAskForADump) {
  RouteSelection selection;
  const auto first = route("10.0.0.0/8", {hop(1, "192.0.2.1")});
  selection.add(first, Placement::Unstated);
  selection.add(route("10.0.0.0/8", {hop(2, "198.51.100.1")}), Placement::Append);
  EXPECT_EQ(only(selection, "10.0.0.0/8").interface, 1) << "the kernel uses the older one";
  EXPECT_FALSE(selection.remove(first)) << "what was behind it is not known here";
  // The same connected network on two links (IPv6): the first one counts.
  selection.add(route("2001:db8::/64", {hop(1)}, 256), Placement::Unstated);
  selection.add(route("2001:db8::/64", {hop(2)}, 256), Placement::Unstated);
  EXPECT_EQ(only(selection, "2001:db8::/64").interface, 1);
  EXPECT_FALSE(selection.remove(route("2001:db8::/64", {hop(1)}, 256)));
}

TEST(RouteSelection, Ipv4ReplaceTakesThePlace) {
  RouteSelection selection;
  selection.add(route("10.0.0.0/8", {hop(1, "192.0.2.1")}), Placement::Unstated);
  selection.add(route("10.0.0.0/8", {hop(2, "198.51.100.1")}), Placement::Replace);
  EXPECT_EQ(only(selection, "10.0.0.0/8").interface, 2);
  EXPECT_FALSE(selection.remove(route("10.0.0.0/8", {hop(1, "192.0.2.1")})));
}

TEST(RouteSelection, MirrorsOnlyWhatPacketsMayUse) {
  EXPECT_TRUE(RouteSelection::is_mirrored(route("10.0.0.0/8", {hop(1)})));
  EXPECT_FALSE(RouteSelection::is_mirrored(route("10.0.0.0/8", {hop(1)}, 0, RTN_UNICAST, 100)));
  EXPECT_FALSE(RouteSelection::is_mirrored(route("10.0.0.0/8", {}, 0, RTN_THROW)));
  EXPECT_FALSE(RouteSelection::is_mirrored(route("fe80::/64", {hop(1)})));
  EXPECT_FALSE(
      RouteSelection::is_mirrored(route("ff00::/8", {hop(1)}, 0, RTN_MULTICAST, RT_TABLE_LOCAL)));
  EXPECT_TRUE(
      RouteSelection::is_mirrored(route("fe80::1/128", {hop(1)}, 0, RTN_LOCAL, RT_TABLE_LOCAL)));
  EXPECT_TRUE(RouteSelection::is_mirrored(route("::/0", {hop(1)})));
}

}  // namespace
}  // namespace masugata::dataplane
