// SPDX-License-Identifier: GPL-2.0-or-later
// A gateway with one site, and the peer's side of its tunnel done by the library and OpenSSL.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ipsec/esp/reference_esp.h"
#include "tests/in_process_gateway.h"
#include "tests/packets/packet_builder.h"

namespace masugata::test {

namespace reference = ipsec::reference;
using ipsec::Direction;

inline constexpr size_t kLinkBytes = 14;
inline constexpr const char* kPeerMac = "02:00:00:00:03:01";
inline constexpr const char* kHostMac = "02:00:00:00:01:0a";

inline constexpr const char* kTunnelConfiguration = R"(
interfaces {
    interface lan0 { device net_test_lan0; address 10.0.1.1/24; address 2001:db8:1::1/64; }
    interface wan0 { device net_test_wan0; address 192.0.2.1/24; address 2001:db8:f::1/64; }
}
zones { zone lan { interface lan0; } zone wan { interface wan0; } zone branches { } }
vpn { site osaka {
    peer 198.51.100.1; local-interface wan0; zone branches;
    authentication { psk "correct horse battery staple"; }
} }
routes {
    route 0.0.0.0/0 { via 192.0.2.254; }
    route 10.9.0.0/16 { interface osaka; }
    route ::/0 { via 2001:db8:f::fe; }
    route 2001:db8:9::/48 { interface osaka; }
}
policy {
    from lan to branches { rule out { action permit; } }
    from branches to lan { rule web { destination { port 80; } protocol tcp; action permit; }
                           rule echo { protocol icmp; action permit; } }
}
)";

inline ipsec::TrafficSelector any_of(const char* network) {
  ipsec::TrafficSelector selector;
  selector.addresses = *net::AddressRange::parse(network);
  return selector;
}

// Outer addresses are those of reference::parameters_of(): 192.0.2.1 here, 198.51.100.1 there.
class IpsecTest : public ::testing::Test {
 protected:
  void start(uint16_t workers = 1, const std::string& configuration = kTunnelConfiguration) {
    gateway_.reset();
    InProcessOptions options;
    options.workers = workers;
    gateway_ = std::make_unique<InProcessGateway>(options);
    const Status configured = gateway_->configure(configuration);
    ASSERT_TRUE(configured) << configured.error().message();
    ASSERT_TRUE(gateway_->set_neighbour("wan0", "192.0.2.254", kPeerMac));
    ASSERT_TRUE(gateway_->set_neighbour("wan0", "2001:db8:f::fe", kPeerMac));
    ASSERT_TRUE(gateway_->set_neighbour("lan0", "10.0.1.10", kHostMac));
    ASSERT_TRUE(gateway_->set_neighbour("lan0", "2001:db8:1::10", kHostMac));
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
    (void)parameters.local_selectors.add(any_of("2001:db8:1::/64"));
    (void)parameters.remote_selectors.add(any_of("2001:db8:9::/48"));
    if (change) change(parameters);
    ipsec::EspSa* peer = peer_.add(reference::peer_of(parameters));
    const Status installed = gateway_->ipsec().install(std::move(parameters));
    EXPECT_TRUE(installed) << installed.error().message();
    return peer;
  }

  ipsec::SaPolicy policy(uint32_t spi, const char* source = "10.0.1.0/24",
                         const char* destination = "10.9.0.0/16") const {
    ipsec::SaPolicy policy;
    policy.direction = ipsec::PolicyDirection::Outbound;
    policy.mode = ipsec::Mode::Tunnel;
    policy.tunnel_id = tunnel_id_;
    policy.request_id = 7;
    policy.spi = spi;
    policy.source = any_of(source);
    policy.destination = any_of(destination);
    return policy;
  }

  // Both directions and the policies.
  void open_tunnel(const std::function<void(ipsec::SaParameters&)>& change = {}) {
    from_peer_ = add_sa(Direction::Inbound, 0x1001, change);
    to_peer_ = add_sa(Direction::Outbound, 0x2001, change);
    ASSERT_TRUE(gateway_->ipsec().add_policy(policy(0x2001)));
    ASSERT_TRUE(gateway_->ipsec().add_policy(policy(0x2001, "2001:db8:1::/64", "2001:db8:9::/48")));
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

}  // namespace masugata::test
