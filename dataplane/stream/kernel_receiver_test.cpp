// SPDX-License-Identifier: GPL-2.0-or-later
// Random segments through a stream to the kernel: what its application reads equals what was
// inspected. The segments overlap with other contents, come out of order, get lost behind the
// stream, and carry every other trick; the test's own application reads from a plain socket.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "dataplane/stream/kernel_receiver.h"
#include "dataplane/stream/test_connection.h"

namespace masugata::dataplane {
namespace {

constexpr uint32_t kSchedules = 4000;
constexpr uint32_t kUndefendedSchedules = 60;
constexpr uint32_t kMaximumBytes = 12000;  // of a stream: well inside the kernel's first window
constexpr auto kTimeLimit = std::chrono::seconds(45);

class Exchange {
 public:
  Exchange(KernelReceiver& kernel, uint64_t seed, bool defended)
      : kernel_(kernel), random_(seed), defended_(defended) {
    static_cast<void>(memory_.allocate(heap_, 64 * kStreamBlockBytes));
    pair_.emplace(memory_, settings_);
    port_ = static_cast<uint16_t>(1024 + seed % 60000);
    const uint32_t far = below(0xffffffffU);
    first_ = below(2) == 0 ? 0xffffffffU - below(kMaximumBytes) : far;
    timestamps_ = below(2) == 0;
  }
  ~Exchange() {
    if (socket_ >= 0) {
      const linger abort{1, 0};
      setsockopt(socket_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
      close(socket_);
    }
  }

  // False when the kernel does not answer.
  bool open() {
    WireSegment syn = segment(-1, "");
    syn.segment.flags = net::kTcpSyn;
    syn.segment.acknowledgement = 0;
    syn.segment.window_scale = 7;
    pass(syn, true);
    std::optional<WireSegment> answer = kernel_.receive(port_, 1000);
    if (!answer || !answer->segment.has(net::kTcpSyn)) return false;
    acknowledged_by_us_ = answer->segment.sequence + 1;
    take_answer(*answer);
    pass(segment(0, ""), true);
    socket_ = kernel_.accept_connection();
    return socket_ >= 0 && pair_->is_established();
  }

  void exchange() {
    const uint32_t count = 5 + below(35);
    for (uint32_t index = 0; index < count; ++index) {
      send_random();
      drain(80);
    }
  }

  // Sends whatever the kernel still lacks, as garbage where it is to be set right, and the FIN.
  bool finish() {
    const auto last = static_cast<int64_t>(pair_->stream_bytes(kToServer));
    for (int attempt = 0; attempt < 400; ++attempt) {
      const int64_t from = kernel_has_;
      if (from > last) return true;
      const auto length = static_cast<size_t>(std::min<int64_t>(last - from, 1 + below(1400)));
      WireSegment more = segment(from, random_text(length));
      if (from + static_cast<int64_t>(length) == last) more.segment.flags |= net::kTcpFin;
      clock_ += 1;
      pass(more, true);
      drain(100, attempt < 50 ? 0 : 10);
    }
    return false;
  }

  std::string application_reads(bool& ended) { return KernelReceiver::read_all(socket_, ended); }
  [[nodiscard]] const std::string& inspected() const { return inspected_; }

 private:
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }
  bool chance(uint32_t percent) { return below(100) < percent; }

  std::string random_text(size_t length) {
    std::string text(length, ' ');
    for (char& letter : text) letter = static_cast<char>('a' + below(26));
    return text;
  }

  WireSegment segment(int64_t position, const std::string& text) {
    WireSegment made;
    made.segment.sequence = first_ + static_cast<uint32_t>(position);
    made.segment.acknowledgement = acknowledged_by_us_;
    made.segment.window = 60000;
    made.segment.flags = net::kTcpAck;
    made.segment.has_timestamp = timestamps_;
    made.segment.timestamp_value = clock_;
    made.timestamp_echo = echo_;
    made.payload.assign(text.begin(), text.end());
    return made;
  }

  void send_random() {
    const auto next = static_cast<int64_t>(inspected_.size());
    int64_t position = next;
    if (chance(60)) position = next + below(4000) - 2000;
    WireSegment made = segment(position, random_text(below(chance(30) ? 1400 : 40)));
    const int64_t end = position + static_cast<int64_t>(made.payload.size());
    if (end > kMaximumBytes || position < -1) return;
    clock_ += below(2);
    trick(made);
    const bool arrives = !chance(10);
    pass(made, arrives);
  }

  void trick(WireSegment& made) {
    StreamSegment& changed = made.segment;
    switch (below(40)) {
      case 0:
        changed.flags = net::kTcpPsh;  // without ACK
        break;
      case 1:
        changed.acknowledgement += 1 + below(100000);
        break;
      case 2:
        changed.acknowledgement -= 100000 + below(100000);
        break;
      case 3:
        changed.timestamp_value -= 2 + below(1000);
        break;
      case 4:
        changed.timestamp_value += below(1000);
        clock_ = std::max(clock_, changed.timestamp_value);
        break;
      case 5:
      case 6:
      case 7:
        changed.flags |= net::kTcpUrg;
        changed.urgent_pointer = static_cast<uint16_t>(below(60));
        break;
      case 8:
        changed.flags |= net::kTcpSyn;
        break;
      case 9:
        changed.flags = net::kTcpRst;
        changed.sequence += 1 + below(3000);
        break;
      case 10:
        if (chance(20)) changed.flags |= net::kTcpFin;
        break;
      case 11:
        changed.sequence = first_ - 1 + static_cast<uint32_t>(kernel_has_);  // keep-alive
        made.payload.resize(std::min<size_t>(made.payload.size(), 1));
        break;
      default:
        break;
    }
  }

  // Through the stream, and on to the kernel when it may and `arrives`.
  void pass(WireSegment made, bool arrives) {
    const std::vector<uint8_t> original = made.payload;
    made.segment.payload = made.payload;
    SegmentResult result = pair_->accept(kToServer, made.segment);
    if (result.fate == SegmentFate::Drop) {
      if (!defended_ && arrives) kernel_.send(port_, made);
      return;
    }
    // A reset that would be believed ends the schedule too early to be of interest.
    if (result.reset || result.fate == SegmentFate::NoMemory) return pair_->refuse(result);
    std::string read;
    while (const auto piece = pair_->next(result)) {
      read.append(reinterpret_cast<const char*>(piece->bytes.data()), piece->bytes.size());
    }
    if (socket_ >= 0 && chance(5)) return pair_->refuse(result);
    inspected_ += read;
    pair_->commit(result);
    if (result.clear_urgent && defended_) {
      made.segment.flags &= static_cast<uint8_t>(~net::kTcpUrg);
      made.segment.urgent_pointer = 0;
    }
    if (!defended_) made.payload = original;
    if (arrives) kernel_.send(port_, made);
  }

  void take_answer(WireSegment& answer) {
    const auto position = static_cast<int32_t>(answer.segment.acknowledgement - first_);
    kernel_has_ = std::max<int64_t>(kernel_has_, position);
    if (answer.segment.has_timestamp) echo_ = answer.segment.timestamp_value;
    answer.segment.payload = answer.payload;
    const SegmentResult result = pair_->accept(kToClient, answer.segment);
    if (defended_) {
      EXPECT_NE(result.fate, SegmentFate::Drop)
          << "the kernel's own segment, problem " << static_cast<int>(result.problem);
    }
    pair_->commit(result);
  }

  // What the kernel sends reaches the stream with `percent` in a hundred.
  void drain(uint32_t percent, int wait_ms = 0) {
    while (auto answer = kernel_.receive(port_, wait_ms)) {
      wait_ms = 0;
      if (chance(percent)) take_answer(*answer);
    }
  }

  KernelReceiver& kernel_;
  std::mt19937_64 random_;
  bool defended_;
  HeapMemory heap_;
  StreamMemory memory_;
  StreamSettings settings_;
  std::optional<TcpStreamPair> pair_;
  uint16_t port_ = 0;
  uint32_t first_ = 0;
  uint32_t acknowledged_by_us_ = 0;
  uint32_t clock_ = 1000;
  uint32_t echo_ = 0;
  bool timestamps_ = false;
  int socket_ = -1;
  int64_t kernel_has_ = 0;
  std::string inspected_;
};

class KernelReceiverTest : public ::testing::Test {
 protected:
  // One namespace for all tests of the program: it cannot be left.
  static KernelReceiver& kernel() {
    static KernelReceiver receiver;
    static const std::string problem = receiver.start();
    EXPECT_EQ(problem, "");
    return receiver;
  }
};

TEST_F(KernelReceiverTest, ReadsWhatWasInspected) {
  ASSERT_FALSE((kernel(), HasFailure()));
  const auto started = std::chrono::steady_clock::now();
  size_t bytes = 0;
  uint32_t done = 0;
  for (; done < kSchedules; ++done) {
    if (std::chrono::steady_clock::now() - started > kTimeLimit) break;
    SCOPED_TRACE("seed " + std::to_string(done));
    Exchange exchange(kernel(), done, true);
    ASSERT_TRUE(exchange.open());
    exchange.exchange();
    ASSERT_TRUE(exchange.finish());
    bool ended = false;
    ASSERT_EQ(exchange.application_reads(ended), exchange.inspected());
    ASSERT_TRUE(ended);
    ASSERT_FALSE(HasFailure());
    bytes += exchange.inspected().size();
  }
  RecordProperty("schedules", static_cast<int>(done));
  EXPECT_GT(done, kSchedules / 8) << "too slow to say anything";
  EXPECT_GT(bytes / done, 500U);
}

// The test can fail: without rewriting, dropping and clearing the kernel reads something else.
TEST_F(KernelReceiverTest, ReadsSomethingElseWithoutDefence) {
  ASSERT_FALSE((kernel(), HasFailure()));
  uint32_t differing = 0;
  for (uint32_t seed = 0; seed < kUndefendedSchedules; ++seed) {
    Exchange exchange(kernel(), 50000 + seed, false);
    ASSERT_TRUE(exchange.open());
    exchange.exchange();
    static_cast<void>(exchange.finish());
    bool ended = false;
    const std::string read = exchange.application_reads(ended);
    differing += read == exchange.inspected() ? 0U : 1U;
  }
  EXPECT_GT(differing, kUndefendedSchedules / 2);
}

}  // namespace
}  // namespace masugata::dataplane
