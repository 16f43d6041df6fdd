// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stream/one_way_stream.h"

#include <algorithm>
#include <cstring>

namespace masugata::dataplane {

namespace {

// What an honest sender may repeat, or acknowledge late, when windows were smaller than this.
constexpr int64_t kMinimumLookBack = 65536;
// Without windows (the handshake was not seen) this far is believed.
constexpr int64_t kUnknownWindow = int64_t{1} << 30U;

uint64_t clamped(int64_t position) noexcept {
  return position < 0 ? 0 : static_cast<uint64_t>(position);
}

std::span<uint8_t> part(std::span<uint8_t> payload, int64_t begin, uint64_t from,
                        uint64_t to) noexcept {
  return payload.subspan(static_cast<size_t>(static_cast<int64_t>(from) - begin),
                         static_cast<size_t>(to - from));
}
std::span<const uint8_t> part(std::span<const uint8_t> payload, int64_t begin, uint64_t from,
                              uint64_t to) noexcept {
  return payload.subspan(static_cast<size_t>(static_cast<int64_t>(from) - begin),
                         static_cast<size_t>(to - from));
}

}  // namespace

// ---- beginning ----

void OneWayStream::begin(uint32_t first_sequence) noexcept {
  first_sequence_ = first_sequence;
  known_ = true;
}

bool OneWayStream::may_begin(uint32_t first_sequence) const noexcept {
  if (!known_ || first_sequence == first_sequence_) return true;
  if (confirmed_ || highest_ != 0) return false;
  return !ambiguous_ || first_sequence == alternative_;
}

void OneWayStream::offer_alternative(uint32_t first_sequence) noexcept {
  alternative_ = first_sequence;
  ambiguous_ = true;
}

bool OneWayStream::resolve(uint32_t acknowledgement) noexcept {
  if (acknowledgement == alternative_) {
    first_sequence_ = alternative_;
  } else if (acknowledgement != first_sequence_) {
    return false;
  }
  ambiguous_ = false;
  return true;
}

// ---- judging ----

SegmentProblem OneWayStream::judge_place(int64_t begin, int64_t end, bool fin) const noexcept {
  // A closed window still permits the probing byte (RFC 9293 section 3.8.6.1).
  const auto limit = static_cast<int64_t>(std::max(permitted_, acknowledged_ + 1));
  if (end > (window_known_ ? limit : static_cast<int64_t>(next_) + kUnknownWindow)) {
    return SegmentProblem::BeyondWindow;
  }
  const int64_t look_back = std::max<int64_t>(largest_window_, kMinimumLookBack);
  if (end + look_back < static_cast<int64_t>(acknowledged_)) return SegmentProblem::BeforeWindow;
  if (has_fin() && end > begin && end > static_cast<int64_t>(fin_)) {
    return SegmentProblem::DataAfterFin;
  }
  if (!fin) return SegmentProblem::None;
  const uint64_t expected = has_fin() ? fin_ : highest_;
  const bool fits =
      has_fin() ? end == static_cast<int64_t>(expected) : end >= static_cast<int64_t>(expected);
  return fits ? SegmentProblem::None : SegmentProblem::FinMismatch;
}

SegmentProblem OneWayStream::judge_ack(int64_t position, bool may_skip) const noexcept {
  uint64_t reachable = std::max(next_, unkept_end_);
  if (may_skip) {
    reachable = window_known_ ? std::max(permitted_, highest_) : next_ + uint64_t{kUnknownWindow};
  }
  // The FIN takes one number; an unseen one may be what is skipped.
  if (has_ended() || (may_skip && !has_fin())) ++reachable;
  if (position > static_cast<int64_t>(reachable)) return SegmentProblem::AckOfUnsent;
  if (window_known_ && position + largest_window_ < static_cast<int64_t>(acknowledged_)) {
    return SegmentProblem::AckTooOld;
  }
  return SegmentProblem::None;
}

// RFC 5961 section 3.2: only the next expected number resets. What the receiver expects lies
// between what it acknowledged last and what was sent last; an honest sender uses either.
SegmentProblem OneWayStream::judge_reset(int64_t position) const noexcept {
  const int64_t after_fin = has_ended() ? 1 : 0;
  if (position == static_cast<int64_t>(acknowledged_) ||
      position == static_cast<int64_t>(next_) + after_fin ||
      position == static_cast<int64_t>(highest_) + after_fin) {
    return SegmentProblem::None;
  }
  const auto limit = static_cast<int64_t>(std::max(permitted_, highest_));
  if (position < static_cast<int64_t>(acknowledged_) || position > limit) {
    return SegmentProblem::ResetOutOfWindow;
  }
  return SegmentProblem::ResetNotExact;
}

uint64_t OneWayStream::readable_end(uint64_t end) const noexcept {
  if (pieces_.is_empty()) [[likely]] {
    return end;
  }
  const std::span<const Piece> known = pieces_.all();
  const size_t index = pieces_.find(end);
  return index < known.size() && known[index].begin <= end ? known[index].end : end;
}

// ---- a segment's bytes ----

void OneWayStream::overlay_stale(int64_t begin, std::span<uint8_t> payload, bool rewrite,
                                 SegmentResult& result) noexcept {
  const uint64_t bound = std::min(acknowledged_, kept_from_);
  const int64_t end = begin + static_cast<int64_t>(payload.size());
  const int64_t stale_end = std::min(end, static_cast<int64_t>(bound));
  if (stale_end <= begin) return;
  const auto stale = payload.first(static_cast<size_t>(stale_end - begin));
  result.overlapped = true;
  counters_.stale_bytes += stale.size();
  const auto is_set = [](uint8_t byte) { return byte != 0; };
  if (!rewrite || std::none_of(stale.begin(), stale.end(), is_set)) return;
  std::memset(stale.data(), 0, stale.size());
  result.payload_changed = true;
  result.fate = SegmentFate::ForwardChanged;
}

void OneWayStream::overlay_held(uint64_t from, uint64_t to, int64_t begin,
                                std::span<uint8_t> payload, bool rewrite,
                                SegmentResult& result) noexcept {
  if (from >= to) return;
  result.overlapped = true;
  const size_t differing = kept_.compare(from, part(payload, begin, from, to), rewrite);
  if (differing == 0) {
    counters_.retransmitted_bytes += to - from;
    return;
  }
  counters_.rewritten_bytes += differing;
  result.overlap_differed = true;
  result.events.add(StreamEvent::OverlapDifferentData);
  if (!rewrite) return;
  result.payload_changed = true;
  result.fate = SegmentFate::ForwardChanged;
}

void OneWayStream::overlay(int64_t begin, std::span<uint8_t> payload, bool rewrite,
                           SegmentResult& result) noexcept {
  const int64_t end = begin + static_cast<int64_t>(payload.size());
  if (begin == static_cast<int64_t>(next_) && pieces_.is_empty()) [[likely]] {
    return;
  }
  const uint64_t last = clamped(end);
  overlay_stale(begin, payload, rewrite, result);
  overlay_held(std::max(clamped(begin), kept_from_), std::min(last, next_), begin, payload, rewrite,
               result);
  const std::span<const Piece> known = pieces_.all();
  for (size_t index = pieces_.find(clamped(begin)); index < known.size(); ++index) {
    if (known[index].begin >= last) break;
    overlay_held(std::max(clamped(begin), known[index].begin), std::min(last, known[index].end),
                 begin, payload, rewrite, result);
  }
  const bool forgotten = end > static_cast<int64_t>(acknowledged_) &&
                         begin < static_cast<int64_t>(kept_from_) && kept_from_ > acknowledged_;
  if (!forgotten) return;
  result.fate = SegmentFate::NoMemory;
  result.events.add(StreamEvent::InsertMemory);
}

std::optional<StreamEvent> OneWayStream::provide_room(uint64_t begin, uint64_t end,
                                                      const StreamSettings& settings) noexcept {
  const bool in_order = begin <= next_;
  const uint64_t from = std::max(begin, next_);
  const uint64_t allowed = std::min(settings.span_bytes, kMaximumSpanBytes);
  if (end - std::min(kept_from_, from) > allowed) {
    // In a capture nothing can be held back: the oldest bytes go.
    const bool forget = settings.mode == StreamMode::Capture && in_order && end - from <= allowed;
    if (!forget) return StreamEvent::InsertLimit;
    forget_before(std::min(end - allowed, next_));
  }
  if (!in_order && !pieces_.prepare(from, end, settings.pieces_ahead)) {
    return StreamEvent::InsertLimit;
  }
  if (kept_.reserve(from, end)) return std::nullopt;
  if (settings.mode != StreamMode::Capture || !in_order) return StreamEvent::InsertMemory;
  forget_before(next_);
  if (!kept_.reserve(from, end)) return StreamEvent::InsertMemory;
  return std::nullopt;
}

void OneWayStream::take(int64_t begin, std::span<const uint8_t> payload) noexcept {
  const uint64_t end = clamped(begin + static_cast<int64_t>(payload.size()));
  const uint64_t from = std::max(clamped(begin), next_);
  if (from >= end) return;
  // What came first stays, also where the payload could not be rewritten.
  uint64_t position = from;
  const std::span<const Piece> known = pieces_.all();
  for (size_t index = pieces_.find(from); index < known.size() && known[index].begin < end;
       ++index) {
    if (position < known[index].begin) {
      kept_.write(position, part(payload, begin, position, known[index].begin));
    }
    position = std::max(position, known[index].end);
  }
  if (position < end) kept_.write(position, part(payload, begin, position, end));
  highest_ = std::max(highest_, end);
  if (from == next_) {
    advance(readable_end(end));
  } else {
    pieces_.add(from, end);
    ++counters_.ahead_segments;
  }
}

void OneWayStream::pass_unkept(int64_t begin, std::span<const uint8_t> payload) noexcept {
  const uint64_t end = clamped(begin + static_cast<int64_t>(payload.size()));
  const uint64_t from = std::max(clamped(begin), next_);
  if (from >= end) return;
  counters_.unkept_bytes += end - from;
  highest_ = std::max(highest_, end);
  if (from != next_) {
    unkept_end_ = std::max(unkept_end_, end);
    ++counters_.ahead_segments;
    return;
  }
  advance(readable_end(end));
  forget_before(next_);
}

void OneWayStream::advance(uint64_t position) noexcept {
  counters_.readable_bytes += position - next_;
  next_ = position;
  highest_ = std::max(highest_, next_);
  pieces_.remove_before(next_);
  // Urgent bytes that have been passed are done with.
  uint8_t left = 0;
  for (uint8_t index = 0; index < urgent_count_; ++index) {
    if (urgent_[index] >= next_) urgent_[left++] = urgent_[index];
  }
  urgent_count_ = left;
}

void OneWayStream::take_fin(uint64_t position) noexcept {
  fin_ = position;
  highest_ = std::max(highest_, position);
}

void OneWayStream::take_timestamp(int64_t begin, uint32_t value) noexcept {
  // RFC 7323 section 4.3: only segments that reach back to what was acknowledged last count. The
  // receiver may have acknowledged everything up to next_ by now.
  if (begin > static_cast<int64_t>(next_) || is_older(value)) return;
  timestamp_recent_ = value;
  timestamp_known_ = true;
}

void OneWayStream::take_urgent(uint64_t position) noexcept {
  for (uint8_t index = 0; index < urgent_count_; ++index) {
    if (urgent_[index] == position) return;
  }
  if (position >= next_ && has_room_for_urgent()) urgent_[urgent_count_++] = position;
}

void OneWayStream::tidy() noexcept {
  if (pieces_.is_empty()) pieces_.clear();
  if (pieces_.is_empty() && kept_from_ == next_) kept_.release_all();
}

std::span<const uint8_t> OneWayStream::read(uint64_t& position, uint64_t end, int64_t begin,
                                            std::span<const uint8_t> payload, bool payload_is_right,
                                            uint64_t urgent) const noexcept {
  const auto is_urgent = [&](uint64_t at) {
    const auto last = urgent_.begin() + urgent_count_;
    return at == urgent || std::find(urgent_.begin(), last, at) != last;
  };
  while (position < end && is_urgent(position)) ++position;
  if (position >= end) return {};
  uint64_t stop = urgent > position ? std::min(end, urgent) : end;
  for (uint8_t index = 0; index < urgent_count_; ++index) {
    if (urgent_[index] > position) stop = std::min(stop, urgent_[index]);
  }
  const auto payload_end = clamped(begin + static_cast<int64_t>(payload.size()));
  const std::span<const Piece> known = pieces_.all();
  const size_t index = pieces_.find(position);
  const bool stored = index < known.size() && known[index].begin <= position;
  std::span<const uint8_t> bytes;
  if (position < payload_end && (payload_is_right || !stored)) {
    stop = std::min(stop, payload_end);
    if (!payload_is_right && index < known.size()) stop = std::min(stop, known[index].begin);
    bytes = part(payload, begin, position, stop);
  } else if (stored) {
    bytes = kept_.read(position, std::min(stop, known[index].end));
  }
  position += bytes.size();
  return bytes;
}

uint64_t OneWayStream::pass_gap(uint64_t& position, uint64_t end) const noexcept {
  const std::span<const Piece> known = pieces_.all();
  const size_t index = pieces_.find(position);
  const uint64_t stop = index < known.size() ? std::min(known[index].begin, end) : end;
  if (stop <= position) return 0;
  const uint64_t missing = stop - position;
  position = stop;
  return missing;
}

std::span<const uint8_t> OneWayStream::flush(uint64_t& missing) noexcept {
  missing = 0;
  if (pieces_.is_empty()) return {};
  const Piece piece = pieces_.all().front();
  missing = piece.begin - next_;
  uint64_t position = piece.begin;
  const auto bytes = kept_.read(position, piece.end);
  position += bytes.size();
  advance(position);
  counters_.readable_bytes -= missing;
  counters_.missing_bytes += missing;
  return bytes;
}

// ---- the receiver ----

void OneWayStream::forget_before(uint64_t position) noexcept {
  if (position <= kept_from_) return;
  kept_from_ = position;
  if (kept_from_ == next_ && pieces_.is_empty()) {
    kept_.release_all();
  } else {
    kept_.release_before(position);
  }
}

void OneWayStream::acknowledge(int64_t position, uint32_t keep_bytes) noexcept {
  const uint64_t acknowledged = std::min(clamped(position), next_);
  if (acknowledged <= acknowledged_) return;
  acknowledged_ = acknowledged;
  if (acknowledged > keep_bytes) forget_before(acknowledged - keep_bytes);
}

void OneWayStream::permit(int64_t acknowledged, uint32_t window_bytes) noexcept {
  permitted_ = std::max(permitted_, clamped(acknowledged + window_bytes));
  largest_window_ = std::max(largest_window_, window_bytes);
}

void OneWayStream::skip_to(uint64_t position) noexcept {
  if (position <= next_) return;
  uint64_t here = next_;
  uint64_t missing = 0;
  const std::span<const Piece> known = pieces_.all();
  for (const Piece& piece : known) {
    if (piece.begin >= position) break;
    missing += piece.begin - here;
    here = piece.end;
  }
  if (here < position) missing += position - here;
  const uint64_t next = readable_end(position);
  advance(next);
  counters_.readable_bytes -= missing;
  counters_.missing_bytes += missing;
  acknowledged_ = std::max(acknowledged_, position);
  // The bytes before the last gap are of no use for comparison without those in it.
  forget_before(position);
}

}  // namespace masugata::dataplane
