// SPDX-License-Identifier: GPL-2.0-or-later
// The mirror against a real kernel in a network namespace of its own.
#include "dataplane/kernel/kernel_mirror.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/kernel/network_namespace_fixture.h"
#include "dataplane/kernel/tap_device.h"

namespace masugata::dataplane {
namespace {

constexpr int kPatienceMs = 5000;

net::IpAddress address(const char* text) { return *net::IpAddress::parse(text); }
net::Prefix prefix(const char* text) { return *net::Prefix::parse(text); }

constexpr uint16_t kLan = 0;
constexpr uint16_t kWan = 1;

class KernelMirrorTest : public NetworkNamespaceTest {
 protected:
  void start(KernelMirrorSettings settings = {}) {
    auto lan = TapDevice::create("lan0", mac(1));
    auto wan = TapDevice::create("wan0", mac(2));
    ASSERT_TRUE(lan) << lan.error().message();
    ASSERT_TRUE(wan) << wan.error().message();
    taps_.push_back(std::move(*lan));
    taps_.push_back(std::move(*wan));
    auto publisher = ForwardingPublisher::create({}, readers_);
    ASSERT_TRUE(publisher) << publisher.error().message();
    publisher_ = std::move(*publisher);
    auto mirror = KernelMirror::create(settings, *publisher_);
    ASSERT_TRUE(mirror) << mirror.error().message();
    mirror_ = std::move(*mirror);
    configuration_.twins = {twin("lan0", 1, {"10.0.0.1/24", "2001:db8:a::1/64"}),
                            twin("wan0", 2, {"192.0.2.1/24", "2001:db8:b::1/64"})};
    const Status status = mirror_->apply(configuration_);
    ASSERT_TRUE(status) << status.error().message();
  }

  static net::MacAddress mac(uint8_t number) { return {{2, 0, 0, 0, 0, number}}; }

  static TwinConfiguration twin(const char* name, uint8_t number,
                                std::vector<const char*> addresses) {
    TwinConfiguration result;
    result.name = name;
    result.mac = mac(number);
    result.mtu = 1400;
    for (const char* text : addresses) result.addresses.push_back(prefix(text));
    return result;
  }

  // Takes events until the condition holds.
  bool eventually(const std::function<bool()>& condition) {
    for (int turn = 0; turn < 200; ++turn) {
      EXPECT_TRUE(mirror_->process_events());
      EXPECT_TRUE(publisher_->settle());
      if (condition()) return true;
      pollfd waiting{mirror_->event_descriptor(), POLLIN, 0};
      if (poll(&waiting, 1, kPatienceMs) == 0) return false;
    }
    return false;
  }

  Route look(const char* destination, uint32_t hash = 0) {
    return publisher_->view().lookup(address(destination), hash);
  }
  bool eventually_via(const char* destination, const char* gateway) {
    return eventually([&] {
      const Route route = look(destination);
      return route.kind == RouteKind::Gateway && route.gateway == address(gateway);
    });
  }
  bool eventually_is(const char* destination, RouteKind kind) {
    return eventually([&] { return look(destination).kind == kind; });
  }
  NeighbourIndex neighbour(uint16_t interface, const char* text) {
    return publisher_->neighbours().find(interface, address(text));
  }
  NeighbourState state(uint16_t interface, const char* text) {
    const NeighbourIndex index = neighbour(interface, text);
    return index == kNoNeighbour ? NeighbourState::Vacant : publisher_->neighbours().state(index);
  }

  NoReaders readers_;
  std::vector<TapDevice> taps_;
  std::unique_ptr<ForwardingPublisher> publisher_;
  std::unique_ptr<KernelMirror> mirror_;
  KernelConfiguration configuration_;
};

TEST_F(KernelMirrorTest, AppliedAddressesBecomeRoutes) {
  start();
  EXPECT_EQ(look("10.0.0.1"), (Route{RouteKind::Local, kLan, {}}));
  EXPECT_EQ(look("10.0.0.9"), (Route{RouteKind::Connected, kLan, {}}));
  EXPECT_EQ(look("10.0.0.255"), (Route{RouteKind::Broadcast, kLan, {}}));
  EXPECT_EQ(look("192.0.2.77"), (Route{RouteKind::Connected, kWan, {}}));
  EXPECT_EQ(look("198.51.100.1").kind, RouteKind::Unreachable);
  EXPECT_TRUE(eventually([&] {
    return look("2001:db8:a::9") == Route{RouteKind::Connected, kLan, {}} &&
           look("2001:db8:b::1") == Route{RouteKind::Local, kWan, {}};
  }));
  EXPECT_EQ(look("fe80::99").kind, RouteKind::Unreachable) << "link-local is never forwarded";
  const std::string link = output_of("ip link show lan0");
  EXPECT_NE(link.find("02:00:00:00:00:01"), std::string::npos) << link;
  EXPECT_NE(link.find("mtu 1400"), std::string::npos) << link;
}

TEST_F(KernelMirrorTest, TheMtuOfOneTwinChangesUntilTheNextConfiguration) {
  start();
  ASSERT_TRUE(mirror_->set_mtu(kLan, 1346));
  EXPECT_NE(output_of("ip link show lan0").find("mtu 1346"), std::string::npos);
  EXPECT_NE(output_of("ip link show wan0").find("mtu 1400"), std::string::npos);
  EXPECT_EQ(look("10.0.0.9"), (Route{RouteKind::Connected, kLan, {}}));
  ASSERT_TRUE(mirror_->apply(configuration_));
  EXPECT_NE(output_of("ip link show lan0").find("mtu 1400"), std::string::npos);
  EXPECT_FALSE(mirror_->set_mtu(99, 1346));
}

TEST_F(KernelMirrorTest, FollowsIpv4Routes) {
  start();
  run("ip route add 198.51.100.0/24 via 192.0.2.254");
  EXPECT_TRUE(eventually_via("198.51.100.1", "192.0.2.254"));
  EXPECT_EQ(look("198.51.100.1").interface, kWan);
  run("ip route replace 198.51.100.0/24 via 10.0.0.254");
  EXPECT_TRUE(eventually_via("198.51.100.1", "10.0.0.254"));
  run("ip route add 198.51.100.0/24 via 192.0.2.253 metric 50");
  run("ip route add blackhole 203.0.113.0/24");
  EXPECT_TRUE(eventually_is("203.0.113.1", RouteKind::Blackhole));
  EXPECT_EQ(look("198.51.100.1").gateway, address("10.0.0.254")) << "metric 0 is better";
  run("ip route del 198.51.100.0/24 via 10.0.0.254");
  EXPECT_TRUE(eventually_via("198.51.100.1", "192.0.2.253"));
  run("ip route del 198.51.100.0/24");
  EXPECT_TRUE(eventually_is("198.51.100.1", RouteKind::Unreachable));
  run("ip route replace prohibit 203.0.113.0/24");
  EXPECT_TRUE(eventually_is("203.0.113.1", RouteKind::Prohibit));
  run("ip route add unreachable 203.0.113.128/25");
  EXPECT_TRUE(eventually_is("203.0.113.129", RouteKind::Unreachable));
}

TEST_F(KernelMirrorTest, FollowsMultipathRoutes) {
  start();
  run("ip route add 0.0.0.0/0 nexthop via 192.0.2.254 weight 1 nexthop via 10.0.0.254 weight 3");
  EXPECT_TRUE(eventually_is("8.8.8.8", RouteKind::Gateway));
  const auto entry = publisher_->find_route(prefix("0.0.0.0/0"));
  ASSERT_TRUE(entry);
  ASSERT_EQ(entry->paths.size(), 2U);
  EXPECT_EQ(entry->paths[0].weight, 1);
  EXPECT_EQ(entry->paths[1].weight, 3);
  EXPECT_NE(look("8.8.8.8", 0).interface, look("8.8.8.8", 0xffffffffU).interface);
}

TEST_F(KernelMirrorTest, FollowsIpv6Routes) {
  start();
  run("ip -6 route add 2001:db8:f::/48 via 2001:db8:b::fe");
  EXPECT_TRUE(eventually_via("2001:db8:f::1", "2001:db8:b::fe"));
  run("ip -6 route append 2001:db8:f::/48 via 2001:db8:a::fe");
  EXPECT_TRUE(eventually([&] {
    const auto entry = publisher_->find_route(prefix("2001:db8:f::/48"));
    return entry && entry->paths.size() == 2;
  }));
  run("ip -6 route del 2001:db8:f::/48 via 2001:db8:b::fe");
  EXPECT_TRUE(eventually_via("2001:db8:f::1", "2001:db8:a::fe"));
  EXPECT_TRUE(eventually(
      [&] { return publisher_->find_route(prefix("2001:db8:f::/48"))->paths.size() == 1; }));
  run("ip -6 route replace 2001:db8:f::/48 via 2001:db8:b::fd");
  EXPECT_TRUE(eventually_via("2001:db8:f::1", "2001:db8:b::fd"));
  run("ip -6 route del 2001:db8:f::/48");
  EXPECT_TRUE(eventually_is("2001:db8:f::1", RouteKind::Unreachable));
}

TEST_F(KernelMirrorTest, ForeignLinksAndTablesDoNotForward) {
  start();
  run("ip link add eth9 type veth peer name eth8");
  run("ip addr add 10.9.0.1/24 dev eth9 && ip link set eth9 up && ip link set eth8 up");
  run("ip route add default via 192.0.2.254");
  run("ip route add 10.77.0.0/16 via 192.0.2.254 table 100");
  EXPECT_TRUE(eventually([&] {
    return look("8.8.8.8").kind == RouteKind::Gateway &&
           look("10.9.0.5").kind == RouteKind::Unreachable &&
           look("10.9.0.1").kind == RouteKind::Local;
  }));
  EXPECT_EQ(look("10.77.0.1").gateway, address("192.0.2.254")) << "the default route";
}

TEST_F(KernelMirrorTest, LinkDownTakesItsRoutesAway) {
  start();
  run("ip route add 198.51.100.0/24 via 192.0.2.254");
  EXPECT_TRUE(eventually_is("198.51.100.1", RouteKind::Gateway));
  run("ip link set wan0 down");
  EXPECT_TRUE(eventually([&] {
    return look("198.51.100.1").kind == RouteKind::Unreachable &&
           look("192.0.2.9").kind == RouteKind::Unreachable;
  }));
  EXPECT_EQ(look("10.0.0.9").kind, RouteKind::Connected);
  run("ip link set wan0 up");
  EXPECT_TRUE(eventually_is("192.0.2.9", RouteKind::Connected));
}

TEST_F(KernelMirrorTest, FollowsNeighbours) {
  start();
  run("ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:77 dev lan0 nud reachable");
  run("ip -6 neigh add 2001:db8:b::7 lladdr 02:00:00:00:00:78 dev wan0 nud stale");
  EXPECT_TRUE(eventually([&] {
    return state(kLan, "10.0.0.7") == NeighbourState::Reachable &&
           state(kWan, "2001:db8:b::7") == NeighbourState::Stale;
  }));
  net::MacAddress seen;
  EXPECT_TRUE(publisher_->neighbours().read(neighbour(kLan, "10.0.0.7"), seen));
  EXPECT_EQ(seen, mac(0x77));
  run("ip neigh replace 10.0.0.7 lladdr 02:00:00:00:00:79 dev lan0 nud permanent");
  EXPECT_TRUE(eventually([&] {
    return publisher_->neighbours().read(neighbour(kLan, "10.0.0.7"), seen) && seen == mac(0x79);
  }));
  const uint32_t generation = publisher_->view().generation();
  run("ip neigh del 10.0.0.7 dev lan0");
  EXPECT_TRUE(eventually([&] { return neighbour(kLan, "10.0.0.7") == kNoNeighbour; }));
  EXPECT_NE(publisher_->view().generation(), generation);
}

TEST_F(KernelMirrorTest, NeighboursSurviveAReload) {
  start();
  run("ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:77 dev lan0 nud reachable");
  ASSERT_TRUE(eventually([&] { return state(kLan, "10.0.0.7") == NeighbourState::Reachable; }));
  ASSERT_TRUE(mirror_->apply(configuration_));
  EXPECT_NE(output_of("ip neigh show dev lan0").find("10.0.0.7"), std::string::npos)
      << "the kernel forgets its neighbours when a link's address is set, even to the same value";
  EXPECT_EQ(state(kLan, "10.0.0.7"), NeighbourState::Reachable);
}

TEST_F(KernelMirrorTest, ResolvesByAskingOnTheWire) {
  start();
  mirror_->resolve(kLan, address("10.0.0.8"));
  const NeighbourIndex index = neighbour(kLan, "10.0.0.8");
  ASSERT_NE(index, kNoNeighbour) << "the index exists from the first packet on";
  EXPECT_EQ(publisher_->neighbours().state(index), NeighbourState::Incomplete);
  // The kernel's question comes out of the twin; other frames (IPv6) come as well.
  std::vector<uint8_t> frame(2048);
  bool asked = false;
  pollfd waiting{taps_[0].descriptor(), POLLIN, 0};
  while (!asked && poll(&waiting, 1, kPatienceMs) > 0) {
    const std::size_t length = taps_[0].read(frame);
    asked =
        length >= 42 && frame[12] == 0x08 && frame[13] == 0x06 && frame[21] == 1 && frame[41] == 8;
  }
  ASSERT_TRUE(asked);
  std::vector<uint8_t> reply = {2, 0, 0, 0, 0, 1, 2, 0,  0, 0, 0, 8, 8, 6, 0, 1, 8, 0,  6, 4, 0,
                                2, 2, 0, 0, 0, 0, 8, 10, 0, 0, 8, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1};
  const iovec piece{reply.data(), reply.size()};
  ASSERT_TRUE(taps_[0].write({&piece, 1}));
  EXPECT_TRUE(eventually([&] { return state(kLan, "10.0.0.8") == NeighbourState::Reachable; }));
  net::MacAddress seen;
  EXPECT_TRUE(publisher_->neighbours().read(index, seen)) << "same index as before the answer";
  EXPECT_EQ(seen, mac(8));
}

TEST_F(KernelMirrorTest, AsksAgainForStaleNeighboursInUse) {
  start();
  run("ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:77 dev lan0 nud stale");
  EXPECT_TRUE(eventually([&] { return state(kLan, "10.0.0.7") == NeighbourState::Stale; }));
  ASSERT_TRUE(mirror_->tick(0));
  EXPECT_NE(output_of("ip neigh show 10.0.0.7").find("STALE"), std::string::npos) << "not in use";
  publisher_->neighbours().mark_used(neighbour(kLan, "10.0.0.7"));
  ASSERT_TRUE(mirror_->tick(1000));
  EXPECT_EQ(output_of("ip neigh show 10.0.0.7").find("STALE"), std::string::npos);
}

TEST_F(KernelMirrorTest, DumpsAgainAfterLostMessages) {
  KernelMirrorSettings settings;
  settings.receive_buffer_bytes = 4096;
  start(settings);
  run("ip route add 172.31.0.0/16 via 192.0.2.254");
  run("for i in $(seq 0 255); do echo route add 172.16.$i.0/24 via 192.0.2.254; done | "
      "ip -batch -");
  run("ip route del 172.31.0.0/16");
  EXPECT_TRUE(eventually([&] {
    return look("172.16.255.1").kind == RouteKind::Gateway &&
           look("172.31.0.1").kind == RouteKind::Unreachable;
  }));
  for (int i = 0; i < 256; ++i) {
    const std::string host = "172.16." + std::to_string(i) + ".1";
    EXPECT_EQ(look(host.c_str()).kind, RouteKind::Gateway) << host;
  }
  EXPECT_GT(mirror_->statistics().overruns, 0U);
}

TEST_F(KernelMirrorTest, ReloadChangesOnlyWhatIsOurs) {
  start();
  config::StaticRoute mine;
  mine.destination = prefix("198.51.100.0/24");
  mine.via = address("192.0.2.254");
  config::StaticRoute kept = mine;
  kept.destination = prefix("2001:db8:f::/48");
  kept.via = address("2001:db8:b::fe");
  kept.interface = kWan;
  config::StaticRoute hole;
  hole.destination = prefix("203.0.113.0/24");
  hole.blackhole = true;
  configuration_.routes = {mine, kept, hole};
  configuration_.twins[kWan].answered = {address("192.0.2.10"), address("2001:db8:b::10")};
  ASSERT_TRUE(mirror_->apply(configuration_));
  EXPECT_EQ(look("198.51.100.1").gateway, address("192.0.2.254"));
  EXPECT_EQ(look("2001:db8:f::1").gateway, address("2001:db8:b::fe"));
  EXPECT_EQ(look("203.0.113.1").kind, RouteKind::Blackhole);
  EXPECT_EQ(look("192.0.2.10"), (Route{RouteKind::Local, kWan, {}}));
  EXPECT_TRUE(eventually_is("2001:db8:b::10", RouteKind::Local));  // IPv6 takes a moment

  run("ip route add 198.18.0.0/15 via 192.0.2.254");
  run("ip addr add 10.5.0.1/24 dev lan0");
  configuration_.routes = {kept};
  configuration_.twins[kLan].addresses = {prefix("10.1.0.1/24")};
  configuration_.twins[kWan].answered.clear();
  const Status status = mirror_->apply(configuration_);
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(look("198.51.100.1").kind, RouteKind::Unreachable);
  EXPECT_EQ(look("203.0.113.1").kind, RouteKind::Unreachable);
  EXPECT_EQ(look("2001:db8:f::1").kind, RouteKind::Gateway);
  EXPECT_EQ(look("192.0.2.10").kind, RouteKind::Connected);
  EXPECT_EQ(look("198.18.0.1").kind, RouteKind::Gateway) << "somebody else's route stays";
  EXPECT_EQ(look("10.5.0.1").kind, RouteKind::Local) << "somebody else's address stays";
  EXPECT_EQ(look("10.0.0.1").kind, RouteKind::Unreachable);
  EXPECT_EQ(look("10.1.0.1").kind, RouteKind::Local);
}

TEST_F(KernelMirrorTest, KeepsTheKernelFromForwarding) {
  start();
  EXPECT_EQ(output_of("cat /proc/sys/net/ipv4/conf/lan0/forwarding"), "0\n");
  run("echo 1 > /proc/sys/net/ipv4/ip_forward");
  run("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
  EXPECT_EQ(output_of("cat /proc/sys/net/ipv4/conf/wan0/forwarding"), "1\n");
  ASSERT_TRUE(mirror_->tick(0));
  for (const char* family : {"ipv4", "ipv6"}) {
    for (const char* link : {"lan0", "wan0"}) {
      const std::string path =
          std::string("/proc/sys/net/") + family + "/conf/" + link + "/forwarding";
      EXPECT_EQ(output_of("cat " + path), "0\n") << path;
    }
  }
  EXPECT_GE(mirror_->statistics().corrected_settings, 4U);
}

TEST_F(KernelMirrorTest, ReportsMissingTwinsAndDoesTheRest) {
  start();
  configuration_.twins.push_back(twin("dmz0", 3, {"10.3.0.1/24"}));
  configuration_.twins[kLan].addresses.push_back(prefix("10.4.0.1/24"));
  const Status status = mirror_->apply(configuration_);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message().find("dmz0"), std::string::npos);
  EXPECT_EQ(look("10.4.0.1").kind, RouteKind::Local);
}

}  // namespace
}  // namespace masugata::dataplane
