// SPDX-License-Identifier: GPL-2.0-or-later
// Which segments wait: limits of directions, and the queues behind them.
#include <algorithm>

#include "dataplane/antivirus/object_guard.h"
#include "net/sequence_number.h"

namespace masugata::dataplane {
namespace {

using net::is_after;

// Of the outbox, for what else a turn sends.
constexpr uint32_t kKeptRoom = 48;
constexpr uint64_t kNearEnd = uint64_t{1} << 30U;

}  // namespace

void ObjectGuard::watch(ScannedSession& session) noexcept {
  if (session.watched) return;
  session.watched = true;
  const uint32_t place = place_of(session);
  session.next_watched = first_watched_;
  session.previous_watched = kNone32;
  if (first_watched_ != kNone32) sessions_[first_watched_].previous_watched = place;
  first_watched_ = place;
}

void ObjectGuard::unwatch(ScannedSession& session) noexcept {
  if (!session.watched) return;
  session.watched = false;
  if (next_visit_ == place_of(session)) next_visit_ = session.next_watched;
  if (session.next_watched != kNone32) {
    sessions_[session.next_watched].previous_watched = session.previous_watched;
  }
  if (session.previous_watched != kNone32) {
    sessions_[session.previous_watched].next_watched = session.next_watched;
  } else {
    first_watched_ = session.next_watched;
  }
}

void ObjectGuard::find_limit(ScannedSession& session, ids::Direction direction) noexcept {
  const size_t side = ids::index_of(direction);
  bool limited = false;
  uint32_t limit = 0;
  const auto narrow = [&](uint32_t sequence) {
    if (!limited || is_after(limit, sequence)) limit = sequence;
    limited = true;
  };
  for (uint32_t i = session.first_object; i != kNone32; i = objects_[i].next) {
    const ScannedObject& object = objects_[i];
    if (object.facts.direction != direction) continue;
    if (object.announced_end && object.phase != ObjectPhase::Told) narrow(*object.announced_end);
    if (!object.limits) continue;
    narrow(object.hold_sequence);
  }
  if (direction == ids::Direction::ToClient && session.transfers.waits) {
    narrow(session.transfers.hold_sequence);
  }
  session.limited[side] = limited;
  session.limit[side] = limit;
}

// Each object that the segment brought bytes of now waits for the next segment.
void ObjectGuard::move_limits(ScannedSession& session, const SegmentPlace& segment) noexcept {
  const config::AvProfile* choices = profile(session.slot);
  for (uint32_t i = session.first_object; i != kNone32; i = objects_[i].next) {
    ScannedObject& object = objects_[i];
    if (object.phase == ObjectPhase::Told || object.facts.direction != segment.direction) continue;
    if (segment.ahead) move_ahead(session, object, segment);
    if (!object.touched || segment.ahead) continue;
    if (object.announced && !object.announced_end) {
      const uint64_t missing = *object.announced - std::min(object.arrived, *object.announced);
      // Farther off it could not be told from what has passed. With nothing missing, others' bytes
      // may stand before `readable_end`.
      if (missing != 0 && missing < kNearEnd) {
        object.announced_end = segment.readable_end + static_cast<uint32_t>(missing);
      }
      session.announced_end = object.announced_end;
    }
    if (object.whole_held) {
      const uint32_t most = choices == nullptr ? 0 : choices->hold_whole_bytes;
      if (object.bytes <= most) continue;
      object.whole_held = false;
    }
    // A message that counts only with its end needs no more than that held.
    if (object.useless_before_end && !object.ended) {
      object.limits = false;
      continue;
    }
    // What has overtaken this segment waits instead of it, unless the object ends here.
    const bool overtaken =
        object.limits && !object.ended && is_after(object.hold_sequence, segment.sequence);
    object.limits = true;
    if (!overtaken) object.hold_sequence = segment.sequence;
  }
}

// A segment behind a gap waits as the last that came: the receiver has neither it nor what is
// missing. What stands before it goes, else its sender would not learn of the gap.
void ObjectGuard::move_ahead(const ScannedSession& session, ScannedObject& object,
                             const SegmentPlace& segment) noexcept {
  if (object.phase != ObjectPhase::Collecting || object.ended || object.whole_held ||
      object.useless_before_end) {
    return;
  }
  const size_t side = ids::index_of(segment.direction);
  const bool fresh = object.limits
                         ? is_after(segment.sequence, object.hold_sequence)
                         : !session.passed[side] || is_after(segment.end, session.passed_end[side]);
  if (!fresh) return;
  object.limits = true;
  object.hold_sequence = segment.sequence;
  object.news_ms = now_ms_;
}

// The sender of a segment that is held waits for it: the next one will not come before.
void ObjectGuard::note_repetition(ScannedSession& session, const SegmentPlace& segment) noexcept {
  for (uint32_t i = session.first_object; i != kNone32; i = objects_[i].next) {
    ScannedObject& object = objects_[i];
    if (object.limits && object.facts.direction == segment.direction) object.asked_again = true;
  }
}

// Both ends have thrown away what they had of the connection, or will: see Inspector for what
// comes all the same.
void ObjectGuard::take_reset(ScannedSession& session) noexcept {
  session.reset = true;
  counters_.broken_off.add(session.objects);
  forget_objects(session);
  discard_held(session);
}

GuardVerdict ObjectGuard::end_segment() noexcept {
  GuardVerdict verdict;
  if (current_ == kNone32) return verdict;
  ScannedSession& session = sessions_[current_];
  current_ = kNone32;
  if (pending_.any && !postpone(session, true)) {
    verdict.fate = GuardFate::Refuse;
    return verdict;
  }
  verdict.payload_changed = payload_changed_;
  move_limits(session, segment_);
  if (session.transfers.open != 0) note_completion(session, segment_);
  if (session.control != kNone32 && segment_.ends) {
    session.ending = true;
    watch(session);
  }
  // A refusal that waits for its turn is carried out all the same: it is to be told and recorded.
  if (segment_.resets && !session.postponed.any) take_reset(session);
  find_limit(session, segment_.direction);
  const size_t side = ids::index_of(segment_.direction);
  if (session.limited[side] || session.queues[side].count != 0) watch(session);
  // What is let go in this turn leaves behind its batch, and must not be overtaken.
  const bool waits = session.released_us[side] == now_us_ ||
                     (session.limited[side] ? is_after(segment_.end, session.limit[side])
                                            : session.queues[side].count != 0);
  if (segment_.carries && waits) {
    verdict.fate = GuardFate::Hold;
    if (segment_.repeated) note_repetition(session, segment_);
  } else if (!segment_.payload.empty()) {
    // A bare end that overtakes bytes puts none in the place of what is said before it.
    note_passed(session, segment_.direction, segment_.end);
  }
  return verdict;
}

void ObjectGuard::note_passed(ScannedSession& session, ids::Direction direction,
                              uint32_t end) noexcept {
  const size_t side = ids::index_of(direction);
  if (session.passed[side] && !is_after(end, session.passed_end[side])) return;
  session.passed[side] = true;
  session.passed_end[side] = end;
}

bool ObjectGuard::hold(Packet& packet, uint32_t place, const SegmentPlace& segment,
                       WorkerContext& context) noexcept {
  ScannedSession& session = sessions_[place];
  release_held(session, context);
  SegmentQueue& queue = session.queues[ids::index_of(segment.direction)];
  if (queue.count >= limits_.held_per_session || !held_.push(queue, packet, segment.end)) {
    counters_.segments_refused.add(1);
    return false;
  }
  // It may have been held for the order's sake only.
  release_held(session, context);
  return true;
}

void ObjectGuard::release_held(ScannedSession& session, WorkerContext& context) noexcept {
  Session* owner = context.sessions->resolve(session.handle);
  for (const auto direction : {ids::Direction::ToServer, ids::Direction::ToClient}) {
    const size_t side = ids::index_of(direction);
    SegmentQueue& queue = session.queues[side];
    find_limit(session, direction);
    if (queue.count == 0) continue;
    // What finds no room goes in the next turn, and nothing overtakes it.
    bool room = true;
    uint32_t end_of_released = 0;
    const auto goes = [&](uint32_t end) {
      if (session.limited[side] && is_after(end, session.limit[side])) return false;
      room = room && context.outbox.room() > kKeptRoom;
      end_of_released = end;
      return room;
    };
    held_.take_if(queue, goes, [&](HeldPacket&& packet) {
      Packet* released = packet.release();
      if (owner == nullptr) {
        context.drop_packet(*released, DropReason::SessionEnded);
        return;
      }
      note_passed(session, direction, end_of_released);
      session.released_us[side] = context.now_us;
      released->session = owner;
      context.emit(*released, StageId::Egress);
    });
  }
  counters_.segments_held_now.set(held_.held());
  const bool over = session.ending && session.control != kNone32 &&
                    session.first_object == kNone32 && session.queues[0].count == 0 &&
                    session.queues[1].count == 0;
  if (!over) return;
  // What waited for the end of the transfer goes behind it.
  const uint32_t control = session.control;
  const bool there = control_of(session) != nullptr;
  end_transfer(session);
  if (there) release_held(sessions_[control], context);
}

void ObjectGuard::discard_held(ScannedSession& session) noexcept {
  for (SegmentQueue& queue : session.queues) {
    held_.take_if(
        queue, [](uint32_t) { return true; }, [](HeldPacket&&) {});
  }
  counters_.segments_held_now.set(held_.held());
}

}  // namespace masugata::dataplane
