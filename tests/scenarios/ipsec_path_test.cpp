// SPDX-License-Identifier: GPL-2.0-or-later
// Path MTU that routers tell about the gateway's own ESP, and peers that move.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ipsec/esp/packet_size.h"
#include "tests/scenarios/ipsec_fixture.h"

namespace masugata::test {
namespace {

using ipsec::SaParameters;

const auto kInUdp = [](SaParameters& parameters) { parameters.udp = {4500, 4500}; };
const auto kOverIpv6 = [](SaParameters& parameters) {
  parameters.local = *net::IpAddress::parse("2001:db8:f::1");
  parameters.remote = *net::IpAddress::parse("2001:db8:e::1");
};

// Quotes of an outer packet of 1500 bytes: as much as a router must quote and the SPI needs.
constexpr const char* kEsp =
    "ipv4 192.0.2.1 > 198.51.100.1 protocol 50 total-length 1500 payload 0000200100000001";
constexpr const char* kEspInUdp =
    "ipv4 total-length 1500 | udp 192.0.2.1:4500 > 198.51.100.1:4500 payload 0000200100000001";

std::string too_big(uint16_t mtu, const std::string& quote) {
  return fmt::format(
      "icmp unreachable needs-fragmentation 203.0.113.9 > 192.0.2.1 mtu {} "
      "quoting {{ {} }}",
      mtu, quote);
}

class IpsecPath : public IpsecTest {
 protected:
  // What a router says, and the time until it counts.
  void hear(const std::string& recipe) {
    EXPECT_TRUE(send("wan0", {inner(recipe)}).empty()) << recipe;
    gateway_->advance(200);
  }
  // What a sender in the LAN is told of a packet of 1460 bytes that must not be cut.
  uint32_t told() {
    const auto output = send(
        "lan0",
        {inner("ipv4 df | icmp echo-request 10.0.1.10 > 10.9.0.5 id 1 seq 1 payload-size 1432")});
    if (output.size() != 1 || output[0].port != "lan0") return 0;
    return static_cast<uint32_t>(output[0].bytes[kLinkBytes + 26] << 8U |
                                 output[0].bytes[kLinkBytes + 27]);
  }
  static uint32_t fits(uint32_t path, const std::function<void(SaParameters&)>& change = {}) {
    auto parameters = reference::parameters_of({}, Direction::Outbound);
    if (change) change(parameters);
    return ipsec::maximum_inner_size(parameters, path);
  }
};

TEST_F(IpsecPath, ARouterLowersTheMtu) {
  start();
  open_tunnel();
  EXPECT_EQ(told(), fits(1500));
  hear(too_big(1400, kEsp));
  EXPECT_EQ(told(), fits(1400));
  EXPECT_EQ(drops("ipsec-error"), 1U);
  EXPECT_EQ(gateway_->ipsec().statuses()[1].outer.path_mtu, 1400);
  // Only ever lower, and not below what every path must have.
  hear(too_big(1450, kEsp));
  EXPECT_EQ(told(), fits(1400));
  hear(too_big(100, kEsp));
  EXPECT_EQ(told(), fits(576));
}

TEST_F(IpsecPath, WhatARouterSaidIsForgottenAfterTenMinutes) {
  start();
  open_tunnel();
  hear(too_big(1400, kEsp));
  gateway_->advance(599'000);
  EXPECT_EQ(told(), fits(1400));
  gateway_->advance(2'000);
  EXPECT_EQ(told(), fits(1500));
}

TEST_F(IpsecPath, OldRoutersDoNotSayHowMuch) {
  start();
  open_tunnel();
  hear(too_big(0, kEsp));
  EXPECT_EQ(told(), fits(1492));
}

TEST_F(IpsecPath, OnlyAQuoteOfOurOwnCounts) {
  start();
  open_tunnel();
  const std::string quote = kEsp;
  std::string other_spi = quote;
  other_spi.replace(other_spi.find("00002001"), 8, "00002002");
  std::string other_peer = quote;
  other_peer.replace(other_peer.find("198.51.100.1"), 12, "198.51.100.2");
  std::string inbound = quote;
  inbound.replace(inbound.find("00002001"), 8, "00001001");
  for (const std::string& wrong : {other_spi, other_peer, inbound, std::string(kEspInUdp)}) {
    hear(too_big(1400, wrong));
  }
  EXPECT_EQ(drops("icmp-error-no-session"), 4U);
  EXPECT_EQ(drops("ipsec-error"), 0U);
  EXPECT_EQ(told(), fits(1500));
  // Errors of other kinds change nothing: anybody may send them.
  hear("icmp unreachable host 203.0.113.9 > 192.0.2.1 quoting { " + quote + " }");
  EXPECT_EQ(drops("ipsec-error"), 1U);
  EXPECT_EQ(told(), fits(1500));
}

TEST_F(IpsecPath, InUdp) {
  start();
  open_tunnel(kInUdp);
  hear(too_big(1400, kEspInUdp));
  EXPECT_EQ(told(), fits(1400, kInUdp));
  // A quote that ends before the SPI proves nothing.
  hear(too_big(1300, "ipv4 total-length 1500 | udp 192.0.2.1:4500 > 198.51.100.1:4500"));
  EXPECT_EQ(told(), fits(1400, kInUdp));
}

TEST_F(IpsecPath, OverIpv6) {
  start();
  open_tunnel(kOverIpv6);
  const std::string quote =
      "ipv6 2001:db8:f::1 > 2001:db8:e::1 next-header 50 payload-length 1460 payload "
      "0000200100000001";
  hear("icmp6 too-big 2001:db8:7::9 > 2001:db8:f::1 mtu 1400 quoting { " + quote + " }");
  EXPECT_EQ(told(), fits(1400, kOverIpv6));
  hear("icmp6 too-big 2001:db8:7::9 > 2001:db8:f::1 mtu 600 quoting { " + quote + " }");
  EXPECT_EQ(told(), fits(1280, kOverIpv6));
}

TEST_F(IpsecPath, StaysWithARekey) {
  start(2);
  open_tunnel();
  hear(too_big(1400, kEsp));
  add_sa(Direction::Outbound, 0x2004);
  ASSERT_TRUE(gateway_->ipsec().add_policy(policy(0x2004)));
  EXPECT_EQ(told(), fits(1400));
}

// What waits for the peer's router is as large as the path is, not as the interface below.
TEST_F(IpsecPath, AnOuterPacketThatWaitsForItsNextHopKeepsThePathsMtu) {
  for (const auto& change : {std::function<void(SaParameters&)>{}, {kOverIpv6}}) {
    peer_.clear();
    std::string text = kTunnelConfiguration;
    text.replace(text.find("zone branches;"), 14, "zone branches; mtu 1400;");
    start(1, text);
    open_tunnel(change);
    const bool ipv6 = static_cast<bool>(change);
    hear(
        ipv6
            ? "icmp6 too-big 2001:db8:7::9 > 2001:db8:f::1 mtu 1300 quoting { ipv6 2001:db8:f::1 > "
              "2001:db8:e::1 next-header 50 payload-length 1460 payload 0000200100000001 }"
            : too_big(1300, kEsp));
    const char* router = ipv6 ? "2001:db8:f::fe" : "192.0.2.254";
    ASSERT_TRUE(gateway_->remove_neighbour("wan0", router));
    // Without DF inside, and the tunnel's MTU configured above the path: cut outside.
    const std::string large =
        "ipv4 | icmp echo-request 10.0.1.10 > 10.9.0.5 id 1 seq 1 payload-size 1352";
    EXPECT_TRUE(send("lan0", {inner(large)}).empty());
    ASSERT_TRUE(gateway_->set_neighbour("wan0", router, kPeerMac));
    gateway_->advance(100);
    const auto pieces = gateway_->take_output();
    ASSERT_EQ(pieces.size(), 2U);
    for (const PortFrame& piece : pieces) EXPECT_LE(piece.bytes.size(), kLinkBytes + 1300);
  }
}

TEST_F(IpsecPath, SendersBehindTheTunnelAreAnsweredThroughIt) {
  std::string text = kTunnelConfiguration;
  text.replace(text.find("address 10.0.1.1/24;"), 20, "address 10.0.1.1/24; mtu 1300;");
  start(1, text);
  open_tunnel();
  const auto answer = [this](const std::string& recipe) -> reference::Bytes {
    const auto output = send("wan0", {sealed(from_peer_, recipe)});
    if (output.size() != 1 || output[0].port != "wan0") return {};
    return opened(to_peer_, output[0]);
  };
  const auto late = answer("ipv4 ttl 1 | icmp echo-request 10.9.0.5 > 10.0.1.10 id 1 seq 1");
  ASSERT_GT(late.size(), 28U);
  EXPECT_EQ(late[20], 11);                                          // time exceeded
  EXPECT_EQ(net::load_be32(late.data() + 12).host(), 0x0a000101U);  // from 10.0.1.1
  const auto large =
      answer("ipv4 df | icmp echo-request 10.9.0.5 > 10.0.1.10 id 1 seq 2 payload-size 1300");
  ASSERT_GT(large.size(), 28U);
  EXPECT_EQ(large[20] << 8U | large[21], 0x0304);
  EXPECT_EQ(large[26] << 8U | large[27], 1300);
}

// --- peers that move ---

class IpsecMoves : public IpsecTest {
 protected:
  static net::IpAddress address(const char* text) { return *net::IpAddress::parse(text); }
  // Of an ESP packet without UDP around it.
  static uint32_t sequence_of(const PortFrame& frame, size_t udp_bytes) {
    uint32_t sequence = 0;
    const size_t at = kLinkBytes + 20 + udp_bytes + 4;
    for (size_t i = 0; i < 4; ++i) sequence = sequence << 8U | frame.bytes[at + i];
    return sequence;
  }
  // `packet` as a NAT that changed its source makes it.
  static std::vector<uint8_t> translated(std::vector<uint8_t> packet, const char* source,
                                         uint16_t port) {
    const auto bytes = address(source).v4().host();
    for (size_t i = 0; i < 4; ++i) packet[12 + i] = static_cast<uint8_t>(bytes >> (24 - 8 * i));
    packet[20] = static_cast<uint8_t>(port >> 8U);
    packet[21] = static_cast<uint8_t>(port);
    packet[10] = packet[11] = 0;
    uint32_t sum = 0;
    for (size_t i = 0; i < 20; i += 2)
      sum += static_cast<uint32_t>(packet[i] << 8U | packet[i + 1]);
    while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
    packet[10] = static_cast<uint8_t>(~sum >> 8U);
    packet[11] = static_cast<uint8_t>(~sum);
    return packet;
  }
};

constexpr const char* kRequest = "tcp 10.9.0.5:4000 > 10.0.1.10:80 flags S seq 100";
constexpr const char* kAnswer = "tcp 10.0.1.10:80 > 10.9.0.5:4000 flags SA seq 900 ack 101";

TEST_F(IpsecMoves, ANatThatForgetsItsMappingIsFollowed) {
  start();
  open_tunnel(kInUdp);
  std::vector<std::string> told;
  gateway_->ipsec().set_events(
      {{}, {}, [&told](const ipsec::SaName& name, const net::IpAddress& remote, uint16_t port) {
         told.push_back(fmt::format("{:x} {} {}", name.spi, remote.to_string(), port));
         return true;
       }});
  const auto first = sealed(from_peer_, kRequest);
  const auto late = sealed(from_peer_, kRequest);
  ASSERT_EQ(send("wan0", {first}).size(), 1U);
  ASSERT_EQ(sequence_of(send("lan0", {inner(kAnswer)}).at(0), 8), 1U);
  // Authentic packets from elsewhere pass, and charon hears of it once a second at most.
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(
        send("wan0", {translated(sealed(from_peer_, kRequest), "198.51.100.77", 1024)}).size(), 1U);
  }
  EXPECT_EQ(told, std::vector<std::string>{"1001 198.51.100.77 1024"});
  // Forged ones are no reason to move.
  auto forged = translated(sealed(from_peer_, kRequest), "198.51.100.99", 1);
  forged.back() ^= 1U;
  gateway_->advance(2'000);
  EXPECT_TRUE(send("wan0", {forged}).empty());
  EXPECT_EQ(told.size(), 1U);

  // charon moves both SAs: what they know goes on.
  const ipsec::SaMove move{address("192.0.2.1"), address("198.51.100.77"), {4500, 1024}, 0};
  auto& manager = gateway_->ipsec();
  EXPECT_TRUE(manager.update({0x1001, Direction::Inbound, address("192.0.2.1")}, move).value());
  EXPECT_TRUE(manager.update({0x2001, Direction::Outbound, address("198.51.100.1")}, move).value());
  const auto left = send("lan0", {inner(kAnswer)});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(sequence_of(left[0], 8), 2U);
  EXPECT_EQ(left[0].bytes[kLinkBytes + 19], 77);
  EXPECT_EQ(left[0].bytes[kLinkBytes + 22] << 8U | left[0].bytes[kLinkBytes + 23], 1024);
  // The replay window, too: the first is known, the late one is not.
  EXPECT_TRUE(send("wan0", {translated(first, "198.51.100.77", 1024)}).empty());
  EXPECT_EQ(drops("ipsec-replay"), 1U);
  EXPECT_EQ(send("wan0", {translated(late, "198.51.100.77", 1024)}).size(), 1U);
  EXPECT_EQ(told.size(), 1U);
  // charon knows it by its new destination now.
  EXPECT_FALSE(
      manager.update({0x2001, Direction::Outbound, address("198.51.100.1")}, move).value());
  EXPECT_TRUE(manager.remove({0x2001, Direction::Outbound, address("198.51.100.77")}));
}

TEST_F(IpsecMoves, OurOwnAddressMoves) {
  start();
  open_tunnel();
  ASSERT_EQ(send("wan0", {sealed(from_peer_, kRequest)}).size(), 1U);
  ASSERT_EQ(sequence_of(send("lan0", {inner(kAnswer)}).at(0), 0), 1U);
  auto& manager = gateway_->ipsec();
  const ipsec::SaMove move{address("10.0.1.1"), address("198.51.100.1"), {}, 0};
  ASSERT_TRUE(manager.update({0x1001, Direction::Inbound, address("192.0.2.1")}, move).value());
  ASSERT_TRUE(manager.update({0x2001, Direction::Outbound, address("198.51.100.1")}, move).value());
  const auto left = send("lan0", {inner(kAnswer)});
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(sequence_of(left[0], 0), 2U);
  EXPECT_EQ(left[0].bytes[kLinkBytes + 12], 10);
  // It is for the new address only.
  EXPECT_TRUE(send("wan0", {sealed(from_peer_, kRequest)}).empty());
  EXPECT_EQ(drops("ipsec-unknown-spi"), 1U);
}

TEST_F(IpsecMoves, RefusesWhatCannotBe) {
  start();
  open_tunnel();
  add_sa(Direction::Outbound, 0x2001,
         [](SaParameters& parameters) { parameters.remote = address("198.51.100.9"); });
  auto& manager = gateway_->ipsec();
  const ipsec::SaName name{0x2001, Direction::Outbound, address("198.51.100.1")};
  const auto fault = [&](const ipsec::SaMove& move) {
    const auto moved = manager.update(name, move);
    return moved ? std::string() : moved.error().message();
  };
  const auto here = address("192.0.2.1");
  EXPECT_NE(fault({here, address("2001:db8::1"), {}, 0}).find("two families"), std::string::npos);
  EXPECT_NE(fault({here, address("224.0.0.1"), {}, 0}).find("no unicast"), std::string::npos);
  EXPECT_NE(fault({here, address("198.51.100.7"), {4500, 0}, 0}).find("two ports"),
            std::string::npos);
  EXPECT_NE(fault({here, address("198.51.100.9"), {}, 0}).find("has that SPI"), std::string::npos);
  // Nothing has changed.
  const auto statuses = manager.statuses();
  EXPECT_TRUE(std::any_of(statuses.begin(), statuses.end(), [&](const auto& status) {
    return status.name == name && status.outer.remote == address("198.51.100.1");
  }));
}

}  // namespace
}  // namespace masugata::test
