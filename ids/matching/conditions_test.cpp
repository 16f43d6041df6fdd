// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/conditions.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace masugata::ids {
namespace {

using Bytes = std::vector<uint8_t>;

net::IpAddress address(std::string_view text) { return *net::IpAddress::parse(text); }

Bytes tcp_header() {
  return {0x30, 0x39, 0x00, 0x50,                           // ports
          0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x09,   // sequence, acknowledgement
          0x70, 0x12, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00,   // 28 bytes, SYN ACK, window 8192
          0x02, 0x04, 0x05, 0xb4, 0x03, 0x03, 0x07, 0x00};  // MSS 1460, scale 7
}

// An IPv4 packet of `transport` with a TTL of 64, DF and identification 0x1234.
class TestPacket {
 public:
  TestPacket(net::Protocol protocol, const Bytes& transport, const Bytes& options = {}) {
    const auto words = static_cast<uint8_t>(5 + options.size() / 4);
    bytes_ = {static_cast<uint8_t>(0x40 | words),
              0x08,
              0,
              0,
              0x12,
              0x34,
              0x40,
              0x00,
              64,
              static_cast<uint8_t>(protocol),
              0,
              0,
              10,
              0,
              0,
              1,
              10,
              0,
              0,
              2};
    bytes_.insert(bytes_.end(), options.begin(), options.end());
    const size_t header = bytes_.size();
    bytes_.insert(bytes_.end(), transport.begin(), transport.end());
    facts_.network = bytes_;
    facts_.transport = facts_.network.subspan(header);
    facts_.key.source = address("10.0.0.1");
    facts_.key.destination = address("10.0.0.2");
    facts_.key.protocol = protocol;
  }
  TestPacket(const TestPacket&) = delete;
  TestPacket& operator=(const TestPacket&) = delete;
  PacketFacts& facts() { return facts_; }
  uint8_t& byte(size_t index) { return bytes_[index]; }
  ConditionOutcome judge(const Condition& condition, const ConditionTables& tables = {}) {
    return match_packet_condition(condition, PacketFields(facts_), tables);
  }
  bool holds(const Condition& condition) { return judge(condition) == ConditionOutcome::Yes; }
  std::optional<uint64_t> number(NumberField field) {
    uint64_t value = 0;
    if (!PacketFields(facts_).number(field, value)) return std::nullopt;
    return value;
  }

 private:
  Bytes bytes_;
  PacketFacts facts_;
};

TEST(Compare, AllComparisons) {
  EXPECT_TRUE(compare(Comparison::Equal, 5, 5, 0));
  EXPECT_TRUE(compare(Comparison::NotEqual, 5, 4, 0));
  EXPECT_TRUE(compare(Comparison::Less, 4, 5, 0));
  EXPECT_FALSE(compare(Comparison::Less, 5, 5, 0));
  EXPECT_TRUE(compare(Comparison::LessOrEqual, 5, 5, 0));
  EXPECT_TRUE(compare(Comparison::Greater, 6, 5, 0));
  EXPECT_TRUE(compare(Comparison::GreaterOrEqual, 5, 5, 0));
  EXPECT_TRUE(compare(Comparison::Between, 6, 5, 7));
  EXPECT_FALSE(compare(Comparison::Between, 5, 5, 7));
  EXPECT_FALSE(compare(Comparison::Between, 7, 5, 7));
  EXPECT_TRUE(compare(Comparison::Outside, 5, 5, 7));
  EXPECT_TRUE(compare(Comparison::Outside, 7, 5, 7));
  EXPECT_FALSE(compare(Comparison::Outside, 6, 5, 7));
  EXPECT_TRUE(compare(Comparison::BitAnd, 6, 3, 0));
  EXPECT_TRUE(compare(Comparison::Masked, 0xb1, 0xc0, 0x80));
  EXPECT_FALSE(compare(Comparison::Masked, 0xf1, 0xc0, 0x80));
  EXPECT_TRUE(compare(Comparison::NotMasked, 0xf1, 0xc0, 0x80));
  EXPECT_TRUE(compare_signed(Comparison::Less, -1, 0, 0));
}

TEST(PacketFields, OfIpv4AndTcp) {
  TestPacket packet(net::Protocol::Tcp, tcp_header());
  EXPECT_EQ(packet.number(NumberField::IpTtl), 64U);
  EXPECT_EQ(packet.number(NumberField::IpTos), 8U);
  EXPECT_EQ(packet.number(NumberField::IpId), 0x1234U);
  EXPECT_EQ(packet.number(NumberField::IpProtocol), 6U);
  EXPECT_EQ(packet.number(NumberField::IpFragmentOffset), 0U);
  EXPECT_EQ(packet.number(NumberField::TcpSequence), 7U);
  EXPECT_EQ(packet.number(NumberField::TcpAcknowledgement), 9U);
  EXPECT_EQ(packet.number(NumberField::TcpWindow), 8192U);
  EXPECT_EQ(packet.number(NumberField::TcpMss), 1460U);
  EXPECT_EQ(packet.number(NumberField::TcpWindowScale), 7U);
  EXPECT_EQ(packet.number(NumberField::PayloadSize), 0U);
  EXPECT_EQ(packet.number(NumberField::IcmpType), std::nullopt);
  EXPECT_EQ(packet.number(NumberField::FlowBytesEither), std::nullopt);
}

VlanIdMatch vlan_is(uint64_t id, VlanIdMatch::Which which, int8_t layer = 0) {
  return {which, layer, Comparison::Equal, id, 0};
}

TEST(VlanId, OfAnyAllOrOneTag) {
  using Which = VlanIdMatch::Which;
  TestPacket packet(net::Protocol::Tcp, tcp_header());
  EXPECT_FALSE(packet.holds(vlan_is(0, Which::Any)));  // no tag, not one of number 0
  EXPECT_FALSE(packet.holds(vlan_is(0, Which::All)));
  packet.facts().vlan[0] = 666;
  packet.facts().vlan[1] = 123;
  packet.facts().vlan_layers = 2;
  EXPECT_TRUE(packet.holds(vlan_is(123, Which::Any)));
  EXPECT_FALSE(packet.holds(vlan_is(123, Which::All)));
  EXPECT_TRUE(packet.holds(vlan_is(666, Which::Layer, 0)));
  EXPECT_TRUE(packet.holds(vlan_is(666, Which::Layer, -2)));
  EXPECT_TRUE(packet.holds(vlan_is(123, Which::Layer, -1)));
  EXPECT_FALSE(packet.holds(vlan_is(0, Which::Layer, 2)));
  EXPECT_FALSE(packet.holds(vlan_is(0, Which::Layer, -3)));
  EXPECT_EQ(packet.number(NumberField::VlanLayers), 2U);
  packet.facts().vlan[1] = 666;
  EXPECT_TRUE(packet.holds(vlan_is(666, Which::All)));
  EXPECT_EQ(packet.number(NumberField::IpVersion), 4U);
}

TEST(PacketFields, OfIcmp) {
  TestPacket echo(net::Protocol::Icmp, {8, 0, 0, 0, 0x12, 0x34, 0x00, 0x07});
  EXPECT_EQ(echo.number(NumberField::IcmpType), 8U);
  EXPECT_EQ(echo.number(NumberField::IcmpCode), 0U);
  EXPECT_EQ(echo.number(NumberField::IcmpId), 0x1234U);
  EXPECT_EQ(echo.number(NumberField::IcmpSequence), 7U);
  EXPECT_EQ(echo.number(NumberField::TcpWindow), std::nullopt);
  TestPacket unreachable(net::Protocol::Icmp, {3, 1, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(unreachable.number(NumberField::IcmpCode), 1U);
  EXPECT_EQ(unreachable.number(NumberField::IcmpId), std::nullopt);
}

TEST(PacketFields, OfIpv6) {
  Bytes bytes(40, 0);
  bytes[0] = 0x60;
  bytes[7] = 3;
  const Bytes too_big = {2, 0, 0, 0, 0, 0, 0x05, 0x00};
  PacketFacts facts;
  facts.is_ipv6 = true;
  facts.network = bytes;
  facts.transport = too_big;
  facts.key.protocol = net::Protocol::Icmpv6;
  uint64_t value = 0;
  const PacketFields fields(facts);
  ASSERT_TRUE(fields.number(NumberField::IpTtl, value));
  EXPECT_EQ(value, 3U);
  ASSERT_TRUE(fields.number(NumberField::Icmpv6Mtu, value));
  EXPECT_EQ(value, 1280U);
  EXPECT_FALSE(fields.number(NumberField::IpId, value));
}

TEST(PacketFields, WhatIsCutShortIsNotRead) {
  for (size_t size = 0; size < 28; ++size) {
    Bytes transport = tcp_header();
    transport.resize(size);
    TestPacket packet(net::Protocol::Tcp, transport);
    EXPECT_EQ(packet.number(NumberField::TcpWindow).has_value(), size >= 20);
    EXPECT_EQ(packet.number(NumberField::TcpMss).has_value(), false);
  }
  TestPacket fragment(net::Protocol::Tcp, tcp_header());
  fragment.facts().is_fragment = true;
  EXPECT_EQ(fragment.number(NumberField::TcpWindow), std::nullopt);
  EXPECT_EQ(fragment.number(NumberField::IpTtl), 64U);
}

TEST(PacketConditions, Numbers) {
  TestPacket packet(net::Protocol::Tcp, tcp_header());
  EXPECT_TRUE(packet.holds(NumberMatch{NumberField::IpTtl, Comparison::Equal, 64, 0, false}));
  EXPECT_FALSE(packet.holds(NumberMatch{NumberField::IpTtl, Comparison::Equal, 64, 0, true}));
  // A packet without the field does not match, negated or not.
  EXPECT_FALSE(packet.holds(NumberMatch{NumberField::IcmpType, Comparison::Equal, 8, 0, true}));
  EXPECT_TRUE(packet.holds(NumberListMatch{NumberField::IpProtocol, false, {17, 6}}));
  EXPECT_FALSE(packet.holds(NumberListMatch{NumberField::IpProtocol, true, {17, 6}}));
  EXPECT_EQ(packet.judge(NumberMatch{NumberField::FileSize, Comparison::Equal, 0, 0, false}),
            ConditionOutcome::NotAsked);
  EXPECT_EQ(packet.judge(FlowMatch{}), ConditionOutcome::NotAsked);
}

TEST(PacketConditions, TcpFlags) {
  TestPacket packet(net::Protocol::Tcp, tcp_header());
  using Mode = TcpFlagsMatch::Mode;
  EXPECT_TRUE(packet.holds(TcpFlagsMatch{Mode::Exactly, 0x12, 0}));
  EXPECT_FALSE(packet.holds(TcpFlagsMatch{Mode::Exactly, 0x02, 0}));
  EXPECT_TRUE(packet.holds(TcpFlagsMatch{Mode::Exactly, 0x02, 0x10}));
  EXPECT_TRUE(packet.holds(TcpFlagsMatch{Mode::AllOf, 0x02, 0}));
  EXPECT_FALSE(packet.holds(TcpFlagsMatch{Mode::AllOf, 0x03, 0}));
  EXPECT_TRUE(packet.holds(TcpFlagsMatch{Mode::AnyOf, 0x03, 0}));
  EXPECT_FALSE(packet.holds(TcpFlagsMatch{Mode::Not, 0x02, 0}));
  EXPECT_TRUE(packet.holds(TcpFlagsMatch{Mode::Not, 0x01, 0}));
  TestPacket udp(net::Protocol::Udp, Bytes(8, 0));
  EXPECT_FALSE(udp.holds(TcpFlagsMatch{Mode::Exactly, 0, 0}));
}

TEST(PacketConditions, FragmentBits) {
  TestPacket packet(net::Protocol::Udp, Bytes(8, 0));  // DF alone
  using Mode = FragmentBitsMatch::Mode;
  EXPECT_TRUE(packet.holds(FragmentBitsMatch{Mode::Exactly, false, true, false}));
  EXPECT_FALSE(packet.holds(FragmentBitsMatch{Mode::Exactly, true, true, false}));
  EXPECT_TRUE(packet.holds(FragmentBitsMatch{Mode::AnyOf, true, true, false}));
  EXPECT_FALSE(packet.holds(FragmentBitsMatch{Mode::AllOf, true, true, false}));
  EXPECT_TRUE(packet.holds(FragmentBitsMatch{Mode::Not, true, false, false}));
  packet.byte(6) = 0x20;
  packet.byte(7) = 0x05;
  EXPECT_TRUE(packet.holds(FragmentBitsMatch{Mode::Exactly, true, false, false}));
  EXPECT_EQ(packet.number(NumberField::IpFragmentOffset), 5U);
}

TEST(PacketConditions, IpOptions) {
  TestPacket plain(net::Protocol::Udp, Bytes(8, 0));
  EXPECT_FALSE(plain.holds(IpOptionsMatch{IpOption::Any}));
  // No operation, loose source route of 7 bytes, record route of 3, end.
  TestPacket packet(net::Protocol::Udp, Bytes(8, 0), {1, 131, 7, 4, 1, 2, 3, 4, 7, 3, 4, 0});
  EXPECT_TRUE(packet.holds(IpOptionsMatch{IpOption::Any}));
  EXPECT_TRUE(packet.holds(IpOptionsMatch{IpOption::NoOperation}));
  EXPECT_TRUE(packet.holds(IpOptionsMatch{IpOption::LooseSourceRoute}));
  EXPECT_TRUE(packet.holds(IpOptionsMatch{IpOption::RecordRoute}));
  EXPECT_TRUE(packet.holds(IpOptionsMatch{IpOption::EndOfList}));
  EXPECT_FALSE(packet.holds(IpOptionsMatch{IpOption::StrictSourceRoute}));
  // A length that leads nowhere ends the walk.
  TestPacket broken(net::Protocol::Udp, Bytes(8, 0), {7, 0, 131, 3});
  EXPECT_TRUE(broken.holds(IpOptionsMatch{IpOption::RecordRoute}));
  EXPECT_FALSE(broken.holds(IpOptionsMatch{IpOption::LooseSourceRoute}));
}

TEST(PacketConditions, SameAddressAndEvents) {
  TestPacket packet(net::Protocol::Udp, Bytes(8, 0));
  EXPECT_FALSE(packet.holds(SameIpMatch{}));
  packet.facts().key.destination = packet.facts().key.source;
  EXPECT_TRUE(packet.holds(SameIpMatch{}));
  packet.facts().decode_events.set(3);
  EXPECT_TRUE(packet.holds(EventMatch{EventKind::Decode, ApplicationProtocol::Unknown, 3}));
  EXPECT_FALSE(packet.holds(EventMatch{EventKind::Stream, ApplicationProtocol::Unknown, 3}));
  EXPECT_FALSE(packet.holds(EventMatch{EventKind::Decode, ApplicationProtocol::Unknown, 200}));
  EXPECT_EQ(packet.judge(EventMatch{EventKind::Application, ApplicationProtocol::Http, 3}),
            ConditionOutcome::NotAsked);
}

TEST(PacketConditions, WithoutTablesNothingIsKnown) {
  TestPacket packet(net::Protocol::Udp, Bytes(8, 0));
  EXPECT_FALSE(packet.holds(GeoIpMatch{GeoIpMatch::Side::Any, {"DE"}, true}));
  EXPECT_FALSE(packet.holds(IpReputationMatch{}));
}

TEST(PacketConditions, ReputationOfEachSide) {
  IpReputationTable table;
  ASSERT_TRUE(table.add_categories("categories", "1,bad,known for harm\n"));
  ASSERT_TRUE(table.add_scores("scores", "10.0.0.1,1,80\n"));
  table.finish();
  const ConditionTables tables{nullptr, &table};
  TestPacket packet(net::Protocol::Udp, Bytes(8, 0));
  auto judge = [&](IpReputationMatch::Side side, uint8_t value) {
    return packet.judge(IpReputationMatch{side, "bad", Comparison::Greater, value}, tables) ==
           ConditionOutcome::Yes;
  };
  EXPECT_TRUE(judge(IpReputationMatch::Side::Source, 79));
  EXPECT_FALSE(judge(IpReputationMatch::Side::Source, 80));
  EXPECT_FALSE(judge(IpReputationMatch::Side::Destination, 0));
  EXPECT_TRUE(judge(IpReputationMatch::Side::Any, 79));
  EXPECT_FALSE(judge(IpReputationMatch::Side::Both, 79));
}

TEST(FileConditions, NamesAndMagic) {
  TransferredFile file;
  file.name = "Invoice.PDF.exe";
  auto judge = [&file](FileTextMatch::Field field, const char* text, bool negated = false) {
    return match_file_condition(FileTextMatch{field, text, negated}, file);
  };
  using Field = FileTextMatch::Field;
  EXPECT_EQ(judge(Field::Extension, "exe"), ConditionOutcome::Yes);
  EXPECT_EQ(judge(Field::Extension, "pdf"), ConditionOutcome::No);
  EXPECT_EQ(judge(Field::Extension, "pdf", true), ConditionOutcome::Yes);
  EXPECT_EQ(judge(Field::Name, "invoice.pdf"), ConditionOutcome::Yes);
  EXPECT_EQ(judge(Field::Magic, "pe32"), ConditionOutcome::NotYet);
  file.magic = "PE32 executable";
  EXPECT_EQ(judge(Field::Magic, "pe32"), ConditionOutcome::Yes);
  file.name.clear();
  EXPECT_EQ(judge(Field::Extension, "exe", true), ConditionOutcome::No);
}

TEST(FileConditions, DigestsNeedTheWholeFile) {
  TransferredFile file;
  FileHashMatch match{FileHashMatch::Algorithm::Sha1, {"aaa", "bbb"}, false};
  EXPECT_EQ(match_file_condition(match, file), ConditionOutcome::NotYet);
  file.complete = true;
  file.sha1 = "bbb";
  EXPECT_EQ(match_file_condition(match, file), ConditionOutcome::Yes);
  match.negated = true;
  EXPECT_EQ(match_file_condition(match, file), ConditionOutcome::No);
  file.sha1 = "ccc";
  EXPECT_EQ(match_file_condition(match, file), ConditionOutcome::Yes);
  file.truncated = true;
  EXPECT_EQ(match_file_condition(match, file), ConditionOutcome::No);
}

TEST(FileConditions, SizesOfGrowingFiles) {
  TransferredFile file;
  file.size = 100;
  auto judge = [&file](Comparison comparison, uint64_t low, uint64_t high = 0) {
    return match_file_condition(NumberMatch{NumberField::FileSize, comparison, low, high, false},
                                file);
  };
  EXPECT_EQ(judge(Comparison::Greater, 99), ConditionOutcome::Yes);
  EXPECT_EQ(judge(Comparison::Greater, 100), ConditionOutcome::NotYet);
  EXPECT_EQ(judge(Comparison::Less, 200), ConditionOutcome::NotYet);
  EXPECT_EQ(judge(Comparison::Equal, 100), ConditionOutcome::NotYet);
  file.complete = true;
  EXPECT_EQ(judge(Comparison::Less, 200), ConditionOutcome::Yes);
  EXPECT_EQ(judge(Comparison::Between, 100, 200), ConditionOutcome::No);
  EXPECT_EQ(match_file_condition(FileStore{}, file), ConditionOutcome::Yes);
  EXPECT_EQ(match_file_condition(SameIpMatch{}, file), ConditionOutcome::NotAsked);
}

TEST(CertificateTimes, AgainstNowAndNumbers) {
  const CertificateTimes times{1000, 2000};
  TlsCertificateTimeMatch match;
  match.field = TlsCertificateTimeMatch::Field::Expired;
  EXPECT_TRUE(match_certificate_time(match, times, 2001));
  EXPECT_FALSE(match_certificate_time(match, times, 2000));
  match.field = TlsCertificateTimeMatch::Field::Valid;
  EXPECT_TRUE(match_certificate_time(match, times, 1000));
  EXPECT_FALSE(match_certificate_time(match, times, 999));
  match = {TlsCertificateTimeMatch::Field::NotAfter, Comparison::Less, 2001, 0};
  EXPECT_TRUE(match_certificate_time(match, times, 0));
  match = {TlsCertificateTimeMatch::Field::NotBefore, Comparison::Between, -5, 1000};
  EXPECT_FALSE(match_certificate_time(match, times, 0));
}

}  // namespace
}  // namespace masugata::ids
