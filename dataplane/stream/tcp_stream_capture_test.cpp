// SPDX-License-Identifier: GPL-2.0-or-later
// Streams that passed elsewhere or in part: captures, midstream pick-up, one-sided paths.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "dataplane/stream/test_connection.h"
#include "ids/protocols/packet_event_names.h"

namespace masugata::dataplane {
namespace {

StreamSettings capture() {
  StreamSettings settings;
  settings.mode = StreamMode::Capture;
  return settings;
}

TEST(StreamCaptureTest, RewritesNothingAndReadsTheFirst) {
  TestConnection connection(capture());
  connection.handshake();
  connection.to_server(2, "cd");
  const Passed closing = connection.to_server(0, "abXXe");
  EXPECT_EQ(closing.result.fate, SegmentFate::Forward);
  EXPECT_TRUE(closing.result.overlap_differed);
  EXPECT_EQ(closing.payload, "abXXe");
  EXPECT_EQ(closing.read, "abcde");
  // ... and remembers the first.
  const Passed again = connection.to_server(0, "abXXe");
  EXPECT_TRUE(again.result.overlap_differed);
  EXPECT_EQ(connection.to_server(0, "abcde").result.overlap_differed, false);
}

TEST(StreamCaptureTest, SkipsWhatTheReceiverHasAndNobodySaw) {
  TestConnection connection(capture());
  connection.handshake();
  connection.to_server(0, "abc");
  connection.to_server(6, "ghi");
  connection.to_server(12, "mno");
  const Passed revealed = connection.acknowledge(kToServer, 15);
  EXPECT_EQ(revealed.result.missing, 6U);
  EXPECT_TRUE(revealed.result.events.has(StreamEvent::SequenceGap));
  EXPECT_EQ(connection.server_reads(), "abc???ghi???mno");
  EXPECT_EQ(connection.to_server(15, "pq").read, "pq");
  EXPECT_EQ(connection.pair->counters(kToServer).missing_bytes, 6U);
  EXPECT_EQ(connection.pair->counters(kToServer).readable_bytes, 11U);
}

TEST(StreamCaptureTest, SkipsIntoAPiece) {
  TestConnection connection(capture());
  connection.handshake();
  connection.to_server(3, "defgh");
  EXPECT_EQ(connection.acknowledge(kToServer, 5).result.missing, 3U);
  EXPECT_EQ(connection.server_reads(), "???defgh");
  EXPECT_EQ(connection.to_server(8, "i").read, "i");
}

TEST(StreamCaptureTest, SkipsWhatWasNeverSeenAtAll) {
  TestConnection connection(capture());
  connection.handshake();
  EXPECT_EQ(connection.acknowledge(kToServer, 100).result.missing, 100U);
  EXPECT_EQ(connection.to_server(100, "on").read, "on");
  // Not beyond what its own window permitted.
  EXPECT_EQ(connection.acknowledge(kToServer, 900000).result.problem, SegmentProblem::AckOfUnsent);
}

TEST(StreamCaptureTest, ForgetsTheOldestRatherThanStop) {
  StreamSettings settings = capture();
  settings.span_bytes = 16384;
  TestConnection connection(settings, 8 * kStreamBlockBytes);
  connection.scale = 10;
  connection.handshake();
  connection.acknowledge(kToServer, 0);
  for (int64_t position = 0; position < 200000; position += 1000) {
    ASSERT_EQ(connection.to_server(position, std::string(1000, 'x')).read, std::string(1000, 'x'));
  }
}

TEST(StreamCaptureTest, KeepsAcknowledgedBytesWhenToldSo) {
  StreamSettings settings = capture();
  settings.acknowledged_bytes = 100;
  TestConnection connection(settings);
  connection.handshake();
  connection.to_server(0, "abc");
  connection.acknowledge(kToServer, 3);
  EXPECT_TRUE(connection.to_server(0, "abX").result.overlap_differed);
}

TEST(StreamCaptureTest, FlushGivesWhatLiesBehindGaps) {
  TestConnection connection(capture());
  connection.handshake();
  connection.to_server(0, "abc");
  connection.to_server(5, "fg");
  connection.to_server(9, std::string(5000, 'j'));
  connection.data(kToClient, 2, "z");
  std::string seen[2];
  while (const auto piece = connection.pair->flush()) {
    seen[ids::index_of(piece->direction)] +=
        std::string(piece->missing, '?') +
        std::string(reinterpret_cast<const char*>(piece->bytes.data()), piece->bytes.size());
  }
  EXPECT_EQ(seen[0], "??fg??" + std::string(5000, 'j'));
  EXPECT_EQ(seen[1], "??z");
}

// ---- without the beginning ----

TEST(StreamMidstreamTest, IsPickedUpWhenToldSo) {
  StreamSettings settings;
  settings.midstream = true;
  TestConnection connection(settings);
  EXPECT_EQ(connection.to_server(0, "abc").read, "abc");
  EXPECT_TRUE(connection.pair->is_midstream());
  EXPECT_EQ(connection.data(kToClient, 0, "xyz").read, "xyz");
  EXPECT_EQ(connection.to_server(0, "XXXd").payload, "abcd");
  connection.acknowledge(kToServer, 4);
  EXPECT_EQ(connection.to_server(200000, "no window is known").result.fate, SegmentFate::Forward);
}

TEST(StreamMidstreamTest, IsPickedUpAtASynAck) {
  StreamSettings settings;
  settings.midstream = true;
  TestConnection connection(settings);
  connection.syn(kToClient, true);
  EXPECT_EQ(connection.to_server(0, "abc").read, "abc");
  EXPECT_EQ(connection.data(kToClient, 0, "xyz").read, "xyz");
}

TEST(StreamMidstreamTest, IsRefusedOtherwise) {
  TestConnection connection(capture());
  EXPECT_EQ(connection.to_server(0, "abc").result.problem, SegmentProblem::NotSynchronized);
  EXPECT_EQ(connection.syn(kToClient, true).result.problem, SegmentProblem::NotSynchronized);
}

TEST(StreamOneSidedTest, ReadsTheSideThatIsSeen) {
  StreamSettings settings;
  settings.gap = GapPolicy::SkipCounted;
  TestConnection connection(settings);
  connection.syn(kToServer, false);
  EXPECT_EQ(connection.to_server(0, "abc").read, "abc");
  connection.acknowledged[1] = 5000;  // of what took another path
  const Passed on = connection.to_server(3, "def");
  EXPECT_EQ(on.read, "def");
  EXPECT_EQ(on.result.missing, 5000U);
}

TEST(StreamOneSidedTest, SkipsInline) {
  StreamSettings settings;
  settings.gap = GapPolicy::SkipCounted;
  TestConnection connection(settings);
  connection.handshake();
  connection.to_server(0, "abc");
  EXPECT_EQ(connection.acknowledge(kToServer, 10).result.missing, 7U);
  EXPECT_EQ(connection.to_server(0, "XYZ").payload, std::string(3, '\0'));
  EXPECT_EQ(connection.to_server(10, "on").read, "on");
}

TEST(StreamEventTest, EveryEventHasItsOwnNameThatRulesKnow) {
  std::set<std::string_view> names;
  for (unsigned event = 0; event < static_cast<unsigned>(StreamEvent::Count); ++event) {
    const std::string_view name = name_of(static_cast<StreamEvent>(event));
    EXPECT_NE(std::ranges::find(ids::kStreamEventNames, name), ids::kStreamEventNames.end())
        << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

}  // namespace
}  // namespace masugata::dataplane
