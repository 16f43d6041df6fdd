// SPDX-License-Identifier: GPL-2.0-or-later
// The `vpn` section: what the Model says, and what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "config/load.h"

namespace masugata::config {
namespace {

constexpr const char* kGateway = R"(
interfaces {
    interface wan0 { device 0000:01:00.0; address [ 203.0.113.2/24 2001:db8:1::2/64 ]; }
    interface lan0 { device 0000:02:00.0; address 10.0.1.1/24; }
}
zones { zone wan { interface wan0; } zone lan { interface lan0; } zone branches { } }
)";
constexpr const char* kOffice = R"(
sets { address-set office { address [ 10.0.1.0/24 10.0.2.0/24 ]; } }
)";

constexpr const char* kSecret = "correct horse battery staple";

std::string site(const std::string& statements,
                 const std::string& authentication =
                     "authentication { psk \"correct horse battery staple\"; }") {
  return std::string(kGateway) + "vpn { site osaka { " + authentication + " zone branches; " +
         statements + " } }";
}

Model model_of(const std::string& text) {
  Loaded loaded = load_text(text, "test");
  for (const Problem& problem : loaded.problems) ADD_FAILURE() << format_problem(problem, "test");
  return loaded.model ? std::move(*loaded.model) : Model{};
}

// The problems, one a line, without places.
std::string problems_of(const std::string& text) {
  std::string all;
  for (const Problem& problem : load_text(text, "test").problems) {
    if (!all.empty()) all += '\n';
    all += problem.severity == Problem::Severity::Warning ? "warning: " : "";
    all += problem.what;
  }
  return all;
}

TEST(VpnConfiguration, ASiteIsATunnelInAZone) {
  const Model model = model_of(site("peer 198.51.100.7; local-interface wan0;"
                                    "local-networks office; remote-networks 10.20.0.0/16;") +
                               kOffice);
  ASSERT_EQ(model.vpn.sites.size(), 1U);
  const VpnSite& osaka = model.vpn.sites[0];
  const Interface& tunnel = model.interfaces[osaka.interface];
  EXPECT_EQ(tunnel.name, "osaka");
  EXPECT_EQ(tunnel.kind, InterfaceKind::Tunnel);
  EXPECT_EQ(tunnel.port, kNoPortIndex);
  EXPECT_EQ(model.zones[*model.find_zone("branches")].interfaces,
            std::vector<uint16_t>{osaka.interface});
  EXPECT_EQ(osaka.peer_address->to_string(), "198.51.100.7");
  EXPECT_EQ(osaka.local_address->to_string(), "203.0.113.2");
  EXPECT_EQ(osaka.local_interface, model.find_interface("wan0"));
  EXPECT_EQ(osaka.psk.reveal(), kSecret);
  EXPECT_EQ(osaka.role, VpnRole::Both);
  EXPECT_EQ(osaka.local_networks.size(), 2U) << "a set, resolved to networks";
  ASSERT_EQ(model.routes.size(), 1U);
  EXPECT_EQ(model.routes[0].destination.to_string(), "10.20.0.0/16");
  EXPECT_EQ(model.routes[0].interface, osaka.interface);
}

TEST(VpnConfiguration, TheAddressIsOfThePeersFamily) {
  const Model model = model_of(site("peer 2001:db8:7::1; local-interface wan0;"));
  EXPECT_EQ(model.vpn.sites[0].local_address->to_string(), "2001:db8:1::2");
  const Model named = model_of(site("peer osaka.example.com; local-address 203.0.113.2;"));
  EXPECT_EQ(named.vpn.sites[0].local_interface, named.find_interface("wan0"));
  EXPECT_FALSE(named.vpn.sites[0].peer_address);
}

TEST(VpnConfiguration, ZonesRoutesAndPolicyNameTheTunnel) {
  const Model model = model_of(R"(
interfaces { interface lan0 { device 0000:02:00.0; address 10.0.1.1/24; } }
routes { route 10.20.0.0/16 { interface osaka; } }
zones { zone lan { interface lan0; } zone vpn { interface osaka; } }
policy { from lan to vpn { rule all { action permit; } } }
vpn { site osaka { peer 198.51.100.7; authentication { psk-file /etc/masugata/osaka.psk; } } })");
  ASSERT_EQ(model.vpn.sites.size(), 1U);
  const uint16_t tunnel = model.vpn.sites[0].interface;
  EXPECT_EQ(model.routes[0].interface, tunnel);
  EXPECT_EQ(model.zones[*model.find_zone("vpn")].interfaces, std::vector<uint16_t>{tunnel});
  EXPECT_EQ(model.vpn.sites[0].authentication, VpnAuthentication::PskFile);
}

TEST(VpnConfiguration, ProfilesFillIn) {
  const Model model = model_of(std::string(kGateway) + R"(
vpn {
    nat-keep-alive 15s;
    profile branches {
        ike { proposal aes256gcm16-prfsha384-ecp384; rekey-time 8h; mobike on; }
        esp { proposal aes256gcm16; pfs off; rekey-bytes 10G; replay-window 4096; esn on; copy-dscp both; }
        dead-peer interval 30s;
    }
    site osaka {
        peer osaka.example.com; role initiate; start on-traffic; profile branches; zone branches;
        authentication { certificate headquarters; ca [ own partner ]; revocation strict;
                         local-identity hq.example.com; remote-identity osaka.example.com; }
        esp { pfs [ ecp384 x448 ]; }
        mtu 1400; tcp-mss 1300; address 169.254.1.1/30; local-interface wan0;
    }
})");
  ASSERT_EQ(model.vpn.sites.size(), 1U);
  EXPECT_EQ(model.vpn.nat_keep_alive_seconds, 15U);
  const VpnSite& osaka = model.vpn.sites[0];
  EXPECT_EQ(osaka.exchange.ike_proposals, std::vector<std::string>{"aes256gcm16-prfsha384-ecp384"});
  EXPECT_EQ(osaka.exchange.ike_rekey_seconds, 8U * 3600);
  EXPECT_EQ(osaka.exchange.esp_rekey_seconds, 3600U);
  EXPECT_EQ(osaka.exchange.esp_rekey_bytes, 10ULL << 30U);
  EXPECT_EQ(osaka.exchange.pfs_groups, (std::vector<std::string>{"ecp384", "x448"}));
  EXPECT_EQ(osaka.exchange.replay_window, 4096);
  EXPECT_EQ(osaka.exchange.esn, VpnEsn::On);
  EXPECT_EQ(osaka.exchange.copy_dscp, VpnCopyDscp::Both);
  EXPECT_TRUE(osaka.exchange.mobike);
  EXPECT_EQ(osaka.exchange.dead_peer_interval_seconds, 30U);
  EXPECT_EQ(osaka.role, VpnRole::Initiate);
  EXPECT_EQ(osaka.start, VpnStart::OnTraffic);
  EXPECT_EQ(osaka.authentication, VpnAuthentication::Certificate);
  EXPECT_EQ(osaka.authorities, (std::vector<std::string>{"own", "partner"}));
  EXPECT_EQ(osaka.revocation, VpnRevocation::Strict);
  EXPECT_EQ(model.interfaces[osaka.interface].mtu, 1400);
  EXPECT_EQ(model.interfaces[osaka.interface].tcp_mss_ipv6, 1280);
}

TEST(VpnConfiguration, WeakAlgorithmsNeedAWord) {
  const std::string weak = "peer 198.51.100.7; ike { proposal aes128-sha1-modp1024; }";
  EXPECT_EQ(problems_of(site(weak)),
            "'sha1' is weak: its hash is being given up (RFC 9395, NIST 2030)");
  EXPECT_EQ(problems_of(site(weak + "allow-weak;")),
            "warning: 'sha1' is weak: its hash is being given up (RFC 9395, NIST 2030)");
  EXPECT_EQ(problems_of(site("peer 198.51.100.7; esp { proposal 3des-sha256; } allow-weak;")),
            "this gateway has no '3des' for packets");
  EXPECT_EQ(problems_of(site("peer 198.51.100.7; ike { version 1; }")),
            "warning: IKE version 1 is obsolete and weaker (RFC 9395)");
}

TEST(VpnConfiguration, VersionOneGetsProposalsThatItHas) {
  const Loaded loaded = load_text(site("peer 198.51.100.7; ike { version 1; }"), "test");
  ASSERT_TRUE(loaded.model);
  EXPECT_EQ(loaded.model->vpn.sites[0].exchange.ike_proposals,
            (std::vector<std::string>{"aes256-sha256-ecp256", "aes256-sha256-modp3072"}));
}

TEST(VpnConfiguration, APeerIsAnAddressANameOrAny) {
  EXPECT_EQ(problems_of(site("peer 198.51.100.300;")), "'198.51.100.300' is not a peer");
  EXPECT_EQ(problems_of(site("peer 2001:db8;")), "'2001:db8' is not a peer");
  EXPECT_EQ(problems_of(site("peer 224.0.0.1;")), "'224.0.0.1' is not a peer");
  EXPECT_EQ(problems_of(site("peer any;")),
            "a peer of any address is told apart from others by its identity only");
  EXPECT_EQ(problems_of(site("peer any; role both;",
                             "authentication { psk \"correct horse battery staple\";"
                             " remote-identity osaka; }")),
            "this side cannot begin: the peer's address is not known");
}

TEST(VpnConfiguration, BothEndsAreOfOneFamily) {
  EXPECT_EQ(problems_of(site("peer 2001:db8:7::1; local-address 203.0.113.2;")),
            "the peer's address and ours, 203.0.113.2, are of different families");
  EXPECT_EQ(problems_of(site("peer 198.51.100.7; local-interface osaka;")),
            "'osaka' is a tunnel itself");
}

TEST(VpnConfiguration, ASecretIsNeverRepeated) {
  const std::string text = site("peer 198.51.100.7; psk x;", "authentication { psk \"hush\"; }");
  for (const Problem& problem : load_text(text, "test").problems) {
    EXPECT_EQ(format_problem(problem, "test").find("hush"), std::string::npos);
  }
  EXPECT_EQ(problems_of(site("peer 198.51.100.7;", "authentication { psk \"hush\"; }")),
            "warning: the secret is short: whoever records one handshake can try to guess it");
  const std::string right = site("peer 198.51.100.7;");
  const auto kept = to_canonical_text(right, "test");
  const auto hidden = to_canonical_text(right, "test", Secrets::Hide);
  ASSERT_TRUE(kept && hidden);
  EXPECT_NE(kept->find(kSecret), std::string::npos);
  EXPECT_EQ(hidden->find(kSecret), std::string::npos);
  EXPECT_NE(hidden->find("psk (hidden);"), std::string::npos) << *hidden;
  const auto json = to_json(right, "test");
  ASSERT_TRUE(json);
  EXPECT_EQ(json->find(kSecret), std::string::npos);
  EXPECT_NE(problems_of(*hidden).find("this is not a secret"), std::string::npos);
}

TEST(VpnConfiguration, AuthenticationIsWhole) {
  EXPECT_EQ(problems_of(site("peer 198.51.100.7;", "authentication { certificate hq; }")),
            "nothing says whose certificates the peer may have");
  EXPECT_NE(problems_of(
                site("peer 198.51.100.7;", "authentication { certificate hq; ca own; psk \"x\"; }"))
                .find("cannot stand beside"),
            std::string::npos);
  EXPECT_NE(problems_of(site("peer 198.51.100.7;", "authentication { ca own; }")), "");
  EXPECT_NE(problems_of(std::string(kGateway) + "vpn { site a { peer 198.51.100.7; } }"), "");
}

TEST(VpnConfiguration, SitesAreApart) {
  const std::string one =
      "authentication { psk \"correct horse battery staple\"; } "
      "zone branches; peer 198.51.100.7;";
  EXPECT_EQ(
      problems_of(std::string(kGateway) + "vpn { site a { " + one + " } site b { " + one + " } }"),
      "site a has the same peer and identities");
  EXPECT_EQ(problems_of(std::string(kGateway) + "vpn { site lan0 { " + one + " } }"),
            "interface 'lan0' has the same name");
  EXPECT_EQ(problems_of(std::string(kGateway) +
                        "zones { zone x { interface a; } }"
                        "vpn { site a { " +
                        one + " } }"),
            "site 'a' is in zone x already");
}

TEST(VpnConfiguration, AClosedNetworkLeadsEverywhere) {
  EXPECT_EQ(problems_of(site("peer 198.51.100.7; closed-network; local-interface wan0;"
                             "remote-networks 10.0.0.0/8;")),
            "the only exit of a closed network must lead everywhere");
  EXPECT_EQ(problems_of(site("peer 198.51.100.7; closed-network;")),
            "nothing says which interface is closed");
  const Model model =
      model_of(site("peer 198.51.100.7; closed-network; local-interface wan0;"
                    "remote-networks 0.0.0.0/0;"));
  EXPECT_TRUE(model.vpn.sites[0].closed_network);
  // Routes stay as they are: the gateway itself still goes out as before.
  EXPECT_TRUE(model.routes.empty());
}

TEST(VpnConfiguration, TransportModeIsForOnePeerWithoutNetworks) {
  const std::string usual = "peer 198.51.100.7; transport-mode; ";
  EXPECT_TRUE(model_of(site(usual + "local-interface wan0;")).vpn.sites[0].transport_mode);
  EXPECT_EQ(problems_of(site("peer hq.example.com; transport-mode; local-interface wan0;")),
            "transport mode is for a peer whose address is known");
  EXPECT_EQ(problems_of(site(usual)), "nothing says by which interface the peer is reached");
  EXPECT_EQ(problems_of(site(usual + "local-interface wan0; remote-networks 10.2.0.0/16;")),
            "transport mode is for what the gateway itself and the peer send, not for networks");
  EXPECT_EQ(problems_of(site(usual + "local-interface wan0; ike { udp-encapsulation always; }")),
            "transport mode cannot be in UDP");
}

TEST(VpnConfiguration, RemoteNetworksAreRoutedOnce) {
  EXPECT_EQ(problems_of(site("peer 198.51.100.7; remote-networks 10.20.0.0/16;") +
                        "routes { route 10.20.0.0/16 { via 10.0.1.9; } }"),
            "10.20.0.0/16 is routed elsewhere on line 7");
  const Model model = model_of(site("peer 198.51.100.7; remote-networks 10.20.0.1-10.20.0.6;"));
  ASSERT_EQ(model.routes.size(), 4U) << ".1/32 .2/31 .4/31 .6/32";
  EXPECT_EQ(model.routes[1].destination.to_string(), "10.20.0.2/31");
  EXPECT_TRUE(
      model_of(site("peer 198.51.100.7; remote-networks 10.2.0.0/16; no-routes;")).routes.empty());
}

}  // namespace
}  // namespace masugata::config
