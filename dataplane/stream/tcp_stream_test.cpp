// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes: order, repetition, overlap, gaps, acknowledgement, memory.
#include "dataplane/stream/tcp_stream.h"

#include <gtest/gtest.h>

#include "dataplane/stream/test_connection.h"

namespace masugata::dataplane {
namespace {

class TcpStreamTest : public ::testing::Test {
 protected:
  void SetUp() override { connection.handshake(); }
  TestConnection connection;
};

TEST_F(TcpStreamTest, ReadsBothDirectionsInOrder) {
  EXPECT_EQ(connection.to_server(0, "GET /").read, "GET /");
  EXPECT_EQ(connection.to_server(5, " HTTP").read, " HTTP");
  EXPECT_EQ(connection.data(kToClient, 0, "200").read, "200");
  EXPECT_EQ(connection.server_reads(), "GET / HTTP");
  EXPECT_EQ(connection.client_reads(), "200");
  EXPECT_EQ(connection.pair->stream_bytes(kToServer), 10U);
  EXPECT_EQ(connection.pair->counters(kToServer).readable_bytes, 10U);
}

TEST_F(TcpStreamTest, HoldsBackNothingButReadsInOrder) {
  const Passed ahead = connection.to_server(5, "fghij");
  EXPECT_EQ(ahead.result.fate, SegmentFate::Forward);
  EXPECT_FALSE(ahead.result.in_order_bytes);
  EXPECT_EQ(ahead.read, "");
  EXPECT_EQ(connection.pair->stream_bytes(kToServer), 10U);
  EXPECT_EQ(connection.to_server(0, "abcde").read, "abcdefghij");
}

TEST_F(TcpStreamTest, LeavesAnHonestRepetitionAlone) {
  connection.to_server(0, "abcde");
  const Passed again = connection.to_server(0, "abcde");
  EXPECT_EQ(again.result.fate, SegmentFate::Forward);
  EXPECT_TRUE(again.result.overlapped);
  EXPECT_FALSE(again.result.overlap_differed);
  EXPECT_TRUE(again.result.events.has(StreamEvent::Retransmission));
  EXPECT_EQ(connection.server_reads(), "abcde");
}

TEST_F(TcpStreamTest, RewritesARepetitionWithOtherContent) {
  connection.to_server(0, "abcde");
  const Passed again = connection.to_server(0, "aXcYe");
  EXPECT_EQ(again.result.fate, SegmentFate::ForwardChanged);
  EXPECT_EQ(again.payload, "abcde");
  EXPECT_TRUE(again.result.overlap_differed);
  EXPECT_TRUE(again.result.events.has(StreamEvent::OverlapDifferentData));
  EXPECT_EQ(connection.pair->counters(kToServer).rewritten_bytes, 2U);
  EXPECT_EQ(connection.server_reads(), "abcde");
}

TEST_F(TcpStreamTest, RewritesTheFrontOfALongerRepetition) {
  connection.to_server(0, "abcde");
  const Passed longer = connection.to_server(2, "XXXfg");
  EXPECT_EQ(longer.payload, "cdefg");
  EXPECT_EQ(longer.read, "fg");
}

TEST_F(TcpStreamTest, RewritesTheBackOfWhatClosesAGap) {
  connection.to_server(3, "def");
  const Passed closing = connection.to_server(0, "abcXX");
  EXPECT_EQ(closing.payload, "abcde");
  EXPECT_EQ(closing.read, "abcdef");
}

TEST_F(TcpStreamTest, RewritesTheMiddleOfWhatSurroundsPieces) {
  connection.to_server(2, "c");
  connection.to_server(4, "e");
  const Passed whole = connection.to_server(0, "abXdYfg");
  EXPECT_EQ(whole.payload, "abcdefg");
  EXPECT_EQ(whole.read, "abcdefg");
}

TEST_F(TcpStreamTest, TakesTheFirstOfPiecesAhead) {
  connection.to_server(4, "efgh");
  EXPECT_EQ(connection.to_server(2, "cdXX").payload, "cdef");  // its back
  EXPECT_EQ(connection.to_server(6, "YYij").payload, "ghij");  // its front
  EXPECT_EQ(connection.to_server(1, "bZZZZZZZZk").payload, "bcdefghijk");
  EXPECT_EQ(connection.to_server(0, "a").read, "abcdefghijk");
}

TEST_F(TcpStreamTest, ReadsFromAnyNumberOfPieces) {
  std::string expected = "a";
  for (int index = 1; index < 100; ++index) {
    const char letter = static_cast<char>('a' + index % 26);
    expected += letter;
    expected += letter;
    connection.to_server(2 * (100 - index) - 1,
                         std::string(2, static_cast<char>('a' + (100 - index) % 26)));
  }
  EXPECT_EQ(connection.to_server(0, "a").read, expected);
}

TEST_F(TcpStreamTest, WrapsAround) {
  TestConnection wrapping;
  wrapping.first[0] = 0xfffffffbU;
  wrapping.first[1] = 0xffffffffU;
  wrapping.handshake();
  wrapping.to_server(8, "ijkl");
  wrapping.to_server(0, "abcd");
  EXPECT_EQ(wrapping.to_server(2, "XXefgh").payload, "cdefgh");
  EXPECT_EQ(wrapping.server_reads(), "abcdefghijkl");
  wrapping.acknowledge(kToServer, 12);
  EXPECT_EQ(wrapping.to_server(12, "m").read, "m");
  EXPECT_EQ(wrapping.data(kToClient, 0, "0123").read, "0123");
}

TEST_F(TcpStreamTest, GoesRoundTheWholeNumberSpace) {
  StreamSettings settings;
  TestConnection long_lived(settings, 4U << 20U);
  long_lived.scale = 14;
  long_lived.handshake();
  const std::string chunk(60000, 'x');
  uint64_t position = 0;
  while (position < (uint64_t{1} << 32U) + 1000000) {
    StreamSegment made = long_lived.segment(kToServer, static_cast<int64_t>(position));
    std::string bytes = chunk;
    made.payload = {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()};
    const SegmentResult result = long_lived.pair->accept(kToServer, made);
    ASSERT_EQ(result.fate, SegmentFate::Forward) << position;
    ASSERT_TRUE(result.in_order_bytes);
    long_lived.pair->commit(result);
    position += chunk.size();
    long_lived.acknowledge(kToServer, static_cast<uint32_t>(position));
  }
  EXPECT_EQ(long_lived.pair->stream_bytes(kToServer), position);
}

TEST_F(TcpStreamTest, RefusesWithoutRemembering) {
  connection.to_server(3, "def");
  const Passed refused = connection.pass(kToServer, connection.segment(kToServer, 0), "EVI", false);
  EXPECT_EQ(refused.read, "EVIdef");
  EXPECT_EQ(connection.server_reads(), "");
  EXPECT_EQ(connection.to_server(0, "abc").payload, "abc");
  EXPECT_EQ(connection.server_reads(), "abcdef");
}

TEST_F(TcpStreamTest, RefusesAPieceAhead) {
  connection.pass(kToServer, connection.segment(kToServer, 3), "EVI", false);
  EXPECT_EQ(connection.blocks_used(), 0U);
  EXPECT_EQ(connection.to_server(0, "abcdef").payload, "abcdef");
  EXPECT_EQ(connection.server_reads(), "abcdef");
}

TEST_F(TcpStreamTest, KeepsUntilAcknowledged) {
  connection.to_server(0, "abcde");
  connection.acknowledge(kToServer, 3);
  // Stale bytes are blanked, kept ones set right.
  EXPECT_EQ(connection.to_server(0, "VWXYZ").payload, std::string("\0\0\0de", 5));
  connection.acknowledge(kToServer, 5);
  EXPECT_EQ(connection.blocks_used(), 0U);
  const Passed stale = connection.to_server(0, "VWXYZ");
  EXPECT_EQ(stale.result.fate, SegmentFate::ForwardChanged);
  EXPECT_EQ(stale.payload, std::string(5, '\0'));
  EXPECT_FALSE(stale.result.overlap_differed);
  EXPECT_EQ(connection.pair->counters(kToServer).stale_bytes, 8U);
  EXPECT_EQ(connection.server_reads(), "abcde");
}

TEST_F(TcpStreamTest, DoesNotForgetWhatIsNotAcknowledged) {
  connection.to_server(0, "abcde");
  connection.acknowledge(kToServer, 5);
  connection.acknowledged[0] = 2;  // an old acknowledgement comes late
  connection.data(kToClient, 0, "");
  connection.to_server(5, "fgh");
  EXPECT_EQ(connection.to_server(5, "XXX").payload, "fgh");
}

TEST_F(TcpStreamTest, DoesNotBelieveAnAcknowledgementOfTheUnsent) {
  connection.to_server(0, "abc");
  const Passed early = connection.acknowledge(kToServer, 10);
  EXPECT_EQ(early.result.fate, SegmentFate::Drop);
  EXPECT_EQ(early.result.problem, SegmentProblem::AckOfUnsent);
  EXPECT_TRUE(early.result.events.has(StreamEvent::InvalidAck));
  connection.acknowledged[0] = 0;
  EXPECT_EQ(connection.to_server(0, "XYZdef").payload, "abcdef");
}

TEST_F(TcpStreamTest, DoesNotBelieveAnAcknowledgementAcrossAGap) {
  connection.to_server(3, "def");
  EXPECT_EQ(connection.acknowledge(kToServer, 6).result.problem, SegmentProblem::AckOfUnsent);
}

TEST_F(TcpStreamTest, DropsDataWithAWrongAcknowledgement) {
  connection.data(kToClient, 0, "hello");
  StreamSegment ahead = connection.segment(kToServer, 0);
  ahead.acknowledgement += 100;
  EXPECT_EQ(connection.pass(kToServer, ahead, "decoy").result.problem, SegmentProblem::AckOfUnsent);
  connection.acknowledged[1] = 5;
  connection.to_server(0, "");
  StreamSegment old = connection.segment(kToServer, 0);
  old.acknowledgement -= 200000;
  EXPECT_EQ(connection.pass(kToServer, old, "decoy").result.problem, SegmentProblem::AckTooOld);
  EXPECT_EQ(connection.to_server(0, "truth").payload, "truth");
}

TEST_F(TcpStreamTest, AnswersKeepAlives) {
  connection.to_server(0, "abc");
  connection.acknowledge(kToServer, 3);
  const Passed empty = connection.to_server(2, "");
  EXPECT_EQ(empty.result.fate, SegmentFate::Forward);
  const Passed garbage = connection.to_server(2, "Z");
  EXPECT_EQ(garbage.result.fate, SegmentFate::ForwardChanged);
  EXPECT_EQ(garbage.payload, std::string(1, '\0'));
  EXPECT_FALSE(garbage.result.events.has(StreamEvent::Retransmission));
  EXPECT_EQ(connection.to_server(3, "d").read, "d");
}

TEST_F(TcpStreamTest, KeepAliveBeforeAnyData) {
  EXPECT_EQ(connection.to_server(-1, "Z").payload, std::string(1, '\0'));
  EXPECT_EQ(connection.to_server(-1, "Zab").read, "ab");
}

TEST_F(TcpStreamTest, AtRestHoldsNoMemory) {
  connection.to_server(0, std::string(30000, 'x'));
  connection.data(kToClient, 0, std::string(30000, 'y'));
  EXPECT_GT(connection.blocks_used(), 14U);
  connection.acknowledge(kToServer, 30000);
  connection.acknowledge(kToClient, 30000);
  EXPECT_EQ(connection.blocks_used(), 0U);
}

TEST_F(TcpStreamTest, GivesAllMemoryBackAtTheEnd) {
  connection.to_server(0, std::string(30000, 'x'));
  connection.to_server(40000, "ahead");
  connection.pair.reset();
  EXPECT_EQ(connection.blocks_used(), 0U);
}

// ---- bounds ----

StreamSettings small_span() {
  StreamSettings settings;
  settings.span_bytes = 8192;
  settings.pieces_ahead = 4;
  return settings;
}

TEST(TcpStreamBoundTest, SaysWhenAFlowHasTooMuch) {
  TestConnection connection(small_span());
  connection.handshake();
  connection.to_server(0, std::string(8000, 'x'));
  const Passed refused =
      connection.pass(kToServer, connection.segment(kToServer, 8000), std::string(400, 'y'), false);
  EXPECT_EQ(refused.result.fate, SegmentFate::NoMemory);
  EXPECT_TRUE(refused.result.events.has(StreamEvent::InsertLimit));
  EXPECT_FALSE(refused.result.payload_changed);
  const Passed both =
      connection.pass(kToServer, connection.segment(kToServer, 7999), std::string(400, 'y'), false);
  EXPECT_EQ(both.result.fate, SegmentFate::NoMemory);
  EXPECT_TRUE(both.result.payload_changed);
  connection.acknowledge(kToServer, 8000);
  EXPECT_EQ(connection.to_server(8000, std::string(400, 'y')).result.fate, SegmentFate::Forward);
}

TEST(TcpStreamBoundTest, GoesOnUnkeptWhenToldSo) {
  TestConnection connection(small_span());
  connection.handshake();
  connection.to_server(0, std::string(8000, 'x'));
  const Passed unkept = connection.to_server(8000, std::string(400, 'y'));
  EXPECT_EQ(unkept.result.fate, SegmentFate::NoMemory);
  EXPECT_EQ(unkept.read, std::string(400, 'y'));
  EXPECT_EQ(connection.pair->counters(kToServer).unkept_bytes, 400U);
  // What cannot be compared is said to be so again.
  EXPECT_EQ(connection.to_server(8000, "zzz").result.fate, SegmentFate::NoMemory);
  EXPECT_EQ(connection.to_server(8400, "more").read, "more");
  connection.acknowledge(kToServer, 8404);
  EXPECT_EQ(connection.to_server(8404, "end").result.fate, SegmentFate::Forward);
}

TEST(TcpStreamBoundTest, ReportsWhatPassedUnkeptBehindAGap) {
  TestConnection connection(small_span());
  connection.handshake();
  const Passed far = connection.to_server(9000, "far");
  EXPECT_EQ(far.result.fate, SegmentFate::NoMemory);
  connection.to_server(0, std::string(8000, 'x'));
  connection.acknowledge(kToServer, 8000);
  connection.to_server(8000, std::string(1000, 'x'));
  const Passed revealed = connection.acknowledge(kToServer, 9003);
  EXPECT_EQ(revealed.result.missing, 3U);
  EXPECT_TRUE(revealed.result.events.has(StreamEvent::SequenceGap));
  EXPECT_EQ(connection.server_reads(), std::string(9000, 'x') + "???");
  EXPECT_EQ(connection.to_server(9003, "on").read, "on");
}

TEST(TcpStreamBoundTest, BoundsThePiecesAhead) {
  TestConnection connection(small_span());
  connection.handshake();
  for (int index = 1; index <= 4; ++index) {
    ASSERT_EQ(connection.to_server(10 * index, "x").result.fate, SegmentFate::Forward);
  }
  const auto fifth = connection.segment(kToServer, 50);
  EXPECT_EQ(connection.pass(kToServer, fifth, "x", false).result.fate, SegmentFate::NoMemory);
  // One that joins an existing piece needs no further one.
  EXPECT_EQ(connection.to_server(41, "y").result.fate, SegmentFate::Forward);
}

TEST(TcpStreamBoundTest, SharesOneRegionAmongAll) {
  TestConnection connection({}, 2 * kStreamBlockBytes);
  connection.handshake();
  connection.to_server(0, std::string(5000, 'x'));
  TcpStreamPair second(connection.memory, connection.settings);
  EXPECT_EQ(connection.memory.free_blocks(), 0U);
  const auto more = connection.segment(kToServer, 5000);
  EXPECT_EQ(connection.pass(kToServer, more, std::string(5000, 'x'), false).result.fate,
            SegmentFate::NoMemory);
  connection.acknowledge(kToServer, 5000);
  EXPECT_EQ(connection.memory.free_blocks(), 2U);
  EXPECT_EQ(connection.to_server(5000, std::string(3000, 'x')).result.fate, SegmentFate::Forward);
}

TEST(TcpStreamBoundTest, UsesTheWholeSpan) {
  StreamSettings settings;
  settings.span_bytes = kMaximumSpanBytes;
  TestConnection connection(settings, 8U << 20U);
  connection.scale = 14;
  connection.handshake();
  connection.acknowledge(kToServer, 0);  // the window of the SYN was not scaled
  int64_t position = 0;
  const std::string chunk(60000, 'q');
  while (position + 60000 <= kMaximumSpanBytes) {
    ASSERT_EQ(connection.to_server(position, chunk).result.fate, SegmentFate::Forward);
    position += 60000;
  }
  EXPECT_EQ(connection.to_server(0, std::string(60000, 'Z')).payload, chunk);
  EXPECT_EQ(
      connection.pass(kToServer, connection.segment(kToServer, position), chunk, false).result.fate,
      SegmentFate::NoMemory);
}

}  // namespace
}  // namespace masugata::dataplane
