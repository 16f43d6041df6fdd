// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/address.h"

#include <gtest/gtest.h>

#include "net/flow_key.h"

namespace masugata::net {
namespace {

TEST(MacAddress, ReadsAndWritesTheColonForm) {
  const auto mac = MacAddress::parse("02:00:5E:aB:cd:01");
  ASSERT_TRUE(mac);
  EXPECT_EQ(mac->to_string(), "02:00:5e:ab:cd:01");
  EXPECT_FALSE(mac->is_multicast());
  EXPECT_TRUE(MacAddress::parse("ff:ff:ff:ff:ff:ff")->is_broadcast());
}

TEST(MacAddress, RefusesEverythingElse) {
  for (const char* text :
       {"", "02:00:00:00:00", "02:00:00:00:00:0", "02-00-00-00-00-01", "02:00:00:00:00:0g",
        "02:00:00:00:00:01:", "2:0:0:0:0:1:00000", "+2:00:00:00:00:01"}) {
    EXPECT_FALSE(MacAddress::parse(text)) << text;
  }
}

TEST(IpAddress, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(IpAddress::parse("192.0.2.1")->to_string(), "192.0.2.1");
  EXPECT_EQ(IpAddress::parse("2001:DB8:0:0:0:0:0:1")->to_string(), "2001:db8::1");
  EXPECT_EQ(IpAddress::parse("::")->to_string(), "::");
  EXPECT_EQ(IpAddress::parse("192.0.2.1")->family(), Family::Ipv4);
  EXPECT_EQ(IpAddress::parse("::1")->family(), Family::Ipv6);
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
  for (const char* text :
       {"", "192.0.2", "192.0.2.256", "192.0.2.1 ", " 192.0.2.1", "192.0.2.01", "fe80::1%eth0",
        "::ffff:192.0.2.1", "::ffff:c000:201", "12345::", "2001:db8::1::2", "1.2.3.4.5"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  using namespace std::string_view_literals;
  EXPECT_FALSE(IpAddress::parse("192.0.2.1\0junk"sv));
}

TEST(IpAddress, KnowsItsKind) {
  EXPECT_TRUE(IpAddress::parse("127.1.2.3")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::1:0:0:1")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("0.0.0.0")->is_unspecified());
  EXPECT_TRUE(IpAddress::parse("::")->is_unspecified());
  EXPECT_FALSE(IpAddress::parse("0.0.0.1")->is_unspecified());
  EXPECT_TRUE(IpAddress::parse("169.254.0.9")->is_link_local());
  EXPECT_TRUE(IpAddress::parse("febf::1")->is_link_local());
  EXPECT_FALSE(IpAddress::parse("fec0::1")->is_link_local());
  EXPECT_TRUE(IpAddress::parse("224.0.0.1")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("ff02::1")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("255.255.255.255")->is_limited_broadcast());
}

TEST(IpAddress, CountsInNumericOrder) {
  EXPECT_EQ(IpAddress::parse("10.0.0.255")->next(), *IpAddress::parse("10.0.1.0"));
  EXPECT_EQ(IpAddress::parse("2001:db8::ffff:ffff:ffff:ffff")->next(),
            *IpAddress::parse("2001:db8:0:1::"));
  EXPECT_EQ(IpAddress::parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")->next(),
            *IpAddress::parse("::"));
  EXPECT_LT(*IpAddress::parse("9.255.255.255"), *IpAddress::parse("10.0.0.0"));
}

TEST(Prefix, KeepsHostBitsAndGivesTheRange) {
  const auto prefix = Prefix::parse("192.0.2.130/25");
  ASSERT_TRUE(prefix);
  EXPECT_EQ(prefix->to_string(), "192.0.2.130/25");
  EXPECT_EQ(prefix->network().to_string(), "192.0.2.128/25");
  EXPECT_EQ(prefix->range().last.to_string(), "192.0.2.255");
  EXPECT_TRUE(prefix->contains(*IpAddress::parse("192.0.2.200")));
  EXPECT_FALSE(prefix->contains(*IpAddress::parse("192.0.2.127")));
}

// Against what each bit says by itself.
TEST(Prefix, RangesOfEveryLength) {
  for (const char* text : {"2001:db8:a5a5:5a5a:c3c3:3c3c:9696:6969", "203.0.113.165"}) {
    const IpAddress address = IpAddress::parse(text).value();
    const unsigned bits = address.is_v4() ? 32 : 128;
    for (unsigned length = 0; length <= bits; ++length) {
      const AddressRange range = Prefix{address, static_cast<uint8_t>(length)}.range();
      for (unsigned bit = 0; bit < 128; ++bit) {
        const auto at = [bit](const IpAddress& of) {
          return (of.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
        };
        const bool of_host = bit >= 128 - bits + length;
        EXPECT_EQ(at(range.first), !of_host && at(address)) << text << "/" << length << " " << bit;
        EXPECT_EQ(at(range.last), of_host || at(address)) << text << "/" << length << " " << bit;
      }
    }
  }
}

TEST(Prefix, CoversTheEnds) {
  EXPECT_EQ(Prefix::parse("0.0.0.0/0")->range().last.to_string(), "255.255.255.255");
  EXPECT_EQ(Prefix::parse("0.0.0.0/0")->range().first.to_string(), "0.0.0.0");
  EXPECT_EQ(Prefix::parse("10.0.0.1")->length, 32);
  EXPECT_EQ(Prefix::parse("2001:db8::1")->length, 128);
  EXPECT_EQ(Prefix::parse("2001:db8::/47")->range().last.to_string(),
            "2001:db8:1:ffff:ffff:ffff:ffff:ffff");
  // ::/0 spans the numbers of IPv4 addresses, but they are of another family.
  EXPECT_FALSE(Prefix::parse("::/0")->contains(*IpAddress::parse("192.0.2.1")));
}

TEST(Prefix, RefusesWhatIsNoPrefix) {
  for (const char* text : {"", "/24", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/024",
                           "10.0.0.0/24/24", "2001:db8::/129", "10.0.0.0/2 4", "10.0.0.0/+4"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
}

TEST(AddressRange, ReadsThreeFormsAndWritesTheShortest) {
  EXPECT_EQ(AddressRange::parse("10.0.0.1")->to_string(), "10.0.0.1");
  EXPECT_EQ(AddressRange::parse("10.0.0.9/24")->to_string(), "10.0.0.0/24");
  EXPECT_EQ(AddressRange::parse("10.0.0.0-10.0.0.255")->to_string(), "10.0.0.0/24");
  EXPECT_EQ(AddressRange::parse("10.0.0.1-10.0.0.9")->to_string(), "10.0.0.1-10.0.0.9");
  EXPECT_EQ(AddressRange::parse("10.0.0.7-10.0.0.7")->to_string(), "10.0.0.7");
  EXPECT_EQ(AddressRange::parse("2001:db8::-2001:db8::ffff")->to_string(), "2001:db8::/112");
}

TEST(AddressRange, RefusesWhatIsNoRange) {
  for (const char* text : {"", "-", "10.0.0.1-", "-10.0.0.1", "10.0.0.9-10.0.0.1",
                           "10.0.0.1-2001:db8::1", "10.0.0.0/24-10.0.1.0/24", "web"}) {
    EXPECT_FALSE(AddressRange::parse(text)) << text;
  }
}

TEST(FlowKey, WritesItselfForPeople) {
  FlowKey key;
  key.source = *IpAddress::parse("192.0.2.1");
  key.destination = *IpAddress::parse("198.51.100.2");
  key.source_port = Be16::from_host(1025);
  key.destination_port = Be16::from_host(80);
  key.protocol = Protocol::Tcp;
  EXPECT_EQ(key.to_string(), "tcp 192.0.2.1:1025 > 198.51.100.2:80");
  key.source = *IpAddress::parse("2001:db8::1");
  key.destination = *IpAddress::parse("2001:db8::2");
  key.protocol = static_cast<Protocol>(89);
  EXPECT_EQ(key.to_string(), "protocol-89 [2001:db8::1]:1025 > [2001:db8::2]:80");
}

}  // namespace
}  // namespace masugata::net
