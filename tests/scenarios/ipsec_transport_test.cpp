// SPDX-License-Identifier: GPL-2.0-or-later
// Transport mode: what the gateway itself and a peer send each other is encrypted, without a
// tunnel.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/scenarios/ipsec_fixture.h"

namespace masugata::test {
namespace {

constexpr const char* kHosts = R"(
interfaces {
    interface lan0 { device net_test_lan0; address 10.0.1.1/24; address 2001:db8:1::1/64; }
    interface wan0 { device net_test_wan0; address 192.0.2.1/24; address 2001:db8:f::1/64; }
}
zones { zone lan { interface lan0; } zone wan { interface wan0; } zone peers { } }
vpn { site osaka {
    peer 198.51.100.1; local-interface wan0; zone peers; MODE
    authentication { psk "correct horse battery staple"; }
} }
routes { route 0.0.0.0/0 { via 192.0.2.254; } route ::/0 { via 2001:db8:f::fe; } }
policy {
    from lan to wan { rule out { action permit; } }
    from peers to self { rule ssh { service ssh; action permit; } rule echo { protocol icmp; action permit; } }
    from wan to self { rule all { action permit; } }
    from self to wan { rule all { action permit; } }
    from self to peers { rule all { action permit; } }
}
)";

std::string hosts(bool transport) {
  std::string text = kHosts;
  return text.replace(text.find("MODE"), 4, transport ? "transport-mode;" : "");
}

constexpr const char* kSyn = "tcp 192.0.2.1:4000 > 198.51.100.1:22 flags S seq 1 opt mss 1460";
constexpr const char* kPeerSyn = "tcp 198.51.100.1:4000 > 192.0.2.1:22 flags S seq 1 opt mss 1460";
constexpr const char* kQuestion = "icmp echo-request 192.0.2.1 > 198.51.100.1 id 1 seq 1";
constexpr const char* kPeerQuestion = "icmp echo-request 198.51.100.1 > 192.0.2.1 id 2 seq 1";

class IpsecTransport : public IpsecTest {
 protected:
  static void as_transport(ipsec::SaParameters& parameters) {
    parameters.mode = ipsec::Mode::Transport;
    parameters.local_selectors = {};
    parameters.remote_selectors = {};
    (void)parameters.local_selectors.add(any_of("192.0.2.1"));
    (void)parameters.remote_selectors.add(any_of("198.51.100.1"));
  }
  void open() {
    from_peer_ = add_sa(Direction::Inbound, 0x1001, as_transport);
    to_peer_ = add_sa(Direction::Outbound, 0x2001, as_transport);
    ASSERT_TRUE(gateway_->ipsec().add_policy(policy(0x2001, "192.0.2.1", "198.51.100.1")));
  }
  // What leaves when the gateway's kernel sends this by wan0.
  std::vector<PortFrame> send_from_kernel(const std::vector<uint8_t>& packet) {
    EXPECT_TRUE(gateway_->send({{"wan0", true, framed("wan0", packet)}}));
    return gateway_->take_output();
  }
  std::vector<PortFrame> send_from_kernel(const std::string& recipe) {
    return send_from_kernel(inner(recipe));
  }
  // What the peer sees of it; empty unless it is one packet of ESP by wan0.
  reference::Bytes at_peer(const std::string& recipe) {
    const auto left = send_from_kernel(recipe);
    if (left.size() != 1 || left[0].kernel || left[0].port != "wan0") return {};
    if (left[0].bytes[kLinkBytes + 9] != 50) return {};
    return opened(to_peer_, left[0]);
  }
  // What the kernel sees of what the peer sends; empty unless it comes by wan0's twin.
  reference::Bytes at_kernel(const std::string& recipe) {
    const auto arrived = send("wan0", {sealed(from_peer_, recipe)});
    if (arrived.size() != 1 || !arrived[0].kernel || arrived[0].port != "wan0") return {};
    return {arrived[0].bytes.begin() + kLinkBytes, arrived[0].bytes.end()};
  }
};

TEST_F(IpsecTransport, EncryptsWhatTheGatewayItselfSends) {
  start(1, hosts(true));
  open();
  EXPECT_EQ(at_peer(kQuestion), inner(kQuestion));
  const auto answer = "icmp echo-reply 198.51.100.1 > 192.0.2.1 id 1 seq 1";
  EXPECT_EQ(at_kernel(answer), inner(answer));
  const auto sessions = gateway_->sessions();
  ASSERT_EQ(sessions.size(), 1U);
  EXPECT_EQ(sessions[0].from_zone, "self");
  EXPECT_EQ(sessions[0].to_zone, "peers");
}

TEST_F(IpsecTransport, GivesWhatThePeerSendsToTheKernel) {
  start(1, hosts(true));
  open();
  EXPECT_EQ(at_kernel(kPeerQuestion), inner(kPeerQuestion));
  const auto answer = "icmp echo-reply 192.0.2.1 > 198.51.100.1 id 2 seq 1";
  EXPECT_EQ(at_peer(answer), inner(answer));
  // Its zone is the site's: policy of the interface below permits everything.
  EXPECT_TRUE(at_kernel("tcp 198.51.100.1:4000 > 192.0.2.1:23 flags S seq 1").empty());
  EXPECT_EQ(drops("policy-default-denied"), 1U);
}

TEST_F(IpsecTransport, AnswersOfTheGatewayAreEncryptedAsWell) {
  std::string text = hosts(true);
  const std::string rule = "rule ssh { service ssh; action permit; }";
  text.replace(text.find(rule), rule.size(),
               "rule ssh { service ssh; action reject; }"
               "rule dns { service dns; action reject; }");
  start(1, text);
  open();
  const auto reset = send("wan0", {sealed(from_peer_, kPeerSyn)});
  ASSERT_EQ(reset.size(), 1U);
  EXPECT_EQ(opened(to_peer_, reset[0]).size(), 40U);
  const auto error =
      send("wan0", {sealed(from_peer_, "udp 198.51.100.1:4000 > 192.0.2.1:53 payload 00")});
  ASSERT_EQ(error.size(), 1U);
  const auto icmp = opened(to_peer_, error[0]);
  ASSERT_GT(icmp.size(), 20U);
  EXPECT_EQ(icmp[9], 1);
  EXPECT_EQ(net::IpAddress::from_v4(net::load_be32(icmp.data() + 12)),
            *net::IpAddress::parse("192.0.2.1"));
}

TEST_F(IpsecTransport, WorksWithTwoWorkers) {
  start(2, hosts(true));
  open();
  for (int round = 0; round < 4; ++round) {
    EXPECT_EQ(at_peer(kQuestion), inner(kQuestion)) << round;
    EXPECT_EQ(at_kernel(kPeerQuestion), inner(kPeerQuestion)) << round;
  }
}

TEST_F(IpsecTransport, NothingGoesInClear) {
  start(1, hosts(true));
  EXPECT_TRUE(send_from_kernel(kQuestion).empty());
  EXPECT_EQ(drops("ipsec-no-sa"), 1U);
  open();
  // Another source than the SA is for, by whatever route.
  EXPECT_TRUE(send_from_kernel("icmp echo-request 10.0.1.1 > 198.51.100.1 id 1 seq 1").empty());
  EXPECT_EQ(drops("ipsec-no-sa"), 2U);
}

TEST_F(IpsecTransport, NothingComesInClear) {
  start(1, hosts(true));
  open();
  EXPECT_TRUE(send("wan0", {inner(kPeerQuestion)}).empty());
  EXPECT_EQ(drops("ipsec-in-clear"), 1U);
  // Nor into a session that is protected.
  EXPECT_EQ(at_peer("udp 192.0.2.1:5000 > 198.51.100.1:53 payload 00").size(), 29U);
  EXPECT_TRUE(send("wan0", {inner("udp 198.51.100.1:53 > 192.0.2.1:5000 payload 00")}).empty());
  EXPECT_EQ(drops("spoofed"), 1U);
  // Others are not meant.
  const auto arrived =
      send("wan0", {inner("icmp echo-request 198.51.100.2 > 192.0.2.1 id 1 seq 1")});
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_TRUE(arrived[0].kernel);
}

TEST_F(IpsecTransport, IkeAndWhatIsForwardedStayInClear) {
  start(1, hosts(true));
  open();
  const auto ike = inner("udp 192.0.2.1:500 > 198.51.100.1:500 payload 0102030405060708");
  auto left = send_from_kernel(ike);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].bytes[kLinkBytes + 9], 17);
  const auto arrived =
      send("wan0", {inner("udp 198.51.100.1:500 > 192.0.2.1:500 payload 0807060504030201")});
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_TRUE(arrived[0].kernel);
  left = send("lan0", {inner("udp 10.0.1.10:5000 > 198.51.100.1:53 payload 00")});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].bytes[kLinkBytes + 9], 17);
}

TEST_F(IpsecTransport, RefusesWhatTheSelectorsDoNotName) {
  start(1, hosts(true));
  open();
  EXPECT_TRUE(at_kernel("icmp echo-request 198.51.100.2 > 192.0.2.1 id 1 seq 1").empty());
  EXPECT_EQ(drops("ipsec-selector"), 1U);
}

TEST_F(IpsecTransport, SegmentsFitAndWhatIsTooLargeIsCutBehindEncryption) {
  start(1, hosts(true));
  open();
  const auto segment_of = [](const reference::Bytes& packet) {
    return packet.size() < 44 ? 0U : net::load_be16(packet.data() + 42).host();
  };
  // 1500 - 20 (IP) - 8 - 8 (ESP, IV) - 16 (ICV), - 2 (trailer) - 20 (TCP)
  EXPECT_EQ(segment_of(at_peer(kSyn)), 1426U);
  EXPECT_EQ(segment_of(at_kernel(kPeerSyn)), 1426U);
  const auto large =
      inner("ipv4 df | icmp echo-request 192.0.2.1 > 198.51.100.1 id 2 seq 1 payload-size 1472");
  ASSERT_EQ(large.size(), 1500U);
  const auto pieces = send_from_kernel(large);
  ASSERT_EQ(pieces.size(), 2U);
  reference::Bytes outer(pieces[0].bytes.begin() + kLinkBytes, pieces[0].bytes.end());
  outer.insert(outer.end(), pieces[1].bytes.begin() + kLinkBytes + 20, pieces[1].bytes.end());
  for (const PortFrame& piece : pieces) {
    const uint8_t* ip = piece.bytes.data() + kLinkBytes;
    EXPECT_EQ(net::load_be16(ip + 4).raw, net::load_be16(outer.data() + 4).raw);
    EXPECT_EQ(net::checksum_fold(net::checksum_add(ip, 20)), 0xffff);
  }
  outer[2] = static_cast<uint8_t>(outer.size() >> 8U);
  outer[3] = static_cast<uint8_t>(outer.size());
  outer[6] = outer[7] = 0;
  const auto opened = peer_.decapsulate(to_peer_, outer);
  EXPECT_EQ(opened.refusal, ipsec::EspRefusal::None);
  EXPECT_EQ(opened.packet.size(), large.size());
}

TEST_F(IpsecTransport, SasMustBeOfTheModeOfTheirSite) {
  for (const bool transport : {false, true}) {
    start(1, hosts(transport));
    auto parameters = reference::parameters_of({}, Direction::Inbound, 0x1001);
    parameters.tunnel_id = tunnel_id_;
    if (!transport) as_transport(parameters);
    const Status installed = gateway_->ipsec().install(std::move(parameters));
    ASSERT_FALSE(installed);
    EXPECT_EQ(installed.error().what, transport
                                          ? "the peer wants a tunnel, the site is in transport-mode"
                                          : "the peer wants transport mode, the site is a tunnel");
  }
}

TEST_F(IpsecTransport, SessionsDoNotOutliveAChangeOfProtection) {
  start(1, hosts(false));
  auto clear = send_from_kernel(kQuestion);
  ASSERT_EQ(clear.size(), 1U);
  EXPECT_EQ(clear[0].bytes[kLinkBytes + 9], 1);
  ASSERT_TRUE(gateway_->configure(hosts(true)));
  open();
  EXPECT_TRUE(send_from_kernel(kQuestion).empty());
  EXPECT_EQ(drops("session-ended"), 1U);
  EXPECT_EQ(at_peer(kQuestion), inner(kQuestion));
  ASSERT_TRUE(gateway_->configure(hosts(false)));
  EXPECT_TRUE(gateway_->ipsec().statuses().empty());
  EXPECT_TRUE(send_from_kernel(kQuestion).empty());
  clear = send_from_kernel(kQuestion);
  ASSERT_EQ(clear.size(), 1U);
  EXPECT_EQ(clear[0].bytes[kLinkBytes + 9], 1);
}

}  // namespace
}  // namespace masugata::test
