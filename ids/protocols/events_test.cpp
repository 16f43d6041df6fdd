// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/events.h"

#include <gtest/gtest.h>

#include <set>

#include "ids/protocols/event_names.h"
#include "ids/protocols/packet_event_names.h"
#include "ids/protocols/protocol_parser.h"

namespace masugata::ids {
namespace {

void expect_distinct(std::span<const std::string_view> names) {
  EXPECT_LE(names.size(), kMaximumEvents);
  EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), names.size());
}

TEST(Events, AreFoundInEitherCase) {
  const auto events = application_events(ApplicationProtocol::Smb);
  EXPECT_EQ(find_event(events, "FILE_Overlap"), find_event(events, "file_overlap"));
  EXPECT_TRUE(find_event(events, "file_overlap").has_value());
  EXPECT_FALSE(find_event(events, "file_overla").has_value());
  EXPECT_FALSE(find_event(events, "file_overlaps").has_value());
}

TEST(Events, OfMulticastDnsAreThoseOfDns) {
  EXPECT_EQ(application_events(ApplicationProtocol::Mdns).data(),
            application_events(ApplicationProtocol::Dns).data());
}

TEST(Events, NamesAreDistinctAndFit) {
  expect_distinct(decode_events());
  expect_distinct(stream_events());
  for (size_t index = 0; index < static_cast<size_t>(ApplicationProtocol::Count); ++index) {
    expect_distinct(application_events(static_cast<ApplicationProtocol>(index)));
  }
}

TEST(Events, NumbersAreThoseOfTheLists) {
  constexpr uint8_t kFlag = event_number(kDnsEventNames, "z_flag_set");
  EXPECT_EQ(find_event(application_events(ApplicationProtocol::Dns), "z_flag_set"), kFlag);
  EXPECT_EQ(find_event(decode_events(), "ipv4.pkt_too_small"), 0);
  EXPECT_EQ(find_event(stream_events(), "reassembly_seq_gap"),
            event_number(kStreamEventNames, "reassembly_seq_gap"));
  EXPECT_FALSE(find_event(stream_events(), "ipv4.pkt_too_small"));
  EXPECT_FALSE(find_event(application_events(ApplicationProtocol::Ntp), "z_flag_set"));
}

class EmptyTransaction final : public Transaction {
 public:
  BufferBytes buffer(BufferId, Direction, uint32_t) noexcept override { return {}; }
};

class AppendingParser final : public ProtocolParser {
 public:
  AppendingParser() : ProtocolParser(ApplicationProtocol::Dns) {}
  ParseOutcome on_data(Direction, std::span<const uint8_t>, uint64_t) noexcept override {
    return append(std::make_unique<EmptyTransaction>()) ? ParseOutcome::Going
                                                        : ParseOutcome::Failed;
  }
};

TEST(ProtocolParser, EndsTheOldestAtTheBoundAndRefusesBeyondTwice) {
  AppendingParser parser;
  for (size_t count = 0; count < kMaximumTransactions; ++count) {
    ASSERT_EQ(parser.on_data(Direction::ToServer, {}, 0), ParseOutcome::Going);
  }
  EXPECT_FALSE(parser.transactions().front()->complete());
  ASSERT_EQ(parser.on_data(Direction::ToServer, {}, 0), ParseOutcome::Going);
  EXPECT_TRUE(parser.transactions()[0]->complete());
  EXPECT_FALSE(parser.transactions()[1]->complete());
  for (size_t count = 1; count < kMaximumTransactions; ++count) {
    ASSERT_EQ(parser.on_data(Direction::ToServer, {}, 0), ParseOutcome::Going);
  }
  EXPECT_EQ(parser.on_data(Direction::ToServer, {}, 0), ParseOutcome::Failed);
  EXPECT_EQ(parser.transactions().back()->number_in_flow, 2 * kMaximumTransactions - 1);
  parser.transactions().pop_front();
  EXPECT_EQ(parser.on_data(Direction::ToServer, {}, 0), ParseOutcome::Going);
}

}  // namespace
}  // namespace masugata::ids
