// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/transfers/tcp_end.h"

#include <fmt/format.h>

#include <algorithm>

namespace masugata::test {
namespace {

constexpr uint64_t kShortestTimeout_us = 200'000;
constexpr uint64_t kLongestTimeout_us = 60'000'000;
constexpr uint64_t kDelayedAck_us = 40'000;
constexpr uint32_t kFirstSegments = 10;  // RFC 6928
constexpr uint32_t kMostBackoff = 6;

bool is_before(uint32_t one, uint32_t other) { return static_cast<int32_t>(one - other) < 0; }

}  // namespace

TcpEnd::TcpEnd(const TcpEndSettings& settings, Chance& chance)
    : settings_(settings),
      chance_(chance),
      congestion_window_(kFirstSegments * settings.segment_bytes) {}

// ---- numbers ----

uint64_t TcpEnd::offset_of_acknowledgement(uint32_t number) const {
  const auto base = settings_.first_sequence + 1 + static_cast<uint32_t>(acknowledged_);
  const int64_t offset = static_cast<int64_t>(acknowledged_) + static_cast<int32_t>(number - base);
  return offset < 0 ? 0 : static_cast<uint64_t>(offset);
}

int64_t TcpEnd::offset_of_sequence(uint32_t number) const {
  const auto base = peer_first_ + static_cast<uint32_t>(arrived_.size());
  return static_cast<int64_t>(arrived_.size()) + static_cast<int32_t>(number - base);
}

uint32_t TcpEnd::room() const {
  const size_t unread = arrived_.size() - read_.size();
  return unread >= settings_.receive_bytes
             ? 0
             : settings_.receive_bytes - static_cast<uint32_t>(unread);
}

// ---- sending ----

TcpWords TcpEnd::blank(uint8_t flags, uint64_t now_us) {
  TcpWords words;
  words.flags = flags;
  words.sequence = settings_.first_sequence + 1 + static_cast<uint32_t>(highest_);
  if ((flags & kSyn) != 0) {
    words.sequence = settings_.first_sequence;
    words.window = static_cast<uint16_t>(std::min(room(), 0xffffU));
    if (state_ == State::SynSent || own_scale_ != 0) words.window_scale = settings_.window_scale;
  } else {
    // What was announced is not taken back.
    const uint64_t kept = announced_end_ > arrived_.size() ? announced_end_ - arrived_.size() : 0;
    const uint64_t window = std::max<uint64_t>(room(), kept);
    words.window = static_cast<uint16_t>(std::min<uint64_t>(window >> own_scale_, 0xffff));
    announced_end_ = std::max(
        announced_end_, arrived_.size() + (static_cast<uint64_t>(words.window) << own_scale_));
  }
  if ((flags & kAck) != 0) {
    const bool fin = fin_at_ == arrived_.size();
    last_acknowledged_ = arrived_.size() + (fin ? 1 : 0);
    words.acknowledgement = peer_first_ + static_cast<uint32_t>(last_acknowledged_);
    unacknowledged_segments_ = 0;
    delayed_ack_at_us_ = kNever;
  }
  if (uses_timestamps_ || (state_ == State::SynSent && settings_.timestamps)) {
    words.timestamps = TcpTimestamps{clock(now_us), recent_timestamp_};
  }
  return words;
}

void TcpEnd::connect(uint64_t now_us) {
  state_ = State::SynSent;
  send_syn(now_us);
}

void TcpEnd::send_syn(uint64_t now_us) {
  const auto flags = static_cast<uint8_t>(state_ == State::SynSent ? kSyn : kSyn | kAck);
  output_.push_back(blank(flags, now_us));
  arm(now_us);
}

void TcpEnd::send_ack(uint64_t now_us) { output_.push_back(blank(kAck, now_us)); }

void TcpEnd::send_at(uint64_t offset, bool again, uint64_t now_us) {
  TcpWords words = blank(kAck, now_us);
  words.sequence = settings_.first_sequence + 1 + static_cast<uint32_t>(offset);
  uint64_t most = settings_.segment_bytes;
  if (again && chance_.percent(settings_.recut_percent)) {
    most = 1 + chance_.below(settings_.segment_bytes);
  }
  const uint64_t permitted = permitted_ > offset ? permitted_ - offset : 0;
  words.payload =
      offset < outgoing_.size()
          ? outgoing_.substr(offset, std::min<uint64_t>(most, std::max<uint64_t>(permitted, 1)))
          : std::string();
  uint64_t end = offset + words.payload.size();
  if (end == outgoing_.size()) {
    words.flags |= kPsh;
    if (closing_) {
      words.flags |= kFin;
      ++end;
    }
  }
  output_.push_back(std::move(words));
  highest_ = std::max(highest_, end);
  next_ = std::max(next_, end);
  if (timeout_at_us_ == kNever) arm(now_us);
}

void TcpEnd::send_permitted(uint64_t now_us) {
  if (state_ != State::Established || reset_) return;
  while (next_ < end_of_outgoing()) {
    const bool only_fin = next_ == outgoing_.size();
    if (!only_fin && next_ >= permitted_) break;
    if (in_flight() >= congestion_window_) break;
    const uint64_t before = next_;
    send_at(next_, next_ < highest_, now_us);
    if (next_ == before) break;
  }
  // A closed window is probed.
  if (next_ < end_of_outgoing() && in_flight() == 0 && timeout_at_us_ == kNever) arm(now_us);
}

// ---- taking ----

void TcpEnd::take(const TcpWords& words, uint64_t now_us) {
  if (reset_) return;
  if (state_ != State::Established) {
    take_handshake(words, now_us);
    if (state_ != State::Established || reset_) return;
  }
  if (words.has(kSyn)) {
    send_ack(now_us);  // the last of the handshake was lost
    return;
  }
  if (words.has(kRst)) {
    if (offset_of_sequence(words.sequence) == static_cast<int64_t>(arrived_.size()) ||
        words.sequence == peer_first_ + static_cast<uint32_t>(last_acknowledged_)) {
      reset_ = true;
    } else {
      send_ack(now_us);
    }
    return;
  }
  if (!words.has(kAck)) return;
  if (uses_timestamps_ && words.timestamps) {
    if (is_before(words.timestamps->value, recent_timestamp_)) {
      if (!words.payload.empty() || words.has(kFin)) send_ack(now_us);
      return;
    }
    const auto expected = peer_first_ + static_cast<uint32_t>(last_acknowledged_);
    if (!is_before(expected, words.sequence)) recent_timestamp_ = words.timestamps->value;
  }
  take_acknowledgement(words, now_us);
  take_payload(words, now_us);
  send_permitted(now_us);
}

void TcpEnd::take_handshake(const TcpWords& words, uint64_t now_us) {
  if (state_ == State::SynSent && words.has(kRst)) {
    reset_ = true;
    return;
  }
  const bool opens = (state_ == State::Closed && listening_ && words.has(kSyn)) ||
                     (state_ == State::SynReceived && words.has(kSyn) && !words.has(kAck)) ||
                     (state_ == State::SynSent && words.has(kSyn) && words.has(kAck));
  if (opens) {
    peer_first_ = words.sequence + 1;
    uses_timestamps_ = settings_.timestamps && words.timestamps.has_value();
    if (words.timestamps) recent_timestamp_ = words.timestamps->value;
    peer_scale_ = words.window_scale.value_or(0);
    own_scale_ = words.window_scale ? settings_.window_scale : uint8_t{0};
    permitted_ = words.window;
  }
  if (state_ == State::SynSent && opens) {
    state_ = State::Established;
    timeout_at_us_ = kNever;
    backoff_ = 0;
    send_ack(now_us);
  } else if (opens) {
    state_ = State::SynReceived;
    send_syn(now_us);
  } else if (state_ == State::SynReceived && words.has(kAck) &&
             words.acknowledgement == settings_.first_sequence + 1) {
    state_ = State::Established;
    timeout_at_us_ = kNever;
    backoff_ = 0;
  }
}

void TcpEnd::take_acknowledgement(const TcpWords& words, uint64_t now_us) {
  const uint64_t offset = offset_of_acknowledgement(words.acknowledgement);
  if (offset > highest_) return;
  const uint64_t permits = offset + (static_cast<uint64_t>(words.window) << peer_scale_);
  const bool opens_window = permits > permitted_;
  permitted_ = std::max(permitted_, permits);
  if (offset > acknowledged_) {
    take_progress(offset, words, now_us);
  } else if (offset == acknowledged_ && words.payload.empty() && !words.has(kFin) &&
             !opens_window && in_flight() != 0) {
    take_duplicate(now_us);
  }
}

void TcpEnd::take_progress(uint64_t offset, const TcpWords& words, uint64_t now_us) {
  if (uses_timestamps_ && words.timestamps && words.timestamps->echo != 0) {
    const uint64_t trip_us = uint64_t{clock(now_us) - words.timestamps->echo} * 1000;
    const uint64_t off = trip_us > smoothed_us_ ? trip_us - smoothed_us_ : smoothed_us_ - trip_us;
    variation_us_ = smoothed_us_ == 0 ? trip_us / 2 : (3 * variation_us_ + off) / 4;
    smoothed_us_ = smoothed_us_ == 0 ? trip_us : (7 * smoothed_us_ + trip_us) / 8;
    timeout_us_ = std::clamp(smoothed_us_ + std::max(kShortestTimeout_us, 4 * variation_us_),
                             kShortestTimeout_us, kLongestTimeout_us);
  }
  const auto bytes = static_cast<uint32_t>(offset - acknowledged_);
  acknowledged_ = offset;
  next_ = std::max(next_, acknowledged_);
  duplicates_ = 0;
  backoff_ = 0;
  timeout_at_us_ = kNever;
  if (recovering_ && offset < recover_) {
    send_at(acknowledged_, true, now_us);  // another hole
  } else if (recovering_) {
    recovering_ = false;
    congestion_window_ = threshold_;
  } else if (congestion_window_ < threshold_) {
    congestion_window_ += std::min(bytes, 2 * settings_.segment_bytes);
  } else {
    congestion_window_ += settings_.segment_bytes * settings_.segment_bytes / congestion_window_;
  }
  if (in_flight() != 0) arm(now_us);
}

void TcpEnd::take_duplicate(uint64_t now_us) {
  ++duplicates_;
  if (duplicates_ == 3 && !recovering_) {
    recovering_ = true;
    recover_ = highest_;
    threshold_ = std::max(static_cast<uint32_t>(in_flight() / 2), 2 * settings_.segment_bytes);
    congestion_window_ = threshold_ + 3 * settings_.segment_bytes;
    send_at(acknowledged_, true, now_us);
  } else if (duplicates_ > 3) {
    congestion_window_ += settings_.segment_bytes;
  }
}

void TcpEnd::take_payload(const TcpWords& words, uint64_t now_us) {
  if (words.payload.empty() && !words.has(kFin)) {
    // A probe wants an answer.
    if (offset_of_sequence(words.sequence) < static_cast<int64_t>(arrived_.size())) {
      send_ack(now_us);
    }
    return;
  }
  const int64_t begin = offset_of_sequence(words.sequence);
  std::string bytes = words.payload;
  uint64_t from = begin < 0 ? 0 : static_cast<uint64_t>(begin);
  if (begin < 0) {
    bytes.erase(0, std::min(bytes.size(), static_cast<size_t>(-begin)));
  }
  const uint64_t limit = std::max(announced_end_, arrived_.size() + room());
  if (from + bytes.size() > limit) bytes.resize(limit > from ? limit - from : 0);
  const bool cut = bytes.size() < words.payload.size() && begin >= 0;
  if (words.has(kFin) && !cut) {
    fin_at_ = static_cast<uint64_t>(begin + static_cast<int64_t>(words.payload.size()));
  }
  const size_t before = arrived_.size();
  if (!bytes.empty()) ahead_.emplace(from, std::move(bytes));
  for (auto piece = ahead_.begin(); piece != ahead_.end() && piece->first <= arrived_.size();
       piece = ahead_.erase(piece)) {
    const size_t known = arrived_.size() - piece->first;
    if (known < piece->second.size()) arrived_ += piece->second.substr(known);
  }
  const bool moved = arrived_.size() > before;
  read_some(now_us);
  ++unacknowledged_segments_;
  if (!moved || !ahead_.empty() || unacknowledged_segments_ >= 2 || fin_at_ == arrived_.size()) {
    send_ack(now_us);
  } else if (delayed_ack_at_us_ == kNever) {
    delayed_ack_at_us_ = now_us + kDelayedAck_us;
  }
}

void TcpEnd::read_some(uint64_t now_us) {
  size_t most = arrived_.size() - read_.size();
  if (settings_.read_bytes_per_ms != 0) {
    const uint64_t span_ms = (now_us - read_at_us_) / 1000;
    if (span_ms == 0) return;
    most = std::min<size_t>(most, span_ms * settings_.read_bytes_per_ms);
  }
  read_at_us_ = now_us;
  const uint32_t before = room();
  read_ += arrived_.substr(read_.size(), most);
  if (read_.size() == arrived_.size() && fin_at_ == arrived_.size()) ended_ = true;
  const bool opens = before < settings_.receive_bytes / 4 && room() >= settings_.receive_bytes / 2;
  if (opens) send_ack(now_us);
}

// ---- time ----

void TcpEnd::retransmit_timeout(uint64_t now_us) {
  timeout_at_us_ = kNever;
  ++timeouts_;
  backoff_ = std::min(backoff_ + 1, kMostBackoff);
  if (state_ != State::Established) {
    send_syn(now_us);
    return;
  }
  if (in_flight() == 0 && acknowledged_ == highest_) {
    // The window is closed: a number that the other end has already makes it speak.
    TcpWords words = blank(kAck, now_us);
    words.sequence = settings_.first_sequence + static_cast<uint32_t>(acknowledged_);
    output_.push_back(std::move(words));
    arm(now_us);
    return;
  }
  threshold_ =
      std::max(static_cast<uint32_t>(highest_ - acknowledged_) / 2, 2 * settings_.segment_bytes);
  congestion_window_ = settings_.segment_bytes;
  recovering_ = false;
  duplicates_ = 0;
  next_ = acknowledged_;
  send_at(acknowledged_, true, now_us);
}

void TcpEnd::tick(uint64_t now_us) {
  if (reset_) return;
  if (settings_.read_bytes_per_ms != 0) read_some(now_us);
  if (now_us >= delayed_ack_at_us_) send_ack(now_us);
  if (now_us >= timeout_at_us_) retransmit_timeout(now_us);
  send_permitted(now_us);
}

uint64_t TcpEnd::next_timer_us() const {
  if (reset_) return kNever;
  uint64_t next = std::min(timeout_at_us_, delayed_ack_at_us_);
  if (settings_.read_bytes_per_ms != 0 && read_.size() < arrived_.size()) {
    next = std::min(next, read_at_us_ + 1000);
  }
  return next;
}

std::string TcpEnd::describe() const {
  return fmt::format(
      "{} of {} sent, {} acknowledged, permitted to {}, window {}, timeout {} ms x {}, {} "
      "timeouts; "
      "{} arrived, {} read, {} pieces ahead{}{}",
      highest_, end_of_outgoing(), acknowledged_, permitted_, congestion_window_,
      timeout_us_ / 1000, 1U << backoff_, timeouts_, arrived_.size(), read_.size(), ahead_.size(),
      ended_ ? ", ended" : "", reset_ ? ", reset" : "");
}

}  // namespace masugata::test
