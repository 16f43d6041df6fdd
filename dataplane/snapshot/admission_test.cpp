// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/snapshot/admission.h"

#include <gtest/gtest.h>

#include <random>

#include "dataplane/snapshot/test_gateway.h"

namespace masugata::dataplane {
namespace {

using config::Action;
using config::kAnyZone;
using config::kSelfZone;
using net::Protocol;
using test::ip;
using test::kDmz;
using test::kDmz0;
using test::kLan;
using test::kLan0;
using test::kWan;
using test::kWan0;
using test::range;

constexpr uint16_t kClientPort = 40000;

class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest() : model_(test::make_model()) {}

  // LAN and DMZ behind the WAN address, www published, as an administrator would write it.
  void configure_usual() {
    test::add_rule(model_, kLan, kWan, "browse");
    config::PolicyRule& www = test::add_rule(model_, kAnyZone, kDmz, "www");
    www.destination = {range("10.0.2.80"), range("2001:db8:3::80")};
    www.services = {test::service(Protocol::Tcp, 8443, 8443)};
    config::SourceNatRule out;
    out.name = "out";
    out.to = kWan;
    out.translation = config::SourceTranslation::Interface;
    model_.source_nat.push_back(out);
    publish("www", kAnyZone, "203.0.113.2", 443, "10.0.2.80", 8443);
  }
  void publish(const char* name, config::ZoneIndex from, const char* address, uint16_t port,
               const char* to, uint16_t to_port) {
    config::DestinationNatRule rule;
    rule.name = name;
    rule.from = from;
    rule.destination = {range(address)};
    rule.services = {test::service(Protocol::Tcp, port, port)};
    rule.to_address = range(to);
    rule.to_ports = config::PortRange{to_port, to_port};
    model_.destination_nat.push_back(rule);
  }
  void compile() {
    auto snapshot = compile_snapshot(model_, 1, 0);
    ASSERT_TRUE(snapshot.has_value()) << snapshot.error().message();
    snapshot_ = std::move(*snapshot);
  }
  static PacketFacts facts(Protocol protocol, const char* source, const char* destination,
                           uint16_t port) {
    PacketFacts facts;
    facts.key = {ip(source), ip(destination), net::Be16::from_host(kClientPort),
                 net::Be16::from_host(port), protocol};
    facts.has_ports = true;
    if (protocol == Protocol::Icmp || protocol == Protocol::Icmpv6) {
      facts.key.destination_port = facts.key.source_port;
      facts.icmp_type = protocol == Protocol::Icmp ? 8 : 128;
    }
    if (protocol == Protocol::Gre || protocol == Protocol::Ah) {
      facts.key.source_port = facts.key.destination_port = {};
      facts.has_ports = false;
    }
    return facts;
  }
  AdmissionResult admit_from(uint16_t interface, const PacketFacts& packet) {
    trace_ = {};
    return admit(*snapshot_, routes_, packet, AdmissionOrigin{interface, false}, secret_, probe_,
                 &trace_);
  }
  AdmissionResult admit_from_self(const PacketFacts& packet) {
    trace_ = {};
    return admit(*snapshot_, routes_, packet, AdmissionOrigin{0xffff, true}, secret_, probe_,
                 &trace_);
  }
  // Reason's name for a refusal; what leaves the gateway for a permit.
  std::string outcome(const AdmissionResult& result) {
    if (result.verdict != AdmissionVerdict::Permit) {
      return std::string(drop_reason_name(result.reason));
    }
    EXPECT_EQ(result.reason, DropReason::None);
    EXPECT_EQ(trace_.reached, AdmissionStep::Done);
    EXPECT_EQ(trace_.translated, result.reply.reversed());
    return result.reply.reversed().to_string();
  }
  std::string tcp(uint16_t interface, const char* source, const char* destination, uint16_t port) {
    return outcome(admit_from(interface, facts(Protocol::Tcp, source, destination, port)));
  }
  [[nodiscard]] std::string rule_name(const AdmissionResult& result) const {
    return snapshot_->policy->rules()[result.policy.rule].name;
  }

  config::Model model_;
  std::unique_ptr<const Snapshot> snapshot_;
  test::RouteTable routes_;
  test::FunctionProbe probe_;
  net::HashSecret secret_;
  AdmissionTrace trace_;
};

TEST_F(AdmissionTest, LanBrowsesBehindTheWanAddress) {
  configure_usual();
  compile();
  const auto result = admit_from(kLan0, facts(Protocol::Tcp, "10.0.0.5", "198.51.100.9", 80));
  EXPECT_EQ(outcome(result), "tcp 203.0.113.1:40000 > 198.51.100.9:80");
  EXPECT_EQ(rule_name(result), "browse");
  EXPECT_EQ(result.from_zone, kLan);
  EXPECT_EQ(result.to_zone, kWan);
  EXPECT_EQ(result.route.interface, kWan0);
  EXPECT_EQ(result.route.gateway, ip("203.0.113.254"));
  EXPECT_EQ(snapshot_->nat->rules()[result.source_rule].name, "out");
  EXPECT_TRUE(result.forward_rewrite.changes);
  EXPECT_FALSE(result.hairpin);
}

TEST_F(AdmissionTest, PublishedServerIsReachedByItsPublicAddressOnly) {
  configure_usual();
  compile();
  EXPECT_EQ(tcp(kWan0, "198.51.100.9", "203.0.113.2", 443),
            "tcp 198.51.100.9:40000 > 10.0.2.80:8443");
  EXPECT_EQ(tcp(kWan0, "198.51.100.9", "203.0.113.2", 22), "policy-default-denied");
  EXPECT_EQ(tcp(kWan0, "198.51.100.9", "203.0.113.1", 443), "policy-default-denied");
}

TEST_F(AdmissionTest, WanReachesNeitherLanNorDmzOtherwise) {
  configure_usual();
  compile();
  EXPECT_EQ(tcp(kWan0, "198.51.100.9", "10.0.0.5", 80), "policy-default-denied");
  EXPECT_EQ(tcp(kDmz0, "10.0.2.80", "10.0.0.5", 80), "policy-default-denied");
}

TEST_F(AdmissionTest, LanReachesTheDmzServerByItsPublicAddress) {
  configure_usual();
  compile();
  const auto result = admit_from(kLan0, facts(Protocol::Tcp, "10.0.0.5", "203.0.113.2", 443));
  EXPECT_EQ(outcome(result), "tcp 10.0.0.5:40000 > 10.0.2.80:8443");
  EXPECT_EQ(result.to_zone, kDmz);
  EXPECT_FALSE(result.hairpin);
}

TEST_F(AdmissionTest, HairpinInsideOneZoneTranslatesTheSource) {
  test::add_rule(model_, kLan, kLan, "inside");
  publish("intranet", kAnyZone, "203.0.113.3", 80, "10.0.0.80", 8080);
  compile();
  const auto result = admit_from(kLan0, facts(Protocol::Tcp, "10.0.0.5", "203.0.113.3", 80));
  EXPECT_EQ(outcome(result), "tcp 10.0.0.1:40000 > 10.0.0.80:8080");
  EXPECT_TRUE(result.hairpin);
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "10.0.0.80", 8080), "tcp 10.0.0.5:40000 > 10.0.0.80:8080");
  model_.destination_nat[0].hairpin = false;
  compile();
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "203.0.113.3", 80), "tcp 10.0.0.5:40000 > 10.0.0.80:8080");
}

TEST_F(AdmissionTest, ASourceExceptionGoesBeforeHairpin) {
  test::add_rule(model_, kLan, kLan, "inside");
  publish("intranet", kAnyZone, "203.0.113.3", 80, "10.0.0.80", 8080);
  model_.source_nat.emplace_back();
  model_.source_nat.back().name = "leave-it";
  compile();
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "203.0.113.3", 80), "tcp 10.0.0.5:40000 > 10.0.0.80:8080");
}

TEST_F(AdmissionTest, Ipv6IsNotTranslated) {
  configure_usual();
  compile();
  EXPECT_EQ(tcp(kLan0, "2001:db8:1::5", "2001:db8:9::9", 80),
            "tcp [2001:db8:1::5]:40000 > [2001:db8:9::9]:80");
  EXPECT_EQ(tcp(kWan0, "2001:db8:9::9", "2001:db8:3::80", 8443),
            "tcp [2001:db8:9::9]:40000 > [2001:db8:3::80]:8443");
  EXPECT_EQ(tcp(kWan0, "2001:db8:9::9", "2001:db8:1::5", 80), "policy-default-denied");
}

TEST_F(AdmissionTest, StaticNatWorksBothWays) {
  config::StaticNatRule rule;
  rule.external_zone = kWan;
  rule.internal = range("10.0.2.5");
  rule.external = range("203.0.113.5");
  model_.static_nat.push_back(rule);
  test::add_rule(model_, kAnyZone, kAnyZone, "all");
  compile();
  EXPECT_EQ(tcp(kWan0, "198.51.100.9", "203.0.113.5", 22), "tcp 198.51.100.9:40000 > 10.0.2.5:22");
  EXPECT_EQ(tcp(kDmz0, "10.0.2.5", "198.51.100.9", 80), "tcp 203.0.113.5:40000 > 198.51.100.9:80");
  EXPECT_EQ(tcp(kDmz0, "10.0.2.9", "203.0.113.5", 80), "tcp 10.0.2.1:40000 > 10.0.2.5:80");
}

TEST_F(AdmissionTest, PoolGivesItsAddressAndPorts) {
  config::NatPool pool;
  pool.addresses = {range("203.0.113.10-203.0.113.13")};
  pool.ports = {2000, 2999};
  model_.nat_pools.push_back(pool);
  config::SourceNatRule rule;
  rule.translation = config::SourceTranslation::Pool;
  model_.source_nat.push_back(rule);
  test::add_rule(model_, kLan, kWan, "browse");
  compile();
  const auto result = admit_from(kLan0, facts(Protocol::Udp, "10.0.0.5", "198.51.100.9", 53));
  ASSERT_EQ(result.verdict, AdmissionVerdict::Permit);
  EXPECT_TRUE(pool.addresses[0].contains(result.reply.destination));
  EXPECT_GE(result.reply.destination_port.host(), 2000);
  EXPECT_LE(result.reply.destination_port.host(), 2999);
}

TEST_F(AdmissionTest, ExhaustedPortsAreAReason) {
  configure_usual();
  compile();
  probe_.rule = [](const net::FlowKey&) { return false; };
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "198.51.100.9", 80), "nat-ports-exhausted");
  EXPECT_EQ(trace_.reached, AdmissionStep::SourceNat);
  EXPECT_EQ(tcp(kWan0, "198.51.100.9", "203.0.113.2", 443),
            "tcp 198.51.100.9:40000 > 10.0.2.80:8443");
}

TEST_F(AdmissionTest, ProtocolsThatCoverTheirAddressesAreNotTranslated) {
  configure_usual();
  test::add_rule(model_, kLan, kDmz, "inside");
  compile();
  EXPECT_EQ(outcome(admit_from(kLan0, facts(Protocol::Ah, "10.0.0.5", "198.51.100.9", 0))),
            "nat-untranslatable");
  EXPECT_EQ(admit_from(kLan0, facts(Protocol::Ah, "10.0.0.5", "10.0.2.7", 0)).verdict,
            AdmissionVerdict::Permit);
  EXPECT_EQ(admit_from(kLan0, facts(Protocol::Gre, "10.0.0.5", "198.51.100.9", 0)).verdict,
            AdmissionVerdict::Permit);
}

TEST_F(AdmissionTest, InterfaceWithoutAddressCannotTranslate) {
  configure_usual();
  model_.interfaces[kWan0].addresses.clear();
  compile();
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "198.51.100.9", 80), "nat-untranslatable");
}

struct SourceCase {
  const char* what;
  config::AntiSpoofing mode;
  uint16_t interface;
  const char* source;
  const char* reason;  // "permit" for none
};

TEST_F(AdmissionTest, AntiSpoofing) {
  using config::AntiSpoofing;
  const SourceCase cases[] = {
      {"own network", AntiSpoofing::Strict, kLan0, "10.0.0.5", "permit"},
      {"network behind a router", AntiSpoofing::Strict, kLan0, "10.0.5.5", "permit"},
      {"another zone's network", AntiSpoofing::Strict, kLan0, "10.0.2.5", "spoofed"},
      {"the internet from lan", AntiSpoofing::Strict, kLan0, "198.51.100.9", "spoofed"},
      {"lan from the internet", AntiSpoofing::Strict, kWan0, "10.0.0.5", "spoofed"},
      {"the gateway's own address", AntiSpoofing::Strict, kLan0, "10.0.0.1", "spoofed"},
      {"the gateway's own address", AntiSpoofing::Loose, kLan0, "10.0.0.1", "spoofed"},
      {"a broadcast address", AntiSpoofing::Loose, kLan0, "10.0.0.255", "spoofed"},
      {"the internet from lan", AntiSpoofing::Loose, kLan0, "198.51.100.9", "permit"},
      {"no route back", AntiSpoofing::Loose, kLan0, "192.0.2.33", "spoofed"},
      {"blackhole", AntiSpoofing::Loose, kLan0, "192.0.2.1", "spoofed"},
      {"no route back", AntiSpoofing::Off, kLan0, "192.0.2.33", "permit"},
      {"loopback", AntiSpoofing::Off, kLan0, "127.0.0.1", "martian-source"},
      {"multicast", AntiSpoofing::Off, kLan0, "224.0.0.5", "martian-source"},
      {"this network", AntiSpoofing::Off, kLan0, "0.1.2.3", "martian-source"},
      {"reserved", AntiSpoofing::Off, kLan0, "250.1.2.3", "martian-source"},
      {"broadcast", AntiSpoofing::Off, kLan0, "255.255.255.255", "martian-source"},
  };
  test::add_rule(model_, kAnyZone, kAnyZone, "all");
  for (const SourceCase& item : cases) {
    for (config::Zone& zone : model_.zones) zone.anti_spoofing = item.mode;
    compile();
    const auto result =
        admit_from(item.interface, facts(Protocol::Tcp, item.source, "198.51.100.77", 80));
    const std::string seen = result.verdict == AdmissionVerdict::Permit
                                 ? "permit"
                                 : std::string(drop_reason_name(result.reason));
    EXPECT_EQ(seen, item.reason) << item.what << " " << item.source;
  }
}

TEST_F(AdmissionTest, LinkLocalSourcesNeedNoRoute) {
  test::add_rule(model_, kLan, kSelfZone, "all");
  compile();
  routes_.add("2001:db8:1::1/128", RouteKind::Local, kLan0);
  const auto result = admit_from(kLan0, facts(Protocol::Icmpv6, "fe80::5", "2001:db8:1::1", 0));
  EXPECT_EQ(result.verdict, AdmissionVerdict::Permit);
  EXPECT_TRUE(trace_.source_exempt);
  EXPECT_TRUE(result.to_self);
}

TEST_F(AdmissionTest, EveryKindOfRoute) {
  test::add_rule(model_, kAnyZone, kAnyZone, "all");
  compile();
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "192.0.2.1", 80), "no-route-blackhole");
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "192.0.2.17", 80), "no-route-prohibited");
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "192.0.2.33", 80), "no-route");
  EXPECT_EQ(tcp(kDmz0, "10.0.2.5", "10.0.0.255", 80), "broadcast-not-forwarded");
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "255.255.255.255", 80), "broadcast-not-forwarded");
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "239.1.1.1", 80), "multicast-not-forwarded");
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "127.0.0.1", 80), "martian-destination");
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "240.0.0.1", 80), "martian-destination");
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "10.0.9.5", 80), "egress-no-zone");
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "10.0.0.5", 80), "land");
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "198.51.100.9", 80), "tcp 10.0.0.5:40000 > 198.51.100.9:80");
}

TEST_F(AdmissionTest, InterfacesWithoutZoneOrPortAdmitNothing) {
  test::add_rule(model_, kAnyZone, kAnyZone, "all");
  model_.ports[kDmz0].enabled = false;
  compile();
  EXPECT_EQ(tcp(test::kSpare0, "10.0.9.5", "198.51.100.9", 80), "interface-disabled");
  EXPECT_EQ(tcp(kDmz0, "10.0.2.5", "198.51.100.9", 80), "interface-disabled");
  EXPECT_EQ(tcp(99, "10.0.2.5", "198.51.100.9", 80), "interface-disabled");
}

TEST_F(AdmissionTest, ToTheGatewayItself) {
  test::add_rule(model_, kAnyZone, kAnyZone, "all");
  test::add_rule(model_, kLan, kSelfZone, "ssh").services = {test::service(Protocol::Tcp, 22, 22)};
  compile();
  const auto result = admit_from(kLan0, facts(Protocol::Tcp, "10.0.0.5", "10.0.0.1", 22));
  EXPECT_EQ(outcome(result), "tcp 10.0.0.5:40000 > 10.0.0.1:22");
  EXPECT_TRUE(result.to_self);
  EXPECT_EQ(result.to_zone, kSelfZone);
  EXPECT_EQ(tcp(kLan0, "10.0.0.5", "10.0.0.1", 23), "policy-default-denied");
  EXPECT_EQ(tcp(kWan0, "198.51.100.9", "203.0.113.1", 22), "policy-default-denied");
}

TEST_F(AdmissionTest, TheGatewayItselfMaySpeakAndIsNotTranslated) {
  configure_usual();
  compile();
  const auto result = admit_from_self(facts(Protocol::Udp, "203.0.113.1", "198.51.100.53", 53));
  EXPECT_EQ(outcome(result), "udp 203.0.113.1:40000 > 198.51.100.53:53");
  EXPECT_EQ(result.policy.rule, kDefaultSelfPermit);
  EXPECT_EQ(result.from_zone, kSelfZone);
  EXPECT_FALSE(result.forward_rewrite.changes);
}

TEST_F(AdmissionTest, DenyAndRejectSayWhichRule) {
  test::add_rule(model_, kLan, kWan, "no-mail", Action::Deny).services = {
      test::service(Protocol::Tcp, 25, 25)};
  test::add_rule(model_, kLan, kWan, "no-telnet", Action::Reject).services = {
      test::service(Protocol::Tcp, 23, 23)};
  compile();
  auto result = admit_from(kLan0, facts(Protocol::Tcp, "10.0.0.5", "198.51.100.9", 25));
  EXPECT_EQ(outcome(result), "policy-denied");
  EXPECT_EQ(result.verdict, AdmissionVerdict::Drop);
  EXPECT_EQ(rule_name(result), "no-mail");
  result = admit_from(kLan0, facts(Protocol::Tcp, "10.0.0.5", "198.51.100.9", 23));
  EXPECT_EQ(outcome(result), "policy-rejected");
  EXPECT_EQ(result.verdict, AdmissionVerdict::Reject);
  EXPECT_EQ(rule_name(result), "no-telnet");
  EXPECT_EQ(trace_.reached, AdmissionStep::Policy);
}

TEST_F(AdmissionTest, RulesByMacServiceAndIcmpType) {
  config::PolicyRule& laptop = test::add_rule(model_, kLan, kWan, "laptop");
  laptop.source_mac = {*net::MacAddress::parse("02:00:00:00:00:07")};
  laptop.services = {test::service(Protocol::Udp, 53, 53)};
  config::PolicyRule& ping = test::add_rule(model_, kLan, kWan, "ping");
  ping.services = {{Protocol::Icmp, {}, {}, uint8_t{8}, {}}};
  compile();
  PacketFacts dns = facts(Protocol::Udp, "10.0.0.5", "198.51.100.9", 53);
  EXPECT_EQ(outcome(admit_from(kLan0, dns)), "policy-default-denied");
  dns.source_mac = *net::MacAddress::parse("02:00:00:00:00:07");
  EXPECT_EQ(rule_name(admit_from(kLan0, dns)), "laptop");
  PacketFacts echo = facts(Protocol::Icmp, "10.0.0.5", "198.51.100.9", 0);
  EXPECT_EQ(rule_name(admit_from(kLan0, echo)), "ping");
  echo.icmp_type = 13;
  EXPECT_EQ(outcome(admit_from(kLan0, echo)), "policy-default-denied");
}

TEST_F(AdmissionTest, ResultCarriesLimitLogAndInspection) {
  config::PolicyRule& rule = test::add_rule(model_, kLan, kWan, "browse");
  rule.session_limit_per_source = 20;
  rule.log = true;
  rule.inspect.ips = "standard";
  compile();
  const auto result = admit_from(kLan0, facts(Protocol::Tcp, "10.0.0.5", "198.51.100.9", 80));
  EXPECT_EQ(result.policy.session_limit_per_source, 20U);
  EXPECT_TRUE(result.policy.log);
  EXPECT_EQ(snapshot_->policy->inspection_profiles()[result.policy.inspection].ips, "standard");
}

TEST_F(AdmissionTest, TraceTellsEveryStep) {
  configure_usual();
  compile();
  const auto result = admit_from(kWan0, facts(Protocol::Tcp, "198.51.100.9", "203.0.113.2", 443));
  EXPECT_EQ(trace_.source_route.kind, RouteKind::Gateway);
  EXPECT_TRUE(trace_.destination.translated);
  EXPECT_EQ(trace_.routed.destination, ip("10.0.2.80"));
  EXPECT_EQ(trace_.route.interface, kDmz0);
  EXPECT_EQ(trace_.source.kind, SourceTranslationKind::None);
  EXPECT_EQ(result.original.destination, ip("203.0.113.2"));
}

TEST_F(AdmissionTest, WithAndWithoutTraceAgree) {
  configure_usual();
  compile();
  const PacketFacts packet = facts(Protocol::Tcp, "10.0.0.5", "198.51.100.9", 80);
  const auto traced = admit_from(kLan0, packet);
  const auto plain =
      admit(*snapshot_, routes_, packet, AdmissionOrigin{kLan0, false}, secret_, probe_);
  EXPECT_EQ(plain.verdict, traced.verdict);
  EXPECT_EQ(plain.reply, traced.reply);
}

// Whatever is translated: the keys of both directions mirror each other through the rewrites.
TEST_F(AdmissionTest, RewritesLeadThereAndBack) {
  configure_usual();
  test::add_rule(model_, kAnyZone, kAnyZone, "all");
  compile();
  std::mt19937 random(3);
  probe_.rule = [&](const net::FlowKey&) { return random() % 3 != 0; };
  const char* const sources[] = {"10.0.0.5", "10.0.2.80", "198.51.100.9"};
  const uint16_t interfaces[] = {kLan0, kDmz0, kWan0};
  const char* const destinations[] = {"203.0.113.2", "198.51.100.77", "10.0.2.9", "10.0.0.77"};
  size_t translated = 0;
  for (int round = 0; round < 500; ++round) {
    const size_t from = random() % 3;
    const Protocol protocol = round % 5 == 0 ? Protocol::Icmp : Protocol::Tcp;
    const auto result = admit_from(
        interfaces[from],
        facts(protocol, sources[from], destinations[random() % 4], random() % 2 == 0 ? 443 : 80));
    if (result.verdict != AdmissionVerdict::Permit) continue;
    EXPECT_EQ(result.forward_rewrite.to, result.reply.reversed());
    EXPECT_EQ(result.reply_rewrite.to, result.original.reversed());
    EXPECT_EQ(result.forward_rewrite.changes, result.reply_rewrite.changes);
    EXPECT_EQ(result.forward_rewrite.deltas,
              checksum_deltas(result.original, result.forward_rewrite.to));
    translated += result.forward_rewrite.changes ? 1 : 0;
  }
  EXPECT_GT(translated, 100U);
}

}  // namespace
}  // namespace masugata::dataplane
