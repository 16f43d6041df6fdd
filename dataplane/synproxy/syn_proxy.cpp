// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/synproxy/syn_proxy.h"

#include <algorithm>

#include "net/byte_order.h"
#include "net/checksum.h"

namespace masugata::dataplane {
namespace {

TcpFacts syn_for_server(const SynProxyState& state, const net::FlowKey& key,
                        uint16_t server_mss_limit) noexcept {
  TcpFacts syn;
  syn.key = key;
  syn.sequence = state.client_isn;
  syn.flags = net::kTcpSyn;
  // The window of a SYN is not scaled, that of the client's ACK was: as much as fits the field.
  const uint32_t window = uint32_t{state.client_window}
                          << (state.client.has_window_scale ? state.client.window_scale : 0U);
  syn.window = static_cast<uint16_t>(std::min<uint32_t>(window, 0xffff));
  syn.options.maximum_segment_size = std::min(state.client.maximum_segment_size, server_mss_limit);
  syn.options.has_window_scale = state.client.has_window_scale;
  syn.options.window_scale = state.client.window_scale;
  syn.options.sack_permitted = state.client.sack_permitted;
  return syn;
}

// The ACK of the server's SYN-ACK, in the client's name.
TcpFacts ack_for_server(const SynProxyState& state, const net::FlowKey& server_key) noexcept {
  TcpFacts ack;
  ack.key = server_key.reversed();
  ack.sequence = state.client_isn + 1;
  ack.acknowledgement = state.server_isn + 1;
  ack.flags = net::kTcpAck;
  ack.window = state.client_window;
  // When the server refused scaling the client scales all the same (it was promised): the server
  // then reads windows that are too small, never too large. This first one is exact.
  if (state.client.has_window_scale && !state.server_has_window_scale) {
    const uint32_t window = uint32_t{state.client_window} << state.client.window_scale;
    ack.window = static_cast<uint16_t>(std::min<uint32_t>(window, 0xffff));
  }
  return ack;
}

// The segment that opens the client's window, as the server would send it.
TcpFacts window_update(const SynProxyState& state, const net::FlowKey& server_key) noexcept {
  TcpFacts update;
  update.key = server_key;
  update.sequence = state.server_isn + 1;
  update.acknowledgement = state.client_isn + 1;
  update.flags = net::kTcpAck;
  update.window = static_cast<uint16_t>(state.server_window >> state.server_window_scale);
  // A SYN-ACK whose window is smaller than one unit of its own scale must still open the client's.
  if (update.window == 0 && state.server_window != 0) update.window = 1;
  return update;
}

bool answers_our_syn(const SynProxyState& state, const TcpFacts& segment) noexcept {
  return segment.has(net::kTcpAck) && segment.acknowledgement == state.client_isn + 1;
}

// The client's acceptable segments name the window that it has now.
bool answers_our_cookie(const SynProxyState& state, const TcpFacts& segment) noexcept {
  return segment.has(net::kTcpAck) && segment.acknowledgement == state.cookie + 1;
}

SynProxyStep refuse_old_connection(const TcpFacts& segment) noexcept {
  SynProxyStep step;
  step.send_to_server = true;
  step.to_server.key = segment.key.reversed();
  step.to_server.sequence = segment.acknowledgement;
  step.to_server.flags = net::kTcpRst;
  return step;
}

SynProxyStep join(SynProxyState& state, const TcpFacts& syn_ack) noexcept {
  state.server_isn = syn_ack.sequence;
  state.server_window = syn_ack.window;
  // Scaling counts only when both offered it (RFC 7323 section 2.2).
  state.server_has_window_scale = syn_ack.options.has_window_scale && state.client.has_window_scale;
  state.server_window_scale =
      state.server_has_window_scale ? syn_ack.options.window_scale : uint8_t{0};
  state.phase = SynProxyPhase::Established;
  SynProxyStep step;
  step.send_to_server = true;
  step.to_server = ack_for_server(state, syn_ack.key);
  step.send_to_client = true;
  step.to_client = window_update(state, syn_ack.key);
  return step;
}

}  // namespace

SynProxyStep start_syn_proxy(SynProxyState& state, const TcpFacts& ack, const CookieFacts& cookie,
                             uint16_t server_mss_limit, uint32_t now_ms) noexcept {
  state = SynProxyState{};
  state.client_isn = ack.sequence - 1;
  state.cookie = ack.acknowledgement - 1;
  state.client = cookie;
  state.client_window = ack.window;
  state.last_syn_ms = now_ms;
  state.syn_count = 1;
  SynProxyStep step;
  step.send_to_server = true;
  step.to_server = syn_for_server(state, ack.key, server_mss_limit);
  return step;
}

SynProxyStep on_client_segment(SynProxyState& state, const TcpFacts& segment,
                               uint16_t server_mss_limit, uint32_t now_ms) noexcept {
  SynProxyStep step;
  if (state.phase != SynProxyPhase::WaitingForServer) {
    step.pass = state.phase == SynProxyPhase::Established;
    return step;
  }
  if (segment.has(net::kTcpSyn)) return step;
  if (segment.has(net::kTcpRst)) {
    if (segment.sequence == state.client_isn + 1) state.phase = SynProxyPhase::Refused;
    return step;
  }
  if (answers_our_cookie(state, segment)) state.client_window = segment.window;
  const uint32_t wait_ms = kSynRetransmitMs << (state.syn_count - 1U);
  const auto waited_ms = static_cast<int32_t>(now_ms - state.last_syn_ms);
  if (state.syn_count >= kMaximumSynCount || waited_ms < static_cast<int32_t>(wait_ms)) {
    return step;
  }
  ++state.syn_count;
  state.last_syn_ms = now_ms;
  step.send_to_server = true;
  step.to_server = syn_for_server(state, segment.key, server_mss_limit);
  return step;
}

SynProxyStep on_server_segment(SynProxyState& state, const TcpFacts& segment) noexcept {
  if (state.phase != SynProxyPhase::WaitingForServer) {
    return on_established_server_segment(state, segment);
  }
  if (segment.has(net::kTcpRst)) {
    SynProxyStep step;
    if (!answers_our_syn(state, segment)) return step;
    // With this number sequence adjustment leads the RST to what the client expects next.
    state.server_isn = segment.sequence - 1;
    state.phase = SynProxyPhase::Refused;
    step.send_to_client = true;
    step.to_client.key = segment.key;
    step.to_client.sequence = segment.sequence;
    step.to_client.acknowledgement = state.client_isn + 1;
    step.to_client.flags = net::kTcpRst | net::kTcpAck;
    return step;
  }
  if (segment.has(net::kTcpSyn) && answers_our_syn(state, segment)) return join(state, segment);
  if (segment.has(net::kTcpAck) && !answers_our_syn(state, segment)) {
    return refuse_old_connection(segment);
  }
  return {};
}

SynProxyStep on_established_server_segment(const SynProxyState& state,
                                           const TcpFacts& segment) noexcept {
  SynProxyStep step;
  if (state.phase != SynProxyPhase::Established) return step;
  const bool echo = segment.has(net::kTcpSyn) && segment.sequence == state.server_isn &&
                    answers_our_syn(state, segment);
  if (!echo) {
    step.pass = true;
    return step;
  }
  step.send_to_server = true;
  step.to_server = ack_for_server(state, segment.key);
  return step;
}

void shift_window(uint8_t* tcp_header, int shift) noexcept {
  if (shift == 0 || (tcp_header[13] & net::kTcpSyn) != 0) return;
  const net::Be16 old_window = net::load_be16(tcp_header + 14);
  uint32_t window = old_window.host();
  window = shift > 0 ? window << static_cast<unsigned>(std::min(shift, 14))
                     : window >> static_cast<unsigned>(std::min(-shift, 15));
  const auto new_window = net::Be16::from_host(static_cast<uint16_t>(std::min(window, 0xffffU)));
  net::store(tcp_header + 14, new_window);
  const uint16_t delta = net::checksum_delta(old_window.raw, new_window.raw);
  const uint16_t field = net::load_be16(tcp_header + 16).raw;
  net::store(tcp_header + 16, net::Be16{net::checksum_apply(field, delta)});
}

}  // namespace masugata::dataplane
