// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stream/tcp_stream.h"

#include <algorithm>

#include "net/headers/transport.h"

namespace masugata::dataplane {

namespace {

enum PlanFlag : uint16_t {
  kPlanDropped = 0x01,
  kPlanSyn = 0x02,
  kPlanFin = 0x04,
  kPlanReset = 0x08,
  kPlanTimestamp = 0x10,
  kPlanUrgent = 0x20,
  kPlanUnkept = 0x40,
  kPlanRewritten = 0x80,  // the payload says the same as what is stored
  kPlanSigned = 0x100,
  kPlanOutside = 0x200,  // not of this connection's streams, and harmless
};

constexpr uint64_t kNoUrgent = ~uint64_t{0};

bool is_set(const SegmentResult& result, PlanFlag flag) noexcept {
  return (result.plan.flags & flag) != 0;
}
void set(SegmentResult& result, PlanFlag flag) noexcept {
  result.plan.flags = static_cast<uint16_t>(result.plan.flags | flag);
}

// A probe without new data that wants an answer (RFC 9293 section 3.8.4).
bool is_keep_alive(const OneWayStream& sender, int64_t begin, size_t length) noexcept {
  return length <= 1 && begin + 1 == static_cast<int64_t>(sender.next());
}

void add_event_of(SegmentProblem problem, bool fin, SegmentResult& result) noexcept {
  switch (problem) {
    case SegmentProblem::BeyondWindow:
    case SegmentProblem::DataAfterFin:
      result.events.add(fin ? StreamEvent::FinOutOfWindow : StreamEvent::OutOfWindow);
      break;
    case SegmentProblem::FinMismatch:
      result.events.add(StreamEvent::FinOutOfWindow);
      break;
    case SegmentProblem::BeforeWindow:
      result.events.add(StreamEvent::BeforeLastAck);
      break;
    case SegmentProblem::OldTimestamp:
      result.events.add(StreamEvent::InvalidTimestamp);
      break;
    case SegmentProblem::AckOfUnsent:
    case SegmentProblem::AckTooOld:
      result.events.add(StreamEvent::InvalidAck);
      break;
    case SegmentProblem::ResetNotExact:
    case SegmentProblem::ResetOutOfWindow:
      result.events.add(StreamEvent::SuspectedReset);
      break;
    default:
      break;
  }
}

}  // namespace

TcpStreamPair::TcpStreamPair(StreamMemory& memory, const StreamSettings& settings) noexcept
    : memory_(memory), settings_(settings), streams_{OneWayStream(memory), OneWayStream(memory)} {}

// ---- judging ----

// RFC 7323 section 2.2: scaled when both SYNs offered it, and never in a SYN.
uint8_t TcpStreamPair::window_shift(ids::Direction direction,
                                    const StreamSegment& segment) const noexcept {
  constexpr uint8_t kLargestScale = 14;
  const bool scaled = scale_[0] != kSegmentWithoutScale && scale_[1] != kSegmentWithoutScale &&
                      !segment.has(net::kTcpSyn);
  return scaled ? std::min(scale_[ids::index_of(direction)], kLargestScale) : uint8_t{0};
}

uint16_t TcpStreamPair::announce_window(ids::Direction direction,
                                        const StreamSegment& segment) noexcept {
  OneWayStream& other = at(ids::opposite(direction));
  if (!segment.has(net::kTcpAck) || segment.has(net::kTcpRst) || !other.is_known()) {
    return segment.window;
  }
  const int64_t position = other.position_of(segment.acknowledgement);
  const uint8_t shift = window_shift(direction, segment);
  const uint64_t span = settings_.span_bytes;
  const uint64_t affordable = std::clamp<uint64_t>(memory_.affordable_bytes(),
                                                   std::min<uint64_t>(kSmallestWindow, span), span);
  const int64_t kept_promise = other.announced() - position;
  uint64_t units = affordable >> shift;
  if (kept_promise > static_cast<int64_t>(affordable)) [[unlikely]] {
    // Rounded up: less would take something back. Beyond the span nothing was ever announced.
    const uint64_t unit = uint64_t{1} << shift;
    units = std::min((static_cast<uint64_t>(kept_promise) + unit - 1) >> shift, span >> shift);
  }
  const auto window = static_cast<uint16_t>(std::min<uint64_t>(segment.window, units));
  other.announce(position + (int64_t{window} << shift));
  return window;
}

// Takes positions from a segment whose handshake was not seen, as far as the settings allow.
bool TcpStreamPair::pick_up(ids::Direction direction, const StreamSegment& segment) noexcept {
  OneWayStream& sender = at(direction);
  OneWayStream& other = at(ids::opposite(direction));
  const bool fresh = !sender.is_known() && !other.is_known();
  const bool may = settings_.midstream || (!fresh && may_skip());
  if (!may || !segment.has(net::kTcpAck)) return false;
  if (fresh) {
    midstream_ = true;
    signed_ = segment.has_signature;
    timestamps_[0] = timestamps_[1] = segment.has_timestamp;
  }
  if (!sender.is_known()) sender.begin(segment.sequence);
  if (!other.is_known()) other.begin(segment.acknowledgement);
  sender.confirm();
  other.confirm();
  return true;
}

SegmentProblem TcpStreamPair::judge_syn(ids::Direction direction, const StreamSegment& segment,
                                        SegmentResult& result) noexcept {
  const OneWayStream& sender = at(direction);
  const uint32_t first = segment.sequence + 1;
  if (!segment.payload.empty() && settings_.syn_data == SynDataPolicy::Drop) {
    return SegmentProblem::SynData;
  }
  const bool answers = segment.has(net::kTcpAck);
  OneWayStream& other = at(ids::opposite(direction));
  if (answers && !other.is_known()) {
    if (!settings_.midstream) return SegmentProblem::NotSynchronized;
    other.begin(segment.acknowledgement);
    midstream_ = true;
  }
  if (sender.is_known()) {
    const bool same = sender.first_sequence() == first;
    if (same) {
      result.events.add(answers ? StreamEvent::SynAckResend : StreamEvent::SynResend);
      // Receivers challenge it and throw its bytes away (RFC 5961 section 4.2).
      if (sender.is_confirmed() && !segment.payload.empty()) return SegmentProblem::SynMismatch;
    } else {
      result.events.add(answers ? StreamEvent::SynAckResendDifferent
                                : StreamEvent::SynResendDifferent);
      result.reopens = is_closed() && !answers;
      const bool fits = sender.may_begin(first) && segment.payload.empty();
      if (!fits) return SegmentProblem::SynMismatch;
    }
  }
  set(result, kPlanSyn);
  if (segment.has_signature) set(result, kPlanSigned);
  if (segment.has_timestamp) set(result, kPlanTimestamp);
  result.plan.first_sequence = first;
  result.plan.window_scale = segment.window_scale;
  return SegmentProblem::None;
}

SegmentProblem TcpStreamPair::judge_reset(ids::Direction direction,
                                          const StreamSegment& segment) const noexcept {
  const OneWayStream& sender = at(direction);
  const OneWayStream& other = at(ids::opposite(direction));
  if (sender.is_known() && !sender.is_ambiguous()) {
    return sender.judge_reset(sender.position_of(segment.sequence));
  }
  // Refused: the answer to the SYN (RFC 9293 section 3.10.7.3).
  if (!other.is_known() || !segment.has(net::kTcpAck)) return SegmentProblem::ResetOutOfWindow;
  const int64_t position = other.position_of(segment.acknowledgement);
  const bool answers = position >= 0 && position <= static_cast<int64_t>(other.highest());
  return answers || other.is_ambiguous() ? SegmentProblem::None : SegmentProblem::ResetOutOfWindow;
}

// Judges the acknowledgement of the other direction.
SegmentProblem TcpStreamPair::judge_ack(ids::Direction direction, const StreamSegment& segment,
                                        SegmentResult& result) noexcept {
  OneWayStream& other = at(ids::opposite(direction));
  if (other.is_ambiguous() && !other.resolve(segment.acknowledgement)) {
    return SegmentProblem::AckOfUnsent;
  }
  const int64_t position = other.position_of(segment.acknowledgement);
  const SegmentProblem problem = other.judge_ack(position, may_skip());
  if (problem != SegmentProblem::None) return problem;
  const auto target = position < 0 ? 0 : static_cast<uint64_t>(position);
  const bool only_fin = other.has_ended() && target == other.next() + 1;
  if (target <= other.next() || only_fin) return SegmentProblem::None;
  result.plan.skip_position = other.next();
  result.plan.skip_end = result.plan.skip_acknowledged = target;
  return SegmentProblem::None;
}

SegmentProblem TcpStreamPair::judge(ids::Direction direction, const StreamSegment& segment,
                                    SegmentResult& result) noexcept {
  OneWayStream& sender = at(direction);
  const OneWayStream& other = at(ids::opposite(direction));
  if (segment.has(net::kTcpRst)) return judge_reset(direction, segment);
  const bool syn = segment.has(net::kTcpSyn);
  const bool fin = segment.has(net::kTcpFin) && !syn;
  const bool bare = segment.payload.empty() && !fin && !syn;
  if (syn) {
    const SegmentProblem problem = judge_syn(direction, segment, result);
    if (problem != SegmentProblem::None) return problem;
  } else {
    if (!segment.has(net::kTcpAck)) {
      if (segment.acknowledgement != 0) result.events.add(StreamEvent::BrokenAck);
      return SegmentProblem::MissingAck;
    }
    if (!sender.is_known() || !other.is_known()) {
      // A bare ACK may be what is left of an older connection; it changes nothing (RFC 9293
      // section 3.5.1).
      if (!pick_up(direction, segment)) {
        set(result, kPlanOutside);
        return bare ? SegmentProblem::None : SegmentProblem::NotSynchronized;
      }
    }
    if (sender.is_ambiguous() && !bare) return SegmentProblem::NotSynchronized;
    if (segment.has_signature != signed_) return SegmentProblem::Signature;
    const bool timestamps = timestamps_[0] && timestamps_[1] && segment.has_timestamp;
    if (timestamps) {
      if (!bare && sender.is_older(segment.timestamp_value)) return SegmentProblem::OldTimestamp;
      set(result, kPlanTimestamp);
    }
  }
  if (segment.has(net::kTcpAck) && other.is_known()) {
    const SegmentProblem problem = judge_ack(direction, segment, result);
    if (problem != SegmentProblem::None) return problem;
  }
  result.plan.begin = syn ? 0 : sender.position_of(segment.sequence);
  const int64_t end = result.plan.begin + static_cast<int64_t>(segment.payload.size());
  return sender.judge_place(result.plan.begin, end, fin);
}

// ---- taking ----

void TcpStreamPair::take_ack(ids::Direction direction, const StreamSegment& segment,
                             SegmentResult& result) noexcept {
  OneWayStream& other = at(ids::opposite(direction));
  const uint32_t window = uint32_t{segment.window} << window_shift(direction, segment);
  if (!segment.has(net::kTcpAck)) {
    if (!other.is_known()) other.permit(0, window);
    return;
  }
  if (!other.is_known()) return;
  if (!segment.has(net::kTcpRst)) other.confirm();
  const int64_t position = other.position_of(segment.acknowledgement);
  other.permit(position, window);
  if (result.plan.skip_end == 0) {
    other.acknowledge(position, settings_.acknowledged_bytes);
    return;
  }
  uint64_t here = result.plan.skip_position;
  while (here < result.plan.skip_end) {
    result.missing += other.pass_gap(here, result.plan.skip_end);
    const uint64_t piece_end = other.readable_end(here);
    here = std::max(here, std::min(piece_end, result.plan.skip_end));
  }
  result.plan.skip_end = other.readable_end(result.plan.skip_end);
  result.events.add(StreamEvent::SequenceGap);
}

// False when the segment must be dropped.
bool TcpStreamPair::take_urgent(const StreamSegment& segment, SegmentResult& result) noexcept {
  if (!segment.has(net::kTcpUrg)) return true;
  switch (settings_.urgent) {
    case UrgentPolicy::Drop:
      return false;
    case UrgentPolicy::Clear:
      result.clear_urgent = true;
      return true;
    case UrgentPolicy::TakeOut:
      break;
  }
  // The pointer shows behind the urgent byte (RFC 9293 section 3.8.5 has it at the last one, but
  // receivers read it as RFC 793 said; RFC 6093 section 3.1).
  const int64_t position =
      result.plan.begin + (segment.urgent_pointer == 0 ? 0 : segment.urgent_pointer - 1);
  if (position < static_cast<int64_t>(at(result.plan.direction).next())) return true;
  if (!at(result.plan.direction).has_room_for_urgent()) {
    result.events.add(StreamEvent::UrgentLimit);
    return true;
  }
  result.plan.urgent_position = static_cast<uint64_t>(position);
  set(result, kPlanUrgent);
  return true;
}

void TcpStreamPair::take_payload(const StreamSegment& segment, SegmentResult& result) noexcept {
  OneWayStream& sender = at(result.plan.direction);
  SegmentResult::Plan& plan = result.plan;
  const int64_t end = plan.begin + static_cast<int64_t>(segment.payload.size());
  const bool inline_mode = settings_.mode == StreamMode::Inline;
  if (inline_mode) set(result, kPlanRewritten);
  sender.overlay(plan.begin, segment.payload, inline_mode, result);
  if (result.overlapped && end <= static_cast<int64_t>(sender.next()) &&
      !is_keep_alive(sender, plan.begin, segment.payload.size())) {
    result.events.add(StreamEvent::Retransmission);
  }
  result.repeated = end <= static_cast<int64_t>(sender.next());
  if (result.repeated) return;
  const auto begin = static_cast<uint64_t>(std::max<int64_t>(plan.begin, 0));
  if (const auto bound = sender.provide_room(begin, static_cast<uint64_t>(end), settings_)) {
    result.fate = SegmentFate::NoMemory;
    result.events.add(*bound);
    set(result, kPlanUnkept);
  }
  result.ahead = begin > sender.next();
  if (result.ahead) return;
  result.in_order_bytes = true;
  plan.read_position = sender.next();
  plan.read_end = sender.readable_end(static_cast<uint64_t>(end));
  result.bytes_behind = static_cast<uint32_t>(plan.read_end - static_cast<uint64_t>(end));
}

SegmentResult TcpStreamPair::accept(ids::Direction direction,
                                    const StreamSegment& segment) noexcept {
  SegmentResult result;
  result.plan.direction = direction;
  result.plan.payload = segment.payload;
  result.plan.urgent_position = kNoUrgent;
  result.plan.timestamp_value = segment.timestamp_value;
  OneWayStream& sender = at(direction);
  result.problem = judge(direction, segment, result);
  if (result.problem == SegmentProblem::None && !take_urgent(segment, result)) {
    result.problem = SegmentProblem::Urgent;
  }
  if (result.problem != SegmentProblem::None) [[unlikely]] {
    add_event_of(result.problem, segment.has(net::kTcpFin), result);
    result.fate = SegmentFate::Drop;
    set(result, kPlanDropped);
    ++sender.counters().dropped_segments;
    return result;
  }
  if (is_set(result, kPlanOutside)) {
    result.plan.payload = {};
    return result;
  }
  take_ack(direction, segment, result);
  if (segment.has(net::kTcpRst)) {
    // Its payload, if any, is for people (RFC 9293 section 3.5.2).
    result.reset = true;
    result.plan.payload = {};
    set(result, kPlanReset);
    return result;
  }
  if (!segment.payload.empty()) take_payload(segment, result);
  const bool fin = segment.has(net::kTcpFin) && !segment.has(net::kTcpSyn);
  if (fin) {
    set(result, kPlanFin);
    result.ahead = result.plan.begin > static_cast<int64_t>(sender.next());
  }
  const uint64_t next = result.in_order_bytes ? result.plan.read_end : sender.next();
  const int64_t end = result.plan.begin + static_cast<int64_t>(segment.payload.size());
  result.ended = !sender.has_ended() && ((fin && static_cast<int64_t>(next) == end) ||
                                         (sender.has_fin() && next == sender.fin()));
  return result;
}

// ---- reading ----

std::optional<ReadableBytes> TcpStreamPair::next(SegmentResult& result) noexcept {
  SegmentResult::Plan& plan = result.plan;
  if (is_set(result, kPlanDropped)) return std::nullopt;
  const ids::Direction back = ids::opposite(plan.direction);
  while (plan.skip_position < plan.skip_end) {
    const OneWayStream& other = at(back);
    ReadableBytes found{back, {}, other.pass_gap(plan.skip_position, plan.skip_end)};
    found.bytes = other.read(plan.skip_position, plan.skip_end, 0, {}, false, kNoUrgent);
    if (found.missing != 0 || !found.bytes.empty()) return found;
  }
  const OneWayStream& sender = at(plan.direction);
  const std::span<const uint8_t> bytes =
      sender.read(plan.read_position, plan.read_end, plan.begin, plan.payload,
                  is_set(result, kPlanRewritten), plan.urgent_position);
  if (bytes.empty()) return std::nullopt;
  return ReadableBytes{plan.direction, bytes, 0};
}

// ---- deciding ----

void TcpStreamPair::finish_skip(const SegmentResult& result) noexcept {
  if (result.plan.skip_end == 0) return;
  at(ids::opposite(result.plan.direction)).skip_to(result.plan.skip_acknowledged);
}

void TcpStreamPair::commit_syn(const SegmentResult& result) noexcept {
  const size_t side = ids::index_of(result.plan.direction);
  OneWayStream& sender = streams_[side];
  if (!sender.is_known()) {
    sender.begin(result.plan.first_sequence);
  } else if (sender.first_sequence() != result.plan.first_sequence) {
    sender.offer_alternative(result.plan.first_sequence);
  }
  if (sender.is_confirmed()) return;  // a repetition changes no option
  if (!syn_seen_[0] && !syn_seen_[1]) signed_ = is_set(result, kPlanSigned);
  syn_seen_[side] = true;
  timestamps_[side] = is_set(result, kPlanTimestamp);
  scale_[side] = result.plan.window_scale;
  if (!syn_seen_[0] || !syn_seen_[1]) return;
  streams_[0].limit_to_window();
  streams_[1].limit_to_window();
}

void TcpStreamPair::commit(const SegmentResult& result) noexcept {
  if (is_set(result, kPlanDropped)) return;
  finish_skip(result);
  const SegmentResult::Plan& plan = result.plan;
  OneWayStream& sender = at(plan.direction);
  if (is_set(result, kPlanReset)) reset_ = true;
  if (is_set(result, kPlanSyn)) commit_syn(result);
  if (is_set(result, kPlanTimestamp)) sender.take_timestamp(plan.begin, plan.timestamp_value);
  if (is_set(result, kPlanUrgent)) sender.take_urgent(plan.urgent_position);
  if (is_set(result, kPlanUnkept)) {
    sender.pass_unkept(plan.begin, plan.payload);
  } else if (!plan.payload.empty()) {
    sender.take(plan.begin, plan.payload);
  }
  if (is_set(result, kPlanFin)) {
    sender.take_fin(static_cast<uint64_t>(plan.begin) + plan.payload.size());
  }
}

void TcpStreamPair::refuse(const SegmentResult& result) noexcept {
  if (is_set(result, kPlanDropped)) return;
  finish_skip(result);
  at(result.plan.direction).tidy();
}

std::optional<ReadableBytes> TcpStreamPair::flush() noexcept {
  while (flushed_ < 2) {
    const auto direction = static_cast<ids::Direction>(flushed_);
    OneWayStream& stream = at(direction);
    ReadableBytes found{direction, {}, 0};
    found.bytes = stream.flush(found.missing);
    if (!found.bytes.empty()) return found;
    ++flushed_;
  }
  return std::nullopt;
}

}  // namespace masugata::dataplane
