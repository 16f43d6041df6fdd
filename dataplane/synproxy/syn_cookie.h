// SPDX-License-Identifier: GPL-2.0-or-later
// SYN cookies (RFC 4987 section 3.6): the state of a half-open connection kept in the sequence
// number of our SYN-ACK.
#pragma once

#include <cstdint>

#include "dataplane/icmp/tcp_packet.h"
#include "net/siphash.h"

namespace masugata::dataplane {

// What a client said in its SYN, as far as a cookie remembers it: values are rounded down to the
// next one in the cookie's tables, which is always safe for the client.
struct CookieFacts {
  uint16_t maximum_segment_size = 0;
  bool has_window_scale = false;
  uint8_t window_scale = 0;
  bool sack_permitted = false;
  friend bool operator==(const CookieFacts&, const CookieFacts&) = default;
};

// The window scale that our SYN-ACK announces to clients that offered the option. The server's own
// is not known then: see server_window_shift() in syn_proxy.h.
inline constexpr uint8_t kAnnouncedWindowScale = 7;

// Makes and checks cookies. Layout, most significant first: 24 bits of SipHash-2-4 over addresses,
// ports, the client's initial sequence number, the period and the 8 bits below; 3 bits MSS, 3 bits
// window scale, 1 bit SACK permitted, 1 bit period parity.
// The secret never leaves; the period (65.536 s of the clock) is mixed in, which gives each period
// a key of its own: a cookie is valid in its own and the next period, 65 to 131 s.
// All workers share one secret; const, any thread.
// Timestamps are not offered in the SYN-ACK: what they would carry is in the cookie itself (so it
// works for clients without them), and a server's clock could not be spliced onto ours without
// rewriting every later segment.
class SynCookies {
 public:
  explicit SynCookies(const net::SipHashKey& secret) noexcept : secret_(secret) {}

  // The initial sequence number for answering `syn` (key as received from the client).
  [[nodiscard]] uint32_t make(const TcpFacts& syn, uint32_t now_ms) const noexcept;

  // The SYN-ACK that answers `syn`: cookie, window 0 (so that the client waits with data until the
  // server has answered), MSS `our_mss` (what the way to the server allows), and window scale and
  // SACK permitted when the client offered them. ECN is not negotiated.
  [[nodiscard]] TcpFacts answer(const TcpFacts& syn, uint16_t our_mss,
                                uint32_t now_ms) const noexcept;

  // Whether `ack` completes a handshake of ours: ACK set, SYN, RST and FIN clear, and the number
  // before the acknowledged one is a cookie for the number before its sequence number.
  // Fills `out` when it does. Payload is allowed here (see syn_proxy.h).
  [[nodiscard]] bool check(const TcpFacts& ack, uint32_t now_ms, CookieFacts& out) const noexcept;

 private:
  [[nodiscard]] uint32_t authenticate(const net::FlowKey& key, uint32_t client_sequence,
                                      uint32_t period, uint8_t state) const noexcept;
  net::SipHashKey secret_;
};

}  // namespace masugata::dataplane
