// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/nat/nat_tables.h"

#include <gtest/gtest.h>

#include "dataplane/nat/nat_compile.h"

namespace masugata::dataplane {
namespace {

using config::kAnyZone;
using config::kSelfZone;
using net::Protocol;

constexpr config::ZoneIndex kLan = 1, kWan = 2, kDmz = 3;

net::IpAddress ip(const char* text) { return *net::IpAddress::parse(text); }
net::AddressRange range(const char* text) { return *net::AddressRange::parse(text); }

config::ServiceMatch tcp(uint16_t first, uint16_t last) {
  return {Protocol::Tcp, {}, {first, last}, {}, {}};
}

PacketFacts facts_of(const char* source, const char* destination, uint16_t port,
                     Protocol protocol = Protocol::Tcp) {
  PacketFacts facts;
  facts.key = {ip(source), ip(destination), net::Be16::from_host(1025), net::Be16::from_host(port),
               protocol};
  facts.has_ports = true;
  return facts;
}

class NatTest : public testing::Test {
 protected:
  NatTest() {
    for (const char* name : {"self", "lan", "wan", "dmz"}) {
      config::Zone zone;
      zone.name = name;
      model_.zones.push_back(std::move(zone));
    }
  }
  config::DestinationNatRule& forward(const char* name, const char* destination, const char* to) {
    config::DestinationNatRule rule;
    rule.name = name;
    rule.from = kWan;
    rule.destination = {range(destination)};
    rule.to_address = range(to);
    model_.destination_nat.push_back(std::move(rule));
    return model_.destination_nat.back();
  }
  config::SourceNatRule& source(const char* name, config::SourceTranslation translation) {
    config::SourceNatRule rule;
    rule.name = name;
    rule.from = kLan;
    rule.to = kWan;
    rule.translation = translation;
    model_.source_nat.push_back(std::move(rule));
    return model_.source_nat.back();
  }
  void pool(const char* addresses) {
    config::NatPool pool;
    pool.name = "pool";
    pool.addresses = {range(addresses)};
    model_.nat_pools.push_back(std::move(pool));
  }
  void static_rule(const char* internal, const char* external) {
    config::StaticNatRule rule;
    rule.name = "one-to-one";
    rule.external_zone = kWan;
    rule.internal = range(internal);
    rule.external = range(external);
    model_.static_nat.push_back(std::move(rule));
  }
  void compile() {
    auto tables = compile_nat(model_);
    ASSERT_TRUE(tables.has_value()) << tables.error().message();
    tables_ = std::move(*tables);
  }
  // "rule address:port", "rule -" for an exception, "-" without a rule.
  [[nodiscard]] std::string destination(config::ZoneIndex from, const PacketFacts& facts) const {
    const DestinationTranslation result = tables_.translate_destination(from, facts);
    if (result.rule == kNoNatRule) return "-";
    const std::string name = tables_.rules()[result.rule].name;
    if (!result.translated) return name + " -";
    return name + " " + result.address.to_string() + ":" + std::to_string(result.port.host());
  }
  [[nodiscard]] std::string fault() const {
    const auto tables = compile_nat(model_);
    return tables ? "" : tables.error().message();
  }

  config::Model model_;
  NatTables tables_;
};

TEST_F(NatTest, WithoutRulesNothingIsTranslated) {
  compile();
  EXPECT_EQ(destination(kWan, facts_of("198.51.100.9", "203.0.113.2", 80)), "-");
  EXPECT_EQ(tables_.plan_source(kLan, kWan, facts_of("10.0.0.5", "198.51.100.9", 80)).kind,
            SourceTranslationKind::None);
}

TEST_F(NatTest, PortForward) {
  auto& rule = forward("www", "203.0.113.2", "10.0.2.80");
  rule.services = {tcp(443, 443)};
  rule.to_ports = config::PortRange{8443, 8443};
  compile();
  EXPECT_EQ(destination(kWan, facts_of("198.51.100.9", "203.0.113.2", 443)), "www 10.0.2.80:8443");
  EXPECT_EQ(destination(kWan, facts_of("198.51.100.9", "203.0.113.2", 444)), "-");
  EXPECT_EQ(destination(kWan, facts_of("198.51.100.9", "203.0.113.3", 443)), "-");
  EXPECT_EQ(destination(kLan, facts_of("10.0.0.5", "203.0.113.2", 443)), "-");
  EXPECT_EQ(destination(kWan, facts_of("198.51.100.9", "203.0.113.2", 443, Protocol::Udp)), "-");
}

TEST_F(NatTest, AnyZoneIsNotSelf) {
  forward("all", "203.0.113.2", "10.0.2.80").from = kAnyZone;
  compile();
  const PacketFacts facts = facts_of("10.0.0.5", "203.0.113.2", 443);
  EXPECT_EQ(destination(kLan, facts), "all 10.0.2.80:443");
  EXPECT_EQ(destination(kSelfZone, facts), "-");
}

TEST_F(NatTest, PortRangeMapsOneToOne) {
  auto& rule = forward("range", "203.0.113.2", "10.0.2.80");
  rule.services = {{Protocol::Udp, {}, {700, 709}, {}, {}}, tcp(5000, 5009)};
  rule.to_ports = config::PortRange{6000, 6009};
  compile();
  EXPECT_EQ(destination(kWan, facts_of("198.51.100.9", "203.0.113.2", 5000)),
            "range 10.0.2.80:6000");
  EXPECT_EQ(destination(kWan, facts_of("198.51.100.9", "203.0.113.2", 5009)),
            "range 10.0.2.80:6009");
  EXPECT_EQ(destination(kWan, facts_of("198.51.100.9", "203.0.113.2", 703, Protocol::Udp)),
            "range 10.0.2.80:6003");
}

TEST_F(NatTest, AddressRangesMapOneToOneAcrossSeveralRanges) {
  auto& rule = forward("block", "203.0.113.0/30", "10.0.2.100-10.0.2.105");
  rule.destination.push_back(range("203.0.113.200-203.0.113.201"));
  compile();
  EXPECT_EQ(destination(kWan, facts_of("198.51.100.9", "203.0.113.0", 80)), "block 10.0.2.100:80");
  EXPECT_EQ(destination(kWan, facts_of("198.51.100.9", "203.0.113.3", 80)), "block 10.0.2.103:80");
  EXPECT_EQ(destination(kWan, facts_of("198.51.100.9", "203.0.113.201", 80)),
            "block 10.0.2.105:80");
}

TEST_F(NatTest, ExceptionsStopTheSearch) {
  forward("not-this-one", "203.0.113.2", "10.0.2.80").translate = false;
  model_.destination_nat.back().source = {range("198.51.100.0/24")};
  forward("all", "203.0.113.2", "10.0.2.80");
  static_rule("10.0.2.2", "203.0.113.2");
  compile();
  EXPECT_EQ(destination(kWan, facts_of("198.51.100.9", "203.0.113.2", 80)), "not-this-one -");
  EXPECT_EQ(destination(kWan, facts_of("192.0.2.9", "203.0.113.2", 80)), "all 10.0.2.80:80");
}

TEST_F(NatTest, Ipv6DestinationsKeepTheirFamily) {
  forward("six", "2001:db8::80", "fd00::80");
  compile();
  EXPECT_EQ(destination(kWan, facts_of("2001:db8:9::9", "2001:db8::80", 80)), "six fd00::80:80");
}

TEST_F(NatTest, StaticRulesWorkBothWays) {
  static_rule("10.0.2.0/28", "203.0.113.16/28");
  compile();
  EXPECT_EQ(destination(kWan, facts_of("198.51.100.9", "203.0.113.21", 80)),
            "one-to-one 10.0.2.5:80");
  EXPECT_EQ(destination(kLan, facts_of("10.0.0.5", "203.0.113.21", 80)), "one-to-one 10.0.2.5:80");
  const PacketFacts outbound = facts_of("10.0.2.5", "198.51.100.9", 80);
  const SourceTranslationPlan plan = tables_.plan_source(kDmz, kWan, outbound);
  EXPECT_EQ(plan.kind, SourceTranslationKind::Static);
  EXPECT_EQ(plan.address, ip("203.0.113.21"));
  EXPECT_EQ(tables_.plan_source(kDmz, kLan, outbound).kind, SourceTranslationKind::None);
}

TEST_F(NatTest, SourceRulesInOrderPerZonePair) {
  source("vpn", config::SourceTranslation::None).destination = {range("10.9.0.0/16")};
  pool("203.0.113.10-203.0.113.19");
  source("servers", config::SourceTranslation::Pool).source = {range("10.0.0.0/28")};
  source("rest", config::SourceTranslation::Interface);
  compile();
  const auto plan = [&](const char* from, const char* to) {
    const auto result = tables_.plan_source(kLan, kWan, facts_of(from, to, 80));
    return tables_.rules()[result.rule].name + std::to_string(static_cast<int>(result.kind));
  };
  EXPECT_EQ(plan("10.0.0.5", "10.9.1.1"), "vpn0");
  EXPECT_EQ(plan("10.0.0.5", "198.51.100.9"), "servers2");
  EXPECT_EQ(plan("10.0.0.99", "198.51.100.9"), "rest1");
  EXPECT_EQ(tables_.plan_source(kDmz, kWan, facts_of("10.0.0.5", "198.51.100.9", 80)).rule,
            kNoNatRule);
  EXPECT_EQ(tables_.plan_source(kSelfZone, kWan, facts_of("10.0.0.5", "198.51.100.9", 80)).rule,
            kNoNatRule);
}

TEST_F(NatTest, RulesWithoutAddressesLeaveIpv6Alone) {
  source("out", config::SourceTranslation::Interface);
  compile();
  const PacketFacts six = facts_of("2001:db8:1::5", "2001:db8:9::9", 80);
  EXPECT_EQ(tables_.plan_source(kLan, kWan, six).rule, kNoNatRule);
  model_.source_nat[0].source = {range("2001:db8:1::/64")};
  compile();
  EXPECT_EQ(tables_.plan_source(kLan, kWan, six).kind, SourceTranslationKind::Interface);
}

TEST_F(NatTest, PoolsOnlyTakeTheirFamily) {
  pool("203.0.113.10-203.0.113.19");
  source("pooled", config::SourceTranslation::Pool);
  compile();
  EXPECT_EQ(tables_.plan_source(kLan, kWan, facts_of("2001:db8:1::5", "2001:db8:9::9", 80)).rule,
            kNoNatRule);
  model_.source_nat[0].source = {range("2001:db8:1::/64")};
  EXPECT_NE(fault().find("pool's family"), std::string::npos);
}

TEST_F(NatTest, RangesThatDoNotMatchAreFaults) {
  forward("bad", "203.0.113.0/30", "10.0.2.0/29").place.line = 7;
  EXPECT_EQ(fault(),
            "line 7, destination NAT rule bad: translates to neither one address nor as many as "
            "it matches");
  model_.destination_nat.clear();
  forward("bad", "203.0.113.0/30", "fd00::1");
  EXPECT_NE(fault().find("different families"), std::string::npos);
  model_.destination_nat.clear();
  forward("bad", "203.0.113.0", "10.0.2.1").to_ports = config::PortRange{80, 80};
  EXPECT_NE(fault().find("name the service"), std::string::npos);
  model_.destination_nat[0].services = {tcp(80, 82)};
  EXPECT_EQ(fault(), "");
  model_.destination_nat[0].to_ports = config::PortRange{80, 81};
  EXPECT_NE(fault().find("neither one port"), std::string::npos);
  model_.destination_nat[0].services = {{Protocol::Icmp, {}, {}, {}, {}}};
  EXPECT_NE(fault().find("only TCP and UDP"), std::string::npos);
  model_.destination_nat.clear();
  static_rule("10.0.0.0/24", "203.0.113.0/25");
  EXPECT_NE(fault().find("differ in size"), std::string::npos);
}

TEST_F(NatTest, OwnedAddressesAreTheOutsideOnes) {
  pool("203.0.113.10-203.0.113.19");
  forward("www", "203.0.113.2", "10.0.2.80");
  static_rule("10.0.2.5", "203.0.113.5");
  compile();
  const std::vector<net::AddressRange> expected{range("203.0.113.10-203.0.113.19"),
                                                range("203.0.113.2"), range("203.0.113.5")};
  EXPECT_EQ(tables_.owned_addresses(), expected);
}

}  // namespace
}  // namespace masugata::dataplane
