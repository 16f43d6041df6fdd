// SPDX-License-Identifier: GPL-2.0-or-later
// Cycles per route change and per lookup, median of interleaved runs; figures for the decisions.
#include <rte_config.h>
#include <rte_cycles.h>
#include <rte_eal.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "dataplane/forwarding/publisher.h"

namespace masugata::dataplane {
namespace {

constexpr std::size_t kBurst = 32;
constexpr std::size_t kLookups = 1U << 16U;

net::IpAddress random_address(std::mt19937& random, bool ipv4) {
  if (ipv4) return net::IpAddress::from_v4(net::Be32::from_host(static_cast<uint32_t>(random())));
  net::IpAddress address;
  for (std::size_t i = 0; i < 16; ++i) address.bytes[i] = static_cast<uint8_t>(random());
  address.bytes[0] = 0x20;
  return address;
}

std::vector<RouteEntry> random_routes(std::mt19937& random, bool ipv4, std::size_t count) {
  std::vector<RouteEntry> entries;
  for (std::size_t i = 0; i < count; ++i) {
    const auto length = static_cast<uint8_t>(ipv4 ? 16 + random() % 9 : 32 + random() % 17);
    const Route route{
        RouteKind::Gateway, static_cast<uint16_t>(i % 4),
        net::IpAddress::from_v4(net::Be32::from_host(0x0a000000U + static_cast<uint32_t>(i % 64)))};
    entries.push_back({net::Prefix{random_address(random, ipv4), length}.network(), {{route, 1}}});
  }
  return entries;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Addresses inside of known prefixes, so that most lookups go to the end.
std::vector<net::IpAddress> targets(std::mt19937& random, const std::vector<RouteEntry>& entries) {
  std::vector<net::IpAddress> addresses(kLookups);
  for (net::IpAddress& address : addresses) {
    address = entries[random() % entries.size()].prefix.address;
    address.bytes[15] = static_cast<uint8_t>(random());
  }
  return addresses;
}

void measure(FibKind kind, bool ipv4, std::size_t count) {
  NoReaders quiescence;
  ForwardingSettings settings;
  settings.kind = kind;
  settings.maximum_routes_ipv4 = 200000;
  settings.maximum_routes_ipv6 = 100000;
  auto created = ForwardingPublisher::create(settings, quiescence);
  if (!created) {
    std::printf("%s\n", created.error().message().c_str());
    return;
  }
  ForwardingPublisher& publisher = **created;
  std::mt19937 random(1);
  const auto entries = random_routes(random, ipv4, count);
  const uint64_t before = rte_rdtsc();
  for (const RouteEntry& entry : entries) (void)publisher.replace_route(entry);
  const uint64_t staged = rte_rdtsc();
  const Status status = publisher.settle();
  const uint64_t settled = rte_rdtsc();
  const auto addresses = targets(random, entries);
  std::vector<uint32_t> hashes(kLookups);
  for (uint32_t& hash : hashes) hash = static_cast<uint32_t>(random());

  std::vector<double> single;
  std::vector<double> bulk;
  uint64_t sum = 0;
  const ForwardingView& view = publisher.view();
  for (int run = 0; run < 9; ++run) {
    uint64_t start = rte_rdtsc();
    for (std::size_t i = 0; i < kLookups; ++i) {
      sum += view.lookup(addresses[i], hashes[i]).interface;
    }
    single.push_back(static_cast<double>(rte_rdtsc() - start) / static_cast<double>(kLookups));
    const Route* routes[kBurst];
    start = rte_rdtsc();
    for (std::size_t i = 0; i < kLookups; i += kBurst) {
      view.lookup_bulk(&addresses[i], &hashes[i], routes, kBurst);
      for (const Route* route : routes) sum += route->interface;
    }
    bulk.push_back(static_cast<double>(rte_rdtsc() - start) / static_cast<double>(kLookups));
  }
  std::printf(
      "%-7s %s %7zu routes (%u kept%s): staging %6.0f, both copies %6.0f cycles a route; "
      "lookup single %5.0f, bulk %5.0f cycles (%llu)\n",
      kind == FibKind::Large ? "large" : "compact", ipv4 ? "IPv4" : "IPv6", count,
      ipv4 ? publisher.statistics().routes_ipv4 : publisher.statistics().routes_ipv6,
      status ? "" : ", some refused",
      static_cast<double>(staged - before) / static_cast<double>(count),
      static_cast<double>(settled - staged) / static_cast<double>(count), median(single),
      median(bulk), static_cast<unsigned long long>(sum % 10));
}

}  // namespace
}  // namespace masugata::dataplane

int main() {
  using masugata::dataplane::FibKind;
  using masugata::dataplane::measure;
  std::vector<std::string> texts = {
      "benchmark",      "--no-huge",  "--no-pci",         "-m", "1024", "--no-shconf",
      "--no-telemetry", "--lcores=0", "--log-level=error"};
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) return 1;
  for (const FibKind kind : {FibKind::Compact, FibKind::Large}) {
    for (const bool ipv4 : {true, false}) {
      for (const std::size_t count : {std::size_t{100}, std::size_t{10000}, std::size_t{50000}}) {
        measure(kind, ipv4, count);
      }
    }
  }
  return 0;
}
