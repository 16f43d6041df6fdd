// SPDX-License-Identifier: GPL-2.0-or-later
// How large packets into a tunnel may be: what the cipher leaves of the path to the peer.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "dataplane/ipsec/twin_mtus.h"
#include "ipsec/esp/packet_size.h"
#include "tests/scenarios/ipsec_fixture.h"

namespace masugata::test {
namespace {

using ipsec::SaParameters;
using Change = std::function<void(SaParameters&)>;

constexpr size_t kEchoBytes = 28;      // IPv4 and ICMP header
constexpr size_t kEchoBytesIpv6 = 48;  // IPv6 and ICMPv6 header

uint16_t word(const PortFrame& frame, size_t offset) {
  return static_cast<uint16_t>(frame.bytes[kLinkBytes + offset] << 8U |
                               frame.bytes[kLinkBytes + offset + 1]);
}

class IpsecMtu : public IpsecTest {
 protected:
  std::vector<uint8_t> echo(size_t size, bool dont_fragment = true) {
    return inner(
        fmt::format("ipv4{} id 77 | icmp echo-request 10.0.1.10 > 10.9.0.5 id 1 seq {} "
                    "payload-size {}",
                    dont_fragment ? " df" : "", ++sequence_, size - kEchoBytes));
  }
  std::vector<uint8_t> echo_ipv6(size_t size) {
    return inner(
        fmt::format("icmp6 echo-request 2001:db8:1::10 > 2001:db8:9::5 id 1 seq {} payload-size {}",
                    ++sequence_, size - kEchoBytesIpv6));
  }
  // The MTU that the sender in the LAN is told about `packet`; 0: none, or it left.
  uint32_t told(const std::vector<uint8_t>& packet) {
    const auto output = send("lan0", {packet});
    if (output.size() != 1 || output[0].port != "lan0") return 0;
    return (packet[0] >> 4U) == 4 ? word(output[0], 26) : word(output[0], 46);
  }
  // Sends `packet` into the tunnel and says how large what leaves is; 0 unless it is one packet
  // that the peer finds whole.
  size_t outer_size(const std::vector<uint8_t>& packet) {
    const auto output = send("lan0", {packet});
    if (output.size() != 1 || output[0].port != "wan0") return 0;
    if (opened(to_peer_, output[0]).size() != packet.size()) return 0;
    return output[0].bytes.size() - kLinkBytes;
  }
  // MSS of a SYN that goes into the tunnel.
  uint16_t clamped(const std::string& recipe) {
    const auto output = send("lan0", {inner(recipe)});
    if (output.size() != 1) return 0;
    const auto packet = opened(to_peer_, output[0]);
    const size_t tcp = (packet[0] >> 4U) == 4 ? 20 : 40;
    return static_cast<uint16_t>(packet[tcp + 22] << 8U | packet[tcp + 23]);
  }

 private:
  uint16_t sequence_ = 0;
};

// Outside of IPv4 or IPv6, plain or in UDP.
Change outside(ipsec::EspTransform transform, bool ipv6, bool in_udp) {
  return [=](SaParameters& parameters) {
    const auto spi = parameters.spi.host();
    auto made = reference::parameters_of(transform, parameters.direction, spi);
    parameters.transform = transform;
    parameters.encryption_key = std::move(made.encryption_key);
    parameters.integrity_key = std::move(made.integrity_key);
    if (in_udp) parameters.udp = {4500, 4500};
    if (!ipv6) return;
    parameters.local = *net::IpAddress::parse("2001:db8:f::1");
    parameters.remote = *net::IpAddress::parse("2001:db8:e::1");
  };
}

TEST_F(IpsecMtu, IsWhatEachCipherLeavesOfThePath) {
  for (const ipsec::EspTransform& transform : reference::all_transforms()) {
    for (const bool ipv6 : {false, true}) {
      for (const bool in_udp : {false, true}) {
        SCOPED_TRACE(
            fmt::format("transform {} ipv6 {} udp {}", ipsec::name_of(transform), ipv6, in_udp));
        peer_.clear();
        start();
        const Change change = outside(transform, ipv6, in_udp);
        open_tunnel(change);
        auto parameters = reference::parameters_of(transform, Direction::Outbound);
        change(parameters);
        const uint32_t exact = ipsec::maximum_inner_size(parameters, 1500);
        EXPECT_GT(outer_size(echo(exact)), 1500U - transform.alignment_bytes());
        EXPECT_EQ(told(echo(exact + 1)), exact);
        EXPECT_GT(outer_size(echo_ipv6(exact)), 1500U - transform.alignment_bytes());
        EXPECT_EQ(told(echo_ipv6(exact + 1)), exact);
        // Without DF it goes in pieces, none of which has to be cut again outside.
        const auto pieces = send("lan0", {echo(exact + 1, false)});
        ASSERT_EQ(pieces.size(), 2U);
        for (const PortFrame& piece : pieces) EXPECT_FALSE(opened(to_peer_, piece).empty());
        EXPECT_EQ(clamped("tcp 10.0.1.10:40000 > 10.9.0.5:80 flags S seq 1 opt mss 1460"),
                  exact - 40);
        EXPECT_EQ(
            clamped("tcp [2001:db8:1::10]:40000 > [2001:db8:9::5]:80 flags S seq 1 opt mss 1440"),
            exact - 60);
      }
    }
  }
}

constexpr const char* kSmallPath = R"(
interfaces {
    interface lan0 { device net_test_lan0; address 10.0.1.1/24; address 2001:db8:1::1/64; }
    interface wan0 { device net_test_wan0; address 192.0.2.1/24; address 2001:db8:f::1/64;
                     mtu 1300; }
}
zones { zone lan { interface lan0; } zone wan { interface wan0; } zone branches { } }
vpn { site osaka {
    peer 198.51.100.1; local-interface wan0; zone branches; OPTIONS
    authentication { psk "correct horse battery staple"; }
} }
routes {
    route 0.0.0.0/0 { via 192.0.2.254; } route 10.9.0.0/16 { interface osaka; }
    route 2001:db8:9::/48 { interface osaka; }
}
policy { from lan to branches { rule out { action permit; } }
         from branches to lan { rule in { action permit; } } }
)";

std::string small_path(const std::string& options) {
  std::string text = kSmallPath;
  return text.replace(text.find("OPTIONS"), 7, options);
}

TEST_F(IpsecMtu, FollowsTheInterfaceBelow) {
  start(1, small_path(""));
  open_tunnel();
  const uint32_t exact =
      ipsec::maximum_inner_size(reference::parameters_of({}, Direction::Outbound), 1300);
  EXPECT_EQ(told(echo(exact + 1)), exact);
  EXPECT_GT(outer_size(echo(exact)), 1290U);
  // IPv6 must have 1280 (RFC 8200 section 5): what is larger than the path goes in pieces outside.
  EXPECT_EQ(told(echo_ipv6(1281)), 1280U);
  const auto pieces = send("lan0", {echo_ipv6(1280)});
  ASSERT_EQ(pieces.size(), 2U);
  for (const PortFrame& piece : pieces) EXPECT_LE(piece.bytes.size(), 1300 + kLinkBytes);
  EXPECT_EQ(word(pieces[0], 6), 0x2000);  // more fragments, no DF
  EXPECT_EQ(clamped("tcp 10.0.1.10:40000 > 10.9.0.5:80 flags S seq 1 opt mss 1460"), exact - 40);
}

TEST_F(IpsecMtu, ConfiguredBelowThePathCounts) {
  start(1, small_path("mtu 1200;"));
  open_tunnel();
  EXPECT_EQ(told(echo(1201)), 1200U);
  EXPECT_EQ(clamped("tcp 10.0.1.10:40000 > 10.9.0.5:80 flags S seq 1 opt mss 1460"), 1160U);
}

TEST_F(IpsecMtu, ConfiguredAboveThePathIsCutOutside) {
  start(1, small_path("mtu 1500;"));
  open_tunnel();
  const uint32_t exact =
      ipsec::maximum_inner_size(reference::parameters_of({}, Direction::Outbound), 1300);
  // Whoever does not allow that learns what fits.
  EXPECT_EQ(told(echo(1400)), exact);
  const auto pieces = send("lan0", {echo(1400, false)});
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].bytes[kLinkBytes + 9], 50);
  EXPECT_EQ(word(pieces[0], 6), 0x2000);
  // The peer puts them together before it decrypts.
  reference::Bytes whole(pieces[0].bytes.begin() + kLinkBytes, pieces[0].bytes.end());
  whole.insert(whole.end(), pieces[1].bytes.begin() + kLinkBytes + 20, pieces[1].bytes.end());
  whole[2] = static_cast<uint8_t>(whole.size() >> 8U);
  whole[3] = static_cast<uint8_t>(whole.size());
  EXPECT_EQ(peer_.decapsulate(to_peer_, whole).packet.size(), 1400U);
}

TEST_F(IpsecMtu, AnOuterPacketThatMustNotBeCutIsNot) {
  start(1, small_path("mtu 1500;"));
  open_tunnel([](SaParameters& parameters) { parameters.header.df = ipsec::DfHandling::Set; });
  // Cut before encryption instead, whoever sent it.
  const auto pieces = send("lan0", {echo(1400, false)});
  ASSERT_EQ(pieces.size(), 2U);
  for (const PortFrame& piece : pieces) {
    EXPECT_EQ(word(piece, 6), 0x4000);
    EXPECT_FALSE(opened(to_peer_, piece).empty());
  }
}

TEST_F(IpsecMtu, WithDfClearedOutsideDfInsideCountsNot) {
  start(1, small_path("mtu 1500;"));
  open_tunnel([](SaParameters& parameters) { parameters.header.df = ipsec::DfHandling::Clear; });
  const auto pieces = send("lan0", {echo(1400)});
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(word(pieces[0], 6), 0x2000);
}

// The kernel's twin of a tunnel, by which the gateway itself sends.
class IpsecTwin : public IpsecMtu {
 protected:
  // What the twin is set to, one after the other.
  std::vector<uint16_t> set(const std::function<void()>& what) {
    what();
    gateway_->advance(200);
    twins_.tick();
    twins_.tick();
    return std::exchange(set_, {});
  }

 private:
  std::vector<uint16_t> set_;
  dataplane::TwinMtus twins_{{.view = [this] { return gateway_->ipsec().view(); },
                              .forwarding = [this]() -> const dataplane::ForwardingView& {
                                return gateway_->forwarding().view();
                              },
                              .configuration = [this]() -> const dataplane::RunningConfiguration& {
                                return gateway_->configuration();
                              },
                              .set =
                                  [this](dataplane::InterfaceIndex tunnel, uint16_t mtu) {
                                    EXPECT_EQ(tunnel, gateway_->model().vpn.sites[0].interface);
                                    set_.push_back(mtu);
                                    return Status();
                                  },
                              .log = [](bool, const std::string&) {}}};
};

TEST_F(IpsecTwin, FollowsTheTunnel) {
  const auto fits = [](uint32_t path) {
    return static_cast<uint16_t>(
        ipsec::maximum_inner_size(reference::parameters_of({}, Direction::Outbound), path));
  };
  start();
  EXPECT_TRUE(set([] {}).empty()) << "there is no SA";
  EXPECT_EQ(set([this] { open_tunnel(); }), std::vector<uint16_t>{fits(1500)});
  EXPECT_TRUE(set([this] { EXPECT_GT(outer_size(echo(100)), 0U); }).empty());
  EXPECT_EQ(set([this] {
              send("wan0", {inner("icmp unreachable needs-fragmentation 203.0.113.9 > 192.0.2.1 "
                                  "mtu 1400 quoting { ipv4 192.0.2.1 > 198.51.100.1 protocol 50 "
                                  "total-length 1500 payload 0000200100000001 }")});
            }),
            std::vector<uint16_t>{fits(1400)});
  // What was learnt is forgotten.
  EXPECT_EQ(set([this] { gateway_->advance(601'000); }), std::vector<uint16_t>{fits(1500)});
  // After a configuration the twin is what that says.
  EXPECT_EQ(set([this] { ASSERT_TRUE(gateway_->configure(kTunnelConfiguration)); }),
            std::vector<uint16_t>{fits(1500)});
  EXPECT_TRUE(set([this] { gateway_->ipsec().flush(); }).empty());
}

TEST_F(IpsecTwin, HasRoomForIpv6) {
  start(1, small_path(""));
  EXPECT_EQ(set([this] { open_tunnel(); }), std::vector<uint16_t>{1280});
}

TEST_F(IpsecTwin, KeepsWhatIsConfigured) {
  start(1, small_path("mtu 1200;"));
  EXPECT_TRUE(set([this] { open_tunnel(); }).empty());
}

TEST_F(IpsecMtu, PiecesOutsideOverIpv6) {
  std::string text = kTunnelConfiguration;
  text.replace(text.find("zone branches;"), 14, "zone branches; mtu 1500;");
  start(1, text);
  open_tunnel(outside({}, true, false));
  const auto pieces = send("lan0", {echo(1490, false)});
  ASSERT_EQ(pieces.size(), 2U);
  for (const PortFrame& piece : pieces) {
    EXPECT_EQ(piece.bytes[kLinkBytes + 6], 44);  // fragment header
    EXPECT_EQ(piece.bytes[kLinkBytes + 40], 50);
  }
  EXPECT_EQ(std::vector<uint8_t>(pieces[0].bytes.begin() + kLinkBytes + 44,
                                 pieces[0].bytes.begin() + kLinkBytes + 48),
            std::vector<uint8_t>(pieces[1].bytes.begin() + kLinkBytes + 44,
                                 pieces[1].bytes.begin() + kLinkBytes + 48));
}

}  // namespace
}  // namespace masugata::test
