// SPDX-License-Identifier: GPL-2.0-or-later
// A connection for tests: segments by position and text, and what inspection has read of each side.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "dataplane/stream/tcp_stream.h"
#include "net/headers/transport.h"

namespace masugata::dataplane {

inline constexpr auto kToServer = ids::Direction::ToServer;
inline constexpr auto kToClient = ids::Direction::ToClient;

// What became of one segment.
struct Passed {
  SegmentResult result;
  std::string payload;  // as it leaves
  std::string read;     // what became readable by it, '?' for each missing byte
};

class TestConnection {
 public:
  explicit TestConnection(StreamSettings chosen = {}, size_t memory_bytes = 1U << 20U)
      : settings(chosen) {
    EXPECT_TRUE(memory.allocate(heap, memory_bytes));
    pair.emplace(memory, settings);
  }

  // A segment of `direction`: payload at `position`, everything acknowledged that was read.
  [[nodiscard]] StreamSegment segment(ids::Direction direction, int64_t position) const {
    StreamSegment made;
    made.sequence = first[ids::index_of(direction)] + static_cast<uint32_t>(position);
    made.acknowledgement = first[ids::index_of(ids::opposite(direction))] +
                           acknowledged[ids::index_of(ids::opposite(direction))];
    made.window = window;
    made.flags = net::kTcpAck;
    made.has_timestamp = timestamps;
    made.timestamp_value = clock;
    return made;
  }

  Passed pass(ids::Direction direction, StreamSegment made, std::string_view text,
              bool verdict = true) {
    Passed passed;
    passed.payload = text;
    made.payload = {reinterpret_cast<uint8_t*>(passed.payload.data()), passed.payload.size()};
    passed.result = pair->accept(direction, made);
    while (const auto readable = pair->next(passed.result)) {
      const std::string bytes(reinterpret_cast<const char*>(readable->bytes.data()),
                              readable->bytes.size());
      const std::string piece = std::string(readable->missing, '?') + bytes;
      if (readable->direction == direction) passed.read += piece;
      if (verdict) read[ids::index_of(readable->direction)] += piece;
    }
    if (verdict) {
      pair->commit(passed.result);
    } else {
      pair->refuse(passed.result);
    }
    return passed;
  }

  Passed data(ids::Direction direction, int64_t position, std::string_view text,
              uint8_t more_flags = 0) {
    StreamSegment made = segment(direction, position);
    made.flags = static_cast<uint8_t>(made.flags | more_flags);
    return pass(direction, made, text);
  }
  Passed to_server(int64_t position, std::string_view text, uint8_t more_flags = 0) {
    return data(kToServer, position, text, more_flags);
  }
  // The receiver of `direction` acknowledges everything before `position`.
  Passed acknowledge(ids::Direction direction, uint32_t position) {
    acknowledged[ids::index_of(direction)] = position;
    return data(ids::opposite(direction), sent_by(ids::opposite(direction)), "");
  }

  // A SYN of `direction`, answering when the other side has sent one.
  Passed syn(ids::Direction direction, bool answers, std::string_view text = "") {
    StreamSegment made = segment(direction, -1);
    made.flags = net::kTcpSyn;
    made.window_scale = scale;
    if (answers) made.flags |= net::kTcpAck;
    if (!answers) made.acknowledgement = 0;
    return pass(direction, made, text);
  }
  void handshake() {
    ASSERT_EQ(syn(kToServer, false).result.fate, SegmentFate::Forward);
    ASSERT_EQ(syn(kToClient, true).result.fate, SegmentFate::Forward);
    ASSERT_EQ(to_server(0, "").result.fate, SegmentFate::Forward);
    ASSERT_TRUE(pair->is_established());
  }

  [[nodiscard]] const std::string& server_reads() const { return read[0]; }
  [[nodiscard]] const std::string& client_reads() const { return read[1]; }
  [[nodiscard]] int64_t sent_by(ids::Direction direction) const {
    return static_cast<int64_t>(pair->stream_bytes(direction));
  }
  [[nodiscard]] size_t blocks_used() const { return memory.all_blocks() - memory.free_blocks(); }

  HeapMemory heap;
  StreamMemory memory;
  StreamSettings settings;
  std::optional<TcpStreamPair> pair;
  uint32_t first[2] = {1001, 5001};  // sequence number of position 0
  uint32_t acknowledged[2] = {};     // of each direction, by its receiver
  uint16_t window = 65535;
  uint8_t scale = 0;
  bool timestamps = false;
  uint32_t clock = 100;
  std::string read[2];
};

}  // namespace masugata::dataplane
