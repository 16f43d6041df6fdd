// SPDX-License-Identifier: GPL-2.0-or-later
// Everything but the bytes: SYN, FIN, RST, URG, windows, timestamps, flags, signatures.
#include <gtest/gtest.h>

#include "dataplane/stream/test_connection.h"

namespace masugata::dataplane {
namespace {

SegmentProblem problem_of(const Passed& passed) {
  EXPECT_EQ(passed.result.fate == SegmentFate::Drop, passed.result.problem != SegmentProblem::None);
  return passed.result.problem;
}

class StreamRulesTest : public ::testing::Test {
 protected:
  void SetUp() override { connection.handshake(); }
  Passed flagged(ids::Direction direction, int64_t position, uint8_t flags,
                 std::string_view text = "") {
    StreamSegment made = connection.segment(direction, position);
    made.flags = flags;
    return connection.pass(direction, made, text);
  }
  TestConnection connection;
};

// ---- SYN ----

TEST(StreamSynTest, NothingBeforeTheHandshake) {
  TestConnection connection;
  EXPECT_EQ(problem_of(connection.to_server(0, "evil")), SegmentProblem::NotSynchronized);
  EXPECT_EQ(connection.to_server(0, "").result.fate, SegmentFate::Forward);  // a stray ACK
  connection.syn(kToServer, false);
  EXPECT_EQ(problem_of(connection.to_server(0, "evil")), SegmentProblem::NotSynchronized);
  EXPECT_EQ(connection.data(kToClient, 77, "").result.fate, SegmentFate::Forward);
  EXPECT_EQ(problem_of(connection.data(kToClient, 0, "evil")), SegmentProblem::NotSynchronized);
  connection.syn(kToClient, true);
  EXPECT_EQ(connection.to_server(0, "good").read, "good");
}

TEST(StreamSynTest, ReadsDataInASyn) {
  TestConnection connection;
  EXPECT_EQ(connection.syn(kToServer, false, "early").read, "early");
  connection.syn(kToClient, true);
  // The server did not take it: the client sends it again, and may not change its mind.
  EXPECT_EQ(connection.to_server(0, "ELELY+").payload, "early+");
  EXPECT_EQ(connection.server_reads(), "early+");
}

TEST(StreamSynTest, DropsDataInASynWhenToldSo) {
  StreamSettings settings;
  settings.syn_data = SynDataPolicy::Drop;
  TestConnection connection(settings);
  EXPECT_EQ(problem_of(connection.syn(kToServer, false, "early")), SegmentProblem::SynData);
  connection.handshake();
  EXPECT_EQ(connection.to_server(0, "late").read, "late");
}

TEST(StreamSynTest, TheAnswerChoosesBetweenTwoSyns) {
  for (const bool second : {false, true}) {
    TestConnection connection;
    connection.first[0] = 1001;
    connection.syn(kToServer, false);
    connection.first[0] = 1006;
    EXPECT_EQ(connection.syn(kToServer, false).result.fate, SegmentFate::Forward);
    connection.first[0] = 4001;
    EXPECT_EQ(problem_of(connection.syn(kToServer, false)), SegmentProblem::SynMismatch);
    connection.first[0] = second ? 1006 : 1001;
    connection.syn(kToClient, true);
    EXPECT_EQ(connection.to_server(0, "abc").read, "abc");
  }
}

TEST(StreamSynTest, TheClientChoosesBetweenTwoAnswers) {
  for (const bool second : {false, true}) {
    TestConnection connection;
    connection.syn(kToServer, false);
    connection.first[1] = 5001;
    connection.syn(kToClient, true);
    connection.first[1] = 5006;
    connection.syn(kToClient, true);
    // Which bytes these are nobody can say yet.
    EXPECT_EQ(problem_of(connection.data(kToClient, 0, "evil")), SegmentProblem::NotSynchronized);
    connection.first[1] = second ? 5006 : 5001;
    connection.to_server(0, "");
    EXPECT_EQ(connection.data(kToClient, 0, "abc").read, "abc");
  }
}

TEST(StreamSynTest, AnswersToNothingAreDropped) {
  TestConnection connection;
  connection.syn(kToServer, false);
  connection.acknowledged[0] = 50;
  EXPECT_EQ(problem_of(connection.syn(kToClient, true)), SegmentProblem::AckOfUnsent);
  connection.acknowledged[0] = 0;
  EXPECT_EQ(connection.syn(kToClient, true).result.fate, SegmentFate::Forward);
}

TEST_F(StreamRulesTest, ASynInsideAConnectionIsNoData) {
  connection.to_server(0, "abc");
  const Passed syn = flagged(kToServer, 3, net::kTcpSyn, "decoy");
  EXPECT_EQ(problem_of(syn), SegmentProblem::SynMismatch);
  EXPECT_TRUE(syn.result.events.has(StreamEvent::SynResendDifferent));
  EXPECT_EQ(connection.to_server(3, "truth").read, "truth");
  EXPECT_FALSE(syn.result.reopens);
}

TEST_F(StreamRulesTest, ASynOverAClosedConnectionReopens) {
  flagged(kToServer, 0, net::kTcpRst);
  connection.first[0] += 100000;
  EXPECT_TRUE(connection.syn(kToServer, false).result.reopens);
}

TEST_F(StreamRulesTest, RepeatedSynsChangeNothing) {
  connection.to_server(0, "abc");
  connection.scale = 14;
  EXPECT_EQ(connection.syn(kToServer, false).result.fate, SegmentFate::Forward);
  EXPECT_EQ(connection.to_server(3, "d").read, "d");
}

TEST_F(StreamRulesTest, ARepeatedSynBringsNoData) {
  EXPECT_EQ(problem_of(connection.syn(kToServer, false, "decoy")), SegmentProblem::SynMismatch);
  EXPECT_EQ(connection.to_server(0, "truth").read, "truth");
}

// ---- FIN ----

TEST_F(StreamRulesTest, EndsWithTheFin) {
  const Passed last = connection.to_server(0, "bye", net::kTcpFin);
  EXPECT_TRUE(last.result.ended);
  EXPECT_EQ(last.read, "bye");
  connection.acknowledge(kToServer, 4);
  EXPECT_EQ(connection.blocks_used(), 0U);
  EXPECT_FALSE(connection.pair->is_closed());
  EXPECT_TRUE(connection.data(kToClient, 0, "", net::kTcpFin).result.ended);
  EXPECT_TRUE(connection.pair->is_closed());
}

TEST_F(StreamRulesTest, EndsWhenTheGapBeforeTheFinCloses) {
  EXPECT_FALSE(connection.to_server(3, "def", net::kTcpFin).result.ended);
  EXPECT_EQ(problem_of(connection.acknowledge(kToServer, 7)), SegmentProblem::AckOfUnsent);
  connection.acknowledged[0] = 0;
  EXPECT_TRUE(connection.to_server(0, "abc").result.ended);
  EXPECT_EQ(connection.acknowledge(kToServer, 7).result.fate, SegmentFate::Forward);
}

TEST_F(StreamRulesTest, NothingFollowsAFin) {
  connection.to_server(0, "abc", net::kTcpFin);
  EXPECT_EQ(problem_of(connection.to_server(3, "more")), SegmentProblem::DataAfterFin);
  EXPECT_EQ(problem_of(connection.to_server(1, "bcmore")), SegmentProblem::DataAfterFin);
  EXPECT_EQ(problem_of(connection.to_server(4, "more")), SegmentProblem::DataAfterFin);
  EXPECT_EQ(connection.to_server(4, "").result.fate, SegmentFate::Forward);
  EXPECT_EQ(connection.to_server(1, "XX", net::kTcpFin).payload, "bc");
}

TEST_F(StreamRulesTest, TheFinDoesNotMove) {
  connection.to_server(0, "abc", net::kTcpFin);
  EXPECT_EQ(problem_of(connection.to_server(0, "ab", net::kTcpFin)), SegmentProblem::FinMismatch);
  EXPECT_EQ(problem_of(connection.to_server(4, "", net::kTcpFin)), SegmentProblem::FinMismatch);
}

TEST_F(StreamRulesTest, TheFinIsNotBeforeBytesThatPassed) {
  connection.to_server(0, "abcdef");
  EXPECT_EQ(problem_of(connection.to_server(3, "", net::kTcpFin)), SegmentProblem::FinMismatch);
  connection.to_server(10, "k");
  EXPECT_EQ(problem_of(connection.to_server(6, "", net::kTcpFin)), SegmentProblem::FinMismatch);
}

TEST_F(StreamRulesTest, ARefusedFinIsForgotten) {
  StreamSegment made = connection.segment(kToServer, 0);
  made.flags |= net::kTcpFin;
  connection.pass(kToServer, made, "abc", false);
  EXPECT_EQ(connection.to_server(0, "abcdef").read, "abcdef");
}

// ---- RST ----

TEST_F(StreamRulesTest, OnlyTheExactResetCounts) {
  connection.to_server(0, "abc");
  EXPECT_EQ(problem_of(flagged(kToServer, 10, net::kTcpRst)), SegmentProblem::ResetNotExact);
  EXPECT_EQ(problem_of(flagged(kToServer, 200000, net::kTcpRst)), SegmentProblem::ResetOutOfWindow);
  EXPECT_EQ(problem_of(flagged(kToServer, -9, net::kTcpRst)), SegmentProblem::ResetOutOfWindow);
  EXPECT_FALSE(connection.pair->is_closed());
  EXPECT_TRUE(flagged(kToServer, 3, net::kTcpRst, "words").result.reset);
  EXPECT_TRUE(connection.pair->is_closed());
  EXPECT_EQ(connection.server_reads(), "abc");
}

TEST_F(StreamRulesTest, InspectionGoesOnBehindAReset) {
  // The receiver may never have got it.
  connection.to_server(0, "abc");
  flagged(kToServer, 3, net::kTcpRst);
  EXPECT_EQ(connection.to_server(0, "XYZd").payload, "abcd");
  EXPECT_EQ(connection.server_reads(), "abcd");
}

TEST(StreamResetTest, RefusesAConnection) {
  TestConnection connection;
  connection.syn(kToServer, false);
  StreamSegment made = connection.segment(kToClient, 0);
  made.sequence = 0;
  made.flags = net::kTcpRst | net::kTcpAck;
  made.acknowledgement += 99;
  EXPECT_EQ(problem_of(connection.pass(kToClient, made, "")), SegmentProblem::ResetOutOfWindow);
  made.acknowledgement -= 99;
  EXPECT_TRUE(connection.pass(kToClient, made, "").result.reset);
}

// ---- URG ----

TEST_F(StreamRulesTest, MakesUrgentBytesOrdinaryOnes) {
  StreamSegment made = connection.segment(kToServer, 0);
  made.flags |= net::kTcpUrg;
  made.urgent_pointer = 2;
  const Passed urgent = connection.pass(kToServer, made, "aXb");
  EXPECT_TRUE(urgent.result.clear_urgent);
  EXPECT_EQ(urgent.read, "aXb");
}

TEST(StreamUrgentTest, DropsUrgentDataWhenToldSo) {
  StreamSettings settings;
  settings.urgent = UrgentPolicy::Drop;
  TestConnection connection(settings);
  connection.handshake();
  EXPECT_EQ(problem_of(connection.to_server(0, "aXb", net::kTcpUrg)), SegmentProblem::Urgent);
}

TEST(StreamUrgentTest, TakesUrgentBytesOutWhenToldSo) {
  StreamSettings settings;
  settings.urgent = UrgentPolicy::TakeOut;
  TestConnection connection(settings);
  connection.handshake();
  StreamSegment made = connection.segment(kToServer, 0);
  made.flags |= net::kTcpUrg;
  made.urgent_pointer = 2;
  EXPECT_EQ(connection.pass(kToServer, made, "aXb").read, "ab");
  // Announced ahead: of a later segment, and of one that comes out of order.
  made = connection.segment(kToServer, 6);
  made.flags |= net::kTcpUrg;
  made.urgent_pointer = 4;
  EXPECT_EQ(connection.pass(kToServer, made, "gh").read, "");
  EXPECT_EQ(connection.to_server(3, "def").read, "defgh");
  EXPECT_EQ(connection.to_server(8, "iXk").read, "ik");
}

// ---- windows ----

TEST_F(StreamRulesTest, NothingBeyondTheWindow) {
  connection.window = 1000;
  EXPECT_EQ(problem_of(connection.to_server(65535, "x")), SegmentProblem::BeyondWindow);
  EXPECT_EQ(connection.to_server(65530, "aaaaa").result.fate, SegmentFate::Forward);
  const Passed beyond = connection.to_server(65530, "bbbbbb");
  EXPECT_EQ(problem_of(beyond), SegmentProblem::BeyondWindow);
  EXPECT_TRUE(beyond.result.events.has(StreamEvent::OutOfWindow));
}

TEST(StreamWindowTest, ProbesAClosedWindow) {
  TestConnection connection;
  connection.window = 0;
  connection.handshake();
  EXPECT_EQ(connection.to_server(0, "p").read, "p");
  EXPECT_EQ(problem_of(connection.to_server(1, "q")), SegmentProblem::BeyondWindow);
  EXPECT_EQ(connection.to_server(0, "Z").payload, "p");
  connection.window = 100;
  connection.acknowledge(kToServer, 0);
  EXPECT_EQ(connection.to_server(0, "Zqrs").payload, "pqrs");
  EXPECT_EQ(connection.server_reads(), "pqrs");
}

TEST(StreamWindowTest, ScalesWindowsBehindTheHandshake) {
  TestConnection connection;
  connection.scale = 3;
  connection.window = 1000;
  connection.handshake();
  EXPECT_EQ(problem_of(connection.to_server(1000, "x")), SegmentProblem::BeyondWindow);
  connection.acknowledge(kToServer, 0);
  EXPECT_EQ(connection.to_server(7999, "x").result.fate, SegmentFate::Forward);
  EXPECT_EQ(problem_of(connection.to_server(8000, "x")), SegmentProblem::BeyondWindow);
}

TEST_F(StreamRulesTest, NothingFromLongAgo) {
  for (uint32_t position = 0; position < 300000; position += 50000) {
    connection.to_server(position, std::string(50000, 'x'));
    connection.acknowledge(kToServer, position + 50000);
  }
  EXPECT_EQ(problem_of(connection.to_server(0, "x")), SegmentProblem::BeforeWindow);
  EXPECT_EQ(connection.to_server(299000, "x").result.fate, SegmentFate::ForwardChanged);
}

// ---- timestamps ----

class StreamTimestampTest : public ::testing::Test {
 protected:
  StreamTimestampTest() { connection.timestamps = true; }
  void SetUp() override { connection.handshake(); }
  TestConnection connection;
};

TEST_F(StreamTimestampTest, OldSegmentsAreNotTheFirst) {
  connection.to_server(0, "abc");
  connection.clock = 90;
  const Passed old = connection.to_server(3, "decoy");
  EXPECT_EQ(problem_of(old), SegmentProblem::OldTimestamp);
  EXPECT_TRUE(old.result.events.has(StreamEvent::InvalidTimestamp));
  connection.clock = 101;
  EXPECT_EQ(connection.to_server(3, "truth").read, "truth");
}

TEST_F(StreamTimestampTest, ReorderedSegmentsAreNotOld) {
  connection.clock = 110;
  EXPECT_EQ(connection.to_server(3, "def").result.fate, SegmentFate::Forward);
  connection.clock = 105;
  EXPECT_EQ(connection.to_server(0, "abc").read, "abcdef");
}

TEST_F(StreamTimestampTest, AnAckCanMakeDataOld) {
  connection.clock = 5000;
  connection.to_server(0, "");
  connection.clock = 110;
  EXPECT_EQ(problem_of(connection.to_server(0, "decoy")), SegmentProblem::OldTimestamp);
  EXPECT_EQ(connection.to_server(0, "").result.fate, SegmentFate::Forward);  // a late ACK
}

TEST_F(StreamTimestampTest, ClocksWrap) {
  connection.clock = 0x7ffffff0;
  connection.to_server(0, "a");
  connection.clock = 0xfffffff0;
  EXPECT_EQ(problem_of(connection.to_server(1, "x")), SegmentProblem::OldTimestamp);
  connection.clock = 0xefffffff;
  connection.to_server(1, "b");
  connection.clock = 3;
  EXPECT_EQ(connection.to_server(2, "c").read, "c");
  connection.clock = 0xffffffff;
  EXPECT_EQ(problem_of(connection.to_server(3, "x")), SegmentProblem::OldTimestamp);
}

TEST(StreamTimestampsOffTest, CountOnlyWhenBothOffered) {
  TestConnection connection;
  connection.syn(kToServer, false);
  connection.timestamps = true;
  connection.syn(kToClient, true);
  connection.to_server(0, "abc");
  connection.clock = 0;
  EXPECT_EQ(connection.to_server(3, "def").read, "def");
}

// ---- flags and options ----

TEST_F(StreamRulesTest, DataWithoutAckIsNotRead) {
  const Passed naked = flagged(kToServer, 0, net::kTcpPsh, "decoy");
  EXPECT_EQ(problem_of(naked), SegmentProblem::MissingAck);
  EXPECT_TRUE(naked.result.events.has(StreamEvent::BrokenAck));
  EXPECT_EQ(connection.to_server(0, "truth").payload, "truth");
}

TEST_F(StreamRulesTest, SignedDataIsNotRead) {
  StreamSegment made = connection.segment(kToServer, 0);
  made.has_signature = true;
  EXPECT_EQ(problem_of(connection.pass(kToServer, made, "decoy")), SegmentProblem::Signature);
  EXPECT_EQ(connection.to_server(0, "truth").payload, "truth");
}

TEST(StreamSegmentTest, ReadsAHeader) {
  uint8_t header[44] = {0, 80, 0, 81, 1, 2, 3, 4, 5, 6, 7, 8, 0xb0, 0x38, 0x12, 0x34, 0, 0, 0, 9};
  const uint8_t options[24] = {3, 3, 7, 1, 8,  10, 0, 0, 1, 0, 0, 0,
                               0, 2, 1, 0, 29, 4,  1, 2, 0, 0, 0, 0};
  std::copy(std::begin(options), std::end(options), header + 20);
  uint8_t payload[3] = {};
  const StreamSegment made = read_stream_segment(header, payload);
  EXPECT_EQ(made.sequence, 0x01020304U);
  EXPECT_EQ(made.acknowledgement, 0x05060708U);
  EXPECT_EQ(made.flags, 0x38);
  EXPECT_EQ(made.window, 0x1234);
  EXPECT_EQ(made.urgent_pointer, 9);
  EXPECT_EQ(made.window_scale, 7);
  EXPECT_TRUE(made.has_timestamp);
  EXPECT_EQ(made.timestamp_value, 256U);
  EXPECT_FALSE(made.has_signature);  // behind a length of one: not read
  EXPECT_EQ(made.payload.size(), 3U);
}

}  // namespace
}  // namespace masugata::dataplane
