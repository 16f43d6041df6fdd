// SPDX-License-Identifier: GPL-2.0-or-later
// One end of a TCP connection on a virtual clock: RFC 9293 with timestamps and window scaling
// (RFC 7323), a retransmission timer (RFC 6298), NewReno (RFC 6582), delayed acknowledgements and
// probes of closed windows. What it retransmits it may cut elsewhere than before. No SACK.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/transfers/tcp_frame.h"

namespace masugata::test {

// The same everywhere for the same seed, which the standard's distributions are not.
class Chance {
 public:
  explicit Chance(uint64_t seed) : engine_(seed) {}
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(engine_() % bound); }
  bool percent(double wanted) { return below(10'000) < static_cast<uint32_t>(wanted * 100); }

 private:
  std::mt19937_64 engine_;
};

struct TcpEndSettings {
  uint32_t first_sequence = 1000;
  uint32_t timestamp_base = 1;
  bool timestamps = true;
  uint8_t window_scale = 7;
  uint32_t receive_bytes = 65536;  // room, and so the largest window
  uint32_t segment_bytes = 1448;
  uint32_t read_bytes_per_ms = 0;  // of a slow application; 0: at once
  double recut_percent = 20;       // of retransmitted segments
};

// Times are in microseconds of the simulation.
class TcpEnd {
 public:
  TcpEnd(const TcpEndSettings& settings, Chance& chance);

  // ---- the application ----
  void connect(uint64_t now_us);
  void listen() { listening_ = true; }
  void write(std::string_view bytes) { outgoing_ += bytes; }
  void close() { closing_ = true; }
  // All that it has read so far.
  [[nodiscard]] const std::string& read() const { return read_; }
  // The other end's FIN has been read, in order.
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool was_reset() const { return reset_; }
  // Everything that was written, FIN included, was acknowledged.
  [[nodiscard]] bool all_acknowledged() const { return acknowledged_ >= end_of_outgoing(); }

  // ---- the network ----
  void take(const TcpWords& words, uint64_t now_us);
  // What is due: timers, data that may be sent.
  void tick(uint64_t now_us);
  [[nodiscard]] std::vector<TcpWords> take_output() { return std::move(output_); }
  // When tick() has something to do unless a segment comes; never: ~0.
  [[nodiscard]] uint64_t next_timer_us() const;
  // For messages of failed tests.
  [[nodiscard]] std::string describe() const;

 private:
  enum class State : uint8_t { Closed, SynSent, SynReceived, Established };

  [[nodiscard]] uint64_t end_of_outgoing() const { return outgoing_.size() + (closing_ ? 1U : 0U); }
  [[nodiscard]] uint64_t offset_of_acknowledgement(uint32_t number) const;
  [[nodiscard]] int64_t offset_of_sequence(uint32_t number) const;
  [[nodiscard]] uint32_t room() const;
  [[nodiscard]] uint64_t in_flight() const { return next_ - acknowledged_; }
  [[nodiscard]] TcpWords blank(uint8_t flags, uint64_t now_us);
  void send_syn(uint64_t now_us);
  void send_at(uint64_t offset, bool again, uint64_t now_us);
  void send_ack(uint64_t now_us);
  void send_permitted(uint64_t now_us);
  void take_handshake(const TcpWords& words, uint64_t now_us);
  void take_acknowledgement(const TcpWords& words, uint64_t now_us);
  void take_duplicate(uint64_t now_us);
  void take_progress(uint64_t offset, const TcpWords& words, uint64_t now_us);
  void take_payload(const TcpWords& words, uint64_t now_us);
  void read_some(uint64_t now_us);
  void retransmit_timeout(uint64_t now_us);
  void arm(uint64_t now_us) { timeout_at_us_ = now_us + (timeout_us_ << backoff_); }
  [[nodiscard]] uint32_t clock(uint64_t now_us) const {
    return settings_.timestamp_base + static_cast<uint32_t>(now_us / 1000);
  }

  static constexpr uint64_t kNever = ~uint64_t{0};

  TcpEndSettings settings_;
  Chance& chance_;
  State state_ = State::Closed;
  bool listening_ = false;
  bool closing_ = false;
  bool reset_ = false;
  std::vector<TcpWords> output_;

  // Sending; offsets count from the first byte.
  std::string outgoing_;
  uint64_t acknowledged_ = 0;
  uint64_t next_ = 0;     // what is sent next; taken back after a timeout
  uint64_t highest_ = 0;  // behind everything ever sent
  uint64_t permitted_ = 0;
  uint32_t congestion_window_ = 0;
  uint32_t threshold_ = 1U << 30U;
  uint32_t duplicates_ = 0;
  uint64_t recover_ = 0;  // of a fast recovery under way: its end
  bool recovering_ = false;
  uint64_t smoothed_us_ = 0;
  uint64_t variation_us_ = 0;
  uint64_t timeout_us_ = 1'000'000;
  uint32_t backoff_ = 0;
  uint64_t timeout_at_us_ = kNever;
  uint8_t peer_scale_ = 0;

  // Receiving.
  uint32_t peer_first_ = 0;  // the number of its first byte
  std::string arrived_;      // in order
  std::string read_;
  std::map<uint64_t, std::string> ahead_;
  uint64_t fin_at_ = kNever;
  bool ended_ = false;
  uint8_t own_scale_ = 0;
  bool uses_timestamps_ = false;
  uint32_t recent_timestamp_ = 0;
  uint64_t last_acknowledged_ = 0;  // last number sent
  uint64_t announced_end_ = 0;
  uint32_t unacknowledged_segments_ = 0;
  uint64_t delayed_ack_at_us_ = kNever;
  uint64_t read_at_us_ = 0;
  uint32_t timeouts_ = 0;
};

}  // namespace masugata::test
