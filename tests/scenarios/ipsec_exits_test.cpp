// SPDX-License-Identifier: GPL-2.0-or-later
// Where a tunnel stands in the way of other exits, and translation of what goes through one.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/scenarios/ipsec_fixture.h"

namespace masugata::test {
namespace {

using ipsec::SaParameters;

ipsec::TrafficSelectors only(const char* network) {
  ipsec::TrafficSelectors selectors;
  (void)selectors.add(any_of(network));
  return selectors;
}

class IpsecExits : public IpsecTest {
 protected:
  // A tunnel between these networks.
  void open_between(const char* local, const char* remote) {
    const auto change = [&](SaParameters& parameters) {
      parameters.local_selectors = only(local);
      parameters.remote_selectors = only(remote);
    };
    from_peer_ = add_sa(Direction::Inbound, 0x1001, change);
    to_peer_ = add_sa(Direction::Outbound, 0x2001, change);
    ASSERT_TRUE(gateway_->ipsec().add_policy(policy(0x2001, local, remote)));
  }
  // What of `recipe`, sent in the LAN, the peer finds; empty unless it goes into the tunnel.
  reference::Bytes at_peer(const std::string& recipe) {
    const auto output = send("lan0", {inner(recipe)});
    if (output.size() != 1 || output[0].port != "wan0") return {};
    if (output[0].bytes[kLinkBytes + 9] != 50) return {};
    return opened(to_peer_, output[0]);
  }
  // What of `recipe`, sent by the peer, a host in the LAN finds.
  reference::Bytes in_lan(const std::string& recipe) {
    const auto output = send("wan0", {sealed(from_peer_, recipe)});
    if (output.size() != 1 || output[0].port != "lan0") return {};
    return {output[0].bytes.begin() + kLinkBytes, output[0].bytes.end()};
  }
  static std::string addresses_of(const reference::Bytes& packet) {
    if (packet.size() < 20) return "";
    return net::IpAddress::from_v4(net::load_be32(packet.data() + 12)).to_string() + " > " +
           net::IpAddress::from_v4(net::load_be32(packet.data() + 16)).to_string();
  }
};

constexpr const char* kBranch = R"(
interfaces {
    interface lan0 { device net_test_lan0; address 10.0.1.1/24; address 2001:db8:1::1/64; }
    interface wan0 { device net_test_wan0; address 192.0.2.1/24; address 2001:db8:f::1/64; }
    interface wan1 { device net_test_wan1; address 203.0.113.1/24; }
}
zones { zone lan { interface lan0; } zone wan { interface wan0; interface wan1; }
        zone headquarters { } }
vpn { site hq {
    peer 198.51.100.1; local-interface wan0; zone headquarters; CLOSED
    authentication { psk "correct horse battery staple"; }
} }
routes { route 0.0.0.0/0 { via 192.0.2.254; } route ::/0 { via 2001:db8:f::fe; }
         route 198.18.0.0/15 { via 203.0.113.254; } }
policy {
    from any to any { rule all { action permit; } }
    from wan to self { rule ike { service isakmp; action permit; } }
}
nat { destination { rule published { from wan; to { address 192.0.2.1; protocol tcp; port 80; }
                                     translate { address 10.0.1.10; } } } }
)";

std::string branch(bool closed) {
  std::string text = kBranch;
  return text.replace(text.find("CLOSED"), 6, closed ? "closed-network;" : "");
}

constexpr const char* kToInternet = "udp 10.0.1.10:5000 > 8.8.8.8:53 payload \"query\"";
constexpr const char* kFromInternet = "udp 8.8.8.8:53 > 10.0.1.10:5000 payload \"answer\"";

TEST_F(IpsecExits, AClosedNetworkGoesThroughItsTunnel) {
  start(1, branch(true));
  ASSERT_TRUE(gateway_->set_neighbour("wan1", "203.0.113.254", kPeerMac));
  open_between("10.0.1.0/24", "0.0.0.0/0");
  EXPECT_EQ(addresses_of(at_peer(kToInternet)), "10.0.1.10 > 8.8.8.8");
  // The answer comes from where routes do not expect it.
  EXPECT_EQ(addresses_of(in_lan(kFromInternet)), "8.8.8.8 > 10.0.1.10");
  EXPECT_EQ(addresses_of(in_lan("tcp 8.8.4.4:1000 > 10.0.1.10:22 flags S")), "8.8.4.4 > 10.0.1.10");
  // Nor does a narrower route, or another interface of that zone, or a neighbour there.
  EXPECT_EQ(addresses_of(at_peer("udp 10.0.1.10:5000 > 198.18.0.1:53 payload 00")),
            "10.0.1.10 > 198.18.0.1");
  EXPECT_EQ(addresses_of(at_peer("udp 10.0.1.10:5000 > 192.0.2.77:53 payload 00")),
            "10.0.1.10 > 192.0.2.77");
  ASSERT_TRUE(gateway_->set_route({"9.9.9.9/32", "wan0", "192.0.2.254"}));
  EXPECT_EQ(addresses_of(at_peer("udp 10.0.1.10:5000 > 9.9.9.9:53 payload 00")),
            "10.0.1.10 > 9.9.9.9");
  // ICMP errors of routers behind the tunnel belong to it as well.
  EXPECT_EQ(addresses_of(in_lan("icmp unreachable port 8.8.8.8 > 10.0.1.10 quoting { "
                                "udp 10.0.1.10:5000 > 8.8.8.8:53 payload-size 8 }")),
            "8.8.8.8 > 10.0.1.10");
}

TEST_F(IpsecExits, NothingLeavesAClosedNetworkWhileItsTunnelIsDown) {
  start(1, branch(true));
  EXPECT_TRUE(send("lan0", {inner(kToInternet)}).empty());
  EXPECT_EQ(drops("ipsec-no-sa"), 1U);
  // What the tunnel is not for has no other way either.
  open_between("10.0.1.0/24", "0.0.0.0/0");
  EXPECT_TRUE(
      send("lan0", {inner("udp [2001:db8:1::10]:1 > [2001:db8:77::1]:53 payload 00")}).empty());
  EXPECT_EQ(drops("ipsec-no-sa"), 2U);
}

TEST_F(IpsecExits, NothingEntersAClosedNetworkBesideItsTunnel) {
  start(1, branch(true));
  open_between("10.0.1.0/24", "0.0.0.0/0");
  EXPECT_TRUE(send("wan0", {inner("tcp 198.51.100.5:1000 > 192.0.2.1:80 flags S")}).empty());
  EXPECT_EQ(drops("closed-network"), 1U);
  EXPECT_TRUE(send("wan0", {inner("tcp 198.51.100.5:1000 > 10.0.1.10:22 flags S")}).empty());
  EXPECT_EQ(drops("closed-network"), 2U);
}

TEST_F(IpsecExits, TheGatewayOfAClosedNetworkStillSpeaksToItsPeer) {
  start(1, branch(true));
  const auto ike = inner("udp 192.0.2.1:500 > 198.51.100.1:500 payload 0102030405060708");
  ASSERT_TRUE(gateway_->send({{"wan0", true, framed("wan0", ike)}}));
  auto output = gateway_->take_output();
  ASSERT_EQ(output.size(), 1U);
  EXPECT_EQ(output[0].port, "wan0");
  EXPECT_FALSE(output[0].kernel);
  output = send("wan0", {inner("udp 198.51.100.1:500 > 192.0.2.1:500 payload 0807060504030201")});
  ASSERT_EQ(output.size(), 1U);
  EXPECT_TRUE(output[0].kernel);
  // The peer may begin, too.
  output = send("wan0", {inner("udp 198.51.100.9:500 > 192.0.2.1:500 payload 0807060504030201")});
  ASSERT_EQ(output.size(), 1U);
  EXPECT_TRUE(output[0].kernel);
}

TEST_F(IpsecExits, ClosingTakesHoldOfSessions) {
  start(1, branch(false));
  auto output = send("lan0", {inner(kToInternet)});
  ASSERT_EQ(output.size(), 1U);
  EXPECT_EQ(output[0].bytes[kLinkBytes + 9], 17);  // in clear
  output = send("wan0", {inner("tcp 198.51.100.5:1000 > 192.0.2.1:80 flags S")});
  ASSERT_EQ(output.size(), 1U);
  ASSERT_TRUE(gateway_->configure(branch(true)));
  open_between("10.0.1.0/24", "0.0.0.0/0");
  EXPECT_EQ(addresses_of(at_peer(kToInternet)), "10.0.1.10 > 8.8.8.8");
  EXPECT_TRUE(send("wan0", {inner(kFromInternet)}).empty());
  EXPECT_TRUE(
      send("lan0", {inner("tcp 10.0.1.10:80 > 198.51.100.5:1000 flags SA seq 5 ack 1")}).empty());
}

TEST_F(IpsecExits, TwoWorkersCloseItAlike) {
  start(2, branch(true));
  open_between("10.0.1.0/24", "0.0.0.0/0");
  for (int round = 0; round < 4; ++round) {
    EXPECT_EQ(addresses_of(at_peer(kToInternet)), "10.0.1.10 > 8.8.8.8");
    EXPECT_EQ(addresses_of(in_lan(kFromInternet)), "8.8.8.8 > 10.0.1.10");
  }
}

// --- translation ---

// Both offices have 10.0.1.0/24. Each is seen by the other as another network.
constexpr const char* kOverlap = R"(
interfaces {
    interface lan0 { device net_test_lan0; address 10.0.1.1/24; address 2001:db8:1::1/64; }
    interface wan0 { device net_test_wan0; address 192.0.2.1/24; address 2001:db8:f::1/64; }
}
zones { zone lan { interface lan0; } zone wan { interface wan0; } zone branches { } }
vpn { site osaka {
    peer 198.51.100.1; local-interface wan0; zone branches; TUNNEL
    authentication { psk "correct horse battery staple"; }
    remote-networks 10.102.1.0/24;
} }
routes { route 0.0.0.0/0 { via 192.0.2.254; } }
policy { from lan to branches { rule out { action permit; } }
         from branches to lan { rule in { action permit; } } }
nat { NAT }
)";

std::string overlap(const std::string& tunnel, const std::string& nat) {
  std::string text = kOverlap;
  text.replace(text.find("TUNNEL"), 6, tunnel);
  return text.replace(text.find("NAT }"), 5, nat + " }");
}

TEST_F(IpsecExits, OverlappingNetworksAreTranslatedOneToOne) {
  start(1, overlap("local-networks 10.101.1.0/24;",
                   "static { rule osaka { zone branches; external 10.101.1.0/24; "
                   "internal 10.0.1.0/24; } }"));
  open_between("10.101.1.0/24", "10.102.1.0/24");
  EXPECT_EQ(addresses_of(at_peer("tcp 10.0.1.10:4000 > 10.102.1.10:80 flags S seq 1")),
            "10.101.1.10 > 10.102.1.10");
  EXPECT_EQ(addresses_of(in_lan("tcp 10.102.1.10:80 > 10.101.1.10:4000 flags SA seq 9 ack 2")),
            "10.102.1.10 > 10.0.1.10");
  // And begun by the other side.
  EXPECT_EQ(addresses_of(in_lan("icmp echo-request 10.102.1.20 > 10.101.1.10 id 3 seq 1")),
            "10.102.1.20 > 10.0.1.10");
  EXPECT_EQ(addresses_of(at_peer("icmp echo-reply 10.0.1.10 > 10.102.1.20 id 3 seq 1")),
            "10.101.1.10 > 10.102.1.20");
  // An error about what went through quotes what its receiver knows.
  const auto error = in_lan(
      "icmp unreachable port 10.102.1.1 > 10.101.1.10 quoting { "
      "tcp 10.101.1.10:4000 > 10.102.1.10:80 flags S seq 1 }");
  EXPECT_EQ(addresses_of(error), "10.102.1.1 > 10.0.1.10");
  ASSERT_GT(error.size(), 48U);
  EXPECT_EQ(addresses_of({error.begin() + 28, error.end()}), "10.0.1.10 > 10.102.1.10");
}

TEST_F(IpsecExits, AnOfficeHidesBehindItsTunnelsAddress) {
  start(1, overlap("local-networks 10.200.0.1/32; address 10.200.0.1/32;",
                   "source { rule hide { from lan; to branches; translate interface; } } "
                   "destination { rule web { from branches; to { address 10.200.0.1; "
                   "protocol tcp; port 8080; } translate { address 10.0.1.10; port 80; } } }"));
  open_between("10.200.0.1/32", "10.102.1.0/24");
  EXPECT_EQ(addresses_of(at_peer("udp 10.0.1.10:5000 > 10.102.1.10:53 payload 00")),
            "10.200.0.1 > 10.102.1.10");
  EXPECT_EQ(addresses_of(in_lan("udp 10.102.1.10:53 > 10.200.0.1:5000 payload 01")),
            "10.102.1.10 > 10.0.1.10");
  const auto request = in_lan("tcp 10.102.1.10:7000 > 10.200.0.1:8080 flags S seq 1");
  EXPECT_EQ(addresses_of(request), "10.102.1.10 > 10.0.1.10");
  ASSERT_GT(request.size(), 24U);
  EXPECT_EQ(request[22] << 8U | request[23], 80);
  EXPECT_EQ(addresses_of(at_peer("tcp 10.0.1.10:80 > 10.102.1.10:7000 flags SA seq 9 ack 2")),
            "10.200.0.1 > 10.102.1.10");
}

TEST_F(IpsecExits, AnOfficeHidesBehindAPool) {
  start(1, overlap("local-networks 10.201.0.0/28;",
                   "pool osaka { address 10.201.0.0/28; } "
                   "source { rule hide { from lan; to branches; translate pool osaka; } }"));
  open_between("10.201.0.0/28", "10.102.1.0/24");
  const auto packet = at_peer("udp 10.0.1.10:5000 > 10.102.1.10:53 payload 00");
  EXPECT_EQ(addresses_of(packet).substr(0, 9), "10.201.0.");
}

}  // namespace
}  // namespace masugata::test
