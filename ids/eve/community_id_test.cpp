// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/eve/community_id.h"

#include <gtest/gtest.h>

namespace masugata::ids {
namespace {

net::FlowKey key_of(const char* source, uint16_t source_port, const char* destination,
                    uint16_t destination_port, net::Protocol protocol) {
  net::FlowKey key;
  key.source = *net::IpAddress::parse(source);
  key.destination = *net::IpAddress::parse(destination);
  key.source_port = net::Be16::from_host(source_port);
  key.destination_port = net::Be16::from_host(destination_port);
  key.protocol = protocol;
  return key;
}

// The figures are those of the specification's own examples.
TEST(CommunityId, NamesTcpFlowsAlikeInBothDirections) {
  const net::FlowKey key =
      key_of("128.232.110.120", 34855, "66.35.250.204", 80, net::Protocol::Tcp);
  EXPECT_EQ(community_id(key, 0, 0, 0).view(), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
  EXPECT_EQ(community_id(key.reversed(), 0, 0, 0).view(), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
  EXPECT_NE(community_id(key, 0, 0, 1).view(), community_id(key, 0, 0, 0).view());
}

TEST(CommunityId, NamesUdpFlows) {
  const net::FlowKey key = key_of("192.168.1.52", 54585, "8.8.8.8", 53, net::Protocol::Udp);
  EXPECT_EQ(community_id(key, 0, 0, 0).view(), "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
}

TEST(CommunityId, PairsEchoRequestsWithReplies) {
  const net::FlowKey key = key_of("192.168.0.89", 7, "192.168.0.1", 7, net::Protocol::Icmp);
  EXPECT_EQ(community_id(key, 8, 0, 0).view(), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
  EXPECT_EQ(community_id(key.reversed(), 0, 0, 0).view(), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
}

}  // namespace
}  // namespace masugata::ids
