// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/texts.h"

#include <gtest/gtest.h>

#include "dataplane/gateway/state/load_sampler.h"
#include "dataplane/gateway/state/twin_counters.h"

namespace masugata::dataplane {
namespace {

config::ServiceMatch service(net::Protocol protocol, uint16_t first, uint16_t last) {
  config::ServiceMatch match;
  match.protocol = protocol;
  match.destination_port = {first, last};
  return match;
}

TEST(Texts, ListRanges) {
  EXPECT_EQ(ranges_text({}), "any");
  std::vector<net::AddressRange> ranges;
  for (const char* text : {"10.0.0.0/8", "192.0.2.1", "192.0.2.5-192.0.2.7", "2001:db8::/32",
                           "192.0.2.9", "192.0.2.11"}) {
    ranges.push_back(*net::AddressRange::parse(text));
  }
  EXPECT_EQ(ranges_text({ranges[0], ranges[2]}), "10.0.0.0/8, 192.0.2.5-192.0.2.7");
  EXPECT_EQ(ranges_text(ranges),
            "10.0.0.0/8, 192.0.2.1, 192.0.2.5-192.0.2.7, 2001:db8::/32, and 2 more");
}

TEST(Texts, JoinServicesOfOneProtocol) {
  EXPECT_EQ(services_text({}), "any");
  EXPECT_EQ(
      services_text({service(net::Protocol::Tcp, 80, 80), service(net::Protocol::Tcp, 443, 443),
                     service(net::Protocol::Udp, 1000, 2000)}),
      "tcp/80,443; udp/1000-2000");
  config::ServiceMatch from = service(net::Protocol::Tcp, 0, 65535);
  from.source_port = {20, 20};
  EXPECT_EQ(services_text({from}), "tcp from port 20");
  config::ServiceMatch echo = service(net::Protocol::Icmp, 0, 65535);
  echo.icmp_type = 8;
  EXPECT_EQ(services_text({echo, service(net::Protocol::Gre, 0, 65535)}), "icmp type 8; gre");
}

TEST(Texts, NameStatesWithAndWithoutProtocol) {
  const auto bit = [](ProtocolState state) { return 1U << static_cast<uint32_t>(state); };
  EXPECT_EQ(states_named("established"), bit(ProtocolState::TcpEstablished));
  EXPECT_EQ(states_named("udp-replied"), bit(ProtocolState::UdpReplied));
  EXPECT_EQ(states_named("replied"), bit(ProtocolState::UdpReplied) |
                                         bit(ProtocolState::IcmpReplied) |
                                         bit(ProtocolState::OtherReplied));
  EXPECT_FALSE(states_named("free").has_value());
  EXPECT_EQ(state_text(ProtocolState::TcpSynSent), "syn-sent");
}

TEST(TwinCounters, AreReadFromTheKernelsTable) {
  const auto counters = parse_twin_counters(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
      "drop\n"
      "  wan0: 680 6 1 2 0 0 0 0 696 8 3 4 0 0 0 0\n"
      "lan0.10:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
      "  bad0: 1 2\n");
  ASSERT_EQ(counters.size(), 2U);
  const TwinCounters& wan = counters.at("wan0");
  EXPECT_EQ(wan.to_kernel.packets, 6U);
  EXPECT_EQ(wan.to_kernel.bytes, 680U);
  EXPECT_EQ(wan.to_kernel.errors, 1U);
  EXPECT_EQ(wan.to_kernel.missed, 2U);
  EXPECT_EQ(wan.from_kernel.packets, 8U);
  EXPECT_EQ(wan.from_kernel.missed, 4U);
  EXPECT_EQ(counters.at("lan0.10").from_kernel.bytes, 9U);
}

TEST(LoadSampler, MakesRatesOfCounters) {
  WorkerCounters counters;
  LoadSampler load({&counters}, 1000);
  EXPECT_EQ(load.busy_percent(0), 0);
  load.take(0);
  EXPECT_EQ(load.interval_seconds(), 0);
  counters.busy_cycles.add(250);
  counters.drops[static_cast<size_t>(DropReason::TtlExpired)].add(30);
  load.take(1000);
  EXPECT_DOUBLE_EQ(load.busy_percent(0), 25.0);
  EXPECT_DOUBLE_EQ(load.drops_per_second(DropReason::TtlExpired), 30.0);
  load.take(2000);
  EXPECT_DOUBLE_EQ(load.busy_percent(0), 0.0);
  EXPECT_DOUBLE_EQ(load.drops_per_second(DropReason::TtlExpired), 15.0);
  for (uint64_t second = 3; second < 20; ++second) load.take(second * 1000);
  EXPECT_DOUBLE_EQ(load.interval_seconds(), 10.0);
  EXPECT_DOUBLE_EQ(load.drops_per_second(DropReason::TtlExpired), 0.0);
}

}  // namespace
}  // namespace masugata::dataplane
