// SPDX-License-Identifier: GPL-2.0-or-later
// What senders are told of receivers' windows: no more than there is room for.
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "dataplane/stream/test_connection.h"

namespace masugata::dataplane {
namespace {

constexpr size_t kMiB = 1U << 20U;

StreamSettings span_of(size_t bytes) {
  StreamSettings settings;
  settings.span_bytes = static_cast<uint32_t>(bytes);
  return settings;
}

// A connection with window scale, and what takes its memory away.
class TcpStreamWindowTest : public ::testing::Test {
 protected:
  void open(uint8_t scale, size_t span = kMiB, size_t memory = 16 * kMiB) {
    connection_.emplace(span_of(span), memory);
    connection_->scale = scale;
    connection_->handshake();
    // What the handshake announced is behind.
    pass(100000);
  }

  // The client sends that much, and the server acknowledges it.
  void pass(uint32_t bytes) {
    const std::string chunk(1000, 'x');
    for (uint32_t sent = 0; sent < bytes; sent += 1000) {
      ASSERT_EQ(connection_->to_server(position_, chunk).result.fate, SegmentFate::Forward);
      position_ += 1000;
      connection_->acknowledge(kToServer, position_);
    }
  }

  // The window with which an acknowledgement of the server leaves that says `window`.
  uint16_t announced(uint16_t window) {
    StreamSegment segment = connection_->segment(kToClient, 0);
    segment.window = window;
    return connection_->pair->announce_window(kToClient, segment);
  }

  void leave_free(size_t blocks) {
    StreamMemory& memory = connection_->memory;
    while (memory.free_blocks() > blocks) taken_.push_back(memory.take());
    while (memory.free_blocks() < blocks) {
      ASSERT_FALSE(taken_.empty());
      memory.give_back(taken_.back());
      taken_.pop_back();
    }
  }
  void leave_free_bytes(size_t bytes) { leave_free(bytes / kStreamBlockBytes); }

  std::optional<TestConnection> connection_;
  uint32_t position_ = 0;
  std::vector<uint32_t> taken_;
};

TEST_F(TcpStreamWindowTest, AffordsASpanAsLongAsHalfIsFree) {
  open(9);
  EXPECT_EQ(announced(2049), 2048) << "a span of 512 each";
  EXPECT_EQ(announced(65535), 2048);
  EXPECT_EQ(announced(2048), 2048);
  EXPECT_EQ(announced(17), 17) << "never more than the receiver says";
  EXPECT_EQ(announced(0), 0);
  leave_free_bytes(8 * kMiB);
  EXPECT_EQ(announced(65535), 2048);
}

TEST_F(TcpStreamWindowTest, AffordsLessAsTheMemoryFills) {
  open(9);
  leave_free_bytes(4 * kMiB);
  EXPECT_EQ(announced(65535), 1024) << "an eighth of what is free";
  pass(512 * 1024);
  leave_free_bytes(2 * kMiB);
  EXPECT_EQ(announced(65535), 512);
  pass(512 * 1024);
  leave_free(0);
  EXPECT_EQ(announced(65535), 128) << "64 KiB keep a connection moving";
  EXPECT_EQ(announced(100), 100);
  leave_free_bytes(16 * kMiB);
  EXPECT_EQ(announced(65535), 2048) << "there is room again";
}

TEST_F(TcpStreamWindowTest, TakesNothingBack) {
  open(9);
  EXPECT_EQ(announced(65535), 2048);
  leave_free(1);
  EXPECT_EQ(announced(65535), 2048) << "the same right edge";
  leave_free(2);
  pass(512 * 125);
  leave_free(0);
  EXPECT_EQ(announced(65535), 2048 - 125) << "the same, nearer";
  EXPECT_EQ(announced(500), 500) << "the receiver itself takes back";
  EXPECT_EQ(announced(65535), 2048 - 125);
}

TEST_F(TcpStreamWindowTest, RoundsUpWhatItTakesBackOtherwise) {
  open(9);
  EXPECT_EQ(announced(65535), 2048);
  leave_free(2);
  pass(1000);
  leave_free(0);
  EXPECT_EQ(announced(65535), 2047) << "1,000 bytes are not two units of 512";
}

TEST_F(TcpStreamWindowTest, NeverGoesBeyondTheSpanByRounding) {
  open(14, kMiB - kStreamBlockBytes);
  for (int index = 0; index < 50; ++index) {
    EXPECT_EQ(announced(65535), 63) << "units of 16 KiB";
    pass(1000);
  }
}

TEST_F(TcpStreamWindowTest, LeavesWindowsWithoutAScaleAlone) {
  open(0);
  leave_free(0);
  EXPECT_EQ(announced(65535), 65535);
  StreamSegment answer = connection_->segment(kToClient, -1);
  answer.flags = net::kTcpSyn | net::kTcpAck;
  EXPECT_EQ(connection_->pair->announce_window(kToClient, answer), 65535);
}

TEST_F(TcpStreamWindowTest, LeavesSegmentsAloneThatAnnounceNothing) {
  open(14);
  StreamSegment reset = connection_->segment(kToClient, 0);
  reset.flags |= net::kTcpRst;
  EXPECT_EQ(connection_->pair->announce_window(kToClient, reset), 65535);
  StreamSegment syn = connection_->segment(kToServer, -1);
  syn.flags = net::kTcpSyn;
  EXPECT_EQ(connection_->pair->announce_window(kToServer, syn), 65535);
}

TEST_F(TcpStreamWindowTest, KnowsTheScaleOfEachSide) {
  connection_.emplace(span_of(kMiB), 16 * kMiB);
  connection_->scale = 4;
  connection_->syn(kToServer, false);
  connection_->scale = 10;
  connection_->syn(kToClient, true);
  EXPECT_EQ(announced(65535), 1024);
  EXPECT_EQ(connection_->pair->announce_window(kToServer, connection_->segment(kToServer, 0)),
            65535)
      << "less than a span in units of 16";
}

TEST_F(TcpStreamWindowTest, ASmallSpanIsSmallerThanTheSmallestWindow) {
  open(4, 32768);
  leave_free(0);
  EXPECT_EQ(announced(65535), 2048);
}

// Senders that always send as much as they were told they may, to receivers that permit a gigabyte
// and acknowledge a round later. They begin one after the other.
class GreedySenders {
 public:
  GreedySenders(size_t count, size_t memory_bytes) : settings_(span_of(kMiB)) {
    EXPECT_TRUE(memory_.allocate(heap_, memory_bytes));
    for (size_t index = 0; index < count; ++index) flows_.emplace_back(memory_, settings_);
  }

  void play(size_t rounds) {
    for (size_t round = 0; round < rounds; ++round) {
      for (size_t index = 0; index < flows_.size() && index < round; ++index) {
        Flow& flow = flows_[index];
        if (flow.allowed == 0) open(flow);
        acknowledge(flow);
        send(flow);
      }
    }
  }
  [[nodiscard]] size_t refused() const { return refused_; }
  [[nodiscard]] uint32_t in_flight(size_t index) const {
    return flows_[index].sent - flows_[index].acknowledged;
  }

 private:
  static constexpr uint32_t kUnit = 1U << 14U;
  struct Flow {
    Flow(StreamMemory& memory, const StreamSettings& settings) : pair(memory, settings) {}
    TcpStreamPair pair;
    uint32_t allowed = 0;
    uint32_t sent = 0;
    uint32_t acknowledged = 0;
  };

  static StreamSegment segment(uint32_t sequence, uint32_t acknowledgement, uint8_t flags) {
    StreamSegment made;
    made.sequence = sequence;
    made.acknowledgement = acknowledgement;
    made.window = 65535;
    made.flags = flags;
    made.window_scale = 14;
    return made;
  }
  void take(Flow& flow, ids::Direction direction, const StreamSegment& made) {
    SegmentResult result = flow.pair.accept(direction, made);
    ASSERT_NE(result.fate, SegmentFate::Drop);
    if (result.fate == SegmentFate::NoMemory) {
      ++refused_;
      flow.pair.refuse(result);
      return;
    }
    flow.pair.commit(result);
    if (direction == kToServer) {
      flow.sent += static_cast<uint32_t>(made.payload.size());
      return;
    }
    const uint32_t unit = made.has(net::kTcpSyn) ? 1 : kUnit;
    const uint32_t window = flow.pair.announce_window(direction, made) * unit;
    EXPECT_GE(flow.acknowledged + window, flow.allowed) << "taken back";
    flow.allowed = flow.acknowledged + window;
  }
  void open(Flow& flow) {
    take(flow, kToServer, segment(0, 0, net::kTcpSyn));
    take(flow, kToClient, segment(0, 1, net::kTcpSyn | net::kTcpAck));
    take(flow, kToServer, segment(1, 1, net::kTcpAck));
  }
  void acknowledge(Flow& flow) {
    flow.acknowledged = flow.sent;
    take(flow, kToClient, segment(1, 1 + flow.acknowledged, net::kTcpAck));
  }
  void send(Flow& flow) {
    std::vector<uint8_t> bytes(kUnit, 'x');
    for (uint32_t tries = (flow.allowed - flow.sent) / kUnit; tries != 0; --tries) {
      StreamSegment made = segment(1 + flow.sent, 1, net::kTcpAck);
      made.payload = bytes;
      take(flow, kToServer, made);
    }
  }

  HeapMemory heap_;
  StreamMemory memory_;
  StreamSettings settings_;
  std::deque<Flow> flows_;
  size_t refused_ = 0;
};

TEST(TcpStreamSharedMemoryTest, OneSenderGetsItsSpan) {
  GreedySenders senders(1, 16 * kMiB);
  senders.play(10);
  EXPECT_EQ(senders.refused(), 0U);
  EXPECT_EQ(senders.in_flight(0), kMiB);
}

TEST(TcpStreamSharedMemoryTest, ManySendersShareAndNothingIsRefused) {
  GreedySenders senders(64, 16 * kMiB);
  senders.play(100);
  EXPECT_EQ(senders.refused(), 0U);
  for (size_t index = 0; index < 64; ++index) {
    EXPECT_GE(senders.in_flight(index), 12U << 14U) << index << " of 233,016";
    EXPECT_LE(senders.in_flight(index), 16U << 14U) << index;
  }
}

}  // namespace
}  // namespace masugata::dataplane
