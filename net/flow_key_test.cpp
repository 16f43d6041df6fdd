// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/flow_key.h"

#include <gtest/gtest.h>

#include <iterator>
#include <random>
#include <vector>

namespace masugata::net {
namespace {

// The Toeplitz hash as the RSS specification says it, bit by bit, with the key 6d5a repeated.
uint32_t toeplitz(const std::vector<uint8_t>& input) {
  const auto key_bit = [](size_t bit) {
    constexpr uint16_t kPeriod = 0x6d5a;
    return (kPeriod >> (15 - bit % 16)) & 1U;
  };
  uint32_t hash = 0;
  for (size_t bit = 0; bit < input.size() * 8; ++bit) {
    if (((input[bit / 8] >> (7 - bit % 8)) & 1U) == 0) continue;
    uint32_t window = 0;
    for (size_t i = 0; i < 32; ++i) window = window << 1U | key_bit(bit + i);
    hash ^= window;
  }
  return hash;
}

// Source, destination, source port, destination port, as a port reads them from the packet.
std::vector<uint8_t> rss_input(const FlowKey& key) {
  const size_t skip = key.source.is_v4() ? 12 : 0;
  std::vector<uint8_t> input(key.source.bytes.begin() + skip, key.source.bytes.end());
  input.insert(input.end(), key.destination.bytes.begin() + skip, key.destination.bytes.end());
  for (const Be16 port : {key.source_port, key.destination_port}) {
    input.push_back(static_cast<uint8_t>(port.host() >> 8U));
    input.push_back(static_cast<uint8_t>(port.host()));
  }
  return input;
}

FlowKey random_key(std::mt19937& random, bool v4) {
  FlowKey key;
  const auto address = [&random, v4] {
    if (v4) return IpAddress::from_v4(Be32{static_cast<uint32_t>(random())});
    IpAddress result;
    for (uint8_t& byte : result.bytes) byte = static_cast<uint8_t>(random());
    return result;
  };
  key.source = address();
  key.destination = address();
  key.source_port = Be16{static_cast<uint16_t>(random())};
  key.destination_port = Be16{static_cast<uint16_t>(random())};
  key.protocol = (random() & 1U) != 0 ? Protocol::Tcp : Protocol::Udp;
  return key;
}

TEST(SymmetricFlowHash, IsTheToeplitzHashOfARepeatedKey) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    const FlowKey key = random_key(random, round % 2 == 0);
    ASSERT_EQ(symmetric_flow_hash(key), toeplitz(rss_input(key))) << key.to_string();
  }
}

TEST(SymmetricFlowHash, IsTheSameForBothDirections) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    const FlowKey key = random_key(random, round % 2 == 0);
    ASSERT_EQ(symmetric_flow_hash(key), symmetric_flow_hash(key.reversed()));
  }
}

// Ports hash an ICMP packet by its addresses alone.
TEST(SymmetricFlowHash, IgnoresAnIdentifierThatStandsTwice) {
  FlowKey echo;
  echo.source = *IpAddress::parse("10.0.1.10");
  echo.destination = *IpAddress::parse("198.51.100.5");
  echo.protocol = Protocol::Icmp;
  const uint32_t addresses_alone = symmetric_flow_hash(echo);
  echo.source_port = echo.destination_port = Be16::from_host(777);
  EXPECT_EQ(symmetric_flow_hash(echo), addresses_alone);
}

TEST(FlowKey, SetsPortsAndProtocolAtOnce) {
  FlowKey key;
  key.domain = 5;
  key.set_transport(Be16::from_host(1025), Be16::from_host(443), Protocol::Tcp);
  EXPECT_EQ(key.source_port.host(), 1025);
  EXPECT_EQ(key.destination_port.host(), 443);
  EXPECT_EQ(key.protocol, Protocol::Tcp);
  EXPECT_EQ(key.domain, 0);
}

TEST(HashFlow, DependsOnEveryFieldAndOnTheSecret) {
  std::mt19937 random(3);
  const HashSecret secret;
  const FlowKey key = random_key(random, false);
  const uint64_t hash = hash_flow(key, secret);
  FlowKey other = key;
  auto* bytes = reinterpret_cast<uint8_t*>(&other);
  for (size_t byte = 0; byte < sizeof(FlowKey); ++byte) {
    bytes[byte] ^= 0x10U;
    EXPECT_NE(hash_flow(other, secret), hash) << byte;
    bytes[byte] ^= 0x10U;
  }
  for (size_t word = 0; word < std::size(secret.words); ++word) {
    HashSecret changed = secret;
    changed.words[word] ^= 1U;
    EXPECT_NE(hash_flow(key, changed), hash) << word;
  }
  EXPECT_NE(hash_flow(key.reversed(), secret), hash);
}

TEST(FlowKey, IsWrittenWithBracketsForIpv6) {
  FlowKey key;
  key.source = *IpAddress::parse("2001:db8::1");
  key.destination = *IpAddress::parse("2001:db8::2");
  key.set_transport(Be16::from_host(1025), Be16::from_host(80), Protocol::Tcp);
  EXPECT_EQ(key.to_string(), "tcp [2001:db8::1]:1025 > [2001:db8::2]:80");
}

}  // namespace
}  // namespace masugata::net
