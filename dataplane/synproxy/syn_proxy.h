// SPDX-License-Identifier: GPL-2.0-or-later
// From a valid SYN cookie to a connection with the server: the gateway opens to the server in the
// client's name and then joins the two halves. Pure functions over a small struct that the
// pipeline keeps beside the session.
//
//   client                gateway                     server
//     | SYN ------------>  |  (no state)                 |
//     | <-- SYN-ACK, win 0 |                             |
//     | ACK ------------>  |  session, WaitingForServer  |
//     |                    |  SYN, client's ISN -------> |
//     |                    |  <----------------- SYN-ACK |
//     | <-- window update  |  ACK ---------------------> |  Established
//
// The client's sequence numbers pass unchanged. The server's differ by server_sequence_offset():
// SequenceAdjustment (Reply direction, set_initial_offset) does that for every later packet.
#pragma once

#include <cstdint>

#include "dataplane/icmp/tcp_packet.h"
#include "dataplane/synproxy/syn_cookie.h"

namespace masugata::dataplane {

enum class SynProxyPhase : uint8_t {
  WaitingForServer,  // our SYN is under way; nothing of the client is passed on
  Established,       // the halves are joined: ordinary tracking takes over
  Refused,           // the server reset, the client reset, or nobody answered: the session ends
};

struct SynProxyState {
  uint32_t client_isn = 0;
  uint32_t cookie = 0;      // our ISN towards the client
  uint32_t server_isn = 0;  // valid when Established, or Refused by the server
  uint32_t last_syn_ms = 0;
  CookieFacts client;
  uint16_t client_window = 0;  // field of the client's ACK
  uint16_t server_window = 0;  // field of the server's SYN-ACK
  uint8_t server_window_scale = 0;
  bool server_has_window_scale = false;
  uint8_t syn_count = 0;
  SynProxyPhase phase = SynProxyPhase::WaitingForServer;
};
static_assert(sizeof(SynProxyState) <= 40);

// What to do about a segment. Order: `to_server` first. Each segment to send names its key.
struct SynProxyStep {
  // The packet that was looked at: passed on to ordinary processing, or absorbed (the caller frees
  // it; it is counted, not dropped).
  bool pass = false;
  bool send_to_server = false;
  bool send_to_client = false;
  // From the client's packet: Heading::Onward, client-side key; goes through translation and
  // forwarding as if the client had sent it. From the server's packet: Heading::BackToSender, key
  // as the server sees it; ready for transmission.
  TcpFacts to_server;
  // From the server's packet: Heading::Onward, in the server's own sequence numbers and window
  // scale; goes through sequence adjustment, window shift, translation and forwarding like the
  // server's packets: set server_sequence_offset() first, which is known now.
  // From the client's packet: Heading::BackToSender, ready for transmission.
  TcpFacts to_client;
};

// Starts the second half after SynCookies::check() accepted `ack` and admission permitted the flow.
// The step sends the SYN to the server: client's ISN, window, MSS (as the cookie remembers it, at
// most `server_mss_limit`), window scale, SACK permitted; no timestamps, no ECN.
// Data in the ACK is not accepted: our window was 0. It is absorbed unacknowledged and the client
// sends it again when the window opens.
[[nodiscard]] SynProxyStep start_syn_proxy(SynProxyState& state, const TcpFacts& ack,
                                           const CookieFacts& cookie, uint16_t server_mss_limit,
                                           uint32_t now_ms) noexcept;

inline constexpr uint32_t kSynRetransmitMs = 1000;  // RFC 6298: doubled with each retransmission
inline constexpr uint8_t kMaximumSynCount = 4;

// A segment of the client while WaitingForServer. Everything is absorbed. A RST at the expected
// number ends the session (Refused); a SYN (a late copy, or forged) changes nothing. Other segments
// (window probes, keep-alives, data) repeat the SYN when kSynRetransmitMs << (count - 1) have
// passed since the last one, up to kMaximumSynCount in all.
[[nodiscard]] SynProxyStep on_client_segment(SynProxyState& state, const TcpFacts& segment,
                                             uint16_t server_mss_limit, uint32_t now_ms) noexcept;

// A segment of the server while WaitingForServer, acknowledgement in the client's numbers.
// SYN-ACK of our SYN: absorbed; ACK to the server, window update to the client, Established.
// RST that acknowledges our SYN: RST to the client, Refused. A SYN-ACK or ACK with another
// acknowledgement (an old connection): RST to the server (RFC 9293 3.10.7.3), still waiting.
// Everything else is absorbed.
[[nodiscard]] SynProxyStep on_server_segment(SynProxyState& state,
                                             const TcpFacts& segment) noexcept;

// Segments after Established that are echoes of the handshake: the server repeats its SYN-ACK when
// our ACK was lost: absorbed and acknowledged again. pass = true for everything else.
[[nodiscard]] SynProxyStep on_established_server_segment(const SynProxyState& state,
                                                         const TcpFacts& segment) noexcept;

// Shown minus own for the bytes that the server sends: StreamAdjustment::set_initial_offset().
[[nodiscard]] constexpr uint32_t server_sequence_offset(const SynProxyState& state) noexcept {
  return state.cookie - state.server_isn;
}

// The client reads every window of the server at the scale that our SYN-ACK announced; the server
// writes it at its own. Left shift (negative: right) for the window field of packets from the
// server; 0 for clients without window scaling, which make the server not use it either.
[[nodiscard]] constexpr int server_window_shift(const SynProxyState& state) noexcept {
  if (!state.client.has_window_scale) return 0;
  return static_cast<int>(state.server_window_scale) - static_cast<int>(kAnnouncedWindowScale);
}

// Rewrites the window field of a TCP header from the server by `shift` (cut at 65,535, rounded
// down) after tracking; SYNs are left alone. Updates the checksum in place.
void shift_window(uint8_t* tcp_header, int shift) noexcept;

}  // namespace masugata::dataplane
