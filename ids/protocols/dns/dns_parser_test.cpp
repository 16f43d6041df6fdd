// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/dns/dns_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "ids/protocols/event_names.h"

namespace masugata::ids {
namespace {

using namespace std::string_literals;

std::string be16(unsigned value) {
  return {static_cast<char>(value >> 8U & 0xffU), static_cast<char>(value & 0xffU)};
}
std::string be32(uint32_t value) { return be16(value >> 16U) + be16(value & 0xffffU); }

std::string name(std::string_view dotted) {
  std::string wire;
  while (!dotted.empty()) {
    const size_t dot = std::min(dotted.find('.'), dotted.size());
    wire += static_cast<char>(dot);
    wire += dotted.substr(0, dot);
    dotted.remove_prefix(std::min(dotted.size(), dot + 1));
  }
  return wire + '\0';
}

struct Counts {
  unsigned questions = 1, answers = 0, authorities = 0, additionals = 0;
};
std::string header(unsigned flags, Counts counts) {
  return be16(0x1234) + be16(flags) + be16(counts.questions) + be16(counts.answers) +
         be16(counts.authorities) + be16(counts.additionals);
}
std::string question(std::string_view dotted, unsigned type = 1) {
  return name(dotted) + be16(type) + be16(1);
}
// `owner` as on the wire: a name or a pointer.
std::string record(const std::string& owner, unsigned type, const std::string& data) {
  return owner + be16(type) + be16(1) + be32(300) + be16(static_cast<unsigned>(data.size())) + data;
}
const std::string kOwner = "\xc0\x0c"s;  // the first question

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
std::string text_of(const BufferBytes& found) {
  if (found.state != BufferState::Complete) return "(none)";
  return {reinterpret_cast<const char*>(found.bytes.data()), found.bytes.size()};
}
std::string over_tcp(const std::string& message) {
  return be16(static_cast<unsigned>(message.size())) + message;
}
DnsTransaction& last_of(DnsParser& parser) {
  return static_cast<DnsTransaction&>(*parser.transactions().back());
}
bool raised(const Transaction& transaction, std::string_view event) {
  return transaction.events.test(*find_event(kDnsEventNames, event));
}

TEST(DnsParser, ReadsAQuery) {
  DnsParser parser{true};
  const std::string query = header(0x0100, {}) + question("WWW.Example.com", 28);
  ASSERT_EQ(parser.on_data(Direction::ToServer, bytes_of(query), 0), ParseOutcome::Going);
  DnsTransaction& transaction = last_of(parser);
  EXPECT_TRUE(transaction.complete());
  EXPECT_EQ(transaction.one_sided, Direction::ToServer);
  EXPECT_EQ(text_of(transaction.buffer(BufferId::DnsQuery, Direction::ToServer, 0)),
            "WWW.Example.com");
  EXPECT_EQ(transaction.buffer(BufferId::DnsQuery, Direction::ToServer, 1).state,
            BufferState::Absent);
  EXPECT_EQ(transaction.buffer(BufferId::DnsQuery, Direction::ToClient, 0).state,
            BufferState::Absent);
  uint64_t value = 0;
  EXPECT_TRUE(
      transaction.number_of_many(NumberField::DnsRecordType, Direction::ToServer, 0, value));
  EXPECT_EQ(value, 28U);
  EXPECT_FALSE(
      transaction.number_of_many(NumberField::DnsRecordType, Direction::ToServer, 1, value));
  EXPECT_TRUE(transaction.number(NumberField::DnsOpcode, Direction::ToServer, value));
  EXPECT_EQ(value, 0U);
  EXPECT_TRUE(transaction.message().recursion_desired());
  EXPECT_TRUE(transaction.events.none());
}

TEST(DnsParser, ReadsEveryKindOfData) {
  const std::string response =
      header(0x8583, {1, 9, 1, 1}) + question("example.com") +
      record(kOwner, 1, "\xc0\x00\x02\x01"s) + record(kOwner, 5, "\x03www"s + kOwner) +
      record(kOwner, 2, name("ns.example")) + record(kOwner, 12, name("host.example")) +
      record(kOwner, 15, be16(10) + name("mx.example")) + record(kOwner, 16, "\x03one\x03two"s) +
      record(kOwner, 28, std::string(16, '\x20')) +
      record(kOwner, 33, be16(1) + be16(2) + be16(443) + name("srv.example")) +
      record(kOwner, 44, "\x04\x02"s + std::string(32, 'f')) +
      record(
          kOwner, 6,
          name("a.example") + name("b.example") + be32(1) + be32(2) + be32(3) + be32(4) + be32(5)) +
      record("\0"s, 41, "");
  DnsParser parser{true};
  ASSERT_EQ(parser.on_data(Direction::ToClient, bytes_of(response), 0), ParseOutcome::Going);
  DnsTransaction& transaction = last_of(parser);
  EXPECT_TRUE(transaction.events.none());
  const DnsMessage& message = transaction.message();
  ASSERT_EQ(message.answers.size(), 9U);
  EXPECT_EQ(message.answers[0].data, (std::vector<uint8_t>{192, 0, 2, 1}));
  EXPECT_EQ(message.answers[0].name, "example.com");
  EXPECT_EQ(message.answers[0].ttl_seconds, 300U);
  EXPECT_EQ(message.answers[1].target, "www.example.com");
  EXPECT_EQ(message.answers[2].target, "ns.example");
  EXPECT_EQ(message.answers[3].target, "host.example");
  EXPECT_EQ(message.answers[4].target, "mx.example");
  EXPECT_EQ(message.answers[4].numbers[0], 10U);
  EXPECT_EQ(message.answers[5].texts, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(message.answers[7].numbers[2], 443U);
  EXPECT_EQ(message.answers[7].target, "srv.example");
  EXPECT_EQ(message.answers[8].numbers[0], 4U);
  ASSERT_EQ(message.authorities.size(), 1U);
  EXPECT_EQ(message.authorities[0].mailbox, "b.example");
  EXPECT_EQ(message.authorities[0].numbers[4], 5U);
  EXPECT_EQ(message.additionals.size(), 1U);
  uint64_t value = 0;
  EXPECT_TRUE(transaction.number(NumberField::DnsRcode, Direction::ToClient, value));
  EXPECT_EQ(value, 3U);
  std::string all;
  for (uint32_t instance = 0;; ++instance) {
    const auto found = transaction.buffer(BufferId::DnsResponseName, Direction::ToClient, instance);
    if (found.state == BufferState::Absent) break;
    all += text_of(found) + ' ';
  }
  EXPECT_NE(all.find("www.example.com "), std::string::npos);
  EXPECT_NE(all.find("a.example "), std::string::npos);
  EXPECT_EQ(all.find("b.example "), std::string::npos);
  EXPECT_EQ(all.find("srv.example "), std::string::npos);
}

TEST(DnsParser, RaisesWhatIsOdd) {
  struct Case {
    std::string_view event;
    Direction direction;
    std::string message;
  };
  std::string many_labels;
  for (int label = 0; label < 300; ++label) many_labels += "\x01x"s;
  const std::vector<Case> cases{
      {"z_flag_set", Direction::ToServer, header(0x0140, {}) + question("a.b")},
      {"invalid_opcode", Direction::ToServer, header(0x7800, {}) + question("a.b")},
      {"not_request", Direction::ToServer, header(0x8000, {}) + question("a.b")},
      {"not_response", Direction::ToClient, header(0x0000, {}) + question("a.b")},
      {"malformed_data", Direction::ToServer, header(0x0000, {}) + "\x20short"},
      {"malformed_data", Direction::ToServer, "short"},
      {"infinite_loop", Direction::ToServer, header(0x0000, {}) + "\xc0\x0c"s + be32(0x10001)},
      {"too_many_labels", Direction::ToServer, header(0, {}) + many_labels + "\0"s + be32(0x10001)},
      {"name_too_long", Direction::ToServer,
       header(0, {}) +
           [] {
             std::string labels;
             for (int label = 0; label < 20; ++label) labels += '\x3f' + std::string(63, 'x');
             return labels;
           }() +
           "\0"s + be32(0x10001)},
      {"invalid_authorities", Direction::ToClient,
       header(0x8000, {1, 0, 1, 0}) + question("a.b") + "\x20"},
      {"invalid_additionals", Direction::ToClient,
       header(0x8000, {1, 0, 0, 1}) + question("a.b") + record(kOwner, 1, "1234").substr(0, 10)},
  };
  for (const Case& one : cases) {
    DnsParser parser{true};
    EXPECT_EQ(parser.on_data(one.direction, bytes_of(one.message), 0), ParseOutcome::Going);
    ASSERT_EQ(parser.transactions().size(), 1U);
    EXPECT_TRUE(raised(last_of(parser), one.event)) << one.event;
  }
}

TEST(DnsParser, EndsPointersThatGoInCircles) {
  // Two pointers at each other, behind a label: 12 -> 16 -> 12.
  const std::string message =
      header(0x8000, {1, 0, 0, 0}) + "\x01z\xc0\x10\xc0\x0c"s + be32(0x10001);
  DnsParser parser{true};
  EXPECT_EQ(parser.on_data(Direction::ToClient, bytes_of(message), 0), ParseOutcome::Going);
  EXPECT_TRUE(raised(last_of(parser), "too_many_labels"));
  ASSERT_FALSE(last_of(parser).message().questions.empty());
  EXPECT_LE(last_of(parser).message().questions[0].name.size(), kMaximumDnsNameBytes);
}

TEST(DnsParser, TakesMessagesFromAStreamInAnyPieces) {
  const std::string stream = over_tcp(header(0, {}) + question("one.example")) +
                             over_tcp(header(0, {}) + question("two.example")) +
                             over_tcp(header(0, {}) + question("three.example"));
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    DnsParser parser{false};
    for (size_t start = 0; start < stream.size(); start += piece) {
      ASSERT_EQ(parser.on_data(Direction::ToServer,
                               bytes_of(std::string_view{stream}.substr(start, piece)), 0),
                ParseOutcome::Going);
    }
    ASSERT_EQ(parser.transactions().size(), 3U) << piece;
    EXPECT_EQ(last_of(parser).message().questions[0].name, "three.example");
    EXPECT_EQ(last_of(parser).number_in_flow, 2U);
  }
}

TEST(DnsParser, FindsItsWayAfterAGap) {
  const std::string message = over_tcp(header(0, {}) + question("after.example"));
  DnsParser parser{false};
  ASSERT_EQ(parser.on_data(Direction::ToServer, bytes_of(message.substr(0, 9)), 0),
            ParseOutcome::Going);
  ASSERT_EQ(parser.on_gap(Direction::ToServer, 1000), ParseOutcome::Going);
  ASSERT_EQ(parser.on_data(Direction::ToServer, bytes_of("rest of something"), 0),
            ParseOutcome::Going);
  ASSERT_EQ(parser.on_data(Direction::ToServer, bytes_of(message), 0), ParseOutcome::Going);
  ASSERT_EQ(parser.transactions().size(), 1U);
  EXPECT_EQ(last_of(parser).message().questions[0].name, "after.example");
}

TEST(DnsParser, GivesUpOnWhatIsNoDns) {
  DnsParser parser{true};
  size_t calls = 0;
  while (parser.on_data(Direction::ToServer, bytes_of("no DNS"), 0) == ParseOutcome::Going) {
    ASSERT_LT(++calls, 100U);
  }
  EXPECT_EQ(calls, DnsParser::kMaximumBadMessages - 1);
}

TEST(DnsParser, BoundsWhatPointersMultiply) {
  // 5,000 records that each point to a name of 1,000 characters would be five megabytes.
  std::string labels;
  for (int label = 0; label < 15; ++label) labels += '\x3f' + std::string(63, 'x');
  std::string message = header(0x8000, {1, 4000, 0, 0}) + labels + '\0' + be32(0x10001);
  for (int count = 0; count < 4000; ++count) message += record(kOwner, 1, "1234");
  DnsMessage read;
  const DnsReadFindings findings = read_dns_message(bytes_of(message), read);
  EXPECT_TRUE(findings.malformed);
  size_t kept = 0;
  for (const DnsRecord& answer : read.answers) kept += answer.name.size();
  EXPECT_LE(kept, kMaximumDnsTextBytes);
}

TEST(DnsParser, IsMadeForItsProtocol) {
  const ParserDemands demands;
  EXPECT_NE(make_parser(ApplicationProtocol::Dns, demands, true), nullptr);
  EXPECT_EQ(make_parser(ApplicationProtocol::Ntp, demands, true), nullptr);
}

}  // namespace
}  // namespace masugata::ids
