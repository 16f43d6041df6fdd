// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/tcp_tracker.h"

#include <gtest/gtest.h>

#include <vector>

namespace masugata::dataplane {
namespace {

constexpr uint8_t kSyn = net::kTcpSyn;
constexpr uint8_t kAck = net::kTcpAck;
constexpr uint8_t kFin = net::kTcpFin;
constexpr uint8_t kRst = net::kTcpRst;
constexpr Direction kClient = Direction::Original;
constexpr Direction kServer = Direction::Reply;

// Two ends whose sequence numbers are written relative to their initial ones. The parameter is the
// client's initial number; the server's is a fixed distance away. Both near the wrap, too.
class TcpTrackerTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  TcpSegment segment(Direction direction, uint8_t flags, uint32_t sequence,
                     uint32_t acknowledgement, uint32_t payload_bytes = 0) const {
    const bool from_client = direction == kClient;
    TcpSegment result;
    result.flags = flags;
    result.sequence = (from_client ? client_ : server_) + sequence;
    if ((flags & kAck) != 0) {
      result.acknowledgement = (from_client ? server_ : client_) + acknowledgement;
    }
    result.payload_bytes = payload_bytes;
    result.window = window_;
    if ((flags & kSyn) != 0) {
      result.window_scale = from_client ? client_scale_ : server_scale_;
    }
    return result;
  }
  // Sends a segment and moves the state, as the table's caller does.
  TrackResult send(Direction direction, uint8_t flags, uint32_t sequence,
                   uint32_t acknowledgement = 0, uint32_t payload_bytes = 0) {
    const TrackResult result = track_tcp(
        session_, direction, segment(direction, flags, sequence, acknowledgement, payload_bytes),
        settings_, now_ms_);
    if (result.action == TrackAction::Forward) session_.state = result.state;
    return result;
  }
  void open() {
    session_ = Session{};
    const TcpSegment syn = segment(kClient, kSyn, 0, 0);
    session_.state = classify_tcp_opening(syn, settings_).state;
    start_tcp(session_, syn);
  }
  void establish() {
    open();
    send(kServer, kSyn | kAck, 0, 1);
    send(kClient, kAck, 1, 1);
    ASSERT_EQ(session_.state, ProtocolState::TcpEstablished);
  }
  void expect_forward(const TrackResult& result, ProtocolState state) const {
    EXPECT_EQ(result.action, TrackAction::Forward);
    EXPECT_EQ(result.reason, TrackReason::None);
    EXPECT_EQ(result.state, state) << name_of(result.state);
  }
  void expect_drop(const TrackResult& result, TrackReason reason) const {
    EXPECT_EQ(result.action, TrackAction::Drop);
    EXPECT_EQ(result.reason, reason);
  }
  void expect_challenge(const TrackResult& result, TrackReason reason) const {
    EXPECT_EQ(result.action, TrackAction::Challenge);
    EXPECT_EQ(result.reason, reason);
  }

  uint32_t client_ = GetParam();
  uint32_t server_ = GetParam() + 0x10000005U;
  uint16_t window_ = 10'000;
  uint8_t client_scale_ = kNoWindowScale;
  uint8_t server_scale_ = kNoWindowScale;
  uint32_t now_ms_ = 5000;
  TcpTrackingSettings settings_;
  Session session_;
};

INSTANTIATE_TEST_SUITE_P(InitialNumbers, TcpTrackerTest,
                         ::testing::Values(1000U, 0U, 0xffffffffU, 0xfffffff0U, 0x7ffffff0U,
                                           0xefffffffU));

// ---- opening ----

TEST_P(TcpTrackerTest, HandshakeDataAndOrderlyClose) {
  open();
  EXPECT_EQ(session_.state, ProtocolState::TcpSynSent);
  expect_forward(send(kServer, kSyn | kAck, 0, 1), ProtocolState::TcpSynReceived);
  expect_forward(send(kClient, kAck, 1, 1), ProtocolState::TcpEstablished);
  expect_forward(send(kClient, kAck, 1, 1, 500), ProtocolState::TcpEstablished);
  expect_forward(send(kServer, kAck, 1, 501, 1400), ProtocolState::TcpEstablished);
  expect_forward(send(kClient, kAck, 501, 1401), ProtocolState::TcpEstablished);
  expect_forward(send(kClient, kFin | kAck, 501, 1401), ProtocolState::TcpFinWait);
  expect_forward(send(kServer, kAck, 1401, 502), ProtocolState::TcpCloseWait);
  expect_forward(send(kServer, kAck, 1401, 502, 1000), ProtocolState::TcpCloseWait);
  expect_forward(send(kServer, kFin | kAck, 2401, 502), ProtocolState::TcpLastAck);
  expect_forward(send(kClient, kAck, 502, 2402), ProtocolState::TcpTimeWait);
}

TEST_P(TcpTrackerTest, WhatOpensAConnection) {
  struct Case {
    uint8_t flags;
    bool midstream;
    TrackAction action;
    TrackReason reason;
    ProtocolState state;
  };
  const std::vector<Case> cases{
      {kSyn, false, TrackAction::Forward, TrackReason::None, ProtocolState::TcpSynSent},
      {kSyn | kAck, false, TrackAction::Drop, TrackReason::NotAnOpening, ProtocolState::Free},
      {kAck, false, TrackAction::Drop, TrackReason::NotAnOpening, ProtocolState::Free},
      {kAck, true, TrackAction::Forward, TrackReason::None, ProtocolState::TcpEstablished},
      {kSyn | kAck, true, TrackAction::Drop, TrackReason::NotAnOpening, ProtocolState::Free},
      {kRst, true, TrackAction::Drop, TrackReason::NotAnOpening, ProtocolState::Free},
      {kFin | kAck, true, TrackAction::Drop, TrackReason::NotAnOpening, ProtocolState::Free},
      {0, true, TrackAction::Drop, TrackReason::InvalidFlags, ProtocolState::Free},
      {kSyn | kFin, true, TrackAction::Drop, TrackReason::InvalidFlags, ProtocolState::Free},
      {kSyn | kRst, true, TrackAction::Drop, TrackReason::InvalidFlags, ProtocolState::Free},
      {kFin, true, TrackAction::Drop, TrackReason::InvalidFlags, ProtocolState::Free},
  };
  for (const Case& one : cases) {
    const TrackResult result =
        classify_tcp_opening(segment(kClient, one.flags, 0, 0), {true, one.midstream});
    EXPECT_EQ(result.action, one.action) << int{one.flags};
    EXPECT_EQ(result.reason, one.reason) << int{one.flags};
    EXPECT_EQ(result.state, one.state) << int{one.flags};
  }
}

TEST_P(TcpTrackerTest, RetransmissionsOfTheHandshakePass) {
  open();
  expect_forward(send(kClient, kSyn, 0), ProtocolState::TcpSynSent);
  expect_forward(send(kServer, kSyn | kAck, 0, 1), ProtocolState::TcpSynReceived);
  expect_forward(send(kServer, kSyn | kAck, 0, 1), ProtocolState::TcpSynReceived);
  expect_forward(send(kClient, kSyn, 0), ProtocolState::TcpSynReceived);
  expect_forward(send(kClient, kAck, 1, 1), ProtocolState::TcpEstablished);
  // The last ACK got lost behind the gateway.
  expect_forward(send(kServer, kSyn | kAck, 0, 1), ProtocolState::TcpEstablished);
  expect_forward(send(kClient, kAck, 1, 1), ProtocolState::TcpEstablished);
}

TEST_P(TcpTrackerTest, AClientThatRestartsTriesWithNewNumbers) {
  open();
  expect_forward(send(kClient, kSyn, 777'777), ProtocolState::TcpSynSent);
  expect_drop(send(kServer, kSyn | kAck, 0, 1), TrackReason::InvalidAcknowledgement);
  expect_forward(send(kServer, kSyn | kAck, 0, 777'778), ProtocolState::TcpSynReceived);
  expect_forward(send(kClient, kAck, 777'778, 1), ProtocolState::TcpEstablished);
}

TEST_P(TcpTrackerTest, AServerWithSynCookiesMayAnswerAgainWithOtherNumbers) {
  open();
  expect_forward(send(kServer, kSyn | kAck, 0, 1), ProtocolState::TcpSynReceived);
  expect_forward(send(kServer, kSyn | kAck, 5'000'000, 1), ProtocolState::TcpSynReceived);
  expect_drop(send(kClient, kAck, 1, 1), TrackReason::InvalidAcknowledgement);
  expect_forward(send(kClient, kAck, 1, 5'000'001), ProtocolState::TcpEstablished);
}

TEST_P(TcpTrackerTest, TheHandshakeMustBeAcknowledgedExactly) {
  open();
  expect_drop(send(kServer, kSyn | kAck, 0, 2), TrackReason::InvalidAcknowledgement);
  expect_drop(send(kServer, kSyn | kAck, 0, 0), TrackReason::InvalidAcknowledgement);
  expect_drop(send(kClient, kAck, 1, 1), TrackReason::InvalidState);
  expect_drop(send(kClient, kSyn | kAck, 0, 1), TrackReason::InvalidState);
  expect_drop(send(kServer, kAck, 1, 1, 100), TrackReason::InvalidState);
  expect_forward(send(kServer, kSyn | kAck, 0, 1), ProtocolState::TcpSynReceived);
  // A flood that guesses does not become established.
  expect_drop(send(kClient, kAck, 1, 2), TrackReason::InvalidAcknowledgement);
  expect_drop(send(kClient, kAck, 1, 0), TrackReason::InvalidAcknowledgement);
  expect_drop(send(kClient, kAck, 1, 0U - 30'000U), TrackReason::InvalidAcknowledgement);
  EXPECT_EQ(session_.state, ProtocolState::TcpSynReceived);
  expect_forward(send(kClient, kAck, 1, 1), ProtocolState::TcpEstablished);
}

TEST_P(TcpTrackerTest, SimultaneousOpen) {
  open();
  expect_forward(send(kServer, kSyn, 0), ProtocolState::TcpSynReceived);
  expect_forward(send(kClient, kSyn | kAck, 0, 1), ProtocolState::TcpSynReceived);
  expect_forward(send(kServer, kSyn | kAck, 0, 1), ProtocolState::TcpEstablished);
  expect_forward(send(kClient, kAck, 1, 1, 10), ProtocolState::TcpEstablished);
  expect_forward(send(kServer, kAck, 1, 11, 10), ProtocolState::TcpEstablished);
}

TEST_P(TcpTrackerTest, DataInTheSyn) {
  session_ = Session{};
  TcpSegment syn = segment(kClient, kSyn, 0, 0, 300);
  session_.state = ProtocolState::TcpSynSent;
  start_tcp(session_, syn);
  expect_forward(send(kClient, kSyn, 0), ProtocolState::TcpSynSent);
  start_tcp(session_, syn);
  // The server took the SYN only, or the data as well (RFC 7413).
  const Session before = session_;
  expect_forward(send(kServer, kSyn | kAck, 0, 1), ProtocolState::TcpSynReceived);
  session_ = before;
  expect_forward(send(kServer, kSyn | kAck, 0, 301), ProtocolState::TcpSynReceived);
  expect_forward(send(kClient, kSyn, 0), ProtocolState::TcpSynReceived);
  expect_forward(send(kClient, kAck, 301, 1), ProtocolState::TcpEstablished);
}

TEST_P(TcpTrackerTest, AServerThatRemembersAnOldConnectionIsReset) {
  open();
  // It answers the SYN with an ACK of the old connection (RFC 9293 section 3.5.1).
  expect_forward(send(kServer, kAck, 900'000, 400'000), ProtocolState::TcpSynSent);
  expect_forward(send(kClient, kRst, 400'000), ProtocolState::TcpSynSent);
  expect_drop(send(kClient, kRst, 400'001), TrackReason::ResetOutOfWindow);
  expect_forward(send(kClient, kSyn, 0), ProtocolState::TcpSynSent);
  expect_forward(send(kServer, kSyn | kAck, 0, 1), ProtocolState::TcpSynReceived);
  expect_forward(send(kClient, kAck, 1, 1), ProtocolState::TcpEstablished);
}

// ---- windows ----

TEST_P(TcpTrackerTest, DataMustFitTheReceiversWindow) {
  establish();
  expect_forward(send(kClient, kAck, 1, 1, 10'000), ProtocolState::TcpEstablished);
  expect_drop(send(kClient, kAck, 10'001, 1, 1), TrackReason::InvalidSequence);
  expect_drop(send(kClient, kAck, 50'000, 1, 100), TrackReason::InvalidSequence);
  expect_drop(send(kClient, kAck, 0x80000001U, 1, 100), TrackReason::InvalidSequence);
  expect_forward(send(kServer, kAck, 1, 5001), ProtocolState::TcpEstablished);
  expect_forward(send(kClient, kAck, 10'001, 1, 5000), ProtocolState::TcpEstablished);
  // A FIN may follow a full window.
  expect_forward(send(kClient, kFin | kAck, 15'001, 1), ProtocolState::TcpFinWait);
}

TEST_P(TcpTrackerTest, RetransmissionsAndKeepAlivesPassOldDataDoesNot) {
  establish();
  for (uint32_t sent = 1; sent < 60'001; sent += 1000) {
    expect_forward(send(kClient, kAck, sent, 1, 1000), ProtocolState::TcpEstablished);
    expect_forward(send(kServer, kAck, 1, sent + 1000), ProtocolState::TcpEstablished);
  }
  expect_forward(send(kClient, kAck, 59'001, 1, 1000), ProtocolState::TcpEstablished);
  expect_forward(send(kClient, kAck, 60'000, 1, 0), ProtocolState::TcpEstablished);  // keep-alive
  expect_forward(send(kClient, kAck, 60'000, 1, 1), ProtocolState::TcpEstablished);
  expect_forward(send(kServer, kAck, 0, 60'001), ProtocolState::TcpEstablished);
  expect_drop(send(kClient, kAck, 48'001, 1, 1000), TrackReason::InvalidSequence);
}

TEST_P(TcpTrackerTest, AcknowledgementsMustBeOfWhatWasSent) {
  establish();
  expect_forward(send(kServer, kAck, 1, 1, 5000), ProtocolState::TcpEstablished);
  expect_forward(send(kClient, kAck, 1, 5001), ProtocolState::TcpEstablished);
  expect_drop(send(kClient, kAck, 1, 5002), TrackReason::InvalidAcknowledgement);
  expect_forward(send(kClient, kAck, 1, 2001), ProtocolState::TcpEstablished);  // reordered
  expect_drop(send(kClient, kAck, 1, 5001U - 65'537U), TrackReason::InvalidAcknowledgement);
  expect_drop(send(kClient, kAck, 1, 0x80000000U), TrackReason::InvalidAcknowledgement);
}

TEST_P(TcpTrackerTest, ScaledWindows) {
  client_scale_ = 7;
  server_scale_ = 2;
  establish();
  EXPECT_EQ(session_.tcp[0].window_scale, 7);
  EXPECT_EQ(session_.tcp[1].window_scale, 2);
  // Before the client's window is known in scaled form, only the SYN's holds; then 10,000 << 7.
  expect_forward(send(kServer, kAck, 1, 1, 1400), ProtocolState::TcpEstablished);
  const uint32_t to_client = 10'000U << 7U;
  expect_forward(send(kServer, kAck, to_client - 999, 1, 1000), ProtocolState::TcpEstablished);
  expect_drop(send(kServer, kAck, to_client + 1, 1, 1), TrackReason::InvalidSequence);
  const uint32_t to_server = 10'000U << 2U;
  expect_forward(send(kClient, kAck, to_server - 999, 1, 1000), ProtocolState::TcpEstablished);
  expect_drop(send(kClient, kAck, to_server + 1, 1, 1), TrackReason::InvalidSequence);
}

TEST_P(TcpTrackerTest, ScalingHoldsOnlyWhenBothOfferIt) {
  client_scale_ = 7;
  establish();
  EXPECT_EQ(session_.tcp[0].window_scale, 0);
  EXPECT_EQ(session_.tcp[0].max_window, 10'000);
  expect_forward(send(kServer, kAck, 1, 1, 10'000), ProtocolState::TcpEstablished);
  expect_drop(send(kServer, kAck, 10'001, 1, 1), TrackReason::InvalidSequence);
}

TEST_P(TcpTrackerTest, AnAnswerWithoutScalingAfterOneWithIt) {
  client_scale_ = 7;
  server_scale_ = 2;
  open();
  send(kServer, kSyn | kAck, 0, 1);
  server_scale_ = kNoWindowScale;
  expect_forward(send(kServer, kSyn | kAck, 9000, 1), ProtocolState::TcpSynReceived);
  EXPECT_EQ(session_.tcp[0].window_scale, 0);
  EXPECT_GE(session_.tcp[0].max_window, 10'000);
  EXPECT_LT(session_.tcp[0].max_window, 10'200);
}

TEST_P(TcpTrackerTest, AClosedWindowCanBeProbed) {
  establish();
  expect_forward(send(kClient, kAck, 1, 1, 10'000), ProtocolState::TcpEstablished);
  window_ = 0;
  expect_forward(send(kServer, kAck, 1, 10'001), ProtocolState::TcpEstablished);
  expect_forward(send(kClient, kAck, 10'001, 1, 1), ProtocolState::TcpEstablished);
  expect_drop(send(kClient, kAck, 10'002, 1, 1), TrackReason::InvalidSequence);
  expect_forward(send(kServer, kAck, 1, 10'001), ProtocolState::TcpEstablished);
  window_ = 10'000;
  expect_forward(send(kServer, kAck, 1, 10'001), ProtocolState::TcpEstablished);
  expect_forward(send(kClient, kAck, 10'001, 1, 5000), ProtocolState::TcpEstablished);
}

TEST_P(TcpTrackerTest, ALongTransferRunsThroughTheWrap) {
  window_ = 60'000;
  establish();
  constexpr uint32_t kStep = 50'000;
  uint32_t sent = 1;
  for (uint64_t total = 0; total < 9'000'000'000ULL; total += kStep) {
    const TrackResult data = send(kServer, kAck, sent, 1, kStep);
    sent += kStep;
    const TrackResult answer = send(kClient, kAck, 1, sent);
    ASSERT_EQ(data.reason, TrackReason::None) << total;
    ASSERT_EQ(answer.reason, TrackReason::None) << total;
  }
}

TEST_P(TcpTrackerTest, RefusedSegmentsLeaveNoTrace) {
  establish();
  const std::vector<TcpSegment> refused{
      segment(kClient, kAck, 900'000, 1, 1), segment(kClient, kAck, 1, 900'000),
      segment(kClient, kFin | kAck, 900'000, 1), segment(kClient, kRst, 900'000, 0),
      segment(kClient, 0, 1, 1)};
  for (const TcpSegment& one : refused) {
    const Session before = session_;
    EXPECT_EQ(track_tcp(session_, kClient, one, settings_, now_ms_).action, TrackAction::Drop);
    EXPECT_EQ(std::memcmp(&before.tcp, &session_.tcp, sizeof before.tcp), 0);
  }
}

TEST_P(TcpTrackerTest, NotStrictCountsButForwards) {
  settings_.strict = false;
  establish();
  const TrackResult data = send(kClient, kAck, 500'000, 1, 100);
  EXPECT_EQ(data.action, TrackAction::Forward);
  EXPECT_EQ(data.reason, TrackReason::InvalidSequence);
  const TrackResult answer = send(kServer, kAck, 1, 500'100);
  EXPECT_EQ(answer.action, TrackAction::Forward);
  const TrackResult reset = send(kClient, kRst, 3'000'000);
  EXPECT_EQ(reset.action, TrackAction::Forward);
  EXPECT_EQ(reset.reason, TrackReason::ResetOutOfWindow);
  EXPECT_EQ(session_.state, ProtocolState::TcpEstablished);
}

// ---- closing ----

TEST_P(TcpTrackerTest, SimultaneousClose) {
  establish();
  expect_forward(send(kClient, kFin | kAck, 1, 1), ProtocolState::TcpFinWait);
  expect_forward(send(kServer, kFin | kAck, 1, 1), ProtocolState::TcpLastAck);
  expect_forward(send(kClient, kAck, 2, 2), ProtocolState::TcpLastAck);
  expect_forward(send(kServer, kAck, 2, 2), ProtocolState::TcpTimeWait);
}

TEST_P(TcpTrackerTest, RetransmittedFins) {
  establish();
  expect_forward(send(kServer, kFin | kAck, 1, 1), ProtocolState::TcpFinWait);
  expect_forward(send(kServer, kFin | kAck, 1, 1), ProtocolState::TcpFinWait);
  expect_forward(send(kClient, kFin | kAck, 1, 2), ProtocolState::TcpLastAck);
  expect_forward(send(kServer, kFin | kAck, 1, 1), ProtocolState::TcpLastAck);
  expect_forward(send(kClient, kFin | kAck, 1, 2), ProtocolState::TcpLastAck);
  expect_forward(send(kServer, kAck, 2, 2), ProtocolState::TcpTimeWait);
  expect_forward(send(kClient, kFin | kAck, 1, 2), ProtocolState::TcpTimeWait);
  expect_forward(send(kServer, kAck, 2, 2), ProtocolState::TcpTimeWait);
}

TEST_P(TcpTrackerTest, NothingFollowsAFin) {
  establish();
  expect_forward(send(kClient, kFin | kAck, 1, 1, 10), ProtocolState::TcpFinWait);
  expect_drop(send(kClient, kAck, 12, 1, 10), TrackReason::InvalidSequence);
  expect_forward(send(kClient, kAck, 1, 1, 10), ProtocolState::TcpFinWait);
}

TEST_P(TcpTrackerTest, ASynReusesTheSessionAfterTimeWaitOrReset) {
  for (const ProtocolState state : {ProtocolState::TcpTimeWait, ProtocolState::TcpReset}) {
    establish();
    session_.state = state;
    EXPECT_EQ(send(kClient, kSyn, 5'000'000).action, TrackAction::Replace);
    EXPECT_EQ(send(kServer, kSyn, 5'000'000).action, TrackAction::Replace);
    expect_drop(send(kServer, kSyn | kAck, 5'000'000, 1), TrackReason::InvalidState);
  }
}

// ---- blind attacks ----

TEST_P(TcpTrackerTest, ResetsMustBeExact) {
  establish();
  expect_forward(send(kServer, kAck, 1, 1, 1000), ProtocolState::TcpEstablished);
  const Session before = session_;
  expect_drop(send(kServer, kRst, 1'000'000), TrackReason::ResetOutOfWindow);
  expect_drop(send(kServer, kRst, 0), TrackReason::ResetOutOfWindow);
  expect_drop(send(kServer, kRst, 20'000), TrackReason::ResetOutOfWindow);
  expect_challenge(send(kServer, kRst, 500), TrackReason::ResetInexact);
  EXPECT_EQ(session_.state, ProtocolState::TcpEstablished);
  // What the client expects next, or what the server sent last.
  expect_forward(send(kServer, kRst, 1), ProtocolState::TcpReset);
  session_ = before;
  expect_forward(send(kServer, kRst, 1001), ProtocolState::TcpReset);
}

TEST_P(TcpTrackerTest, AGenuineResetSurvivesTheChallenge) {
  establish();
  // Data that never came here lies between: the sender's number is ahead.
  expect_challenge(send(kServer, kRst, 3000), TrackReason::ResetInexact);
  const ChallengeAck challenge = challenge_for(session_, kServer);
  EXPECT_EQ(challenge.sequence, client_ + 1);
  EXPECT_EQ(challenge.acknowledgement, server_ + 1);
  // The sender knows no such connection and answers with the number it was shown.
  expect_forward(send(kServer, kRst, challenge.acknowledgement - server_), ProtocolState::TcpReset);
}

TEST_P(TcpTrackerTest, ASynInAConnectionIsChallenged) {
  establish();
  expect_challenge(send(kClient, kSyn, 900'000), TrackReason::UnexpectedSyn);
  EXPECT_EQ(session_.state, ProtocolState::TcpEstablished);
  // A client that restarted resets what it no longer knows and starts again.
  const ChallengeAck challenge = challenge_for(session_, kClient);
  expect_forward(send(kClient, kRst, challenge.acknowledgement - client_), ProtocolState::TcpReset);
  EXPECT_EQ(send(kClient, kSyn, 900'000).action, TrackAction::Replace);
}

TEST_P(TcpTrackerTest, ChallengesAreLimited) {
  establish();
  expect_challenge(send(kClient, kSyn, 900'000), TrackReason::UnexpectedSyn);
  expect_drop(send(kClient, kSyn, 900'000), TrackReason::UnexpectedSyn);
  expect_drop(send(kServer, kSyn | kAck, 900'000, 1), TrackReason::UnexpectedSyn);
  now_ms_ += 1000;
  expect_challenge(send(kServer, kSyn | kAck, 900'000, 1), TrackReason::UnexpectedSyn);
}

TEST_P(TcpTrackerTest, ARefusedConnection) {
  open();
  expect_drop(send(kServer, kRst, 0), TrackReason::ResetOutOfWindow);
  expect_drop(send(kServer, kRst | kAck, 0, 2), TrackReason::ResetOutOfWindow);
  expect_drop(send(kServer, kRst | kAck, 0, 0), TrackReason::ResetOutOfWindow);
  expect_forward(send(kServer, kRst | kAck, 0, 1), ProtocolState::TcpReset);
}

TEST_P(TcpTrackerTest, AScannerResetsTheHandshake) {
  open();
  send(kServer, kSyn | kAck, 0, 1);
  expect_drop(send(kClient, kRst, 0), TrackReason::ResetOutOfWindow);
  expect_forward(send(kClient, kRst, 1), ProtocolState::TcpReset);
}

TEST_P(TcpTrackerTest, TimeWaitIsNotAssassinated) {
  establish();
  session_.state = ProtocolState::TcpTimeWait;
  expect_forward(send(kClient, kRst, 1), ProtocolState::TcpTimeWait);
}

// ---- other beginnings ----

TEST_P(TcpTrackerTest, MidstreamPickUpIsNotHeldToWindows) {
  settings_.midstream = true;
  session_ = Session{};
  const TcpSegment first = segment(kClient, kAck, 100'000, 200'000, 1000);
  session_.state = classify_tcp_opening(first, settings_).state;
  start_tcp(session_, first);
  EXPECT_NE(session_.flags & kSessionMidstream, 0);
  EXPECT_EQ(send(kServer, kAck, 200'000, 101'000, 1400).action, TrackAction::Forward);
  EXPECT_EQ(send(kClient, kAck, 101'000, 230'000).action, TrackAction::Forward);  // unseen data
  EXPECT_EQ(send(kServer, kAck, 230'000, 101'000, 1400).action, TrackAction::Forward);
  EXPECT_EQ(send(kClient, kFin | kAck, 101'000, 231'400).state, ProtocolState::TcpFinWait);
  EXPECT_EQ(send(kServer, kFin | kAck, 231'400, 101'001).state, ProtocolState::TcpLastAck);
  EXPECT_EQ(send(kClient, kAck, 101'001, 231'401).state, ProtocolState::TcpTimeWait);
}

TEST_P(TcpTrackerTest, AProxiedHandshakeContinuesAsAnEstablishedConnection) {
  session_ = Session{};
  TcpSegment opener = segment(kClient, kAck, 1, 1);
  opener.window = 100;  // already scaled by 7
  server_scale_ = 3;
  start_proxied_tcp(session_, opener, 7, segment(kServer, kSyn | kAck, 0, 1));
  session_.state = ProtocolState::TcpEstablished;
  EXPECT_EQ(session_.tcp[0].max_window, 100);
  EXPECT_EQ(session_.tcp[0].window_scale, 7);
  EXPECT_EQ(session_.tcp[1].window_scale, 3);
  window_ = 1000;
  expect_forward(send(kServer, kAck, 1, 1, 12'800), ProtocolState::TcpEstablished);
  expect_drop(send(kServer, kAck, 12'801, 1, 1), TrackReason::InvalidSequence);
  expect_forward(send(kClient, kAck, 1, 12'801, 500), ProtocolState::TcpEstablished);
}

// ---- reading ----

TEST(ReadTcpSegment, ReadsOptionsOfASyn) {
  const std::vector<uint8_t> header{0x04, 0x01, 0x00, 0x50, 0x11, 0x22, 0x33, 0x44, 0xaa, 0xbb,
                                    0xcc, 0xdd, 0xa0, 0x02, 0x12, 0x34, 0,    0,    0,    0,
                                    2,    4,    0x05, 0xb4, 4,    2,    8,    10,   0,    0,
                                    0,    1,    0,    0,    0,    0,    1,    3,    3,    20};
  TcpSegment segment = read_tcp_segment(header.data(), header.size(), 7);
  EXPECT_EQ(segment.sequence, 0x11223344U);
  EXPECT_EQ(segment.acknowledgement, 0xaabbccddU);
  EXPECT_EQ(segment.window, 0x1234);
  EXPECT_EQ(segment.flags, kSyn);
  EXPECT_EQ(segment.payload_bytes, 7U);
  EXPECT_EQ(segment.length(), 8U);
  EXPECT_EQ(segment.maximum_segment_size, 1460);
  EXPECT_TRUE(segment.sack_permitted);
  EXPECT_EQ(segment.window_scale, 14);  // 20 is cut (RFC 7323 section 2.3)

  std::vector<uint8_t> without = header;
  without[13] = kAck;
  segment = read_tcp_segment(without.data(), without.size(), 0);
  EXPECT_EQ(segment.window_scale, kNoWindowScale);
}

TEST(ReadTcpSegment, StopsAtMalformedOptions) {
  for (size_t options = 0; options <= 40; options += 4) {
    for (const uint8_t length : std::initializer_list<uint8_t>{0, 1, 2, 3, 40, 255}) {
      // Exactly as long as the header, so that a reader that runs over is caught.
      std::vector<uint8_t> header(20 + options, 3);
      header[13] = kSyn;
      for (size_t at = 21; at < header.size(); at += 2) header[at] = length;
      const TcpSegment segment = read_tcp_segment(header.data(), header.size(), 0);
      EXPECT_TRUE(segment.window_scale == kNoWindowScale || segment.window_scale <= 14);
    }
  }
}

}  // namespace
}  // namespace masugata::dataplane
