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

// Fits every path: the smallest IPv6 MTU less headers and timestamps.
constexpr uint32_t kAnswerSegmentBytes = 1200;
constexpr uint32_t kRepeat_ms = 300;  // doubles each time
constexpr uint8_t kTries = 6;
constexpr uint32_t kMostAnswer_ms = 30'000;  // then the session ends, whatever its client does
constexpr uint32_t kLinger_ms = 10'000;
constexpr uint16_t kAnswerWindow = 65535;

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
    default:
      return AvChoice::Block;
  }
}

AvAction action_for(const config::AvProfile& choices, ids::ApplicationProtocol protocol) noexcept {
  using config::AvProtocol;
  AvProtocol which = AvProtocol::Ftp;
  if (protocol == ids::ApplicationProtocol::Http) which = AvProtocol::Http;
  if (protocol == ids::ApplicationProtocol::Smtp) which = AvProtocol::Smtp;
  if (protocol == ids::ApplicationProtocol::Pop3) which = AvProtocol::Pop3;
  if (protocol == ids::ApplicationProtocol::Imap) which = AvProtocol::Imap;
  return choices.infected[static_cast<size_t>(which)];
}

// What the client has seen of its server since the answer was written. It refuses what is older
// (RFC 7323 section 5), so the answer goes again.
void follow_timestamps(RefusalAnswer& answer, const net::TcpOptionFacts& seen,
                       uint64_t now_ms) noexcept {
  answer.timestamp_echo = seen.timestamp_value;
  if (!is_after(seen.timestamp_echo, answer.timestamp_value)) return;
  answer.timestamp_value = seen.timestamp_echo;
  if (!answer.acknowledged && answer.tries < kTries) answer.next_ms = static_cast<uint32_t>(now_ms);
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
  Pending passed;
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

void ObjectGuard::record(ScannedSession& session, const Pending& pending, AntivirusAction action,
                         uint64_t reference) noexcept {
  AntivirusRecord record;
  record.reference = reference;
  record.time_us = now_us_;
  record.key = session.key;
  record.slot = session.slot;
  record.session = session.handle;
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

void ObjectGuard::send_segment(const ScannedSession& session, const AnswerSegment& segment,
                               std::span<const uint8_t> payload, const Packet& pattern,
                               WorkerContext& context) noexcept {
  Session* owner = context.sessions->resolve(session.handle);
  if (owner == nullptr) return;
  const Direction direction =
      segment.direction == ids::Direction::ToServer ? Direction::Original : Direction::Reply;
  TcpFacts facts;
  facts.key = owner->flow(direction).key;
  facts.sequence = segment.sequence;
  facts.acknowledgement = segment.acknowledgement;
  facts.flags = segment.flags;
  facts.window = kAnswerWindow;
  if (session.answer.has_timestamps && segment.direction == ids::Direction::ToClient) {
    facts.options.has_timestamps = true;
    facts.options.timestamp_value = session.answer.timestamp_value;
    facts.options.timestamp_echo = session.answer.timestamp_echo;
  }
  const TcpPacketBuilder builder(*context.packet_pool);
  rte_mbuf* mbuf = builder.build(pattern, Heading::Onward, facts, payload);
  if (mbuf == nullptr) return;
  Packet& packet = Packet::of(mbuf);
  packet.session = owner;
  packet.direction = static_cast<uint8_t>(direction);
  packet.ingress_interface = owner->flow(opposite(direction)).egress_interface;
  packet.ingress_zone = owner->flow(direction).zone;
  packet.received_ms = context.now_ms;
  context.counters.generated.add(1);
  context.emit(packet, StageId::Egress);
}

size_t ObjectGuard::write_answer(const ScannedSession& session) noexcept {
  const RefusalAnswer& answer = session.answer;
  const ObjectFacts& facts = objects_[answer.object].facts;
  av::RefusalFacts told;
  told.reason = answer.reason;
  told.signature = answer.signature.view();
  told.host = facts.host.view();
  told.location = facts.location.view();
  told.languages = facts.languages.view();
  told.tag = facts.tag.view();
  told.reference = answer.reference;
  told.time_s = answer.time_s;
  switch (facts.protocol) {
    case ids::ApplicationProtocol::Smtp:
      return av::write_smtp_refusal(told, text_);
    case ids::ApplicationProtocol::Pop3:
      return av::write_pop3_refusal(told, text_);
    case ids::ApplicationProtocol::Imap:
      return av::write_imap_refusal(told, text_);
    default:
      return av::write_http_refusal(set_->page, told, text_);
  }
}

void ObjectGuard::send_answer(ScannedSession& session, WorkerContext& context) noexcept {
  RefusalAnswer& answer = session.answer;
  const size_t size = write_answer(session);
  const std::span<const uint8_t> text(reinterpret_cast<const uint8_t*>(text_.data()), size);
  for (size_t at = 0; at < size; at += kAnswerSegmentBytes) {
    const auto part = text.subspan(at, std::min<size_t>(kAnswerSegmentBytes, size - at));
    AnswerSegment segment;
    segment.direction = ids::Direction::ToClient;
    segment.sequence = answer.first_sequence + static_cast<uint32_t>(at);
    segment.acknowledgement = answer.acknowledgement;
    segment.flags = net::kTcpAck | net::kTcpPsh;
    if (at + part.size() == size) segment.flags |= net::kTcpFin;
    send_segment(session, segment, part, answer.pattern.packet(), context);
  }
  answer.next_ms = context.now_ms + (kRepeat_ms << answer.tries);
  ++answer.tries;
}

bool ObjectGuard::may_answer(const ScannedSession& session, const Pending& pending) const noexcept {
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
  const bool words =
      facts.protocol == ApplicationProtocol::Http || facts.protocol == ApplicationProtocol::Smtp ||
      facts.protocol == ApplicationProtocol::Pop3 || facts.protocol == ApplicationProtocol::Imap;
  if (!words) return false;
  if (facts.direction == ids::Direction::ToClient) {
    // An answer must not stand in the place of another object that is still waited for, nor may
    // anything have overtaken it.
    for (uint32_t i = session.first_object; i != kNone32 && i != pending.object;
         i = objects_[i].next) {
      if (objects_[i].limits && objects_[i].facts.direction == facts.direction) return false;
    }
    const size_t side = ids::index_of(ids::Direction::ToClient);
    const bool clear =
        !session.passed[side] || !is_after(session.passed_end[side], object.hold_sequence);
    return object.whole_held && clear;
  }
  // The answer stands where the server's would: nothing of another may be on its way.
  if (facts.protocol == ApplicationProtocol::Pop3 || facts.protocol == ApplicationProtocol::Imap) {
    return false;
  }
  for (uint32_t i = session.first_object; i != kNone32; i = objects_[i].next) {
    if (objects_[i].facts.direction == ids::Direction::ToClient) return false;
  }
  return true;
}

void ObjectGuard::start_answer(ScannedSession& session, const Pending& pending,
                               const Packet& pattern, uint64_t reference, Session& owner) noexcept {
  RefusalAnswer& answer = session.answer;
  const ScannedObject& object = objects_[pending.object];
  answer.active = true;
  answer.begun_ms = now_ms_;
  answer.object = pending.object;
  answer.reason = pending.reason;
  answer.signature = pending.signature;
  answer.reference = reference;
  answer.time_s =
      (now_us_ + static_cast<uint64_t>(wall_offset_us_.load(std::memory_order_relaxed))) /
      1'000'000;
  answer.first_sequence = object.facts.direction == ids::Direction::ToClient
                              ? object.hold_sequence
                              : owner.tcp[index_of(Direction::Reply)].end;
  answer.acknowledgement = owner.tcp[index_of(Direction::Original)].end;
  TcpFacts seen;
  if (read_tcp_facts(pattern, seen) && seen.options.has_timestamps) {
    const bool from_server = pattern.direction == static_cast<uint8_t>(Direction::Reply);
    answer.has_timestamps = true;
    answer.timestamp_value =
        from_server ? seen.options.timestamp_value : seen.options.timestamp_echo;
    answer.timestamp_echo =
        from_server ? seen.options.timestamp_echo : seen.options.timestamp_value;
  }
  answer.text_bytes = static_cast<uint32_t>(write_answer(session));
  // The client may acknowledge what its server never sent.
  TcpDirection& server = owner.tcp[index_of(Direction::Reply)];
  const uint32_t end = answer.first_sequence + answer.text_bytes + 1;
  if (is_after(end, server.end)) server.end = end;
  if (is_after(end, server.max_end)) server.max_end = end;
}

void ObjectGuard::carry_out(ScannedSession& session, Packet* pattern, bool at_hand,
                            WorkerContext& context) noexcept {
  const Pending pending = pending_;
  pending_.any = false;
  Session* owner = context.sessions->resolve(session.handle);
  session.closed = true;
  if (owner != nullptr && pattern != nullptr && may_answer(session, pending)) {
    // What stands before the object belongs to others, and has their verdict.
    release_held(session, context);
    if (!at_hand) pattern = pattern_of(session);
  }
  const bool answers = owner != nullptr && pattern != nullptr && may_answer(session, pending);
  const uint64_t reference = next_reference();
  counters_.refused[static_cast<size_t>(pending.reason)].add(1);
  (answers ? counters_.answered : counters_.reset).add(1);
  record(session, pending, answers ? AntivirusAction::Answered : AntivirusAction::Reset, reference);

  if (owner != nullptr && pattern != nullptr) {
    if (answers) start_answer(session, pending, *pattern, reference, *owner);
    send_resets(session, *owner, !answers, at_hand, *pattern, context);
  }
  if (answers) {
    objects_[pending.object].phase = ObjectPhase::Told;
    if (at_hand) {
      session.answer.pattern = HeldPacket(*pattern);
    } else {
      for (SegmentQueue& queue : session.queues) {
        held_.take_if(
            queue, [](uint32_t) { return true; },
            [&session](HeldPacket&& packet) {
              if (session.answer.pattern.empty()) session.answer.pattern = std::move(packet);
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

void ObjectGuard::send_resets(const ScannedSession& session, const Session& owner, bool client_too,
                              bool at_hand, const Packet& pattern,
                              WorkerContext& context) noexcept {
  const auto next_of = [&](ids::Direction direction, Direction side) {
    if (session.limited[ids::index_of(direction)]) return session.limit[ids::index_of(direction)];
    if (at_hand && segment_.direction == direction) return segment_.sequence;
    return owner.tcp[index_of(side)].end;
  };
  const uint32_t client_next = next_of(ids::Direction::ToServer, Direction::Original);
  const uint32_t server_next = next_of(ids::Direction::ToClient, Direction::Reply);
  AnswerSegment reset;
  reset.flags = net::kTcpRst | net::kTcpAck;
  reset.direction = ids::Direction::ToServer;
  reset.sequence = client_next;
  reset.acknowledgement = owner.tcp[index_of(Direction::Reply)].end;
  if (session.answer.active) reset.acknowledgement = session.answer.first_sequence;
  send_segment(session, reset, {}, pattern, context);
  if (!client_too) return;
  reset.direction = ids::Direction::ToClient;
  reset.sequence = server_next;
  reset.acknowledgement = owner.tcp[index_of(Direction::Original)].end;
  send_segment(session, reset, {}, pattern, context);
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
  carry_out(session, pattern_of(session), false, context);
}

void ObjectGuard::closed_segment(Packet& packet, uint32_t place, WorkerContext& context) noexcept {
  ScannedSession& session = sessions_[place];
  RefusalAnswer& answer = session.answer;
  const bool from_client = packet.direction == static_cast<uint8_t>(Direction::Original);
  TcpFacts segment;
  if (!read_tcp_facts(packet, segment) || segment.has(net::kTcpRst)) {
    if (from_client) answer.acknowledged = answer.client_ended = true;
    return;
  }
  if (!from_client || !answer.active) {
    send_reset(packet, context);
    return;
  }
  const uint32_t end = answer.first_sequence + answer.text_bytes + 1;
  if (segment.has(net::kTcpAck) && !is_after(end, segment.acknowledgement)) {
    answer.acknowledged = true;
  }
  if (segment.options.has_timestamps) follow_timestamps(answer, segment.options, context.now_ms);
  const uint32_t length = segment.sequence_length();
  if (length == 0) return;
  if (!is_after(segment.sequence, answer.acknowledgement) &&
      is_after(segment.sequence + length, answer.acknowledgement)) {
    answer.acknowledgement = segment.sequence + length;
    answer.client_ended = answer.client_ended || segment.has(net::kTcpFin);
  }
  AnswerSegment reply;
  reply.direction = ids::Direction::ToClient;
  reply.flags = net::kTcpAck;
  reply.sequence = answer.acknowledged ? end : answer.first_sequence;
  reply.acknowledgement = answer.acknowledgement;
  send_segment(session, reply, {}, packet, context);
}

void ObjectGuard::tend_answer(ScannedSession& session, WorkerContext& context) noexcept {
  RefusalAnswer& answer = session.answer;
  Session* owner = context.sessions->resolve(session.handle);
  const bool over =
      owner == nullptr || (answer.acknowledged && answer.client_ended) ||
      context.now_ms - answer.begun_ms >= kMostAnswer_ms ||
      (!answer.acknowledged && answer.tries >= kTries && !is_after(answer.next_ms, context.now_ms));
  if (over) {
    answer.active = false;
    answer.pattern = HeldPacket();
    forget_objects(session);
    if (owner != nullptr) {
      context.sessions->change_state(*owner, ProtocolState::TcpTimeWait, kLinger_ms);
    }
    return;
  }
  if (answer.acknowledged) return;
  if (is_after(answer.next_ms, context.now_ms)) return;
  send_answer(session, context);
}

}  // namespace masugata::dataplane
