// SPDX-License-Identifier: GPL-2.0-or-later
// Cycles per classification and compile time at 10, 1,000 and 10,000 rules. Prints a table; the
// figures of docs/decisions/0002-policy-classifier.md come from here.
#include <x86intrin.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <random>
#include <vector>

#include "dataplane/policy/classifier.h"
#include "dataplane/policy/classifier_compile.h"

namespace {

using namespace masugata;             // NOLINT: a program of one file
using namespace masugata::dataplane;  // NOLINT

struct OwnedRule {
  std::vector<net::AddressRange> source, destination;
  std::vector<config::ServiceMatch> services;
};

enum class Shape { Narrow, Sets, Mixed, Crowded };

class RuleMaker {
 public:
  explicit RuleMaker(Shape shape) : shape_(shape) {}

  uint32_t below(uint32_t bound) {
    return std::uniform_int_distribution<uint32_t>(0, bound - 1)(random_);
  }
  net::AddressRange network(uint32_t first, uint32_t bits) {
    const uint32_t host = (1U << (32 - bits)) - 1;
    return {net::IpAddress::from_v4(net::Be32::from_host(first & ~host)),
            net::IpAddress::from_v4(net::Be32::from_host(first | host))};
  }
  // Narrow: a network of its own to a server of its own. Sets: eight of each. Mixed: a third of the
  // addresses is `any`, prefixes of 8 to 32 bits. Crowded: 30 networks, 30 servers, 20 ports in all
  // combinations.
  OwnedRule rule() {
    OwnedRule rule;
    const uint16_t port = static_cast<uint16_t>(1 + below(shape_ == Shape::Crowded ? 20 : 2000));
    rule.services.push_back({net::Protocol::Tcp, {}, {port, port}, {}, {}});
    switch (shape_) {
      case Shape::Narrow:
        rule.source.push_back(network(0x0a000000 + below(1U << 24U), 24));
        rule.destination.push_back(network(0xac100000 + below(1U << 20U), 32));
        break;
      case Shape::Sets:
        for (int entry = 0; entry < 8; ++entry) {
          rule.source.push_back(network(0x0a000000 + below(1U << 24U), 24));
          rule.destination.push_back(network(0xac100000 + below(1U << 20U), 32));
        }
        break;
      case Shape::Mixed:
        if (below(3) != 0)
          rule.source.push_back(network(0x0a000000 + below(1U << 24U), 8 + below(25)));
        if (below(3) != 0)
          rule.destination.push_back(network(0xac100000 + below(1U << 20U), 12 + below(21)));
        break;
      case Shape::Crowded:
        rule.source.push_back(network(0x0a000000 + (below(30) << 8U), 24));
        rule.destination.push_back(network(0xac100000 + below(30), 32));
        break;
    }
    return rule;
  }
  // Half of the packets are made from a rule, the others match by chance or not at all.
  PacketFacts packet(const std::vector<OwnedRule>& rules) {
    PacketFacts facts;
    const OwnedRule& rule = rules[below(static_cast<uint32_t>(rules.size()))];
    facts.key.source = net::IpAddress::from_v4(net::Be32::from_host(0x0a000000 + below(1U << 24U)));
    facts.key.destination =
        net::IpAddress::from_v4(net::Be32::from_host(0xac100000 + below(1U << 20U)));
    facts.key.protocol = net::Protocol::Tcp;
    facts.key.source_port = net::Be16::from_host(static_cast<uint16_t>(1024 + below(60000)));
    facts.key.destination_port = net::Be16::from_host(static_cast<uint16_t>(1 + below(2000)));
    if (below(2) == 0) {
      if (!rule.source.empty()) facts.key.source = rule.source[0].first;
      if (!rule.destination.empty()) facts.key.destination = rule.destination[0].last;
      facts.key.destination_port = net::Be16::from_host(rule.services[0].destination_port.first);
    }
    facts.has_ports = true;
    return facts;
  }

 private:
  Shape shape_;
  std::mt19937 random_{20261122};
};

void measure(const char* name, Shape shape, size_t rule_count) {
  RuleMaker maker(shape);
  std::vector<OwnedRule> rules;
  for (size_t index = 0; index < rule_count; ++index) rules.push_back(maker.rule());
  std::vector<ClassifierRule> views;
  for (const OwnedRule& rule : rules) {
    views.push_back({rule.source, rule.destination, {}, rule.services});
  }
  const auto start = std::chrono::steady_clock::now();
  const auto classifier = compile_classifier(views);
  const std::chrono::duration<double, std::milli> compile_ms =
      std::chrono::steady_clock::now() - start;
  if (!classifier) {
    std::printf("%-8s %6zu  %s\n", name, rule_count, classifier.error().what.c_str());
    return;
  }
  const LiveMask mask = classifier->live_mask(std::vector<bool>(rule_count, true));
  std::vector<PacketFacts> packets;
  for (int index = 0; index < 16384; ++index) packets.push_back(maker.packet(rules));
  std::vector<double> cycles;
  uint64_t sink = 0;
  for (int round = 0; round < 21; ++round) {
    for (size_t first = 0; first < packets.size(); first += 256) {
      const uint64_t before = __rdtsc();
      for (size_t index = first; index < first + 256; ++index) {
        sink += classifier->first_match(packets[index], mask);
      }
      cycles.push_back(static_cast<double>(__rdtsc() - before) / 256);
    }
  }
  std::sort(cycles.begin(), cycles.end());
  std::printf("%-8s %6zu  %8.2f ms  %8zu KiB  %7.0f  %7.0f  %7.0f   (%llx)\n", name, rule_count,
              compile_ms.count(), classifier->memory_bytes() / 1024, cycles[cycles.size() / 20],
              cycles[cycles.size() / 2], cycles[cycles.size() * 19 / 20],
              static_cast<unsigned long long>(sink));
}

}  // namespace

int main() {
  std::printf(
      "shape     rules    compile       memory   cycles per classification: p5, p50, p95\n");
  for (const size_t rules : {10, 1000, 10000}) {
    measure("narrow", Shape::Narrow, rules);
    measure("sets", Shape::Sets, rules);
    measure("mixed", Shape::Mixed, rules);
    measure("crowded", Shape::Crowded, rules);
  }
  return 0;
}
