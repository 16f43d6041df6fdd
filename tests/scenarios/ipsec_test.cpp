// SPDX-License-Identifier: GPL-2.0-or-later
// Traffic through a tunnel, with the peer's side done by OpenSSL.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/packets/packet_describer.h"
#include "tests/scenarios/ipsec_fixture.h"

namespace masugata::test {
namespace {

constexpr const char* kRequest = "tcp 10.9.0.5:4000 > 10.0.1.10:80 flags S seq 100";
constexpr const char* kAnswer = "tcp 10.0.1.10:80 > 10.9.0.5:4000 flags SA seq 900 ack 101";

TEST_F(IpsecTest, CarriesASessionBothWays) {
  start();
  open_tunnel();
  const auto arrived = send("wan0", {sealed(from_peer_, kRequest)});
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(arrived[0].port, "lan0");
  EXPECT_EQ(arrived[0].bytes.size() - kLinkBytes, inner(kRequest).size());
  const auto left = send("lan0", {inner(kAnswer)});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].port, "wan0");
  EXPECT_EQ(left[0].bytes[kLinkBytes + 9], 50);
  const auto answer = opened(to_peer_, left[0]);
  ASSERT_EQ(answer.size(), inner(kAnswer).size());
  // The gateway is a router on the way.
  EXPECT_EQ(answer[8], inner(kAnswer)[8] - 1);
  const auto sessions = gateway_->sessions();
  ASSERT_EQ(sessions.size(), 1U);
  EXPECT_EQ(sessions[0].from_zone, "branches");
  EXPECT_EQ(sessions[0].to_zone, "lan");
  EXPECT_EQ(gateway_->ipsec().statuses().size(), 2U);
  EXPECT_EQ(gateway_->ipsec().statuses()[0].packets, 1U);
}

TEST_F(IpsecTest, DecryptedPacketsMeetThePolicy) {
  start();
  open_tunnel();
  EXPECT_TRUE(
      send("wan0", {sealed(from_peer_, "tcp 10.9.0.5:4000 > 10.0.1.10:22 flags S seq 1")}).empty());
  EXPECT_EQ(drops("policy-default-denied"), 1U);
}

TEST_F(IpsecTest, RefusesReplaysForgeriesAndUnknownSpis) {
  start();
  open_tunnel();
  const auto packet = sealed(from_peer_, kRequest);
  EXPECT_EQ(send("wan0", {packet, packet}).size(), 1U);
  EXPECT_EQ(drops("ipsec-replay"), 1U);
  auto forged = sealed(from_peer_, kRequest);
  forged.back() ^= 1U;
  EXPECT_TRUE(send("wan0", {forged}).empty());
  EXPECT_EQ(drops("ipsec-authentication"), 1U);
  auto unknown = sealed(from_peer_, kRequest);
  unknown[20] ^= 0x40U;
  EXPECT_TRUE(send("wan0", {unknown}).empty());
  EXPECT_EQ(drops("ipsec-unknown-spi"), 1U);
  auto shortened = sealed(from_peer_, kRequest);
  shortened.resize(28);
  shortened[3] = 28;
  shortened[2] = 0;
  shortened[10] = shortened[11] = 0;
  EXPECT_TRUE(send("wan0", {shortened}).empty());
}

TEST_F(IpsecTest, RefusesWhatTheSelectorsDoNotName) {
  start();
  open_tunnel();
  EXPECT_TRUE(
      send("wan0", {sealed(from_peer_, "tcp 10.8.0.5:4000 > 10.0.1.10:80 flags S seq 1")}).empty());
  EXPECT_TRUE(
      send("wan0", {sealed(from_peer_, "tcp 10.9.0.5:4000 > 10.0.7.10:80 flags S seq 1")}).empty());
  EXPECT_EQ(drops("ipsec-selector"), 2U);
}

TEST_F(IpsecTest, NothingLeavesATunnelInClear) {
  start();
  EXPECT_TRUE(send("lan0", {inner("icmp echo-request 10.0.1.10 > 10.9.0.5 id 1 seq 1")}).empty());
  EXPECT_EQ(drops("ipsec-no-sa"), 1U);
  std::vector<uint32_t> asked;
  gateway_->ipsec().set_events({[&asked](uint32_t id, const dataplane::SelectorFacts& facts) {
                                  asked.push_back(id);
                                  EXPECT_EQ(facts.destination.to_string(), "10.9.0.5");
                                  return true;
                                },
                                {},
                                {}});
  ASSERT_TRUE(gateway_->ipsec().add_policy(policy(0)));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(send("lan0", {inner("icmp echo-request 10.0.1.10 > 10.9.0.5 id 1 seq 2")}).empty());
  }
  EXPECT_EQ(asked, std::vector<uint32_t>{7});
}

TEST_F(IpsecTest, SwitchesToTheNewSaAtARekey) {
  start();
  open_tunnel();
  ASSERT_EQ(send("wan0", {sealed(from_peer_, kRequest)}).size(), 1U);
  ipsec::EspSa* fresh = add_sa(Direction::Outbound, 0x2002);
  ASSERT_TRUE(gateway_->ipsec().add_policy(policy(0x2002)));
  const auto left = send("lan0", {inner(kAnswer)});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(opened(fresh, left[0]).size(), inner(kAnswer).size());
  EXPECT_TRUE(gateway_->ipsec().remove_policy(policy(0x2001)));
  EXPECT_TRUE(gateway_->ipsec().remove(
      {0x2001, Direction::Outbound, *net::IpAddress::parse("198.51.100.1")}));
  EXPECT_EQ(send("lan0", {inner(kAnswer)}).size(), 1U);
  // The old inbound SA works until charon takes it away.
  ipsec::EspSa* inbound = add_sa(Direction::Inbound, 0x1002);
  EXPECT_EQ(send("wan0", {sealed(from_peer_, kRequest), sealed(inbound, kRequest)}).size(), 2U);
}

// Both sides began at once, and one of the two is being ended: the peer has thrown it away already.
TEST_F(IpsecTest, LeavesAnSaThatEndsForAnotherOne) {
  start();
  open_tunnel();
  ASSERT_EQ(send("wan0", {sealed(from_peer_, kRequest)}).size(), 1U);
  ipsec::EspSa* last = add_sa(Direction::Outbound, 0x2002);
  ASSERT_TRUE(gateway_->ipsec().add_policy(policy(0x2002)));
  gateway_->ipsec().set_ending({{tunnel_id_ + 1, 0x2002}});
  auto left = send("lan0", {inner(kAnswer)});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(opened(last, left[0]).size(), inner(kAnswer).size()) << "another tunnel's";
  gateway_->ipsec().set_ending({{tunnel_id_, 0x2002}});
  left = send("lan0", {inner(kAnswer)});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(opened(to_peer_, left[0]).size(), inner(kAnswer).size());
  // The one before the last, and none that stays.
  gateway_->ipsec().set_ending({{tunnel_id_, 0x2001}});
  left = send("lan0", {inner(kAnswer)});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(opened(last, left[0]).size(), inner(kAnswer).size());
  gateway_->ipsec().set_ending({{tunnel_id_, 0x2002}, {tunnel_id_, 0x2001}});
  left = send("lan0", {inner(kAnswer)});
  ASSERT_EQ(left.size(), 1U) << "better than nothing";
  EXPECT_EQ(opened(last, left[0]).size(), inner(kAnswer).size());
}

// SPIs are the receivers' choice: two peers that are connected to one site may choose the same.
TEST_F(IpsecTest, TellsPeersWithTheSameSpiApart) {
  start();
  const auto other = *net::IpAddress::parse("198.51.100.2");
  const auto first = *net::IpAddress::parse("198.51.100.1");
  add_sa(Direction::Outbound, 0x2001);
  add_sa(Direction::Outbound, 0x2001, [&](ipsec::SaParameters& sa) { sa.remote = other; });
  auto to_first = policy(0x2001, "10.0.1.0/24", "10.9.1.0/24");
  auto to_other = policy(0x2001, "10.0.1.0/24", "10.9.2.0/24");
  to_first.peer = first;
  to_other.peer = other;
  ASSERT_TRUE(gateway_->ipsec().add_policy(to_first));
  ASSERT_TRUE(gateway_->ipsec().add_policy(to_other));
  const auto peer_of = [&](const char* host) {
    const auto left =
        send("lan0", {inner(fmt::format("udp 10.0.1.10:5000 > {}:53 payload 00", host))});
    return left.size() == 1
               ? net::IpAddress::from_v4(net::load_be32(left[0].bytes.data() + kLinkBytes + 16))
               : net::IpAddress();
  };
  EXPECT_EQ(peer_of("10.9.1.5"), first);
  EXPECT_EQ(peer_of("10.9.2.5"), other);
  // One of them moves: charon leaves its policy as it was, and removes it with the new address.
  const auto moved = *net::IpAddress::parse("198.51.100.3");
  ipsec::SaMove move;
  move.local = *net::IpAddress::parse("192.0.2.1");
  move.remote = moved;
  const auto done = gateway_->ipsec().update({0x2001, Direction::Outbound, first}, move);
  ASSERT_TRUE(done && *done);
  EXPECT_EQ(peer_of("10.9.1.5"), moved);
  EXPECT_EQ(peer_of("10.9.2.5"), other);
  to_first.peer = moved;
  EXPECT_TRUE(gateway_->ipsec().remove_policy(to_first));
  EXPECT_FALSE(gateway_->ipsec().remove_policy(to_first));
  EXPECT_EQ(peer_of("10.9.1.5"), net::IpAddress());
  EXPECT_EQ(peer_of("10.9.2.5"), other);
}

TEST_F(IpsecTest, TellsCharonOfLifetimes) {
  start();
  std::vector<std::string> told;
  add_sa(Direction::Outbound, 0x2001, [](ipsec::SaParameters& parameters) {
    parameters.soft.seconds = 60;
    parameters.hard.seconds = 90;
  });
  ASSERT_TRUE(gateway_->ipsec().add_policy(policy(0x2001)));
  gateway_->ipsec().set_events({{},
                                [&told](const ipsec::SaName& name, bool hard) {
                                  told.push_back(std::to_string(name.spi) + (hard ? "h" : "s"));
                                  return true;
                                },
                                {}});
  gateway_->advance(59'000);
  EXPECT_TRUE(told.empty());
  gateway_->advance(2'000);
  EXPECT_EQ(told, std::vector<std::string>{"8193s"});
  gateway_->advance(60'000);
  EXPECT_EQ(told, (std::vector<std::string>{"8193s", "8193h"}));
  EXPECT_TRUE(send("lan0", {inner("icmp echo-request 10.0.1.10 > 10.9.0.5 id 1 seq 1")}).empty());
  EXPECT_EQ(drops("ipsec-expired"), 1U);
}

TEST_F(IpsecTest, EspInUdpAndItsKeepAlives) {
  start();
  const auto in_udp = [](ipsec::SaParameters& parameters) { parameters.udp = {4500, 4500}; };
  from_peer_ = add_sa(Direction::Inbound, 0x1001, in_udp);
  to_peer_ = add_sa(Direction::Outbound, 0x2001, in_udp);
  ASSERT_TRUE(gateway_->ipsec().add_policy(policy(0x2001)));
  ASSERT_EQ(send("wan0", {sealed(from_peer_, kRequest)}).size(), 1U);
  const auto left = send("lan0", {inner(kAnswer)});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].bytes[kLinkBytes + 9], 17);
  EXPECT_EQ(opened(to_peer_, left[0]).size(), inner(kAnswer).size());
  EXPECT_TRUE(send("wan0", {inner("udp 198.51.100.1:4500 > 192.0.2.1:4500 payload ff")}).empty());
  EXPECT_EQ(drops("ipsec-keep-alive"), 1U);
}

TEST_F(IpsecTest, SasBelongToOneWorker) {
  start(2);
  from_peer_ = add_sa(Direction::Inbound, 0x1001);
  to_peer_ = add_sa(Direction::Outbound, 0x2000);
  ASSERT_TRUE(gateway_->ipsec().add_policy(policy(0x2000)));
  for (int round = 0; round < 4; ++round) {
    ASSERT_EQ(send("wan0", {sealed(from_peer_, kRequest)}).size(), 1U) << round;
    const auto left = send("lan0", {inner(kAnswer)});
    ASSERT_EQ(left.size(), 1U) << round;
    EXPECT_EQ(opened(to_peer_, left[0]).size(), inner(kAnswer).size());
  }
}

TEST_F(IpsecTest, SaysWhatFitsIntoTheTunnel) {
  start();
  open_tunnel();
  const auto big =
      inner("ipv4 df | icmp echo-request 10.0.1.10 > 10.9.0.5 id 1 seq 1 payload-size 1440");
  const auto output = send("lan0", {big});
  ASSERT_EQ(output.size(), 1U);
  EXPECT_EQ(output[0].port, "lan0");
  EXPECT_EQ(drops("mtu-exceeded"), 1U);
  // Without DF it goes in pieces, each of them encrypted.
  const auto pieces =
      send("lan0", {inner("icmp echo-request 10.0.1.10 > 10.9.0.5 id 2 seq 1 payload-size 1440")});
  ASSERT_EQ(pieces.size(), 2U);
  for (const PortFrame& piece : pieces) EXPECT_FALSE(opened(to_peer_, piece).empty());
}

// Recipe of a packet from the peer: ESP of the inbound SA 0x1001 around anything, authentic.
std::string authentic(uint64_t sequence, const std::vector<uint8_t>& payload, uint8_t next_header) {
  const ipsec::EspTransform transform;
  const auto parameters = reference::parameters_of(transform, Direction::Inbound, 0x1001);
  const reference::Bytes iv(8, 7);
  const auto esp =
      reference::seal(parameters, sequence, iv, reference::padded(transform, payload, next_header));
  std::string recipe = "ipv4 198.51.100.1 > 192.0.2.1 protocol 50 payload ";
  for (const uint8_t byte : esp) recipe += fmt::format("{:02x}", byte);
  return recipe;
}

TEST_F(IpsecTest, RefusesAuthenticPacketsThatAreNoneForATunnel) {
  start();
  open_tunnel();
  EXPECT_TRUE(send("wan0", {inner(authentic(1, {1, 2, 3, 4}, 59))}).empty());
  EXPECT_EQ(drops("ipsec-dummy"), 1U);
  EXPECT_TRUE(send("wan0", {inner(authentic(2, {1, 2, 3, 4}, 4))}).empty());
  EXPECT_EQ(drops("ipsec-inner"), 1U);
  EXPECT_TRUE(
      send("wan0", {inner("ipv4 198.51.100.1 > 192.0.2.1 protocol 50 payload 00001001")}).empty());
  EXPECT_EQ(drops("ipsec-malformed"), 1U);
}

TEST_F(IpsecTest, WaitsForTheNextHopOfThePeer) {
  start();
  open_tunnel();
  ASSERT_EQ(send("wan0", {sealed(from_peer_, kRequest)}).size(), 1U);
  ASSERT_TRUE(gateway_->remove_neighbour("wan0", "192.0.2.254"));
  EXPECT_TRUE(send("lan0", {inner(kAnswer)}).empty());
  ASSERT_TRUE(gateway_->set_neighbour("wan0", "192.0.2.254", kPeerMac));
  gateway_->advance(200);
  const auto left = gateway_->take_output();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(opened(to_peer_, left[0]).size(), inner(kAnswer).size());
}

}  // namespace
}  // namespace masugata::test
