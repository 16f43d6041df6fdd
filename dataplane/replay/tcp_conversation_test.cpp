// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/tcp_conversation.h"

#include <gtest/gtest.h>

#include "net/headers/transport.h"

namespace masugata::dataplane {
namespace {

using ids::Direction;
using net::kTcpAck;
using net::kTcpRst;
using net::kTcpSyn;

StreamSegment segment_of(uint8_t flags, uint32_t sequence, uint32_t acknowledgement) {
  StreamSegment segment;
  segment.flags = flags;
  segment.sequence = sequence;
  segment.acknowledgement = acknowledgement;
  return segment;
}

constexpr uint8_t kSynAck = kTcpSyn | kTcpAck;

void shake_hands(TcpConversation& conversation) {
  EXPECT_TRUE(conversation.judge(Direction::ToServer, segment_of(kTcpSyn, 100, 0)).take);
  EXPECT_TRUE(conversation.judge(Direction::ToClient, segment_of(kSynAck, 500, 101)).take);
  EXPECT_FALSE(conversation.established());
  EXPECT_TRUE(conversation.judge(Direction::ToServer, segment_of(kTcpAck, 101, 501)).take);
}

TEST(TcpConversation, IsEstablishedByThreeSegments) {
  TcpConversation conversation({});
  shake_hands(conversation);
  EXPECT_TRUE(conversation.established());
  EXPECT_FALSE(conversation.midstream());
}

TEST(TcpConversation, DoesNotBelieveAnAnswerToAnotherSyn) {
  TcpConversation conversation({});
  static_cast<void>(conversation.judge(Direction::ToServer, segment_of(kTcpSyn, 100, 0)));
  const auto judgement = conversation.judge(Direction::ToClient, segment_of(kSynAck, 500, 777));
  EXPECT_FALSE(judgement.take);
  EXPECT_EQ(judgement.event, ConversationEvent::SynAckWithWrongAck);
}

TEST(TcpConversation, TakesTheSynThatIsAnswered) {
  TcpConversation conversation({});
  EXPECT_TRUE(conversation.judge(Direction::ToServer, segment_of(kTcpSyn, 100, 0)).take);
  EXPECT_FALSE(conversation.judge(Direction::ToServer, segment_of(kTcpSyn, 900, 0)).take);
  const auto judgement = conversation.judge(Direction::ToClient, segment_of(kSynAck, 500, 901));
  ASSERT_TRUE(judgement.other_syn.has_value());
  EXPECT_EQ(judgement.other_syn->sequence, 900U);
}

TEST(TcpConversation, NamesAFloodOfSyns) {
  TcpConversation conversation({});
  for (uint32_t number = 0; number < TcpConversation::kMaximumSyns; ++number) {
    EXPECT_EQ(conversation.judge(Direction::ToServer, segment_of(kTcpSyn, number * 10, 0)).event,
              ConversationEvent::None);
  }
  EXPECT_EQ(conversation.judge(Direction::ToServer, segment_of(kTcpSyn, 5000, 0)).event,
            ConversationEvent::SynFlood);
}

TEST(TcpConversation, CountsARepeatedSynIntoAFloodUnlessItIsTheSameSegment) {
  TcpConversation conversation({});
  StreamSegment last;
  for (uint32_t number = 0; number < TcpConversation::kMaximumSyns; ++number) {
    last = segment_of(kTcpSyn, number * 10, 0);
    last.timestamp_value = 7;
    static_cast<void>(conversation.judge(Direction::ToServer, last));
  }
  EXPECT_EQ(conversation.judge(Direction::ToServer, last).event, ConversationEvent::None);
  last.timestamp_value = 1031;
  EXPECT_EQ(conversation.judge(Direction::ToServer, last).event, ConversationEvent::SynFlood);
}

TEST(TcpConversation, TakesMidstreamOnlyWhenAsked) {
  TcpConversation strict({});
  EXPECT_FALSE(strict.judge(Direction::ToServer, segment_of(kTcpAck, 1, 1)).take);
  EXPECT_FALSE(strict.established());
  TcpConversation lenient({.midstream = true});
  const auto judgement = lenient.judge(Direction::ToServer, segment_of(kTcpAck, 1, 1));
  EXPECT_TRUE(judgement.take);
  EXPECT_TRUE(judgement.picked_up);
  EXPECT_TRUE(lenient.midstream());
}

TEST(TcpConversation, TurnsRoundWhatBeginsWithTheServer) {
  TcpConversation conversation({.midstream = true});
  EXPECT_TRUE(conversation.judge(Direction::ToServer, segment_of(kSynAck, 500, 101)).flipped);
}

TEST(TcpConversation, NeedsTheServerOnlyWhenTheCaptureHasBothSides) {
  for (const bool one_sided : {false, true}) {
    TcpConversation conversation({.one_sided = one_sided});
    static_cast<void>(conversation.judge(Direction::ToServer, segment_of(kTcpSyn, 100, 0)));
    EXPECT_EQ(conversation.judge(Direction::ToServer, segment_of(kTcpAck, 101, 501)).take,
              one_sided);
  }
}

TEST(TcpConversation, SuspectsAResetAfterWhichItsSenderGoesOn) {
  TcpConversation conversation({});
  shake_hands(conversation);
  static_cast<void>(conversation.judge(Direction::ToServer, segment_of(kTcpRst, 101, 0)));
  uint8_t byte = 0;
  StreamSegment more = segment_of(kTcpAck, 101, 501);
  more.payload = {&byte, 1};
  EXPECT_EQ(conversation.judge(Direction::ToServer, more).event, ConversationEvent::SuspectedReset);
  EXPECT_EQ(conversation.judge(Direction::ToServer, more).event, ConversationEvent::None);
}

}  // namespace
}  // namespace masugata::dataplane
