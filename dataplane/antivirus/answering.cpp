// SPDX-License-Identifier: GPL-2.0-or-later
// What clients and servers of a refused session get to see: a text in the server's name, repeated
// until it has arrived, and resets.
#include <algorithm>
#include <cstring>

#include "dataplane/antivirus/object_guard.h"
#include "dataplane/icmp/tcp_packet.h"
#include "dataplane/stages/answers/tcp_answers.h"
#include "net/headers/transport.h"
#include "net/sequence_number.h"

namespace masugata::dataplane {
namespace {

using net::is_after;

// Fits every path: the smallest IPv6 MTU less headers and timestamps.
constexpr uint32_t kAnswerSegmentBytes = 1200;
constexpr uint32_t kRepeat_ms = 300;  // doubles each time
constexpr uint8_t kTries = 6;
constexpr uint8_t kTriesBehindGap = 3;
constexpr uint32_t kMostAnswer_ms = 30'000;  // then the session ends, whatever its client does
constexpr uint32_t kLinger_ms = 10'000;
constexpr uint16_t kAnswerWindow = 65535;

// What the client has seen of its server since the answer was written. It refuses what is older
// (RFC 7323 section 5), so the answer goes again.
void follow_timestamps(RefusalAnswer& answer, const net::TcpOptionFacts& seen,
                       uint64_t now_ms) noexcept {
  answer.timestamp_echo = seen.timestamp_value;
  if (!is_after(seen.timestamp_echo, answer.timestamp_value)) return;
  answer.timestamp_value = seen.timestamp_echo;
  if (!answer.acknowledged && answer.tries < kTries) answer.next_ms = static_cast<uint32_t>(now_ms);
}

// How much of a server's segment stands before what the object holds.
uint32_t bytes_before(const Packet& packet, const ScannedObject& object) noexcept {
  TcpFacts facts;
  if (!object.is_to_client() || packet.direction != static_cast<uint8_t>(Direction::Reply) ||
      !read_tcp_facts(packet, facts) || !is_after(object.hold_sequence, facts.sequence)) {
    return 0;
  }
  const uint32_t before = object.hold_sequence - facts.sequence;
  return before < packet.payload_length ? before : 0;
}

// In which direction of its session a sender of these segments sends.
Direction side_of(ids::Direction direction) noexcept {
  return direction == ids::Direction::ToServer ? Direction::Original : Direction::Reply;
}

// What a written segment announces counts: the receiver may send that much, and again what of it
// gets lost.
void permit(Session& owner, Direction direction, uint32_t acknowledgement) noexcept {
  TcpDirection& announcing = owner.tcp[index_of(direction)];
  TcpDirection& permitted = owner.tcp[index_of(opposite(direction))];
  announcing.max_window = kAnswerWindow;
  const uint32_t limit = acknowledgement + (uint32_t{kAnswerWindow} << announcing.window_scale);
  if (is_after(limit, permitted.max_end)) permitted.max_end = limit;
}

// The first bytes of a packet's payload; returns how many.
size_t copy_payload(const Packet& packet, size_t bytes, std::span<char> to) noexcept {
  if (bytes == 0 || bytes > to.size()) return 0;
  rte_mbuf& mbuf = const_cast<Packet&>(packet).mbuf();
  const void* read =
      rte_pktmbuf_read(&mbuf, packet.payload_offset, static_cast<uint32_t>(bytes), to.data());
  if (read == nullptr) return 0;
  if (read != to.data()) std::memcpy(to.data(), read, bytes);
  return bytes;
}

}  // namespace

Packet* ObjectGuard::pattern_of(const ScannedSession& session, uint32_t object) noexcept {
  Packet* packet = nullptr;
  if (object != kNone32) {
    packet =
        held_.find(session.queues[ids::index_of(ids::Direction::ToClient)],
                   [&](const Packet& each) { return bytes_before(each, objects_[object]) != 0; });
  }
  for (const SegmentQueue& queue : session.queues) {
    if (packet == nullptr) packet = held_.front(queue);
  }
  return packet;
}

void ObjectGuard::send_segment(const ScannedSession& session, const AnswerSegment& segment,
                               std::span<const uint8_t> payload, const Packet& pattern,
                               WorkerContext& context) noexcept {
  Session* owner = context.sessions->resolve(session.handle);
  if (owner == nullptr) return;
  const Direction direction = side_of(segment.direction);
  permit(*owner, direction, segment.acknowledgement);
  TcpFacts facts;
  facts.key = owner->flow(direction).key;
  facts.sequence = segment.sequence;
  facts.acknowledgement = segment.acknowledgement;
  facts.flags = segment.flags;
  facts.window = kAnswerWindow;
  if (session.answer.has_timestamps && segment.direction == session.answer.toward) {
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

size_t ObjectGuard::write_answer(const ScannedSession& session, const Packet& pattern) noexcept {
  const RefusalAnswer& answer = session.answer;
  const size_t prefix = copy_payload(pattern, answer.prefix_bytes, text_);
  if (objects_[answer.object].unannounced) return prefix;  // nothing was asked
  const std::span<char> text = std::span(text_).subspan(prefix);
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
      return prefix + av::write_smtp_refusal(told, text);
    case ids::ApplicationProtocol::Pop3:
      return prefix + av::write_pop3_refusal(told, text);
    case ids::ApplicationProtocol::Imap:
      return prefix + av::write_imap_refusal(told, text);
    case ids::ApplicationProtocol::FtpData:
      return prefix;  // see instead_of()
    default:
      return prefix + av::write_http_refusal(set_->page, told, text);
  }
}

void ObjectGuard::send_text(const ScannedSession& session, AnswerSegment first, uint8_t last_flags,
                            size_t size, const Packet& pattern, WorkerContext& context) noexcept {
  const std::span<const uint8_t> text(reinterpret_cast<const uint8_t*>(text_.data()), size);
  for (size_t at = 0; at < size; at += kAnswerSegmentBytes) {
    const auto part = text.subspan(at, std::min<size_t>(kAnswerSegmentBytes, size - at));
    AnswerSegment segment = first;
    segment.sequence += static_cast<uint32_t>(at);
    segment.flags = net::kTcpAck | net::kTcpPsh;
    if (at + part.size() == size) segment.flags |= last_flags;
    send_segment(session, segment, part, pattern, context);
  }
}

void ObjectGuard::send_answer(ScannedSession& session, WorkerContext& context) noexcept {
  RefusalAnswer& answer = session.answer;
  const Packet& pattern = answer.pattern.packet();
  AnswerSegment first;
  first.direction = answer.toward;
  first.sequence = answer.first_sequence;
  first.acknowledgement = answer.acknowledgement;
  const size_t size = write_answer(session, pattern);
  if (size != 0) {
    send_text(session, first, net::kTcpFin, size, pattern, context);
  } else {
    first.flags = net::kTcpAck | net::kTcpFin;
    send_segment(session, first, {}, pattern, context);
  }
  answer.next_ms = context.now_ms + (kRepeat_ms << answer.tries);
  ++answer.tries;
}

// What stands before a refused object in its segment has its verdict and goes, once.
void ObjectGuard::send_prefix(const ScannedSession& session, uint32_t object, const Session& owner,
                              const Packet& pattern, WorkerContext& context) noexcept {
  if (object == kNone32 || !objects_[object].limits || !objects_[object].is_to_client()) return;
  const uint32_t bytes = bytes_before(pattern, objects_[object]);
  AnswerSegment first;
  first.sequence = objects_[object].hold_sequence - bytes;
  first.acknowledgement = owner.tcp[index_of(Direction::Original)].end;
  send_text(session, first, 0, copy_payload(pattern, bytes, text_), pattern, context);
}

ids::Direction ObjectGuard::answered_end(const ScannedSession& session,
                                         const ScannedObject& object) const noexcept {
  const ScannedSession* control = control_of(session);
  const bool opened_by_server = object.facts.protocol == ids::ApplicationProtocol::FtpData &&
                                control != nullptr && control->key.source != session.key.source;
  return opened_by_server ? ids::Direction::ToServer : ids::Direction::ToClient;
}

uint32_t ObjectGuard::first_of_answer(const ScannedSession& session, uint32_t object,
                                      const Packet& pattern, const Session& owner) const noexcept {
  const ids::Direction toward = answered_end(session, objects_[object]);
  if (objects_[object].facts.direction != toward) return owner.tcp[index_of(side_of(toward))].end;
  return objects_[object].hold_sequence - bytes_before(pattern, objects_[object]);
}

void ObjectGuard::start_answer(ScannedSession& session, const PendingRefusal& pending,
                               const Packet& pattern, uint64_t reference, Session& owner) noexcept {
  RefusalAnswer& answer = session.answer;
  const ScannedObject& object = objects_[pending.object];
  answer.active = true;
  answer.begun_ms = now_ms_;
  answer.object = pending.object;
  answer.reason = pending.reason;
  answer.signature = pending.signature;
  answer.reference = reference;
  answer.time_s = wall_s();
  answer.toward = answered_end(session, object);
  TcpDirection& server = owner.tcp[index_of(side_of(answer.toward))];
  answer.prefix_bytes = bytes_before(pattern, object);
  answer.first_sequence = first_of_answer(session, pending.object, pattern, owner);
  answer.acknowledgement = owner.tcp[index_of(side_of(ids::opposite(answer.toward)))].end;
  TcpFacts seen;
  if (read_tcp_facts(pattern, seen) && seen.options.has_timestamps) {
    const bool from_server = pattern.direction == static_cast<uint8_t>(side_of(answer.toward));
    answer.has_timestamps = true;
    answer.timestamp_value =
        from_server ? seen.options.timestamp_value : seen.options.timestamp_echo;
    answer.timestamp_echo =
        from_server ? seen.options.timestamp_echo : seen.options.timestamp_value;
  }
  answer.text_bytes = static_cast<uint32_t>(write_answer(session, pattern));
  // The client may acknowledge what its server never sent.
  const uint32_t end = answer.first_sequence + answer.text_bytes + 1;
  if (is_after(end, server.end)) server.end = end;
  if (is_after(end, server.max_end)) server.max_end = end;
}

void ObjectGuard::send_resets(const ScannedSession& session, const Session& owner, bool at_hand,
                              const Packet& pattern, WorkerContext& context) noexcept {
  const RefusalAnswer& answer = session.answer;
  for (const auto direction : {ids::Direction::ToServer, ids::Direction::ToClient}) {
    if (answer.active && direction == answer.toward) continue;
    AnswerSegment reset;
    reset.flags = net::kTcpRst | net::kTcpAck;
    reset.direction = direction;
    reset.sequence = owner.tcp[index_of(side_of(direction))].end;
    if (session.limited[ids::index_of(direction)]) {
      reset.sequence = session.limit[ids::index_of(direction)];
    } else if (at_hand && segment_.direction == direction) {
      reset.sequence = segment_.sequence;
    }
    reset.acknowledgement = answer.active
                                ? answer.first_sequence
                                : owner.tcp[index_of(side_of(ids::opposite(direction)))].end;
    send_segment(session, reset, {}, pattern, context);
  }
}

void ObjectGuard::closed_segment(Packet& packet, uint32_t place, WorkerContext& context) noexcept {
  ScannedSession& session = sessions_[place];
  RefusalAnswer& answer = session.answer;
  const bool from_client =
      packet.direction == static_cast<uint8_t>(side_of(ids::opposite(answer.toward)));
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
  // At hand when it was refused, and behind bytes that are lost: it can never be read.
  if (segment.has(net::kTcpAck) && answer.tries > kTriesBehindGap &&
      is_after(answer.first_sequence, segment.acknowledgement)) {
    send_reset(packet, context);
    return;
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
  reply.direction = answer.toward;
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
