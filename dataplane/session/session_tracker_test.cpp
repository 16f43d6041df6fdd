// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/session_tracker.h"

#include <gtest/gtest.h>

#include <set>

namespace masugata::dataplane {
namespace {

class SessionTrackerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SessionTableSettings settings;
    settings.capacity = 8;
    auto created = SessionTable::create(settings, memory_);
    ASSERT_TRUE(created);
    table_ = std::move(*created);
  }
  Session& add(net::Protocol protocol) {
    InsertRequest request;
    request.original.source = *net::IpAddress::parse("10.0.0.1");
    request.original.destination = *net::IpAddress::parse("198.51.100.1");
    request.original.protocol = protocol;
    request.reply = request.original.reversed();
    request.original_hash = net::hash_flow(request.original, net::HashSecret{});
    request.reply_hash = net::hash_flow(request.reply, net::HashSecret{});
    request.state = first_state_of(protocol);
    request.timeout_ms = tracking_.timeouts.of(request.state);
    return *table_->insert(request, 0).session;
  }

  HeapMemory memory_;
  TrackingSettings tracking_ = compile_tracking_settings(config::SessionSettings{});
  std::unique_ptr<SessionTable> table_;
};

TEST_F(SessionTrackerTest, AReplyConfirmsASessionOfAnyProtocol) {
  struct Case {
    net::Protocol protocol;
    ProtocolState first;
    ProtocolState replied;
    uint32_t replied_timeout_ms;
  };
  for (const Case& one :
       {Case{net::Protocol::Udp, ProtocolState::UdpNew, ProtocolState::UdpReplied, 300'000},
        Case{net::Protocol::Icmp, ProtocolState::IcmpNew, ProtocolState::IcmpReplied, 60'000},
        Case{net::Protocol::Icmpv6, ProtocolState::IcmpNew, ProtocolState::IcmpReplied, 60'000},
        Case{net::Protocol::Gre, ProtocolState::OtherNew, ProtocolState::OtherReplied, 600'000},
        Case{net::Protocol::Sctp, ProtocolState::OtherNew, ProtocolState::OtherReplied, 600'000}}) {
    Session& session = add(one.protocol);
    EXPECT_EQ(session.state, one.first);
    EXPECT_EQ(
        track_other_packet(*table_, session, Direction::Original, true, 100, tracking_, 10).action,
        TrackAction::Forward);
    EXPECT_EQ(session.state, one.first);
    EXPECT_EQ(session.flags & kSessionReplySeen, 0);
    const TrackResult result =
        track_other_packet(*table_, session, Direction::Reply, true, 200, tracking_, 20);
    EXPECT_EQ(result.action, TrackAction::Forward);
    EXPECT_EQ(session.state, one.replied);
    EXPECT_EQ(session.timeout_ms, one.replied_timeout_ms);
    EXPECT_EQ(session.last_seen_ms, 20U);
    EXPECT_EQ(table_->count(one.replied), 1U);
    EXPECT_EQ(
        track_other_packet(*table_, session, Direction::Original, true, 100, tracking_, 30).action,
        TrackAction::Forward);
    EXPECT_EQ(session.state, one.replied);
    EXPECT_EQ(session.packets(Direction::Original), 2U);
    EXPECT_EQ(session.bytes(Direction::Original), 200U);
    EXPECT_EQ(session.bytes(Direction::Reply), 200U);
    table_->erase(session, EndReason::Administrator);
  }
}

TEST_F(SessionTrackerTest, AnIcmpTypeOfTheWrongDirectionIsRefused) {
  Session& session = add(net::Protocol::Icmp);
  const TrackResult result =
      track_other_packet(*table_, session, Direction::Reply, false, 100, tracking_, 10);
  EXPECT_EQ(result.action, TrackAction::Drop);
  EXPECT_EQ(result.reason, TrackReason::InvalidState);
  EXPECT_EQ(session.state, ProtocolState::IcmpNew);
  EXPECT_EQ(session.last_seen_ms, 0U);
}

TEST_F(SessionTrackerTest, TcpMovesTheTableAlong) {
  Session& session = add(net::Protocol::Tcp);
  TcpSegment segment;
  segment.sequence = 100;
  segment.window = 1000;
  segment.flags = net::kTcpSyn;
  start_tcp(session, segment);
  EXPECT_EQ(session.timeout_ms, 30'000U);
  segment.flags = net::kTcpSyn | net::kTcpAck;
  segment.sequence = 500;
  segment.acknowledgement = 101;
  EXPECT_EQ(track_tcp_packet(*table_, session, Direction::Reply, segment, 60, tracking_, 1).action,
            TrackAction::Forward);
  EXPECT_EQ(session.state, ProtocolState::TcpSynReceived);
  segment.flags = net::kTcpAck;
  segment.sequence = 101;
  segment.acknowledgement = 501;
  EXPECT_EQ(
      track_tcp_packet(*table_, session, Direction::Original, segment, 60, tracking_, 2).action,
      TrackAction::Forward);
  EXPECT_EQ(session.state, ProtocolState::TcpEstablished);
  EXPECT_EQ(session.timeout_ms, 7'440'000U);
  EXPECT_EQ(table_->count(EvictionClass::Protected), 1U);

  segment.sequence = 900'000;  // neither counted nor kept alive by it
  const TrackResult refused =
      track_tcp_packet(*table_, session, Direction::Original, segment, 60, tracking_, 3);
  EXPECT_EQ(refused.action, TrackAction::Drop);
  EXPECT_EQ(session.last_seen_ms, 2U);
  EXPECT_EQ(session.packets(Direction::Original), 1U);

  segment.sequence = 101;
  segment.flags = net::kTcpRst;
  EXPECT_EQ(
      track_tcp_packet(*table_, session, Direction::Original, segment, 60, tracking_, 4).action,
      TrackAction::Forward);
  EXPECT_EQ(session.state, ProtocolState::TcpReset);
  EXPECT_EQ(session.timeout_ms, 10'000U);
  table_->expire(10'004 + 2 * TimerWheel::kTickMs, 100);
  EXPECT_EQ(table_->size(), 0U);
}

TEST(TrackingSettings, TimeoutsAreCutNotWrapped) {
  config::SessionSettings settings;
  settings.timeouts.udp_new = 0;
  settings.timeouts.other = 0xffffffffU;
  settings.tcp_strict = false;
  settings.tcp_midstream = true;
  const TrackingSettings tracking = compile_tracking_settings(settings);
  EXPECT_EQ(tracking.timeouts.of(ProtocolState::UdpNew), 1000U);
  EXPECT_EQ(tracking.timeouts.of(ProtocolState::OtherNew), TimerWheel::kMaximumDelayMs);
  EXPECT_EQ(tracking.timeouts.of(ProtocolState::TcpCloseWait), 240'000U);
  EXPECT_FALSE(tracking.tcp.strict);
  EXPECT_TRUE(tracking.tcp.midstream);
  for (size_t state = 0; state < kProtocolStateCount; ++state) {
    EXPECT_NE(tracking.timeouts.timeout_ms[state], 0U) << state;
  }
}

TEST(DropReasons, EveryRefusalHasOne) {
  EXPECT_EQ(drop_reason_of(TrackReason::None), DropReason::None);
  for (size_t reason = 1; reason < static_cast<size_t>(TrackReason::Count); ++reason) {
    const DropReason drop = drop_reason_of(static_cast<TrackReason>(reason));
    EXPECT_NE(drop, DropReason::None);
    EXPECT_NE(drop, DropReason::InternalError);
  }
  EXPECT_EQ(drop_reason_of(InsertRefusal::TableFull), DropReason::SessionTableFull);
  EXPECT_EQ(drop_reason_of(InsertRefusal::ReplyKeyExists), DropReason::SessionCollision);
}

TEST(StateNames, AreDistinct) {
  std::set<std::string> names;
  for (size_t state = 0; state < kProtocolStateCount; ++state) {
    names.insert(name_of(static_cast<ProtocolState>(state)));
  }
  EXPECT_EQ(names.size(), kProtocolStateCount);
  EXPECT_STREQ(name_of(EndReason::Evicted), "evicted");
}

}  // namespace
}  // namespace masugata::dataplane
