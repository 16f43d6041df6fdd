// SPDX-License-Identifier: GPL-2.0-or-later
// Random segments against a naive map of bytes, and against receivers of every taste: whatever one
// prefers where segments overlap, whatever it loses behind us, it reads what was inspected.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "dataplane/stream/test_connection.h"

namespace masugata::dataplane {
namespace {

constexpr int kSchedules = 20000;

// Bytes by position; zero where there is none (the tests send letters and, where the stream blanks
// them, bytes that nobody reads any more).
class Bytes {
 public:
  [[nodiscard]] char at(int64_t position) const {
    const auto index = static_cast<size_t>(position);
    return position >= 0 && index < bytes_.size() ? bytes_[index] : '\0';
  }
  void set(int64_t position, char byte) {
    const auto index = static_cast<size_t>(position);
    if (index >= bytes_.size()) bytes_.resize(index + 1, '\0');
    bytes_[index] = byte;
  }

 private:
  std::string bytes_;
};

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(engine_() % bound); }
  bool chance(uint32_t percent) { return below(100) < percent; }

 private:
  std::mt19937_64 engine_;
};

// A receiver that reads in order and settles overlaps of unread bytes by whim.
class Receiver {
 public:
  Receiver(Random& random, uint32_t whim) : random_(random), whim_(whim) {}

  void take(int64_t begin, const std::string& payload) {
    for (size_t index = 0; index < payload.size(); ++index) {
      const int64_t position = begin + static_cast<int64_t>(index);
      if (position < static_cast<int64_t>(read_.size())) continue;
      const bool replaces = whim_ == 0 || (whim_ == 1 && random_.chance(50));
      if (replaces || unread_.at(position) == '\0') unread_.set(position, payload[index]);
    }
    while (const char next = unread_.at(static_cast<int64_t>(read_.size()))) read_ += next;
  }
  [[nodiscard]] const std::string& read() const { return read_; }

 private:
  Random& random_;
  uint32_t whim_;
  std::string read_;
  Bytes unread_;
};

// What the stream must do, said byte by byte.
class Model {
 public:
  [[nodiscard]] std::string expect(int64_t begin, std::string payload) const {
    for (size_t index = 0; index < payload.size(); ++index) {
      const int64_t position = begin + static_cast<int64_t>(index);
      if (position < acknowledged) {
        payload[index] = '\0';
      } else if (const char known = first_.at(position)) {
        payload[index] = known;
      }
    }
    return payload;
  }
  void forward(int64_t begin, const std::string& payload) {
    for (size_t index = 0; index < payload.size(); ++index) {
      const int64_t position = begin + static_cast<int64_t>(index);
      if (position >= acknowledged && first_.at(position) == '\0') {
        first_.set(position, payload[index]);
      }
    }
    while (const char next = first_.at(static_cast<int64_t>(readable.size()))) readable += next;
  }
  int64_t acknowledged = 0;
  std::string readable;

 private:
  Bytes first_;
};

class Schedule {
 public:
  explicit Schedule(uint64_t seed)
      : random_(seed),
        connection_(settings_for(random_), (4 + random_.below(12)) * kStreamBlockBytes),
        receiver_(random_, random_.below(3)) {
    connection_.first[0] =
        random_.chance(50) ? 0xffffffffU - random_.below(30000) : random_.below(0xffffffffU);
    step_ = random_.chance(96) ? 10 : 3000;
    connection_.handshake();
  }

  void run() {
    const uint32_t events = 20 + random_.below(40);
    for (uint32_t event = 0; event < events && !::testing::Test::HasFailure(); ++event) {
      random_.chance(25) ? acknowledge() : send();
    }
    EXPECT_EQ(connection_.server_reads(), model_.readable);
    // What the receiver has is a beginning of what was inspected.
    EXPECT_EQ(receiver_.read(), model_.readable.substr(0, receiver_.read().size()));
    connection_.pair.reset();
    EXPECT_EQ(connection_.blocks_used(), 0U);
  }

 private:
  static StreamSettings settings_for(Random& random) {
    StreamSettings settings;
    settings.span_bytes = 4096 + random.below(60000);
    settings.pieces_ahead = static_cast<uint16_t>(1 + random.below(20));
    return settings;
  }

  void acknowledge() {
    // Sometimes an old one, sometimes of what the receiver cannot have.
    const auto held = static_cast<int64_t>(receiver_.read().size());
    int64_t position = held;
    if (random_.chance(20)) position = held - random_.below(step_);
    const bool absurd = random_.chance(10);
    if (absurd) position = static_cast<int64_t>(model_.readable.size()) + 1 + random_.below(step_);
    if (position < 0) return;
    StreamSegment made = connection_.segment(kToClient, 0);
    made.acknowledgement = connection_.first[0] + static_cast<uint32_t>(position);
    const Passed passed = connection_.pass(kToClient, made, "");
    ASSERT_EQ(passed.result.fate == SegmentFate::Drop, absurd);
    if (!absurd) model_.acknowledged = std::max(model_.acknowledged, position);
  }

  void send() {
    const auto about = static_cast<int64_t>(model_.readable.size());
    const int64_t begin = about + random_.below(4 * step_) - random_.below(3 * step_);
    const int64_t chosen = random_.chance(40) ? about : begin;
    std::string payload(1 + random_.below(step_), ' ');
    for (char& byte : payload) byte = static_cast<char>('a' + random_.below(26));
    const StreamSegment made = connection_.segment(kToServer, chosen);
    const std::string expected = model_.expect(chosen, payload);
    // Bounds are met with refusal here: the sender has to try again.
    StreamSegment tried = made;
    Passed passed;
    passed.payload = payload;
    tried.payload = {reinterpret_cast<uint8_t*>(passed.payload.data()), payload.size()};
    passed.result = connection_.pair->accept(kToServer, tried);
    if (passed.result.fate == SegmentFate::Drop) {
      ASSERT_EQ(passed.result.problem, SegmentProblem::BeyondWindow);
      return;
    }
    std::string read;
    while (const auto piece = connection_.pair->next(passed.result)) {
      read += std::string(reinterpret_cast<const char*>(piece->bytes.data()), piece->bytes.size());
    }
    if (passed.result.fate == SegmentFate::NoMemory || random_.chance(8)) {
      connection_.pair->refuse(passed.result);
      return;
    }
    connection_.read[0] += read;
    connection_.pair->commit(passed.result);
    ASSERT_EQ(passed.payload, expected);
    ASSERT_EQ(passed.result.fate == SegmentFate::ForwardChanged, payload != expected);
    model_.forward(chosen, passed.payload);
    ASSERT_EQ(connection_.server_reads().size(), model_.readable.size());
    if (random_.chance(80)) receiver_.take(chosen, passed.payload);
  }

  Random random_;
  TestConnection connection_;
  Receiver receiver_;
  Model model_;
  uint32_t step_ = 0;
};

TEST(TcpStreamModelTest, EveryReceiverReadsWhatWasInspected) {
  for (uint64_t seed = 1; seed <= kSchedules; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Schedule schedule(seed);
    schedule.run();
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace masugata::dataplane
