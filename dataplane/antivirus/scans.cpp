// SPDX-License-Identifier: GPL-2.0-or-later
// What is asked of scanners, and what their answers mean.
#include <algorithm>

#include "dataplane/antivirus/object_guard.h"

namespace masugata::dataplane {
namespace {

using av::RefusalReason;
using av::ScanFailure;
using av::ScanOutcome;
using config::AvChoice;

// A sender that pauses so long has its object's beginning scanned and let go. Each time it does so
// again it waits longer, so that dripping cannot make the scanners scan the same bytes without end.
constexpr uint32_t kStall_ms = 10;
constexpr uint32_t kWholeStall_ms = 50;  // held from the beginning: a block page is worth waiting
// Of more than this the beginning is scanned again and again at its cost, and its receiver has most
// of it. A sender who waits for acknowledgements has them: but for the last segment none is held.
constexpr uint64_t kBeginningBytes = 16 * 1024;
constexpr uint32_t kLaterStall_ms = 100;
constexpr uint32_t kMostStall_ms = 2560;
constexpr uint32_t kMostDoublings = 8;
// Of a sender that repeats what is held: it does not drip, its timer has run out.
constexpr uint32_t kMostDoublingsAskedAgain = 2;
// For a place among the scans; then the profile's `overload`.
constexpr uint32_t kWaitForScan_ms = 5000;
// Beyond the scan's own limit, before its scanner counts as gone.
constexpr uint32_t kAnswerGrace_ms = 5000;
constexpr uint32_t kHeartbeatLife_ms = 3000;

// Whether the answer says that an object is not clean, whatever the profile makes of it.
RefusalReason reason_of(ScanOutcome outcome) noexcept {
  switch (outcome) {
    case ScanOutcome::Infected:
      return RefusalReason::Infected;
    case ScanOutcome::LimitSize:
      return RefusalReason::UnpackedTooLarge;
    case ScanOutcome::LimitRecursion:
      return RefusalReason::TooDeep;
    case ScanOutcome::LimitFiles:
      return RefusalReason::TooManyFiles;
    case ScanOutcome::LimitTime:
      return RefusalReason::TooLong;
    case ScanOutcome::Encrypted:
      return RefusalReason::Encrypted;
    case ScanOutcome::Macros:
      return RefusalReason::Macros;
    default:
      return RefusalReason::NotScanned;
  }
}

av::ScanLimits limits_of(const config::AvProfile& choices) noexcept {
  av::ScanLimits limits;
  limits.scan_bytes = choices.unpacked_bytes;
  limits.file_bytes = choices.unpacked_file_bytes;
  limits.files = choices.files;
  limits.recursion = choices.recursion;
  limits.time_ms = choices.time_ms;
  limits.report_encrypted = choices.encrypted == AvChoice::Block ? 1 : 0;
  limits.report_macros = choices.macros == AvChoice::Block ? 1 : 0;
  limits.report_limits = 1;
  return limits;
}

bool elapsed(uint32_t since_ms, uint32_t now_ms, uint32_t span_ms) noexcept {
  return now_ms - since_ms >= span_ms;
}

}  // namespace

bool ObjectGuard::scanner_is_there() const noexcept {
  return region_->signatures() != 0 && heartbeat_ != 0 &&
         !elapsed(heartbeat_ms_, now_ms_, kHeartbeatLife_ms);
}

uint64_t ObjectGuard::engine_of(const ScannedObject& object) const noexcept {
  // Slots have limits of their own; the table is emptied when they change.
  const uint64_t slot = uint64_t{sessions_[object.session].slot} + 1;
  return region_->signatures() * 0x9e3779b97f4a7c15ULL +
         (slot | uint64_t{static_cast<uint8_t>(object.reading)} << 56U);
}

void ObjectGuard::let_go(ScannedObject& object) noexcept {
  ScannedSession& session = sessions_[object.session];
  free_object(index_of_object(object));
  watch(session);
}

void ObjectGuard::finish(ScannedObject& object) noexcept {
  if (object.bytes == 0) {
    counters_.clean.add(1);
    let_go(object);
    return;
  }
  if (!object.summed) {
    unsigned size = 0;
    EVP_DigestFinal_ex(object.digest, object.sha256.data(), &size);
    object.summed = true;
  }
  // Then a scan of its beginning has nothing to say any more.
  if (object.complete && clean_->contains(object.sha256, engine_of(object))) {
    counters_.known_clean.add(1);
    let_go(object);
    return;
  }
  // The answer to the early scan brings the object back; then it goes on here.
  if (object.early_scan) return;
  object.phase = ObjectPhase::Waiting;
  object.waiting_ms = now_ms_;
  ask(object);
}

bool ObjectGuard::submit(ScannedObject& object) noexcept {
  const config::AvProfile* choices = profile(sessions_[object.session].slot);
  if (choices == nullptr || !scanner_is_there()) {
    judge(object, RefusalReason::NotScanned, ScanFailure::NoEngine, {}, 0);
    return false;
  }
  av::ScanLimits limits = limits_of(*choices);
  limits.reading = object.reading;
  const auto ticket = region_->submit(object.stored, limits, object.facts.name.view());
  if (!ticket) return false;
  object.ticket = *ticket;
  object.asked_ms = now_ms_;
  object_of_slot_[ticket->slot] = index_of_object(object);
  return true;
}

void ObjectGuard::ask(ScannedObject& object) noexcept {
  if (submit(object)) {
    object.phase = ObjectPhase::Scanning;
  } else {
    watch(sessions_[object.session]);
  }
}

void ObjectGuard::ask_early(ScannedObject& object) noexcept {
  if (!submit(object)) return;
  object.early_scan = true;
  if (object.early_scans < UINT8_MAX) ++object.early_scans;
}

void ObjectGuard::take_early_answer(ScannedObject& object, const av::ScanAnswer& answer) noexcept {
  counters_.scanned_early.add(1);
  object.early_scan = false;
  object.stored = answer.object;
  if (answer.outcome == ScanOutcome::Infected) {
    judge(object, RefusalReason::Infected, ScanFailure::None, answer.signature, answer.signatures);
    return;
  }
  const bool more = object.tail.bytes != 0;
  auto position = av::WorkerRegion::first_piece(object.tail);
  for (auto piece = region_->next_piece(position); !piece.empty();
       piece = region_->next_piece(position)) {
    if (!region_->append(object.stored, piece)) {
      judge(object, RefusalReason::Overload, ScanFailure::None, {}, 0);
      return;
    }
  }
  region_->release(object.tail);
  if (answer.outcome == ScanOutcome::Failed) {
    judge(object, RefusalReason::NotScanned, answer.failure, {}, answer.signatures);
    return;
  }
  // What a part of an archive makes a scanner say of limits is not said of the archive.
  if (object.ended) {
    finish(object);
    return;
  }
  if (more) return;
  object.limits = false;
  object.whole_held = false;
}

void ObjectGuard::take_answer(ScannedObject& object, av::ScanAnswer& answer,
                              WorkerContext& context) noexcept {
  ScannedSession& session = sessions_[object.session];
  counters_.scan_us.add(answer.scan_us);
  if (object.early_scan) {
    take_early_answer(object, answer);
  } else {
    object.stored = answer.object;
    object.phase = ObjectPhase::Waiting;
    counters_.scanned.add(1);
    if (answer.outcome == ScanOutcome::Clean) {
      counters_.clean.add(1);
      if (object.complete && answer.signatures == region_->signatures()) {
        clean_->add(object.sha256, engine_of(object));
      }
      let_go(object);
    } else {
      const std::string_view signature =
          answer.outcome == ScanOutcome::Infected ? std::string_view(answer.signature) : "";
      judge(object, reason_of(answer.outcome), answer.failure, signature, answer.signatures);
    }
  }
  if (pending_.any) refuse_held(session, context);
}

void ObjectGuard::tend_object(ScannedObject& object) noexcept {
  const config::AvProfile* choices = profile(sessions_[object.session].slot);
  const uint32_t most_ms = choices == nullptr ? 0 : choices->time_ms;
  if (object.early_scan || object.phase == ObjectPhase::Scanning) {
    if (!elapsed(object.asked_ms, now_ms_, most_ms + kAnswerGrace_ms) && scanner_is_there()) return;
    const auto failed = scanner_is_there() ? ScanFailure::Hang : ScanFailure::NoEngine;
    stop_collecting(object);
    object.phase = ObjectPhase::Waiting;
    judge(object, RefusalReason::NotScanned, failed, {}, 0);
    return;
  }
  if (object.phase == ObjectPhase::Waiting) {
    if (elapsed(object.waiting_ms, now_ms_, kWaitForScan_ms)) {
      judge(object, RefusalReason::Overload, ScanFailure::None, {}, 0);
    } else {
      ask(object);
    }
    return;
  }
  if (object.phase != ObjectPhase::Collecting || !object.limits) return;
  uint32_t first = object.whole_held ? kWholeStall_ms : kStall_ms;
  if (!object.whole_held && object.bytes > kBeginningBytes) first = kLaterStall_ms;
  const uint32_t most = object.asked_again ? kMostDoublingsAskedAgain : kMostDoublings;
  const uint32_t doublings = std::min<uint32_t>(object.early_scans, most);
  const uint32_t stall = std::min(first << doublings, kMostStall_ms);
  if (!elapsed(object.news_ms, now_ms_, stall)) return;
  if (object.stored.bytes != 0) {
    ask_early(object);
    return;
  }
  // Of a coding's first block no part can be read, by its receiver neither; its sender may wait
  // for an acknowledgement before it sends the rest.
  object.limits = false;
  object.whole_held = false;
}

bool ObjectGuard::tend(WorkerContext& context) noexcept {
  if (!is_ready()) return false;
  now_ms_ = context.now_ms;
  now_us_ = context.now_us;
  pending_.any = false;
  av::StoredObject returned;
  while (returned_->pop(returned)) region_->release(returned);
  bool any = false;
  // As many as a burst; the rest in the next turn.
  for (uint32_t i = 0; i < 32; ++i) {
    auto answer = region_->take_answer();
    if (!answer) break;
    any = true;
    const uint32_t index = object_of_slot_[answer->slot];
    object_of_slot_[answer->slot] = kNone32;
    if (index == kNone32) {
      region_->release(answer->object);
      continue;
    }
    const uint32_t place = objects_[index].session;
    take_answer(objects_[index], *answer, context);
    carry_out_postponed(sessions_[place], context);
    release_held(sessions_[place], context);
  }
  if (tended_ms_ == now_ms_) return any;
  tended_ms_ = now_ms_;
  const uint64_t heartbeat = region_->heartbeat();
  if (heartbeat != heartbeat_) {
    heartbeat_ = heartbeat;
    heartbeat_ms_ = now_ms_;
  }
  counters_.free_blocks.set(region_->free_blocks());
  next_visit_ = next_visit_ == kNone32 ? first_watched_ : next_visit_;
  for (uint32_t looked = 0; looked < 256 && next_visit_ != kNone32; ++looked) {
    ScannedSession& session = sessions_[next_visit_];
    next_visit_ = session.next_watched;
    tend_session(session, context);
  }
  return any;
}

void ObjectGuard::tend_session(ScannedSession& session, WorkerContext& context) noexcept {
  for (uint32_t i = session.first_object; i != kNone32 && !session.closed;) {
    const uint32_t next = objects_[i].next;
    tend_object(objects_[i]);
    if (pending_.any) {
      refuse_held(session, context);
      break;
    }
    i = next;
  }
  carry_out_postponed(session, context);
  if (session.answer.active) tend_answer(session, context);
  if (session.transfers.waits) tend_transfers(session);
  release_held(session, context);
  const bool rests = session.queues[0].count == 0 && session.queues[1].count == 0 &&
                     session.first_object == kNone32 && !session.answer.active;
  if (rests) unwatch(session);
}

}  // namespace masugata::dataplane
