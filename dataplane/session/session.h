// SPDX-License-Identifier: GPL-2.0-or-later
// One session: what admission decided and what its packets have shown so far. Four cache lines;
// a packet of an established session touches the first and the line of its own direction.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/identifiers.h"
#include "net/byte_order.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// Original is the direction of the packet that opened the session.
enum class Direction : uint8_t { Original = 0, Reply = 1 };

[[nodiscard]] constexpr Direction opposite(Direction direction) noexcept {
  return direction == Direction::Original ? Direction::Reply : Direction::Original;
}
[[nodiscard]] constexpr size_t index_of(Direction direction) noexcept {
  return static_cast<size_t>(direction);
}

enum class SessionKind : uint8_t { Tcp, Udp, Icmp, Other, Count };

[[nodiscard]] constexpr SessionKind kind_of(net::Protocol protocol) noexcept {
  switch (protocol) {
    case net::Protocol::Tcp:
      return SessionKind::Tcp;
    case net::Protocol::Udp:
      return SessionKind::Udp;
    case net::Protocol::Icmp:
    case net::Protocol::Icmpv6:
      return SessionKind::Icmp;
    default:
      return SessionKind::Other;
  }
}

// How far a session has come, as the gateway sees it. TCP names follow RFC 9293 section 3.3.2,
// seen from the middle: "one side" is the side that sent the first FIN.
enum class ProtocolState : uint8_t {
  Free,            // not a session (slot unused, or just ended)
  TcpSynSent,      // SYN of the opener, no answer yet
  TcpSynReceived,  // SYN-ACK (or the crossing SYN of a simultaneous open) seen
  TcpEstablished,
  TcpFinWait,    // one side sent FIN, not acknowledged yet
  TcpCloseWait,  // that FIN is acknowledged, the other side may still send (half closed)
  TcpLastAck,    // both sides sent FIN, not both acknowledged
  TcpTimeWait,   // both FINs acknowledged
  TcpReset,      // a valid RST was seen
  UdpNew,        // nothing came back yet
  UdpReplied,
  IcmpNew,  // echo request, no reply yet
  IcmpReplied,
  OtherNew,
  OtherReplied,
  Count,
};
inline constexpr size_t kProtocolStateCount = static_cast<size_t>(ProtocolState::Count);

// "tcp-established" and so on, for `show sessions`; static storage.
[[nodiscard]] const char* name_of(ProtocolState state) noexcept;

// What may be taken away from a session when the table is full. Embryonic sessions go first,
// oldest first; then Idle ones, longest idle first; Protected ones never.
enum class EvictionClass : uint8_t { Embryonic, Idle, Protected, Count };

[[nodiscard]] constexpr EvictionClass eviction_class_of(ProtocolState state) noexcept {
  switch (state) {
    case ProtocolState::TcpSynSent:
    case ProtocolState::TcpSynReceived:
    case ProtocolState::UdpNew:
    case ProtocolState::IcmpNew:
    case ProtocolState::OtherNew:
      return EvictionClass::Embryonic;
    case ProtocolState::TcpEstablished:
      return EvictionClass::Protected;
    default:
      return EvictionClass::Idle;
  }
}

// TCP before the handshake is complete: what SYN-cookie thresholds count.
[[nodiscard]] constexpr bool is_half_open(ProtocolState state) noexcept {
  return state == ProtocolState::TcpSynSent || state == ProtocolState::TcpSynReceived;
}

// What one TCP end has sent and may send, in that end's own sequence numbers. Host byte order.
struct TcpDirection {
  uint32_t end = 0;      // highest sequence number + length sent by this end
  uint32_t max_end = 0;  // highest sequence number this end may send up to (peer's ack + window)
  // Highest acknowledgement this end sent, in the peer's numbers; before its first one
  // (kTcpAckSeen) the lowest that it may send.
  uint32_t max_ack = 0;
  uint16_t max_window = 0;   // largest window this end offered, in units of 1 << window_scale
  uint8_t window_scale = 0;  // RFC 7323, 0..14; 0 until both ends offered the option
  uint8_t flags = 0;         // TcpDirectionFlags
};
static_assert(sizeof(TcpDirection) == 16);

enum TcpDirectionFlags : uint8_t {
  kTcpSynSeen = 1U << 0U,
  kTcpScaleOffered = 1U << 1U,
  kTcpSackOffered = 1U << 2U,
  kTcpFinSeen = 1U << 3U,
  kTcpFinAcknowledged = 1U << 4U,
  kTcpAckSeen = 1U << 5U,
};

// What translation writes into a packet of one direction. Checksum deltas as in net/checksum.h.
struct Rewrite {
  net::Be32 source;       // valid with kFlowRewriteSource, IPv4
  net::Be32 destination;  // valid with kFlowRewriteDestination, IPv4
  net::Be16 source_port;  // new port; the new identifier for ICMP echo
  net::Be16 destination_port;
  uint16_t l3_checksum_delta = 0;  // IPv4 header: addresses
  uint16_t l4_checksum_delta = 0;  // TCP, UDP: addresses and ports; ICMP: identifier
};
static_assert(sizeof(Rewrite) == 16);

enum FlowFlags : uint8_t {
  kFlowRewriteSource = 1U << 0U,       // source address and port change
  kFlowRewriteDestination = 1U << 1U,  // destination address and port change
  // IPv6 translation: the new addresses and ports are those of the other flow's key, reversed.
  kFlowRewriteFromOtherKey = 1U << 2U,
  kFlowLocal = 1U << 3U,          // to the gateway itself: punt instead of forward
  kFlowRouteResolved = 1U << 4U,  // next_hop and egress_interface are set
  kFlowFromKernel = 1U << 5U,     // sent by the gateway itself: the frame is ready for the wire
  kFlowIntoTunnel = 1U << 6U,     // egress_interface is set and has no next hop
};

inline constexpr uint32_t kNone32 = 0xffffffffU;  // "no such thing" in 32 and 16 bits
inline constexpr uint16_t kNone16 = 0xffffU;
inline constexpr uint16_t kApplicationNotKnown = kNone16;

// One direction of a session, one cache line.
struct alignas(64) Flow {
  net::FlowKey key;  // as packets of this direction show on arrival
  Rewrite rewrite;
  uint32_t next_hop = kNoNextHop;  // neighbour index of the forwarding view
  uint16_t egress_interface = kNoInterface;
  uint8_t flags = 0;  // FlowFlags
  uint8_t zone = 0;   // through which packets of this direction come in; others are spoofed
};
static_assert(sizeof(Flow) == 64);

inline constexpr uint8_t kFtpDataHelper = 2;  // SessionRecord::helper

// What is needed at the start, at the end and by `show sessions`, but not per packet.
struct alignas(64) SessionRecord {
  uint32_t created_ms = 0;
  uint32_t serial = 0;            // differs for every session that ever lived in this slot
  uint32_t packets_high[2] = {};  // per direction, in units of 1 << 16 (see packets_low)
  uint32_t bytes_high[2] = {};    // per direction, in units of 1 << 32
  uint32_t policy_rule = kNone32;
  uint32_t syn_proxy = kNone32;            // SynProxyTable slot
  uint32_t source_limit_slot = kNone32;    // SourceAccounting slot to give back
  uint32_t parent = kNone32;               // session index of the helper's control session
  uint32_t sequence_adjustment = kNone32;  // SequenceAdjustmentTable slot
  uint16_t source_nat_rule = kNone16;
  uint16_t destination_nat_rule = kNone16;
  uint16_t ingress_zone = 0;
  uint16_t egress_zone = 0;
  uint16_t ingress_interface = kNoInterface;
  uint16_t tcp_mss_limit = 0;         // clamp for SYNs of both directions, 0 = none
  uint16_t foreign_worker = kNone16;  // worker that holds a foreign entry for the reply key
  uint8_t helper = 0;                 // 0 = none, 1 = FTP control, kFtpDataHelper
  uint8_t icmp_type = 0;              // of the opening packet
  // What it carries: config::ApplicationId; not known until a policy asks for it and it is found.
  uint16_t application = kApplicationNotKnown;
  uint16_t application_carrier = kApplicationNotKnown;
};
static_assert(sizeof(SessionRecord) == 64);

enum SessionFlags : uint16_t {
  kSessionReplySeen = 1U << 0U,
  kSessionMidstream = 1U << 1U,         // TCP picked up without its handshake
  kSessionLog = 1U << 2U,               // write a record when it ends
  kSessionHelper = 1U << 3U,            // payload goes to an application helper (FTP)
  kSessionSequenceAdjusted = 1U << 4U,  // SequenceAdjustmentTable has an entry
  kSessionSynProxied = 1U << 5U,        // the gateway answered the SYN itself
  kSessionToSelf = 1U << 6U,
  kSessionExpected = 1U << 7U,  // opened by an expectation
  kSessionEnded = 1U << 8U,     // erased; stays readable until release_burst()
  kSessionIdentify = 1U << 9U,  // policy waits to know what it carries
  kSessionRefused = 1U << 10U,  // what it carries is not permitted: its packets are dropped
  kSessionTeaches = 1U << 11U,  // DNS with a trusted resolver: answers teach names of addresses
};

// A session. Written by its worker only. All times are milliseconds of that worker's clock, which
// wraps: compare differences.
struct alignas(64) Session {
  uint32_t last_seen_ms = 0;
  uint32_t timeout_ms = 0;  // idle time after which the session ends
  uint32_t snapshot_generation = 0;
  ProtocolState state = ProtocolState::Free;
  SessionKind kind = SessionKind::Other;
  uint16_t flags = 0;          // SessionFlags
  uint32_t bytes_low[2] = {};  // low parts of the counters; count_packet() carries over
  uint16_t packets_low[2] = {};
  uint16_t inspection_profile = 0;  // 0 = none
  uint16_t challenge_second = 0;    // low bits of the second of the last challenge ACK, + 1
  TcpDirection tcp[2];

  Flow flows[2];  // by Direction

  SessionRecord record;

  [[nodiscard]] Flow& flow(Direction direction) noexcept { return flows[index_of(direction)]; }
  [[nodiscard]] const Flow& flow(Direction direction) const noexcept {
    return flows[index_of(direction)];
  }
  // Counts one packet of `bytes`; touches the cold line once in 65,536 packets or 4 GiB.
  void count_packet(Direction direction, uint32_t bytes) noexcept {
    const size_t side = index_of(direction);
    if (++packets_low[side] == 0) ++record.packets_high[side];
    bytes_low[side] += bytes;
    if (bytes_low[side] < bytes) ++record.bytes_high[side];
  }
  [[nodiscard]] uint64_t packets(Direction direction) const noexcept {
    const size_t side = index_of(direction);
    return (static_cast<uint64_t>(record.packets_high[side]) << 16U) | packets_low[side];
  }
  [[nodiscard]] uint64_t bytes(Direction direction) const noexcept {
    const size_t side = index_of(direction);
    return (static_cast<uint64_t>(record.bytes_high[side]) << 32U) | bytes_low[side];
  }
  // Milliseconds without a packet.
  [[nodiscard]] uint32_t idle_ms(uint32_t now_ms) const noexcept { return now_ms - last_seen_ms; }
  [[nodiscard]] bool ended() const noexcept { return (flags & kSessionEnded) != 0; }
  // Do its packets go through the stage that looks into them?
  [[nodiscard]] bool is_looked_into() const noexcept {
    return inspection_profile != 0 ||
           (flags & (kSessionIdentify | kSessionRefused | kSessionTeaches)) != 0;
  }
};
static_assert(sizeof(Session) == 256);
static_assert(offsetof(Session, flows) == 64);
static_assert(offsetof(Session, record) == 192);

// A session beyond the burst in which it was found: resolves to nothing once it has ended.
struct SessionHandle {
  uint32_t index = kNone32;
  uint32_t serial = 0;
  friend bool operator==(const SessionHandle&, const SessionHandle&) = default;
};

// Buckets of the symmetric hash; ports with a redirection table are filled in the same way.
inline constexpr uint32_t kFlowBuckets = 128;

// The worker that a flow's key leads to; 0 <= result < worker_count. TCP and UDP spread by their
// symmetric hash. Everything else of one protocol meets at one worker: source translation cannot
// choose a port there that leads the answers back.
[[nodiscard]] inline uint32_t worker_of(const net::FlowKey& key, uint32_t worker_count) noexcept {
  if (key.protocol != net::Protocol::Tcp && key.protocol != net::Protocol::Udp) {
    return static_cast<uint32_t>(key.protocol) % worker_count;
  }
  return (net::symmetric_flow_hash(key) % kFlowBuckets) % worker_count;
}

}  // namespace masugata::dataplane
