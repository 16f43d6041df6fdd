// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/nat/source_allocation.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace masugata::dataplane {
namespace {

using net::IpAddress;
using net::Protocol;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

// Answers by rule and counts the questions.
class Probe {
 public:
  explicit Probe(std::function<bool(const net::FlowKey&)> is_free) : rule_(std::move(is_free)) {}
  bool is_free(const net::FlowKey& reply_key) noexcept {
    ++asked_;
    return rule_(reply_key);
  }
  [[nodiscard]] uint32_t asked() const { return asked_; }

 private:
  std::function<bool(const net::FlowKey&)> rule_;
  uint32_t asked_ = 0;
};

net::FlowKey flow(Protocol protocol, uint16_t source_port) {
  const uint16_t port = protocol == Protocol::Icmp ? source_port : uint16_t{80};
  return {ip("10.0.0.5"), ip("198.51.100.9"), net::Be16::from_host(source_port),
          net::Be16::from_host(port), protocol};
}

bool allocate(net::FlowKey& forward, Probe& probe, config::PortRange keep = {},
              config::PortRange ports = kInterfacePorts) {
  return allocate_source(forward, ip("203.0.113.1"), keep, ports,
                         has_translatable_ports(forward, forward.protocol != Protocol::Gre), true,
                         net::HashSecret{}, probe);
}

TEST(SourceAllocation, KeepsTheFreePort) {
  Probe probe([](const net::FlowKey&) { return true; });
  net::FlowKey forward = flow(Protocol::Tcp, 123);
  ASSERT_TRUE(allocate(forward, probe));
  EXPECT_EQ(forward.to_string(), "tcp 203.0.113.1:123 > 198.51.100.9:80");
  EXPECT_EQ(probe.asked(), 1U);
}

TEST(SourceAllocation, AsksForTheReplyKey) {
  Probe probe([](const net::FlowKey& reply) {
    EXPECT_EQ(reply.to_string(), "tcp 198.51.100.9:80 > 203.0.113.1:4000");
    return true;
  });
  net::FlowKey forward = flow(Protocol::Tcp, 4000);
  EXPECT_TRUE(allocate(forward, probe));
}

TEST(SourceAllocation, LeavesTakenAndForeignPorts) {
  Probe probe([](const net::FlowKey& reply) { return reply.destination_port.host() % 4 == 3; });
  net::FlowKey forward = flow(Protocol::Tcp, 4000);
  ASSERT_TRUE(allocate(forward, probe));
  EXPECT_EQ(forward.source_port.host() % 4, 3);
  EXPECT_GE(forward.source_port.host(), 1024);
  EXPECT_EQ(forward.destination_port.host(), 80);
}

TEST(SourceAllocation, PortOutsideTheKeptRangeIsNotKept) {
  Probe probe([](const net::FlowKey&) { return true; });
  const config::PortRange block{2000, 2999};
  net::FlowKey forward = flow(Protocol::Udp, 500);
  ASSERT_TRUE(allocate(forward, probe, block, block));
  EXPECT_GE(forward.source_port.host(), 2000);
  EXPECT_LE(forward.source_port.host(), 2999);
}

TEST(SourceAllocation, EchoIdentifierStandsInBothFields) {
  Probe probe([](const net::FlowKey& reply) { return reply.source_port.host() != 7; });
  net::FlowKey forward = flow(Protocol::Icmp, 7);
  ASSERT_TRUE(allocate(forward, probe));
  EXPECT_NE(forward.source_port.host(), 7);
  EXPECT_EQ(forward.source_port, forward.destination_port);
}

TEST(SourceAllocation, ProtocolsWithoutPortsGetTheAddressOrNothing) {
  Probe free([](const net::FlowKey&) { return true; });
  net::FlowKey forward = flow(Protocol::Gre, 0);
  forward.destination_port = {};
  ASSERT_TRUE(allocate(forward, free));
  EXPECT_EQ(forward.source, ip("203.0.113.1"));
  EXPECT_EQ(forward.source_port.host(), 0);
  Probe taken([](const net::FlowKey&) { return false; });
  net::FlowKey second = flow(Protocol::Gre, 0);
  EXPECT_FALSE(allocate(second, taken));
  EXPECT_EQ(taken.asked(), 1U);
}

TEST(SourceAllocation, SctpKeepsItsPorts) {
  Probe taken([](const net::FlowKey&) { return false; });
  net::FlowKey forward = flow(Protocol::Sctp, 5000);
  EXPECT_FALSE(allocate(forward, taken));
  EXPECT_EQ(taken.asked(), 1U);
}

TEST(SourceAllocation, ExhaustionIsBounded) {
  Probe taken([](const net::FlowKey&) { return false; });
  net::FlowKey forward = flow(Protocol::Tcp, 4000);
  EXPECT_FALSE(allocate(forward, taken));
  EXPECT_EQ(taken.asked(), 1 + kRandomPortTries + kSweepPortTries);
}

// A small block is searched to its last port.
TEST(SourceAllocation, FindsTheLastFreePortOfABlock) {
  const config::PortRange block{2000, 2000 + kSweepPortTries - 1};
  for (uint16_t last_free = block.first; last_free <= block.last; ++last_free) {
    Probe probe(
        [=](const net::FlowKey& reply) { return reply.destination_port.host() == last_free; });
    net::FlowKey forward = flow(Protocol::Tcp, 4000);
    ASSERT_TRUE(allocate(forward, probe, block, block)) << last_free;
    ASSERT_EQ(forward.source_port.host(), last_free);
  }
}

TEST(SourceAllocation, FillsABlockWithoutRepeating) {
  const config::PortRange block{2000, 2099};
  std::set<uint16_t> taken;
  Probe probe(
      [&](const net::FlowKey& reply) { return !taken.contains(reply.destination_port.host()); });
  for (uint16_t host = 0; host < 100; ++host) {
    net::FlowKey forward = flow(Protocol::Tcp, static_cast<uint16_t>(40000 + host));
    ASSERT_TRUE(allocate(forward, probe, block, block));
    ASSERT_TRUE(taken.insert(forward.source_port.host()).second);
  }
  net::FlowKey forward = flow(Protocol::Tcp, 50000);
  EXPECT_FALSE(allocate(forward, probe, block, block));
}

TEST(SourceAllocation, ProbingOrderDependsOnTheSecret) {
  const auto first_choice = [](net::HashSecret secret) {
    Probe probe([](const net::FlowKey& reply) { return reply.destination_port.host() != 4000; });
    net::FlowKey forward = flow(Protocol::Tcp, 4000);
    EXPECT_TRUE(allocate_source(forward, ip("203.0.113.1"), {}, kInterfacePorts, true, true, secret,
                                probe));
    return forward.source_port.host();
  };
  net::HashSecret other;
  other.words[0] ^= 1;
  EXPECT_NE(first_choice(net::HashSecret{}), first_choice(other));
}

class PoolTest : public testing::Test {
 protected:
  CompiledPool pool_{"pool",
                     {*net::AddressRange::parse("203.0.113.10-203.0.113.11"),
                      *net::AddressRange::parse("203.0.113.20-203.0.113.24")},
                     {0, 2},
                     7,
                     {1024, 65535}};
};

TEST_F(PoolTest, AddressesFollowTheRanges) {
  EXPECT_EQ(pool_.address_at(0), ip("203.0.113.10"));
  EXPECT_EQ(pool_.address_at(1), ip("203.0.113.11"));
  EXPECT_EQ(pool_.address_at(2), ip("203.0.113.20"));
  EXPECT_EQ(pool_.address_at(6), ip("203.0.113.24"));
}

TEST_F(PoolTest, AHostKeepsItsAddress) {
  Probe probe([](const net::FlowKey&) { return true; });
  std::set<IpAddress> used;
  for (uint16_t port = 2000; port < 2100; ++port) {
    net::FlowKey forward = flow(port % 2 == 0 ? Protocol::Tcp : Protocol::Udp, port);
    ASSERT_TRUE(allocate_from_pool(forward, pool_, true, net::HashSecret{}, probe));
    used.insert(forward.source);
  }
  EXPECT_EQ(used.size(), 1U);
}

TEST_F(PoolTest, HostsAreSpreadOverAllAddresses) {
  std::set<IpAddress> used;
  for (uint32_t host = 0; host < 200; ++host) {
    const auto inside = IpAddress::from_v4(net::Be32::from_host(0x0a000000 + host));
    used.insert(pool_address_for(pool_, inside, net::HashSecret{}, 0));
  }
  EXPECT_EQ(used.size(), pool_.address_count);
}

TEST_F(PoolTest, ExhaustedAddressGivesWayToTheNext) {
  const IpAddress own = pool_address_for(pool_, ip("10.0.0.5"), net::HashSecret{}, 0);
  Probe probe([&](const net::FlowKey& reply) { return reply.destination != own; });
  net::FlowKey forward = flow(Protocol::Tcp, 4000);
  ASSERT_TRUE(allocate_from_pool(forward, pool_, true, net::HashSecret{}, probe));
  EXPECT_NE(forward.source, own);
  EXPECT_EQ(forward.source_port.host(), 4000);
}

TEST_F(PoolTest, ExhaustionIsBounded) {
  Probe taken([](const net::FlowKey&) { return false; });
  net::FlowKey forward = flow(Protocol::Tcp, 4000);
  EXPECT_FALSE(allocate_from_pool(forward, pool_, true, net::HashSecret{}, taken));
  EXPECT_EQ(taken.asked(), kPoolAddressTries * (1 + kRandomPortTries) + kSweepPortTries);
}

}  // namespace
}  // namespace masugata::dataplane
