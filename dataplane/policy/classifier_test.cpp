// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/policy/classifier.h"

#include <gtest/gtest.h>

#include <random>

#include "dataplane/policy/classifier_compile.h"

namespace masugata::dataplane {
namespace {

using net::AddressRange;
using net::IpAddress;
using net::Protocol;

struct OwnedRule {
  std::vector<AddressRange> source, destination;
  std::vector<net::MacAddress> macs;
  std::vector<config::ServiceMatch> services;
};

struct Compiled {
  Classifier classifier;
  LiveMask all;
  [[nodiscard]] uint32_t match(const PacketFacts& facts) const {
    return classifier.first_match(facts, all);
  }
};

Compiled compile(const std::vector<OwnedRule>& rules) {
  std::vector<ClassifierRule> views;
  for (const OwnedRule& rule : rules) {
    views.push_back({rule.source, rule.destination, rule.macs, rule.services});
  }
  auto classifier = compile_classifier(views);
  EXPECT_TRUE(classifier.has_value());
  LiveMask all = classifier->live_mask(std::vector<bool>(rules.size(), true));
  return {std::move(*classifier), std::move(all)};
}

AddressRange v4_range(uint32_t first, uint32_t last) {
  return {IpAddress::from_v4(net::Be32::from_host(first)),
          IpAddress::from_v4(net::Be32::from_host(last))};
}

bool contains(const std::vector<AddressRange>& set, const IpAddress& address) {
  if (set.empty()) return true;
  return std::any_of(set.begin(), set.end(),
                     [&](const AddressRange& range) { return range.contains(address); });
}

bool has_port_fields(Protocol protocol) {
  return protocol == Protocol::Tcp || protocol == Protocol::Udp || protocol == Protocol::Sctp;
}

bool holds(const config::PortRange& range, net::Be16 port) {
  return range.first <= port.host() && port.host() <= range.last;
}

// The specification: what a rule says, read literally.
bool matches(const OwnedRule& rule, const PacketFacts& facts) {
  if (!contains(rule.source, facts.key.source)) return false;
  if (!contains(rule.destination, facts.key.destination)) return false;
  if (!rule.macs.empty() &&
      std::find(rule.macs.begin(), rule.macs.end(), facts.source_mac) == rule.macs.end()) {
    return false;
  }
  if (rule.services.empty()) return true;
  return std::any_of(rule.services.begin(), rule.services.end(), [&](const auto& service) {
    if (service.protocol != facts.key.protocol) return false;
    if (has_port_fields(service.protocol)) {
      return holds(service.source_port, facts.key.source_port) &&
             holds(service.destination_port, facts.key.destination_port);
    }
    if (service.protocol != Protocol::Icmp && service.protocol != Protocol::Icmpv6) return true;
    return service.icmp_type.value_or(facts.icmp_type) == facts.icmp_type &&
           service.icmp_code.value_or(facts.icmp_code) == facts.icmp_code;
  });
}

uint32_t reference_match(const std::vector<OwnedRule>& rules, const std::vector<bool>& alive,
                         const PacketFacts& facts) {
  for (uint32_t rule = 0; rule < rules.size(); ++rule) {
    if (alive[rule] && matches(rules[rule], facts)) return rule;
  }
  return kNoRule;
}

// Random rules over small universes, so that packets hit edges and rules overlap.
class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  uint32_t below(uint32_t bound) {
    return std::uniform_int_distribution<uint32_t>(0, bound - 1)(random_);
  }
  bool chance(uint32_t percent) { return below(100) < percent; }

  uint32_t v4() {
    static constexpr uint32_t kEdges[] = {0, 1, 0xffffffff, 0xfffffffe, 0x80000000};
    return chance(5) ? kEdges[below(5)] : 0x0a000000 + below(300);
  }
  IpAddress v6() {
    IpAddress address = *IpAddress::parse("2001:db8::");
    if (chance(5)) address.bytes.fill(0xff);
    address.bytes[15] = static_cast<uint8_t>(below(200));
    address.bytes[7] = static_cast<uint8_t>(below(3));
    return address;
  }
  std::vector<AddressRange> addresses() {
    std::vector<AddressRange> set;
    for (uint32_t count = chance(30) ? 0 : 1 + below(4); count > 0; --count) {
      if (chance(60)) {
        const uint32_t first = v4(), second = chance(40) ? first : v4();
        set.push_back(v4_range(std::min(first, second), std::max(first, second)));
      } else {
        const IpAddress first = v6(), second = v6();
        set.push_back({std::min(first, second), std::max(first, second)});
      }
    }
    return set;
  }
  Protocol protocol() {
    static constexpr Protocol kAll[] = {Protocol::Tcp,    Protocol::Udp,  Protocol::Icmp,
                                        Protocol::Icmpv6, Protocol::Sctp, Protocol::Gre,
                                        Protocol::Esp};
    return kAll[below(7)];
  }
  config::PortRange ports() {
    if (chance(50)) return {};
    const auto first = static_cast<uint16_t>(below(60)), second = static_cast<uint16_t>(below(60));
    return {std::min(first, second), std::max(first, second)};
  }
  net::MacAddress mac() { return {{2, 0, 0, 0, 0, static_cast<uint8_t>(below(6))}}; }

  OwnedRule rule() {
    OwnedRule rule{addresses(), addresses(), {}, {}};
    for (uint32_t count = chance(80) ? 0 : 1 + below(3); count > 0; --count) {
      rule.macs.push_back(mac());
    }
    for (uint32_t count = chance(30) ? 0 : 1 + below(3); count > 0; --count) {
      config::ServiceMatch service;
      service.protocol = protocol();
      service.source_port = ports();
      service.destination_port = ports();
      if (chance(40)) service.icmp_type = static_cast<uint8_t>(below(4));
      if (chance(30)) service.icmp_code = static_cast<uint8_t>(below(3));
      rule.services.push_back(service);
    }
    return rule;
  }
  PacketFacts facts() {
    PacketFacts facts;
    if (chance(60)) {
      facts.key.source = IpAddress::from_v4(net::Be32::from_host(v4()));
      facts.key.destination = IpAddress::from_v4(net::Be32::from_host(v4()));
    } else {
      facts.key.source = v6();
      facts.key.destination = v6();
    }
    facts.key.protocol = protocol();
    facts.key.source_port = net::Be16::from_host(static_cast<uint16_t>(below(61)));
    facts.key.destination_port = net::Be16::from_host(static_cast<uint16_t>(below(61)));
    facts.source_mac = mac();
    facts.icmp_type = static_cast<uint8_t>(below(5));
    facts.icmp_code = static_cast<uint8_t>(below(4));
    return facts;
  }

 private:
  std::mt19937 random_;
};

PacketFacts tcp(const char* source, uint16_t source_port, const char* destination, uint16_t port) {
  PacketFacts facts;
  facts.key = {*IpAddress::parse(source), *IpAddress::parse(destination),
               net::Be16::from_host(source_port), net::Be16::from_host(port), Protocol::Tcp};
  facts.has_ports = true;
  return facts;
}

config::ServiceMatch service(Protocol protocol, config::PortRange destination,
                             config::PortRange source = {}) {
  return {protocol, source, destination, {}, {}};
}

TEST(Classifier, AgreesWithLiteralReadingOfRandomRules) {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    Generator generator(seed);
    std::vector<OwnedRule> rules(1 + generator.below(400));
    for (OwnedRule& rule : rules) rule = generator.rule();
    std::vector<bool> alive(rules.size());
    for (size_t rule = 0; rule < rules.size(); ++rule) alive[rule] = generator.chance(85);
    const Compiled compiled = compile(rules);
    const LiveMask mask = compiled.classifier.live_mask(alive);
    for (int round = 0; round < 500; ++round) {
      const PacketFacts facts = generator.facts();
      ASSERT_EQ(compiled.classifier.first_match(facts, mask), reference_match(rules, alive, facts))
          << "seed " << seed << " round " << round;
    }
  }
}

// Few overlaps: matches lie deep in the list and behind group borders.
TEST(Classifier, AgreesOnThousandsOfNarrowRules) {
  Generator generator(7);
  std::vector<OwnedRule> rules;
  for (uint32_t index = 0; index < 6000; ++index) {
    OwnedRule rule;
    const uint32_t network = 0x0a000000 + index * 16;
    if (!generator.chance(5)) rule.source.push_back(v4_range(network, network + 15));
    if (!generator.chance(5)) rule.destination.push_back(v4_range(~network - 15, ~network));
    rule.services.push_back(service(Protocol::Tcp, {static_cast<uint16_t>(index % 50), 50}));
    rules.push_back(std::move(rule));
  }
  const std::vector<bool> alive(rules.size(), true);
  const Compiled compiled = compile(rules);
  size_t hits = 0;
  for (int round = 0; round < 1000; ++round) {
    PacketFacts facts = tcp("0.0.0.0", 1, "0.0.0.0", static_cast<uint16_t>(generator.below(52)));
    const uint32_t source = 0x0a000000 + generator.below(6100 * 16);
    facts.key.source = IpAddress::from_v4(net::Be32::from_host(source));
    facts.key.destination = IpAddress::from_v4(net::Be32::from_host(~source));
    const uint32_t expected = reference_match(rules, alive, facts);
    hits += expected != kNoRule ? 1 : 0;
    ASSERT_EQ(compiled.match(facts), expected);
  }
  EXPECT_GT(hits, 500U);
}

TEST(Classifier, NoRulesMatchNothing) {
  EXPECT_EQ(compile({}).match(tcp("10.0.0.1", 1, "10.0.0.2", 2)), kNoRule);
}

TEST(Classifier, EarlierRuleWins) {
  OwnedRule narrow{{v4_range(0x0a000001, 0x0a000001)}, {}, {}, {}};
  OwnedRule wide;
  EXPECT_EQ(compile({narrow, wide}).match(tcp("10.0.0.1", 1, "10.0.0.2", 2)), 0U);
  EXPECT_EQ(compile({wide, narrow}).match(tcp("10.0.0.1", 1, "10.0.0.2", 2)), 0U);
  EXPECT_EQ(compile({narrow, wide}).match(tcp("10.0.0.3", 1, "10.0.0.2", 2)), 1U);
}

TEST(Classifier, ServicesDoNotMixProtocolAndPort) {
  OwnedRule rule;
  rule.services = {service(Protocol::Tcp, {80, 80}), service(Protocol::Udp, {53, 53})};
  const Compiled compiled = compile({rule});
  EXPECT_EQ(compiled.match(tcp("10.0.0.1", 9, "10.0.0.2", 80)), 0U);
  EXPECT_EQ(compiled.match(tcp("10.0.0.1", 9, "10.0.0.2", 53)), kNoRule);
}

TEST(Classifier, ServicesDoNotMixSourcePortAndDestinationPort) {
  OwnedRule mixed;
  mixed.services = {service(Protocol::Tcp, {80, 80}, {1000, 1999}),
                    service(Protocol::Tcp, {443, 443}, {2000, 2999})};
  const Compiled compiled = compile({mixed, OwnedRule{}});
  EXPECT_EQ(compiled.match(tcp("10.0.0.1", 1500, "10.0.0.2", 80)), 0U);
  EXPECT_EQ(compiled.match(tcp("10.0.0.1", 2500, "10.0.0.2", 443)), 0U);
  EXPECT_EQ(compiled.match(tcp("10.0.0.1", 2500, "10.0.0.2", 80)), 1U);
  EXPECT_EQ(compiled.match(tcp("10.0.0.1", 1500, "10.0.0.2", 443)), 1U);
}

TEST(Classifier, SetOfOneFamilyNeverMatchesTheOther) {
  OwnedRule every_v4{{v4_range(0, 0xffffffff)}, {}, {}, {}};
  PacketFacts facts = tcp("2001:db8::1", 1, "2001:db8::2", 2);
  EXPECT_EQ(compile({every_v4}).match(facts), kNoRule);
  EXPECT_EQ(compile({every_v4}).match(tcp("255.255.255.255", 1, "0.0.0.0", 2)), 0U);
}

TEST(Classifier, MaskTakesRulesOutAndPutsThemBack) {
  const Compiled compiled = compile({OwnedRule{}, OwnedRule{}, OwnedRule{}});
  const PacketFacts facts = tcp("10.0.0.1", 1, "10.0.0.2", 2);
  const auto masked = [&](std::vector<bool> alive) {
    return compiled.classifier.first_match(facts, compiled.classifier.live_mask(alive));
  };
  EXPECT_EQ(masked({true, true, true}), 0U);
  EXPECT_EQ(masked({false, true, true}), 1U);
  EXPECT_EQ(masked({false, false, true}), 2U);
  EXPECT_EQ(masked({false, false, false}), kNoRule);
}

TEST(Classifier, TooManyRulesAreAFault) {
  const std::vector<ClassifierRule> rules(Classifier::kMaximumRules + 1);
  EXPECT_FALSE(compile_classifier(rules).has_value());
  EXPECT_TRUE(compile_classifier(std::span(rules).first(Classifier::kMaximumRules)).has_value());
}

// Every rule a different range that overlaps half of the others: as many sets as it gets, each
// full. The bound must end that with a Fault instead of with the machine's memory.
TEST(Classifier, SetsBeyondTheBoundAreAFault) {
  std::vector<AddressRange> ranges;
  constexpr uint32_t kRules = 50000;
  for (uint32_t rule = 0; rule < kRules; ++rule) ranges.push_back(v4_range(rule, kRules + rule));
  std::vector<ClassifierRule> rules;
  for (const AddressRange& range : ranges) rules.push_back({{&range, 1}, {}, {}, {}});
  const auto result = compile_classifier(rules);
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().what.find("MiB"), std::string::npos);
}

TEST(Classifier, SharedSetsAreStoredOnce) {
  std::vector<OwnedRule> rules;
  for (uint32_t index = 0; index < 2000; ++index) {
    rules.push_back(
        {{v4_range(0x0a000000, 0x0a0000ff), v4_range(0x0b000000, 0x0b0000ff)}, {}, {}, {}});
  }
  EXPECT_LT(compile(rules).classifier.memory_bytes(), 64U * 1024U);
}

}  // namespace
}  // namespace masugata::dataplane
