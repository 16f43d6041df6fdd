// SPDX-License-Identifier: GPL-2.0-or-later
// Traffic through a tunnel, with the peer's side done by OpenSSL.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "ipsec/esp/reference_esp.h"
#include "tests/in_process_gateway.h"
#include "tests/packets/packet_builder.h"
#include "tests/packets/packet_describer.h"

namespace masugata::test {
namespace {

namespace reference = ipsec::reference;
using ipsec::Direction;

constexpr size_t kLinkBytes = 14;
constexpr const char* kPeerMac = "02:00:00:00:03:01";
constexpr const char* kHostMac = "02:00:00:00:01:0a";

constexpr const char* kConfiguration = R"(
interfaces {
    interface lan0 { device net_test_lan0; address 10.0.1.1/24; }
    interface wan0 { device net_test_wan0; address 192.0.2.1/24; }
}
zones { zone lan { interface lan0; } zone wan { interface wan0; } zone branches { } }
vpn { site osaka {
    peer 198.51.100.1; local-interface wan0; zone branches;
    authentication { psk "correct horse battery staple"; }
} }
routes { route 0.0.0.0/0 { via 192.0.2.254; } route 10.9.0.0/16 { interface osaka; } }
policy {
    from lan to branches { rule out { action permit; } }
    from branches to lan { rule web { destination { port 80; } protocol tcp; action permit; }
                           rule echo { protocol icmp; action permit; } }
}
)";

ipsec::TrafficSelector any_of(const char* network) {
  ipsec::TrafficSelector selector;
  selector.addresses = *net::AddressRange::parse(network);
  return selector;
}

// Outer addresses are those of reference::parameters_of(): 192.0.2.1 here, 198.51.100.1 there.
class IpsecTest : public ::testing::Test {
 protected:
  void start(uint16_t workers = 1) {
    InProcessOptions options;
    options.workers = workers;
    gateway_ = std::make_unique<InProcessGateway>(options);
    const Status configured = gateway_->configure(kConfiguration);
    ASSERT_TRUE(configured) << configured.error().message();
    ASSERT_TRUE(gateway_->set_neighbour("wan0", "192.0.2.254", kPeerMac));
    ASSERT_TRUE(gateway_->set_neighbour("lan0", "10.0.1.10", kHostMac));
    tunnel_id_ = gateway_->model().vpn.sites[0].tunnel_id;
  }

  // An SA in this direction, and the peer's half of it.
  ipsec::EspSa* add_sa(Direction direction, uint32_t spi,
                       const std::function<void(ipsec::SaParameters&)>& change = {}) {
    auto parameters = reference::parameters_of({}, direction, spi);
    parameters.tunnel_id = tunnel_id_;
    parameters.request_id = 7;
    (void)parameters.local_selectors.add(any_of("10.0.1.0/24"));
    (void)parameters.remote_selectors.add(any_of("10.9.0.0/16"));
    if (change) change(parameters);
    ipsec::EspSa* peer = peer_.add(reference::peer_of(parameters));
    const Status installed = gateway_->ipsec().install(std::move(parameters));
    EXPECT_TRUE(installed) << installed.error().message();
    return peer;
  }

  ipsec::SaPolicy policy(uint32_t spi) const {
    ipsec::SaPolicy policy;
    policy.direction = ipsec::PolicyDirection::Outbound;
    policy.mode = ipsec::Mode::Tunnel;
    policy.tunnel_id = tunnel_id_;
    policy.request_id = 7;
    policy.spi = spi;
    policy.source = any_of("10.0.1.0/24");
    policy.destination = any_of("10.9.0.0/16");
    return policy;
  }

  // Both directions and the policy.
  void open_tunnel() {
    from_peer_ = add_sa(Direction::Inbound, 0x1001);
    to_peer_ = add_sa(Direction::Outbound, 0x2001);
    ASSERT_TRUE(gateway_->ipsec().add_policy(policy(0x2001)));
  }

  static std::vector<uint8_t> inner(const std::string& recipe) {
    auto bytes = build_packet(recipe, LinkDefaults{kPeerMac, kHostMac});
    EXPECT_TRUE(bytes) << recipe;
    return {bytes->begin() + kLinkBytes, bytes->end()};
  }

  std::vector<uint8_t> framed(const std::string& port, const std::vector<uint8_t>& packet) {
    const auto to = *net::MacAddress::parse(*gateway_->mac_of_port(port));
    const auto from = *net::MacAddress::parse(port == "lan0" ? kHostMac : kPeerMac);
    std::vector<uint8_t> frame(kLinkBytes + packet.size());
    std::copy(to.bytes.begin(), to.bytes.end(), frame.begin());
    std::copy(from.bytes.begin(), from.bytes.end(), frame.begin() + 6);
    const bool ipv4 = (packet[0] >> 4U) == 4;
    frame[12] = ipv4 ? 0x08 : 0x86;
    frame[13] = ipv4 ? 0x00 : 0xdd;
    std::copy(packet.begin(), packet.end(), frame.begin() + kLinkBytes);
    return frame;
  }

  std::vector<PortFrame> send(const std::string& port,
                              const std::vector<std::vector<uint8_t>>& packets) {
    std::vector<PortFrame> frames;
    for (const auto& packet : packets) frames.push_back({port, false, framed(port, packet)});
    EXPECT_TRUE(gateway_->send(frames));
    return gateway_->take_output();
  }
  // What the peer sends through the tunnel.
  reference::Bytes sealed(ipsec::EspSa* sa, const std::string& recipe) {
    const auto outcome = peer_.encapsulate(sa, inner(recipe));
    EXPECT_EQ(outcome.refusal, ipsec::EspRefusal::None);
    return outcome.packet;
  }
  // What the peer finds in a frame.
  reference::Bytes opened(ipsec::EspSa* sa, const PortFrame& frame) {
    const auto outcome =
        peer_.decapsulate(sa, {frame.bytes.begin() + kLinkBytes, frame.bytes.end()});
    EXPECT_EQ(outcome.refusal, ipsec::EspRefusal::None) << name_of(outcome.refusal);
    return outcome.packet;
  }
  uint64_t drops(const std::string& reason) { return gateway_->drop_counts()[reason]; }

  std::unique_ptr<InProcessGateway> gateway_;
  reference::Fixture peer_;
  uint32_t tunnel_id_ = 0;
  ipsec::EspSa* from_peer_ = nullptr;  // the peer's outbound SA
  ipsec::EspSa* to_peer_ = nullptr;    // the peer's inbound SA
};

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
      inner("ipv4 df | icmp echo-request 10.0.1.10 > 10.9.0.5 id 1 seq 1 payload-size 1400");
  const auto output = send("lan0", {big});
  ASSERT_EQ(output.size(), 1U);
  EXPECT_EQ(output[0].port, "lan0");
  EXPECT_EQ(drops("mtu-exceeded"), 1U);
  // Without DF it goes in pieces, each of them encrypted.
  const auto pieces =
      send("lan0", {inner("icmp echo-request 10.0.1.10 > 10.9.0.5 id 2 seq 1 payload-size 1400")});
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
  // Fragments whose whole has no room in one buffer.
  const std::string large = authentic(3, std::vector<uint8_t>(3000, 0x45), 4);
  EXPECT_TRUE(
      send("wan0", {inner(large + " | cut 0+1480 id 9"), inner(large + " | cut 1480+1480 id 9"),
                    inner(large + " | cut 2960+1480 id 9")})
          .empty());
  EXPECT_EQ(drops("ipsec-too-long"), 1U);
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
