// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/nat/icmp_error.h"

#include <gtest/gtest.h>

#include "dataplane/nat/test_packet.h"

namespace masugata::dataplane {
namespace {

using net::IpAddress;
using net::Protocol;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

net::FlowKey key_of(Protocol protocol, const char* source, uint16_t source_port,
                    const char* destination, uint16_t port) {
  return {ip(source), ip(destination), net::Be16::from_host(source_port),
          net::Be16::from_host(port), protocol};
}

struct Case {
  const char* name;
  IcmpErrorTranslation keys;
};

const Case kCases[] = {
    {"tcp",
     {key_of(Protocol::Tcp, "203.0.113.1", 40000, "198.51.100.9", 80),
      key_of(Protocol::Tcp, "10.0.0.5", 1025, "198.51.100.9", 80)}},
    {"udp",
     {key_of(Protocol::Udp, "203.0.113.1", 40001, "198.51.100.9", 53),
      key_of(Protocol::Udp, "10.0.0.5", 1026, "198.51.100.9", 53)}},
    {"echo",
     {key_of(Protocol::Icmp, "203.0.113.1", 777, "198.51.100.9", 777),
      key_of(Protocol::Icmp, "10.0.0.5", 12, "198.51.100.9", 12)}},
    {"gre",
     {key_of(Protocol::Gre, "203.0.113.1", 0, "198.51.100.9", 0),
      key_of(Protocol::Gre, "10.0.0.5", 0, "198.51.100.9", 0)}},
    // The reply of a published server: its source is what was translated.
    {"published",
     {key_of(Protocol::Tcp, "203.0.113.1", 443, "198.51.100.9", 5000),
      key_of(Protocol::Tcp, "10.0.2.80", 8443, "198.51.100.9", 5000)}},
    {"both",
     {key_of(Protocol::Udp, "10.0.0.1", 2000, "10.0.2.80", 8080),
      key_of(Protocol::Udp, "10.0.0.5", 1025, "203.0.113.1", 80)}},
    {"tcp6",
     {key_of(Protocol::Tcp, "2001:db8:1::1", 40000, "2001:db8:9::9", 80),
      key_of(Protocol::Tcp, "fd00::5", 1025, "2001:db8:9::9", 80)}},
    {"echo6",
     {key_of(Protocol::Icmpv6, "2001:db8:1::1", 777, "2001:db8:9::9", 777),
      key_of(Protocol::Icmpv6, "fd00::5", 12, "2001:db8:9::9", 12)}},
};

IpAddress router_for(const IcmpErrorTranslation& keys) {
  return ip(keys.quoted_original.source.is_v4() ? "192.0.2.77" : "2001:db8:77::77");
}

class IcmpErrorTest : public testing::TestWithParam<Case> {};

// Quotes of every length from eight transport bytes on, odd ones too.
TEST_P(IcmpErrorTest, EqualsTheErrorAboutTheOriginalPacket) {
  const IcmpErrorTranslation& keys = GetParam().keys;
  const test::Bytes on_wire = test::make_packet(keys.quoted_on_wire, 21);
  const test::Bytes original = test::make_packet(keys.quoted_original, 21);
  const size_t header = test::network_bytes(keys.quoted_original);
  const IpAddress router = router_for(keys);
  for (size_t quoted = header + 8; quoted <= on_wire.size(); ++quoted) {
    test::Bytes packet = test::make_error(router, keys.quoted_on_wire.source, on_wire, quoted);
    test::Bytes quote = original;
    const bool half_checksum =
        keys.quoted_original.protocol == Protocol::Tcp && quoted == header + 17;
    // Half of a checksum cannot follow and stays; the ICMP checksum must hold all the same.
    if (half_checksum) quote[header + 16] = on_wire[header + 16];
    const test::Bytes expected =
        test::make_error(router, keys.quoted_original.source, quote, quoted);
    ASSERT_EQ(translate_icmp_error(packet, header, keys), IcmpErrorOutcome::Translated);
    ASSERT_EQ(packet, expected) << quoted << " bytes quoted";
  }
}

TEST_P(IcmpErrorTest, AnErrorFromTheDestinationComesFromItsOriginalAddress) {
  const IcmpErrorTranslation& keys = GetParam().keys;
  const test::Bytes on_wire = test::make_packet(keys.quoted_on_wire);
  const test::Bytes original = test::make_packet(keys.quoted_original);
  const size_t header = test::network_bytes(keys.quoted_original);
  test::Bytes packet = test::make_error(keys.quoted_on_wire.destination, keys.quoted_on_wire.source,
                                        on_wire, on_wire.size());
  ASSERT_EQ(translate_icmp_error(packet, header, keys), IcmpErrorOutcome::Translated);
  EXPECT_EQ(packet, test::make_error(keys.quoted_original.destination, keys.quoted_original.source,
                                     original, original.size()));
}

TEST_P(IcmpErrorTest, ShorterQuotesAreRefusedUntouched) {
  const IcmpErrorTranslation& keys = GetParam().keys;
  const test::Bytes on_wire = test::make_packet(keys.quoted_on_wire);
  const size_t header = test::network_bytes(keys.quoted_original);
  const test::Bytes whole =
      test::make_error(router_for(keys), keys.quoted_on_wire.source, on_wire, on_wire.size());
  for (size_t length = 0; length < header + 8 + header + 8; ++length) {
    test::Bytes packet(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length));
    const test::Bytes before = packet;
    ASSERT_EQ(translate_icmp_error(packet, header, keys), IcmpErrorOutcome::Malformed) << length;
    ASSERT_EQ(packet, before);
  }
}

TEST_P(IcmpErrorTest, AQuoteOfAnotherFlowIsAMismatch) {
  const IcmpErrorTranslation& keys = GetParam().keys;
  net::FlowKey other = keys.quoted_on_wire;
  other.destination = other.destination.next();
  const test::Bytes quoted = test::make_packet(other);
  test::Bytes packet =
      test::make_error(router_for(keys), keys.quoted_on_wire.source, quoted, quoted.size());
  const test::Bytes before = packet;
  EXPECT_EQ(translate_icmp_error(packet, test::network_bytes(other), keys),
            IcmpErrorOutcome::Mismatch);
  EXPECT_EQ(packet, before);
}

INSTANTIATE_TEST_SUITE_P(Protocols, IcmpErrorTest, testing::ValuesIn(kCases),
                         [](const auto& item) { return std::string(item.param.name); });

TEST(IcmpError, EchoRequestsAreNoErrors) {
  const IcmpErrorTranslation& keys = kCases[0].keys;
  const test::Bytes quoted = test::make_packet(keys.quoted_on_wire);
  test::Bytes packet =
      test::make_error(ip("192.0.2.77"), keys.quoted_on_wire.source, quoted, quoted.size());
  packet[20] = 8;
  EXPECT_EQ(translate_icmp_error(packet, 20, keys), IcmpErrorOutcome::Malformed);
}

TEST(IcmpError, FamiliesMustAgree) {
  const test::Bytes quoted = test::make_packet(kCases[0].keys.quoted_on_wire);
  test::Bytes packet = test::make_error(ip("192.0.2.77"), ip("203.0.113.1"), quoted, quoted.size());
  EXPECT_EQ(translate_icmp_error(packet, 20, kCases[6].keys), IcmpErrorOutcome::Malformed);
}

TEST(IcmpError, QuotedUdpWithoutChecksumKeepsNone) {
  const IcmpErrorTranslation& keys = kCases[1].keys;
  test::Bytes quoted = test::make_packet(keys.quoted_on_wire);
  test::Bytes original = test::make_packet(keys.quoted_original);
  for (test::Bytes* packet : {&quoted, &original}) (*packet)[26] = (*packet)[27] = 0;
  test::Bytes packet =
      test::make_error(ip("192.0.2.77"), keys.quoted_on_wire.source, quoted, quoted.size());
  ASSERT_EQ(translate_icmp_error(packet, 20, keys), IcmpErrorOutcome::Translated);
  EXPECT_EQ(packet, test::make_error(ip("192.0.2.77"), keys.quoted_original.source, original,
                                     original.size()));
}

}  // namespace
}  // namespace masugata::dataplane
