// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/session_tracker.h"

#include <algorithm>

namespace masugata::dataplane {

namespace {

uint32_t milliseconds(uint32_t seconds) noexcept {
  constexpr uint64_t kPerSecond = 1000;
  const uint64_t wanted = std::max(1U, seconds) * kPerSecond;
  return static_cast<uint32_t>(std::min<uint64_t>(wanted, TimerWheel::kMaximumDelayMs));
}

}  // namespace

TrackingSettings compile_tracking_settings(const config::SessionSettings& settings) {
  const config::SessionTimeouts& seconds = settings.timeouts;
  TrackingSettings result;
  result.tcp.strict = settings.tcp_strict;
  result.tcp.midstream = settings.tcp_midstream;
  auto set = [&](ProtocolState state, uint32_t value) {
    result.timeouts.timeout_ms[static_cast<size_t>(state)] = milliseconds(value);
  };
  set(ProtocolState::Free, 1);
  set(ProtocolState::TcpSynSent, seconds.tcp_syn);
  set(ProtocolState::TcpSynReceived, seconds.tcp_handshake);
  set(ProtocolState::TcpEstablished, seconds.tcp_established);
  set(ProtocolState::TcpFinWait, seconds.tcp_half_closed);
  set(ProtocolState::TcpCloseWait, seconds.tcp_half_closed);
  set(ProtocolState::TcpLastAck, seconds.tcp_closing);
  set(ProtocolState::TcpTimeWait, seconds.tcp_time_wait);
  set(ProtocolState::TcpReset, seconds.tcp_reset);
  set(ProtocolState::UdpNew, seconds.udp_new);
  set(ProtocolState::UdpReplied, seconds.udp_replied);
  set(ProtocolState::IcmpNew, seconds.icmp);
  set(ProtocolState::IcmpReplied, seconds.icmp);
  set(ProtocolState::OtherNew, seconds.other);
  set(ProtocolState::OtherReplied, seconds.other);
  return result;
}

TrackResult track_tcp_packet(SessionTable& table, Session& session, Direction direction,
                             const TcpSegment& segment, uint32_t packet_bytes,
                             const TrackingSettings& settings, uint32_t now_ms) noexcept {
  const TrackResult result = track_tcp(session, direction, segment, settings.tcp, now_ms);
  if (result.action != TrackAction::Forward) [[unlikely]]
    return result;
  note_packet(table, session, direction, result.state, packet_bytes, settings, now_ms);
  return result;
}

DropReason drop_reason_of(TrackReason reason) noexcept {
  switch (reason) {
    case TrackReason::None:
      return DropReason::None;
    case TrackReason::InvalidFlags:
      return DropReason::TcpBadFlags;
    case TrackReason::InvalidSequence:
    case TrackReason::InvalidAcknowledgement:
      return DropReason::TcpOutOfWindow;
    case TrackReason::UnexpectedSyn:
      return DropReason::TcpUnexpectedSyn;
    case TrackReason::ResetOutOfWindow:
    case TrackReason::ResetInexact:
      return DropReason::TcpBadReset;
    case TrackReason::NotAnOpening:
      return DropReason::TcpNoSession;
    case TrackReason::InvalidState:
      return DropReason::TcpInvalidState;
    case TrackReason::Count:
      break;
  }
  return DropReason::InternalError;
}

DropReason drop_reason_of(InsertRefusal refusal) noexcept {
  switch (refusal) {
    case InsertRefusal::None:
      return DropReason::None;
    case InsertRefusal::OriginalKeyExists:
    case InsertRefusal::ReplyKeyExists:
      return DropReason::SessionCollision;
    case InsertRefusal::TableFull:
    case InsertRefusal::IndexFull:
      return DropReason::SessionTableFull;
  }
  return DropReason::InternalError;
}

}  // namespace masugata::dataplane
