// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/dns_answer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace masugata::net {
namespace {

// Writes messages; names are compressed nowhere but where a test says so.
class Message {
 public:
  explicit Message(uint16_t flags, uint16_t records) { words({0x0007, flags, 1, records, 0, 0}); }
  Message& words(std::initializer_list<uint16_t> values) {
    for (const uint16_t value : values) {
      bytes.push_back(static_cast<uint8_t>(value >> 8U));
      bytes.push_back(static_cast<uint8_t>(value));
    }
    return *this;
  }
  Message& name(const std::string& text) {
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('.', begin), text.size());
      bytes.push_back(static_cast<uint8_t>(end - begin));
      bytes.insert(bytes.end(), text.begin() + static_cast<long>(begin),
                   text.begin() + static_cast<long>(end));
      begin = end + 1;
    }
    bytes.push_back(0);
    return *this;
  }
  Message& question(const std::string& text, uint16_t type = 1) {
    return name(text).words({type, 1});
  }
  Message& alias(const std::string& owner, const std::string& target, uint16_t ttl) {
    Message data(0, 0);
    data.bytes.clear();
    data.name(target);
    name(owner).words({5, 1, 0, ttl, static_cast<uint16_t>(data.bytes.size())});
    bytes.insert(bytes.end(), data.bytes.begin(), data.bytes.end());
    return *this;
  }
  Message& address(const std::string& owner, uint8_t last, uint16_t ttl) {
    name(owner).words({1, 1, 0, ttl, 4});
    const uint8_t data[] = {192, 0, 2, last};
    bytes.insert(bytes.end(), data, data + 4);
    return *this;
  }
  std::vector<uint8_t> bytes;
};

constexpr uint16_t kAnswer = 0x8180;

TEST(DnsAnswer, QueryIsItsQuestionInLowerCase) {
  DnsAnswer answer;
  ASSERT_TRUE(read_dns_answer(Message(0x0100, 0).question("WWW.Example.COM", 28).bytes, answer));
  EXPECT_FALSE(answer.is_response);
  EXPECT_EQ(answer.id, 7);
  EXPECT_EQ(answer.question_type, 28);
  EXPECT_EQ(answer.question.view(), "www.example.com");
  EXPECT_EQ(answer.address_count, 0);
}

TEST(DnsAnswer, AddressesOfTheQuestionAlone) {
  Message message(kAnswer, 3);
  message.question("a.example").address("a.example", 1, 300).address("other.example", 2, 300);
  message.address("A.example", 3, 60);
  DnsAnswer answer;
  ASSERT_TRUE(read_dns_answer(message.bytes, answer));
  ASSERT_EQ(answer.address_count, 2);
  EXPECT_EQ(answer.addresses[0].address.to_string(), "192.0.2.1");
  EXPECT_EQ(answer.addresses[1].address.to_string(), "192.0.2.3");
  EXPECT_EQ(answer.addresses[1].ttl_seconds, 60U);
}

TEST(DnsAnswer, AliasesAreFollowedAndShortenTheLife) {
  Message message(kAnswer, 3);
  message.question("a.example").alias("a.example", "b.example.net", 20);
  message.alias("b.example.net", "c.example.org", 500).address("c.example.org", 9, 300);
  DnsAnswer answer;
  ASSERT_TRUE(read_dns_answer(message.bytes, answer));
  ASSERT_EQ(answer.alias_count, 2);
  EXPECT_EQ(answer.aliases[0].view(), "b.example.net");
  EXPECT_EQ(answer.aliases[1].view(), "c.example.org");
  ASSERT_EQ(answer.address_count, 1);
  EXPECT_EQ(answer.addresses[0].ttl_seconds, 20U);
}

TEST(DnsAnswer, AddressesBesideTheChainAreLeftOut) {
  Message message(kAnswer, 2);
  message.question("a.example").alias("a.example", "b.example", 20).address("a.example", 1, 300);
  DnsAnswer answer;
  ASSERT_TRUE(read_dns_answer(message.bytes, answer));
  EXPECT_EQ(answer.address_count, 0);
}

TEST(DnsAnswer, ChainBeyondItsBoundLeadsNowhere) {
  Message message(kAnswer, kMaximumAnswerAliases + 2);
  message.question("n0.example");
  for (size_t i = 0; i <= kMaximumAnswerAliases; ++i) {
    message.alias("n" + std::to_string(i) + ".example", "n" + std::to_string(i + 1) + ".example",
                  20);
  }
  message.address("n" + std::to_string(kMaximumAnswerAliases + 1) + ".example", 1, 20);
  DnsAnswer answer;
  ASSERT_TRUE(read_dns_answer(message.bytes, answer));
  EXPECT_EQ(answer.address_count, 0);
}

TEST(DnsAnswer, AddressesBeyondTheBoundAreLeftOut) {
  Message message(kAnswer, kMaximumAnswerAddresses + 5);
  message.question("a.example");
  for (size_t i = 0; i < kMaximumAnswerAddresses + 5; ++i) {
    message.address("a.example", static_cast<uint8_t>(i), 20);
  }
  DnsAnswer answer;
  ASSERT_TRUE(read_dns_answer(message.bytes, answer));
  EXPECT_EQ(answer.address_count, kMaximumAnswerAddresses);
}

TEST(DnsAnswer, PointersLeadBackOnly) {
  Message message(kAnswer, 1);
  message.question("a.example").words({0xc00c, 1, 1, 0, 30, 4, 0xc000, 0x0201});
  DnsAnswer answer;
  ASSERT_TRUE(read_dns_answer(message.bytes, answer));
  ASSERT_EQ(answer.address_count, 1);
  EXPECT_EQ(answer.addresses[0].address.to_string(), "192.0.2.1");

  Message loop(kAnswer, 1);
  loop.question("a.example");
  const auto self = static_cast<uint16_t>(0xc000U | loop.bytes.size());
  loop.words({self, 1, 1, 0, 30, 4, 0xc000, 0x0201});
  EXPECT_FALSE(read_dns_answer(loop.bytes, answer));
}

TEST(DnsAnswer, WhatIsNoHostNameOrNoSingleQuestionIsRefused) {
  DnsAnswer answer;
  EXPECT_FALSE(read_dns_answer(Message(0x0100, 0).question("").bytes, answer));
  EXPECT_FALSE(read_dns_answer(Message(0x0100, 0).question("a b.example").bytes, answer));
  Message two(0x0100, 0);
  two.question("a.example");
  two.bytes[5] = 2;
  EXPECT_FALSE(read_dns_answer(two.bytes, answer));
  Message update(0x2800, 0);
  EXPECT_FALSE(read_dns_answer(update.question("a.example").bytes, answer));
}

TEST(DnsAnswer, EveryCutIsRefused) {
  Message message(kAnswer, 2);
  message.question("a.example").alias("a.example", "b.example", 20).address("b.example", 1, 300);
  DnsAnswer answer;
  ASSERT_TRUE(read_dns_answer(message.bytes, answer));
  for (size_t bytes = 0; bytes < message.bytes.size(); ++bytes) {
    EXPECT_FALSE(read_dns_answer(std::span(message.bytes).first(bytes), answer)) << bytes;
  }
}

TEST(DnsAnswer, ErrorsAreSaid) {
  DnsAnswer answer;
  ASSERT_TRUE(read_dns_answer(Message(0x8183, 0).question("a.example").bytes, answer));
  EXPECT_TRUE(answer.has_error);
}

}  // namespace
}  // namespace masugata::net
