// SPDX-License-Identifier: GPL-2.0-or-later
// What happens to a session whose object must not arrive: its client is answered in the server's
// name where the protocol has words for it, its server is told by a reset.
#include <algorithm>

#include "dataplane/antivirus/object_guard.h"
#include "dataplane/icmp/tcp_packet.h"
#include "dataplane/stages/answers/tcp_answers.h"
#include "net/headers/transport.h"
#include "net/sequence_number.h"

namespace masugata::dataplane {
namespace {

using av::RefusalReason;
using av::ScanFailure;
using config::AvAction;
using config::AvChoice;
using net::is_after;

constexpr uint32_t kLinger_ms = 10'000;
// For what stands before an answer and is on its way, lost perhaps and sent again; then both ends
// are reset.
constexpr uint32_t kMostAwaited_ms = 10'000;

AvChoice choice_of(const config::AvProfile& choices, RefusalReason reason) noexcept {
  switch (reason) {
    case RefusalReason::TooLarge:
      return choices.too_large;
    case RefusalReason::UnpackedTooLarge:
      return choices.unpacked_too_large;
    case RefusalReason::TooDeep:
      return choices.too_deep;
    case RefusalReason::TooManyFiles:
      return choices.too_many_files;
    case RefusalReason::TooLong:
      return choices.too_long;
    case RefusalReason::Encrypted:
      return choices.encrypted;
    case RefusalReason::Macros:
      return choices.macros;
    case RefusalReason::Partial:
      return choices.partial == config::AvPartial::Pass ? AvChoice::Pass : AvChoice::Block;
    case RefusalReason::Coded:
      return choices.coded;
    case RefusalReason::NotScanned:
      return choices.not_scanned;
    case RefusalReason::Overload:
      return choices.overload;
    case RefusalReason::UnknownProtocol:
      return choices.unknown_protocol;
    default:
      return AvChoice::Block;
  }
}

AvAction action_for(const config::AvProfile& choices, ids::ApplicationProtocol protocol) noexcept {
  const auto which = scanned_protocol(protocol).value_or(config::AvProtocol::Ftp);
  return choices.infected[static_cast<size_t>(which)];
}

}  // namespace

void ObjectGuard::judge(ScannedObject& object, RefusalReason reason, ScanFailure failure,
                        std::string_view signature, uint64_t signatures) noexcept {
  ScannedSession& session = sessions_[object.session];
  const config::AvProfile* choices = profile(session.slot);
  const bool infected = reason == RefusalReason::Infected;
  if (infected) counters_.infected.add(1);
  const bool passes =
      choices != nullptr && (infected ? action_for(*choices, object.facts.protocol) == AvAction::Log
                                      : choice_of(*choices, reason) == AvChoice::Pass);
  if (!passes) {
    decide(session, index_of_object(object), reason, failure, signature, signatures);
    return;
  }
  counters_.passed[static_cast<size_t>(reason)].add(1);
  PendingRefusal passed;
  passed.object = index_of_object(object);
  passed.reason = reason;
  passed.failure = failure;
  passed.signature.set(signature);
  passed.signatures = signatures;
  record(session, passed, AntivirusAction::Passed, next_reference());
  const bool goes_on = reason == RefusalReason::Partial || reason == RefusalReason::Coded;
  if (!goes_on) let_go(object);
}

void ObjectGuard::decide(ScannedSession& session, uint32_t object, RefusalReason reason,
                         ScanFailure failure, std::string_view signature,
                         uint64_t signatures) noexcept {
  if (pending_.any || session.closed) return;
  if (object != kNone32 && session.postponed.any && object != session.postponed.object &&
      objects_[object].is_to_client() &&
      !stands_before(session, object, session.postponed.object)) {
    // It never comes to it.
    put_down(objects_[object]);
    return;
  }
  if (object == kNone32 && reason != RefusalReason::UrlRemembered) {
    // No object, no facts: the profile is asked here.
    const config::AvProfile* choices = profile(session.slot);
    if (choices != nullptr && choice_of(*choices, reason) == AvChoice::Pass) {
      counters_.passed[static_cast<size_t>(reason)].add(1);
      return;
    }
  }
  pending_.any = true;
  pending_.object = object;
  pending_.reason = reason;
  pending_.failure = failure;
  pending_.signature.set(signature);
  pending_.signatures = signatures;
}

void ObjectGuard::record(ScannedSession& session, const PendingRefusal& pending,
                         AntivirusAction action, uint64_t reference) noexcept {
  AntivirusRecord record;
  record.reference = reference;
  record.time_us = now_us_;
  record.key = session.key;
  record.slot = session.slot;
  record.flow_id = session.flow_id;
  record.reason = pending.reason;
  record.action = action;
  record.failure = pending.failure;
  record.signature = pending.signature;
  record.signatures = pending.signatures;
  ScannedObject* object = pending.object == kNone32 ? nullptr : &objects_[pending.object];
  if (object != nullptr) {
    record.facts = object->facts;
    record.bytes = object->bytes;
    record.complete = object->complete;
    record.sha256 = object->sha256;
    const config::AvProfile* choices = profile(session.slot);
    if (choices != nullptr && choices->quarantine && object->tail.bytes == 0 &&
        pending.reason == RefusalReason::Infected) {
      record.object = object->stored;
    }
  }
  if (!records_->push(record)) {
    counters_.records_lost.add(1);
    return;
  }
  // The blocks went with the record.
  if (object != nullptr && record.object.bytes != 0) object->stored = {};
}

bool ObjectGuard::may_answer(const ScannedSession& session,
                             const PendingRefusal& pending) const noexcept {
  if (pending.object == kNone32) return false;
  const ScannedObject& object = objects_[pending.object];
  const config::AvProfile* choices = profile(session.slot);
  if (choices == nullptr) return false;
  const ObjectFacts& facts = object.facts;
  if (pending.reason == RefusalReason::Infected &&
      action_for(*choices, facts.protocol) == AvAction::Reset) {
    return false;
  }
  using ids::ApplicationProtocol;
  const ids::Direction toward = answered_end(session, object);
  const size_t side = ids::index_of(toward);
  const bool clear =
      !session.passed[side] || !is_after(session.passed_end[side], object.hold_sequence);
  // The words are said on the control connection; the data connection only ends.
  if (facts.protocol == ApplicationProtocol::FtpData) {
    return control_of(session) != nullptr && (facts.direction != toward || clear);
  }
  const bool words =
      facts.protocol == ApplicationProtocol::Http || facts.protocol == ApplicationProtocol::Smtp ||
      facts.protocol == ApplicationProtocol::Pop3 || facts.protocol == ApplicationProtocol::Imap;
  if (!words) return false;
  if (object.is_to_client()) {
    // An answer must not stand in the place of another object that is still waited for, nor may
    // anything have overtaken it.
    if (stands_behind_another(session, pending.object)) return false;
    return object.whole_held && clear;
  }
  // The answer stands where the server's would: nothing of another may be on its way.
  if (!object.answered_next) return false;
  if (facts.protocol == ApplicationProtocol::Pop3 || facts.protocol == ApplicationProtocol::Imap) {
    return false;
  }
  for (uint32_t i = session.first_object; i != kNone32; i = objects_[i].next) {
    if (objects_[i].facts.direction == ids::Direction::ToClient) return false;
  }
  return true;
}

void ObjectGuard::carry_out(ScannedSession& session, Packet* pattern, bool at_hand,
                            WorkerContext& context) noexcept {
  const PendingRefusal pending = pending_;
  pending_.any = false;
  Session* owner = context.sessions->resolve(session.handle);
  session.closed = true;
  session.postponed.any = false;
  const bool answers = owner != nullptr && pattern != nullptr && !session.unanswerable &&
                       may_answer(session, pending);
  const uint64_t reference = next_reference();
  counters_.refused[static_cast<size_t>(pending.reason)].add(1);
  (answers ? counters_.answered : counters_.reset).add(1);
  record(session, pending, answers ? AntivirusAction::Answered : AntivirusAction::Reset, reference);

  if (owner != nullptr && pattern != nullptr) {
    if (answers) {
      start_answer(session, pending, *pattern, reference, *owner);
    } else {
      send_prefix(session, pending.object, *owner, *pattern, context);
    }
    send_resets(session, *owner, at_hand, *pattern, context);
  }
  refuse_transfer(session, pending, reference);
  if (answers) {
    objects_[pending.object].phase = ObjectPhase::Told;
    if (at_hand) {
      session.answer.pattern = HeldPacket(*pattern);
    } else {
      for (SegmentQueue& queue : session.queues) {
        held_.take_if(
            queue, [](uint32_t) { return true; },
            [&session, pattern](HeldPacket&& packet) {
              if (&packet.packet() == pattern) session.answer.pattern = std::move(packet);
            });
      }
    }
    send_answer(session, context);
  }
  discard_held(session);
  for (uint32_t i = session.first_object; i != kNone32;) {
    const uint32_t next = objects_[i].next;
    if (objects_[i].phase != ObjectPhase::Told || !answers) {
      free_object(i);
    } else {
      stop_collecting(objects_[i]);
    }
    i = next;
  }
  session.limited = {};
  if (owner != nullptr && !answers) {
    context.sessions->change_state(*owner, ProtocolState::TcpReset, kLinger_ms);
  }
  watch(session);
}

bool ObjectGuard::refuse(Packet& packet, uint32_t place, WorkerContext& context) noexcept {
  ScannedSession& session = sessions_[place];
  release_held(session, context);
  carry_out(session, &packet, true, context);
  return !session.answer.pattern.empty();
}

void ObjectGuard::refuse_held(ScannedSession& session, WorkerContext& context) noexcept {
  // What the refused object does not hold goes first: numbers of resets follow on what has passed.
  release_held(session, context);
  if (pending_.any && postpone(session, false)) return;
  Packet* pattern = pattern_of(session, pending_.object);
  if (await_answered(session, pattern, context.sessions->resolve(session.handle))) return;
  carry_out(session, pattern, false, context);
}

bool ObjectGuard::await_answered(ScannedSession& session, const Packet* pattern,
                                 const Session* owner) noexcept {
  if (owner == nullptr || pattern == nullptr || !may_answer(session, pending_)) return false;
  const ids::Direction toward = answered_end(session, objects_[pending_.object]);
  const TcpDirection& answered = owner->tcp[index_of(
      toward == ids::Direction::ToClient ? Direction::Original : Direction::Reply)];
  const uint32_t first = first_of_answer(session, pending_.object, *pattern, *owner);
  if (!is_after(first, answered.max_ack)) return false;
  if (!session.awaits_answered) session.awaits_since_ms = now_ms_;
  session.awaits_answered = true;
  session.unanswerable = now_ms_ - session.awaits_since_ms >= kMostAwaited_ms;
  if (session.unanswerable) return false;
  put_down(objects_[pending_.object]);
  session.postponed = pending_;
  pending_.any = false;
  watch(session);
  return true;
}

bool ObjectGuard::stands_before(const ScannedSession& session, uint32_t first,
                                uint32_t second) const noexcept {
  for (uint32_t i = session.first_object; i != kNone32 && i != second; i = objects_[i].next) {
    if (i == first) return true;
  }
  return false;
}

bool ObjectGuard::stands_behind_another(const ScannedSession& session,
                                        uint32_t object) const noexcept {
  for (uint32_t i = session.first_object; i != kNone32 && i != object; i = objects_[i].next) {
    if (objects_[i].limits && objects_[i].is_to_client()) return true;
  }
  return false;
}

// It was refused, and nothing is asked about it any more.
void ObjectGuard::put_down(ScannedObject& object) noexcept {
  if (object.early_scan) stop_collecting(object);
  object.phase = ObjectPhase::Told;
}

bool ObjectGuard::postpone(ScannedSession& session, bool at_hand) noexcept {
  if (pending_.object == kNone32) return false;
  ScannedObject& object = objects_[pending_.object];
  const bool waits =
      stands_behind_another(session, pending_.object) || (at_hand && object.unannounced);
  if (!object.is_to_client() || !waits) return false;
  put_down(object);
  if (at_hand && !object.limits) {
    object.limits = true;
    object.hold_sequence = segment_.sequence;
  }
  session.postponed = pending_;
  pending_.any = false;
  watch(session);
  return true;
}

void ObjectGuard::carry_out_postponed(ScannedSession& session, WorkerContext& context) noexcept {
  if (!session.postponed.any || session.closed ||
      stands_behind_another(session, session.postponed.object)) {
    return;
  }
  pending_ = session.postponed;
  refuse_held(session, context);
}

}  // namespace masugata::dataplane
