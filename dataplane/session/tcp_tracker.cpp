// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/tcp_tracker.h"

#include <algorithm>

#include "net/byte_order.h"
#include "net/sequence_number.h"

namespace masugata::dataplane {

namespace {

constexpr uint8_t kMaximumWindowScale = 14;  // RFC 7323 section 2.3
// Acknowledgements may lag behind by the largest window (RFC 5961 section 5.2), and by at least
// this much, because windows shrink while segments are on their way.
constexpr uint32_t kMinimumAckWindow = 65536;

using net::is_after;
using net::is_before;

bool is_within(uint32_t value, uint32_t first, uint32_t last) noexcept {
  return !is_before(value, first) && !is_after(value, last);
}

bool has(const TcpDirection& end, uint8_t flag) noexcept { return (end.flags & flag) != 0; }
// The end's SYN again. RFC 7413: it may come without the data that it carried at first.
bool repeats_syn(const TcpDirection& end, const TcpSegment& segment) noexcept {
  constexpr uint32_t kMaximumSynPayload = 1460;
  return (end.flags & kTcpSynSeen) != 0 && end.end - segment.end() <= kMaximumSynPayload;
}
void set(TcpDirection& end, uint8_t flag) noexcept {
  end.flags = static_cast<uint8_t>(end.flags | flag);
}

uint32_t window_bytes(const TcpDirection& end) noexcept {
  return static_cast<uint32_t>(end.max_window) << end.window_scale;
}

TrackResult forward(ProtocolState state) noexcept {
  return {TrackAction::Forward, TrackReason::None, state};
}
TrackResult refuse(const Session& session, TrackReason reason) noexcept {
  return {TrackAction::Drop, reason, session.state};
}
// For segments that an administrator may choose to let pass.
TrackResult refuse_if_strict(const Session& session, TrackReason reason,
                             const TcpTrackingSettings& settings) noexcept {
  const bool lenient = !settings.strict || (session.flags & kSessionMidstream) != 0;
  return {lenient ? TrackAction::Forward : TrackAction::Drop, reason, session.state};
}

TrackResult challenge(Session& session, TrackReason reason, uint32_t now_ms) noexcept {
  const auto second = static_cast<uint16_t>(((now_ms / 1000) & 0x7fffU) + 1);
  if (session.challenge_second == second) return refuse(session, reason);
  session.challenge_second = second;
  return {TrackAction::Challenge, reason, session.state};
}

// Takes the numbers and options of an end's SYN; its window is not scaled (RFC 7323 section 2.2).
void take_syn(TcpDirection& end, const TcpSegment& segment) noexcept {
  end.end = segment.end();
  end.max_end = segment.end();
  end.max_window = std::max<uint16_t>(segment.window, 1);
  end.window_scale = 0;
  end.flags = kTcpSynSeen;
  if (segment.window_scale != kNoWindowScale) {
    end.window_scale = std::min(segment.window_scale, kMaximumWindowScale);
    set(end, kTcpScaleOffered);
  }
  if (segment.sack_permitted) set(end, kTcpSackOffered);
}

uint16_t in_window_units(uint32_t bytes, uint8_t scale) noexcept {
  const uint32_t units = (bytes + (1U << scale) - 1) >> scale;
  return static_cast<uint16_t>(std::min(units, 0xffffU));
}

// Both SYNs are known: scaling holds when both offered it, else for neither end.
// `opener_in_units`: the opener's window has been taken to its scale before.
void agree_on_scaling(TcpDirection& opener, TcpDirection& answerer, bool opener_in_units) noexcept {
  const uint32_t opener_bytes = opener_in_units ? window_bytes(opener) : opener.max_window;
  if (!has(opener, kTcpScaleOffered) || !has(answerer, kTcpScaleOffered)) {
    opener.window_scale = 0;
    answerer.window_scale = 0;
  }
  opener.max_window = in_window_units(opener_bytes, opener.window_scale);
  answerer.max_window = in_window_units(answerer.max_window, answerer.window_scale);
}

void extend_permission(TcpDirection& peer, uint32_t acknowledgement, uint32_t window) noexcept {
  // A closed window still permits the probing byte (RFC 9293 section 3.8.6.1).
  const uint32_t limit = acknowledgement + std::max(window, 1U);
  if (is_after(limit, peer.max_end)) peer.max_end = limit;
}

// ---- SYN ----

TrackResult track_syn(Session& session, Direction direction, const TcpSegment& segment,
                      uint32_t now_ms) noexcept {
  TcpDirection& sender = session.tcp[index_of(direction)];
  TcpDirection& receiver = session.tcp[index_of(opposite(direction))];
  switch (session.state) {
    case ProtocolState::TcpSynSent:
      if (direction == Direction::Original) {
        // A retransmission, or a host that restarted and tries again with new numbers.
        take_syn(sender, segment);
        receiver.max_ack = segment.sequence + 1;
        return forward(ProtocolState::TcpSynSent);
      }
      // Simultaneous open (RFC 9293 figure 7).
      take_syn(sender, segment);
      agree_on_scaling(receiver, sender, false);
      sender.max_ack = receiver.end;
      receiver.max_ack = segment.sequence + 1;
      extend_permission(sender, segment.sequence + 1, window_bytes(receiver));
      extend_permission(receiver, receiver.end, segment.window);
      return forward(ProtocolState::TcpSynReceived);
    case ProtocolState::TcpSynReceived:
      if (repeats_syn(sender, segment)) return forward(session.state);
      return challenge(session, TrackReason::UnexpectedSyn, now_ms);
    case ProtocolState::TcpTimeWait:
    case ProtocolState::TcpReset:
      return {TrackAction::Replace, TrackReason::None, session.state};
    default:
      return challenge(session, TrackReason::UnexpectedSyn, now_ms);
  }
}

// ---- SYN with ACK ----

// The answer to the opener's SYN, or that answer again with other numbers (a server with SYN
// cookies): the acknowledgement proves that the sender has seen the SYN.
TrackResult take_answer(Session& session, const TcpSegment& segment) noexcept {
  TcpDirection& opener = session.tcp[0];
  TcpDirection& answerer = session.tcp[1];
  const bool answered_before = has(answerer, kTcpSynSeen);
  const uint32_t lowest = has(answerer, kTcpAckSeen) ? opener.end : answerer.max_ack;
  if (!is_within(segment.acknowledgement, lowest, opener.end)) {
    return refuse(session, TrackReason::InvalidAcknowledgement);
  }
  take_syn(answerer, segment);
  agree_on_scaling(opener, answerer, answered_before);
  answerer.max_ack = segment.acknowledgement;
  set(answerer, kTcpAckSeen);
  opener.max_ack = segment.sequence + 1;
  extend_permission(answerer, segment.sequence + 1, window_bytes(opener));
  extend_permission(opener, segment.acknowledgement, segment.window);
  return forward(ProtocolState::TcpSynReceived);
}

TrackResult track_segment(Session& session, Direction direction, const TcpSegment& segment,
                          const TcpTrackingSettings& settings) noexcept;

TrackResult track_syn_ack(Session& session, Direction direction, const TcpSegment& segment,
                          const TcpTrackingSettings& settings, uint32_t now_ms) noexcept {
  const TcpDirection& sender = session.tcp[index_of(direction)];
  const TcpDirection& receiver = session.tcp[index_of(opposite(direction))];
  switch (session.state) {
    case ProtocolState::TcpSynSent:
      if (direction == Direction::Original) return refuse(session, TrackReason::InvalidState);
      return take_answer(session, segment);
    case ProtocolState::TcpSynReceived: {
      // Of a simultaneous open, or a retransmission.
      if (repeats_syn(sender, segment)) return track_segment(session, direction, segment, settings);
      const bool opener_silent = !has(receiver, kTcpAckSeen);
      if (direction == Direction::Reply && opener_silent) return take_answer(session, segment);
      return challenge(session, TrackReason::UnexpectedSyn, now_ms);
    }
    case ProtocolState::TcpTimeWait:
    case ProtocolState::TcpReset:
      return refuse(session, TrackReason::InvalidState);
    default:
      // The last ACK of the handshake got lost and the SYN-ACK comes again.
      if (!is_after(segment.end(), sender.end)) {
        return track_segment(session, direction, segment, settings);
      }
      return challenge(session, TrackReason::UnexpectedSyn, now_ms);
  }
}

// ---- RST ----

TrackResult track_reset_of_opening(const Session& session, Direction direction,
                                   const TcpSegment& segment) noexcept {
  const TcpDirection& opener = session.tcp[0];
  const TcpDirection& answerer = session.tcp[1];
  if (direction == Direction::Reply) {
    // Connection refused: must acknowledge the SYN (RFC 9293 section 3.10.7.3).
    const bool acknowledges = segment.has(net::kTcpAck) &&
                              is_within(segment.acknowledgement, answerer.max_ack, opener.end);
    if (!acknowledges) return refuse(session, TrackReason::ResetOutOfWindow);
    return forward(ProtocolState::TcpReset);
  }
  if (segment.sequence == opener.end) return forward(ProtocolState::TcpReset);
  // The answer to a stray ACK of a connection that the answerer still remembers, see track_stray.
  if (answerer.end != 0 && segment.sequence == answerer.end) {
    return forward(ProtocolState::TcpSynSent);
  }
  return refuse(session, TrackReason::ResetOutOfWindow);
}

// RFC 5961 section 3.2: only the next expected number resets. What the receiver expects lies
// between what it acknowledged last and what the sender sent last, and an honest sender uses
// either.
TrackResult track_reset(Session& session, Direction direction, const TcpSegment& segment,
                        const TcpTrackingSettings& settings, uint32_t now_ms) noexcept {
  if (session.state == ProtocolState::TcpSynSent) {
    return track_reset_of_opening(session, direction, segment);
  }
  const TcpDirection& sender = session.tcp[index_of(direction)];
  const TcpDirection& receiver = session.tcp[index_of(opposite(direction))];
  const bool exact = segment.sequence == sender.end ||
                     (has(receiver, kTcpAckSeen) && segment.sequence == receiver.max_ack);
  if (exact) {
    // TIME-WAIT is not assassinated (RFC 1337).
    return forward(session.state == ProtocolState::TcpTimeWait ? session.state
                                                               : ProtocolState::TcpReset);
  }
  const uint32_t lowest = has(receiver, kTcpAckSeen) ? receiver.max_ack : sender.end;
  if (!is_within(segment.sequence, lowest, sender.max_end)) {
    return refuse_if_strict(session, TrackReason::ResetOutOfWindow, settings);
  }
  return challenge(session, TrackReason::ResetInexact, now_ms);
}

// ---- everything else ----

// A bare ACK before any SYN-ACK: the answerer still has an old connection of the same ports and
// shows where it stands; the opener will reset it and try again (RFC 9293 section 3.5.1).
TrackResult track_stray(Session& session, Direction direction, const TcpSegment& segment,
                        const TcpTrackingSettings& settings) noexcept {
  if (direction == Direction::Original || segment.length() != 0) {
    return refuse_if_strict(session, TrackReason::InvalidState, settings);
  }
  session.tcp[1].end = segment.acknowledgement;
  return forward(session.state);
}

TrackReason check_window(const TcpDirection& sender, const TcpDirection& receiver,
                         const TcpSegment& segment) noexcept {
  const uint32_t end = segment.end();
  // A FIN may follow the last permitted byte. Nothing follows a FIN.
  const uint32_t last_byte_end = segment.has(net::kTcpFin) ? end - 1 : end;
  if (is_after(last_byte_end, sender.max_end)) return TrackReason::InvalidSequence;
  if (has(sender, kTcpFinSeen) && is_after(end, sender.end)) return TrackReason::InvalidSequence;
  // Retransmissions and keep-alives reach back by the receiver's window at most.
  const uint32_t oldest = sender.end - std::max(window_bytes(receiver), 1U);
  if (is_before(end, oldest)) return TrackReason::InvalidSequence;

  const uint32_t acknowledgement = segment.acknowledgement;
  if (is_after(acknowledgement, receiver.end)) return TrackReason::InvalidAcknowledgement;
  const uint32_t lowest = has(sender, kTcpAckSeen)
                              ? receiver.end - std::max(window_bytes(sender), kMinimumAckWindow)
                              : sender.max_ack;
  if (is_before(acknowledgement, lowest)) return TrackReason::InvalidAcknowledgement;
  return TrackReason::None;
}

// The state that follows from which SYNs and FINs were sent and acknowledged.
ProtocolState state_of(const Session& session) noexcept {
  const TcpDirection& one = session.tcp[0];
  const TcpDirection& other = session.tcp[1];
  const uint8_t either = one.flags | other.flags;
  if ((either & kTcpFinSeen) == 0) {
    if (session.state != ProtocolState::TcpSynReceived) return session.state;
    return (one.flags & other.flags & kTcpAckSeen) != 0 ? ProtocolState::TcpEstablished
                                                        : ProtocolState::TcpSynReceived;
  }
  if (session.state == ProtocolState::TcpReset) return session.state;
  if ((one.flags & other.flags & kTcpFinSeen) != 0) {
    return (one.flags & other.flags & kTcpFinAcknowledged) != 0 ? ProtocolState::TcpTimeWait
                                                                : ProtocolState::TcpLastAck;
  }
  return (either & kTcpFinAcknowledged) != 0 ? ProtocolState::TcpCloseWait
                                             : ProtocolState::TcpFinWait;
}

TrackResult track_segment(Session& session, Direction direction, const TcpSegment& segment,
                          const TcpTrackingSettings& settings) noexcept {
  TcpDirection& sender = session.tcp[index_of(direction)];
  TcpDirection& receiver = session.tcp[index_of(opposite(direction))];
  const TrackReason reason = check_window(sender, receiver, segment);
  if (reason != TrackReason::None) [[unlikely]] {
    const TrackResult result = refuse_if_strict(session, reason, settings);
    if (result.action == TrackAction::Drop) return result;
    // Let pass all the same: follow where the ends are, so that the next segment may fit.
    if (is_after(segment.acknowledgement, receiver.end)) receiver.end = segment.acknowledgement;
  }
  const bool is_syn = segment.has(net::kTcpSyn);
  const uint16_t units =
      is_syn ? in_window_units(segment.window, sender.window_scale) : segment.window;
  sender.max_window = std::max(sender.max_window, units);
  if (is_after(segment.end(), sender.end)) sender.end = segment.end();
  if (!has(sender, kTcpAckSeen) || is_after(segment.acknowledgement, sender.max_ack)) {
    sender.max_ack = segment.acknowledgement;
    set(sender, kTcpAckSeen);
  }
  extend_permission(receiver, segment.acknowledgement,
                    static_cast<uint32_t>(units) << sender.window_scale);
  if (segment.has(net::kTcpFin)) set(sender, kTcpFinSeen);
  if (has(receiver, kTcpFinSeen) && segment.acknowledgement == receiver.end) {
    set(receiver, kTcpFinAcknowledged);
  }
  return {TrackAction::Forward, reason, state_of(session)};
}

void start_midstream(Session& session, const TcpSegment& segment) noexcept {
  TcpDirection& sender = session.tcp[0];
  TcpDirection& receiver = session.tcp[1];
  // Scaling is unknown: the largest is assumed, which is why such sessions are not held to windows.
  sender.window_scale = kMaximumWindowScale;
  receiver.window_scale = kMaximumWindowScale;
  sender.end = segment.end();
  sender.max_end = segment.end() + (0xffffU << kMaximumWindowScale) / 2;
  sender.max_window = std::max<uint16_t>(segment.window, 1);
  sender.max_ack = segment.acknowledgement;
  receiver.end = segment.acknowledgement;
  receiver.max_end = segment.acknowledgement;
  receiver.max_window = 1;
  receiver.max_ack = segment.sequence;
  extend_permission(receiver, segment.acknowledgement, window_bytes(sender));
  sender.flags = kTcpAckSeen;
  receiver.flags = kTcpAckSeen;
}

}  // namespace

TcpSegment read_tcp_segment(const uint8_t* header, size_t header_bytes,
                            uint32_t payload_bytes) noexcept {
  constexpr uint8_t kEndOfOptions = 0;
  constexpr uint8_t kNoOperation = 1;
  constexpr uint8_t kMaximumSegmentSize = 2;
  constexpr uint8_t kWindowScale = 3;
  constexpr uint8_t kSackPermitted = 4;
  TcpSegment segment;
  segment.sequence = net::load_be32(header + 4).host();
  segment.acknowledgement = net::load_be32(header + 8).host();
  segment.flags = header[13];
  segment.window = net::load_be16(header + 14).host();
  segment.payload_bytes = payload_bytes;
  if (!segment.has(net::kTcpSyn)) [[likely]]
    return segment;
  size_t at = net::kTcpMinimumHeaderBytes;
  while (at < header_bytes && header[at] != kEndOfOptions) {
    if (header[at] == kNoOperation) {
      ++at;
      continue;
    }
    if (at + 1 >= header_bytes) break;
    const size_t length = header[at + 1];
    if (length < 2 || at + length > header_bytes) break;
    const uint8_t* value = header + at + 2;
    if (header[at] == kMaximumSegmentSize && length == 4) {
      segment.maximum_segment_size = net::load_be16(value).host();
    } else if (header[at] == kWindowScale && length == 3) {
      segment.window_scale = std::min(*value, kMaximumWindowScale);
    } else if (header[at] == kSackPermitted && length == 2) {
      segment.sack_permitted = true;
    }
    at += length;
  }
  return segment;
}

TrackResult classify_tcp_opening(const TcpSegment& segment,
                                 const TcpTrackingSettings& settings) noexcept {
  if (!net::tcp_flags_valid(segment.flags)) {
    return {TrackAction::Drop, TrackReason::InvalidFlags, ProtocolState::Free};
  }
  const bool syn = segment.has(net::kTcpSyn);
  if (syn && !segment.has(net::kTcpAck)) return forward(ProtocolState::TcpSynSent);
  const bool running = !syn && !segment.has(net::kTcpRst) && !segment.has(net::kTcpFin);
  if (running && settings.midstream) return forward(ProtocolState::TcpEstablished);
  return {TrackAction::Drop, TrackReason::NotAnOpening, ProtocolState::Free};
}

void start_tcp(Session& session, const TcpSegment& segment) noexcept {
  session.tcp[0] = TcpDirection{};
  session.tcp[1] = TcpDirection{};
  if (!segment.has(net::kTcpSyn)) {
    session.flags = static_cast<uint16_t>(session.flags | kSessionMidstream);
    start_midstream(session, segment);
    return;
  }
  take_syn(session.tcp[0], segment);
  session.tcp[1].max_ack = segment.sequence + 1;
}

void start_proxied_tcp(Session& session, const TcpSegment& opener, uint8_t opener_window_scale,
                       const TcpSegment& answer) noexcept {
  TcpDirection& client = session.tcp[0];
  TcpDirection& server = session.tcp[1];
  client = TcpDirection{};
  client.flags = kTcpSynSeen | kTcpAckSeen;
  client.window_scale = opener_window_scale;
  if (opener_window_scale == kNoWindowScale) {
    client.window_scale = 0;
  } else {
    set(client, kTcpScaleOffered);
  }
  client.end = opener.end();
  client.max_end = opener.end();
  client.max_ack = answer.sequence + 1;
  client.max_window = std::max<uint16_t>(opener.window, 1);
  take_syn(server, answer);
  // The opener's last ACK carries a scaled window already when scaling was agreed on.
  agree_on_scaling(client, server, true);
  server.max_ack = answer.acknowledgement;
  set(server, kTcpAckSeen);
  extend_permission(server, answer.sequence + 1, window_bytes(client));
  extend_permission(client, answer.acknowledgement, answer.window);
  session.flags = static_cast<uint16_t>(session.flags | kSessionSynProxied);
}

TrackResult track_tcp(Session& session, Direction direction, const TcpSegment& segment,
                      const TcpTrackingSettings& settings, uint32_t now_ms) noexcept {
  constexpr uint8_t kSpecial = net::kTcpSyn | net::kTcpRst;
  if (!net::tcp_flags_valid(segment.flags)) [[unlikely]] {
    return refuse(session, TrackReason::InvalidFlags);
  }
  if (!segment.has(kSpecial)) [[likely]] {
    if (session.state == ProtocolState::TcpSynSent) [[unlikely]] {
      return track_stray(session, direction, segment, settings);
    }
    return track_segment(session, direction, segment, settings);
  }
  if (segment.has(net::kTcpRst)) return track_reset(session, direction, segment, settings, now_ms);
  if (segment.has(net::kTcpAck)) {
    return track_syn_ack(session, direction, segment, settings, now_ms);
  }
  return track_syn(session, direction, segment, now_ms);
}

ChallengeAck challenge_for(const Session& session, Direction direction) noexcept {
  const TcpDirection& sender = session.tcp[index_of(direction)];
  const TcpDirection& receiver = session.tcp[index_of(opposite(direction))];
  ChallengeAck answer;
  answer.sequence = receiver.end;
  answer.acknowledgement = (receiver.flags & kTcpAckSeen) != 0 ? receiver.max_ack : sender.end;
  answer.window = receiver.max_window;
  return answer;
}

}  // namespace masugata::dataplane
