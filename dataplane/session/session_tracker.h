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
[[nodiscard]] TrackResult track_other_packet(SessionTable& table, Session& session,
                                             Direction direction, bool icmp_type_fits,
                                             uint32_t packet_bytes,
                                             const TrackingSettings& settings,
                                             uint32_t now_ms) noexcept;

// The drop reason that a refusal by tracking is counted under; None for TrackReason::None.
[[nodiscard]] DropReason drop_reason_of(TrackReason reason) noexcept;

// The same for a refused insert().
[[nodiscard]] DropReason drop_reason_of(InsertRefusal refusal) noexcept;

}  // namespace masugata::dataplane
