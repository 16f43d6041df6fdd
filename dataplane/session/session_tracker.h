// SPDX-License-Identifier: GPL-2.0-or-later
// From packets to session states and timeouts, for every protocol: the one entry for stages.
#pragma once

#include <array>
#include <cstdint>

#include "config/model.h"
#include "dataplane/pipeline/drop_reason.h"
#include "dataplane/session/session.h"
#include "dataplane/session/session_table.h"
#include "dataplane/session/tcp_tracker.h"

namespace masugata::dataplane {

// Idle timeouts per state in milliseconds, from the configuration. Immutable, part of a snapshot.
struct SessionTimeoutTable {
  std::array<uint32_t, kProtocolStateCount> timeout_ms{};

  [[nodiscard]] uint32_t of(ProtocolState state) const noexcept {
    return timeout_ms[static_cast<size_t>(state)];
  }
};

// Everything that tracking takes from the configuration.
struct TrackingSettings {
  SessionTimeoutTable timeouts;
  TcpTrackingSettings tcp;
};

// Seconds become milliseconds, cut at TimerWheel::kMaximumDelayMs (24 days) and never below 1 s.
[[nodiscard]] TrackingSettings compile_tracking_settings(const config::SessionSettings& settings);

// The state in which a session begins whose first packet is not TCP.
[[nodiscard]] constexpr ProtocolState first_state_of(net::Protocol protocol) noexcept {
  switch (kind_of(protocol)) {
    case SessionKind::Udp:
      return ProtocolState::UdpNew;
    case SessionKind::Icmp:
      return ProtocolState::IcmpNew;
    case SessionKind::Tcp:
      return ProtocolState::TcpSynSent;
    default:
      return ProtocolState::OtherNew;
  }
}

// The state of a session of any protocol but TCP once something came back.
[[nodiscard]] constexpr ProtocolState replied_state_of(SessionKind kind) noexcept {
  switch (kind) {
    case SessionKind::Udp:
      return ProtocolState::UdpReplied;
    case SessionKind::Icmp:
      return ProtocolState::IcmpReplied;
    default:
      return ProtocolState::OtherReplied;
  }
}

// Counts a packet that belongs to `session`, which is in `state` from now on; last_seen_ms,
// timeout.
inline void note_packet(SessionTable& table, Session& session, Direction direction,
                        ProtocolState state, uint32_t packet_bytes,
                        const TrackingSettings& settings, uint32_t now_ms) noexcept {
  // Without a branch: directions alternate at random.
  static_assert(kSessionReplySeen == index_of(Direction::Reply));
  session.flags = static_cast<uint16_t>(session.flags | index_of(direction));
  session.last_seen_ms = now_ms;
  session.count_packet(direction, packet_bytes);
  const uint32_t timeout_ms = settings.timeouts.of(state);
  if (session.state != state || session.timeout_ms != timeout_ms) [[unlikely]] {
    table.change_state(session, state, timeout_ms);
  }
}

// Takes a TCP segment of a found session into account: windows, state, timeout, last_seen_ms and
// the packet counters (`packet_bytes`: IP packet). Forward and Replace say what to do next; on Drop
// and Challenge the session does not count the packet and does not live longer for it.
[[nodiscard]] TrackResult track_tcp_packet(SessionTable& table, Session& session,
                                           Direction direction, const TcpSegment& segment,
                                           uint32_t packet_bytes, const TrackingSettings& settings,
                                           uint32_t now_ms) noexcept;

// The same for a packet of any other protocol: the first one of the reply direction confirms the
// session. `icmp_type_fits`: for ICMP, whether the type is right for the direction (echo request in
// the original, echo reply in the reply direction); true for every other protocol.
[[nodiscard]] inline TrackResult track_other_packet(SessionTable& table, Session& session,
                                                    Direction direction, bool icmp_type_fits,
                                                    uint32_t packet_bytes,
                                                    const TrackingSettings& settings,
                                                    uint32_t now_ms) noexcept {
  if (!icmp_type_fits) [[unlikely]] {
    return {TrackAction::Drop, TrackReason::InvalidState, session.state};
  }
  ProtocolState state = session.state;
  if (direction == Direction::Reply) state = replied_state_of(session.kind);
  note_packet(table, session, direction, state, packet_bytes, settings, now_ms);
  return {TrackAction::Forward, TrackReason::None, state};
}

// The drop reason that a refusal by tracking is counted under; None for TrackReason::None.
[[nodiscard]] DropReason drop_reason_of(TrackReason reason) noexcept;

// The same for a refused insert().
[[nodiscard]] DropReason drop_reason_of(InsertRefusal refusal) noexcept;

}  // namespace masugata::dataplane
