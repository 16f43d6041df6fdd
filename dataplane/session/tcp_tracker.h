// SPDX-License-Identifier: GPL-2.0-or-later
// TCP seen from the middle: which segments belong to a connection and what they do to it.
// RFC 9293 (states, acceptability), RFC 7323 (window scaling), RFC 5961 (blind attacks).
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/session/session.h"
#include "net/headers/transport.h"

namespace masugata::dataplane {

inline constexpr uint8_t kNoWindowScale = 0xff;

// What tracking needs to know of a segment, host byte order. The options count on SYNs only.
// Both numbers are in the sender's own view; where SequenceAdjustment applies, the acknowledgement
// has been taken back to what the other end sent (see sequence_adjustment.h).
struct TcpSegment {
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint32_t payload_bytes = 0;
  uint16_t window = 0;
  uint8_t flags = 0;
  uint8_t window_scale = kNoWindowScale;  // RFC 7323 option, or kNoWindowScale
  bool sack_permitted = false;
  uint16_t maximum_segment_size = 0;  // 0 = option absent

  [[nodiscard]] bool has(uint8_t flag) const noexcept { return (flags & flag) != 0; }
  // Sequence numbers that the segment takes up (RFC 9293 SEG.LEN).
  [[nodiscard]] uint32_t length() const noexcept {
    return payload_bytes + (has(net::kTcpSyn) ? 1U : 0U) + (has(net::kTcpFin) ? 1U : 0U);
  }
  [[nodiscard]] uint32_t end() const noexcept { return sequence + length(); }
};

// Fills a segment from a TCP header of `header_bytes` (20..60, as the data offset says, all
// present) and the payload length. Options are read on SYNs only and leniently: reading stops at
// the first malformed one (decode has dropped such packets already).
[[nodiscard]] TcpSegment read_tcp_segment(const uint8_t* header, size_t header_bytes,
                                          uint32_t payload_bytes) noexcept;

enum class TrackAction : uint8_t {
  Forward,
  Drop,
  // Drop, and answer the sender with challenge_for() (RFC 5961 sections 3 and 4). At most one per
  // session and second; further ones are Drop.
  Challenge,
  // The packet opens a new connection over an old one: erase this session (EndReason::Replaced) and
  // admit the packet as a miss.
  Replace,
};

enum class TrackReason : uint8_t {
  None,
  InvalidFlags,
  InvalidSequence,         // outside the window of the receiver
  InvalidAcknowledgement,  // acknowledges what was never sent, or what is long past
  UnexpectedSyn,           // SYN inside a synchronized connection
  ResetOutOfWindow,
  ResetInexact,  // in the window, but not the next expected number
  InvalidState,  // not possible in the connection's state
  NotAnOpening,  // a first packet that opens nothing (midstream refused)
  Count,
};

struct TrackResult {
  TrackAction action = TrackAction::Forward;
  TrackReason reason = TrackReason::None;     // with Forward: counted only (not strict)
  ProtocolState state = ProtocolState::Free;  // the state after this packet
};

struct TcpTrackingSettings {
  bool strict = true;      // config::SessionSettings::tcp_strict; off: count, but forward
  bool midstream = false;  // config::SessionSettings::tcp_midstream
};

// What a first segment would make of a session: TcpSynSent for a SYN, TcpEstablished for a
// picked-up midstream ACK when allowed; Drop with a reason otherwise. Call before inserting.
[[nodiscard]] TrackResult classify_tcp_opening(const TcpSegment& segment,
                                               const TcpTrackingSettings& settings) noexcept;

// Sets up both ends of a new session from its first segment, which classify_tcp_opening() took.
void start_tcp(Session& session, const TcpSegment& segment) noexcept;

// Takes a further segment into account. Changes session.tcp, never session.state: the caller moves
// the state by SessionTable::change_state() when the result's state differs.
// On Drop and Challenge nothing but the challenge limit has changed.
[[nodiscard]] TrackResult track_tcp(Session& session, Direction direction,
                                    const TcpSegment& segment, const TcpTrackingSettings& settings,
                                    uint32_t now_ms) noexcept;

// The ACK that a sender is challenged with: what the other end would answer. Travels against
// `direction` (the direction of the challenged segment); numbers in host byte order.
struct ChallengeAck {
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint16_t window = 0;
};
[[nodiscard]] ChallengeAck challenge_for(const Session& session, Direction direction) noexcept;

// Makes both ends known when the gateway itself took the handshake of the opener (SYN cookie) and
// has now seen the real server's SYN-ACK: `opener` is the client's final ACK of the cookie
// handshake, `answer` the server's SYN-ACK. The server's numbers are its own; the difference to the
// cookie goes to the session's SequenceAdjustment. The caller moves the state to TcpEstablished.
void start_proxied_tcp(Session& session, const TcpSegment& opener, uint8_t opener_window_scale,
                       const TcpSegment& answer) noexcept;

}  // namespace masugata::dataplane
