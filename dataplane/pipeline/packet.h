// SPDX-License-Identifier: GPL-2.0-or-later
// A packet on its way through the stages: the typed metadata beside an mbuf's data.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>

#include "dataplane/identifiers.h"
#include "dataplane/pipeline/drop_reason.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

struct Session;

// Facts about a packet, one bit each; set by decode unless noted.
enum PacketFlag : uint16_t {
  kPacketIsFragment = 1U << 0U,        // a fragment: no ports in the key (cleared by defragment)
  kPacketWasReassembled = 1U << 1U,    // set by defragment
  kPacketHasIpOptions = 1U << 2U,      // IPv4 options or IPv6 extension headers are present
  kPacketFromKernel = 1U << 3U,        // set at reception from the TAP twin: zone `self`
  kPacketIsIcmpError = 1U << 4U,       // `key` is then the *quoted* packet's key, see decode
  kPacketTraced = 1U << 5U,            // an operator's trace filter matches
  kPacketDontFragment = 1U << 6U,      // IPv4 DF; always set for IPv6
  kPacketHandedOver = 1U << 7U,        // came over a ring from the worker that received it
  kPacketGenerated = 1U << 8U,         // written by the gateway itself (ICMP error, RST)
  kPacketLinkMulticast = 1U << 9U,     // destination MAC is multicast or broadcast
  kPacketNetworkLocal = 1U << 10U,     // ARP, ND, multicast, DHCP...: for the kernel, not forwarded
  kPacketChecksumPending = 1U << 11U,  // the payload was changed: TCP's checksum is due at transmit
  kPacketToDecrypt = 1U << 12U,        // ESP for us, on its way to the worker that owns its SA
  kPacketToEncrypt = 1U << 13U,        // goes into a tunnel, on its way to the SA's owner
  kPacketEncapsulated = 1U << 14U,     // set by encrypt: ESP of ours that looks for its next hop
  kPacketHandedOn = 1U << 15U,         // by a worker that had it from another one
};

// Lives in the private area of the mbuf (rte_pktmbuf_pool_create's priv_size), so that
// Packet and mbuf find each other by address arithmetic. Wholly reset at reception.
// Thread: belongs to exactly one worker at a time.
struct alignas(64) Packet {
  // Written out so that Packet() sets each field once instead of clearing all of it before.
  Packet() noexcept {}

  // --- first cache line: written by decode, read by every stage ---
  uint16_t ingress_interface = kNoInterface;  // receive/decode; config interface index
  uint16_t ingress_port = 0;                  // receive; config port index
  uint16_t flags = 0;                         // PacketFlag
  uint16_t link_length = 0;                   // bytes before the IP header
  uint16_t transport_offset = 0;              // from the start of the frame to the L4 header
  uint16_t payload_offset = 0;                // from the start of the frame to the L4 payload
  uint16_t payload_length = 0;                // bytes of L4 payload
  uint16_t network_length = 0;                // bytes of the IP packet (without link padding)
  uint8_t tcp_flags = 0;                      // decode, TCP only
  uint8_t icmp_type = 0;                      // decode, ICMP only
  uint8_t icmp_code = 0;
  uint8_t direction = 0;          // track: 0 original, 1 reply
  uint16_t largest_fragment = 0;  // defragment: bytes of the largest fragment as an IP packet
  uint32_t hash_high = 0;         // decode: upper half of hash_flow(key)
  uint32_t hash_low = 0;
  uint32_t next_hop = kNoNextHop;            // admit or forward: neighbour index
  uint16_t egress_interface = kNoInterface;  // admit or forward
  uint16_t trace_id = 0;                     // runner
  uint32_t received_ms = 0;                  // receive: worker clock
  uint32_t fragment_identification = 0;      // defragment: the IPv6 datagram's, for egress
  uint16_t ingress_zone = 0xffff;            // decode; config::ZoneIndex
  Session* session = nullptr;  // track or admit; valid for this burst only (session_table.h)
  // --- second cache line ---
  // The flow that the packet belongs to. For an ICMP error: the quoted packet's key *reversed*,
  // that is the key of the direction in which the error travels.
  net::FlowKey key;
  // Of a packet that waits for its next hop: the session to find again (SessionHandle).
  uint32_t held_session_index = 0;
  uint32_t held_session_serial = 0;
  uint8_t padding[16] = {};

  [[nodiscard]] rte_mbuf& mbuf() noexcept { return *(reinterpret_cast<rte_mbuf*>(this) - 1); }
  [[nodiscard]] const rte_mbuf& mbuf() const noexcept {
    return *(reinterpret_cast<const rte_mbuf*>(this) - 1);
  }
  static Packet& of(rte_mbuf* mbuf) noexcept { return *reinterpret_cast<Packet*>(mbuf + 1); }

  // First byte of the frame; the first segment holds at least every header.
  [[nodiscard]] uint8_t* frame() noexcept { return rte_pktmbuf_mtod(&mbuf(), uint8_t*); }
  [[nodiscard]] const uint8_t* frame() const noexcept {
    return rte_pktmbuf_mtod(&mbuf(), const uint8_t*);
  }
  [[nodiscard]] uint8_t* network() noexcept { return frame() + link_length; }
  [[nodiscard]] const uint8_t* network() const noexcept { return frame() + link_length; }
  [[nodiscard]] uint8_t* transport() noexcept { return frame() + transport_offset; }
  [[nodiscard]] bool has(PacketFlag flag) const noexcept { return (flags & flag) != 0; }
  void set(PacketFlag flag) noexcept { flags = static_cast<uint16_t>(flags | flag); }
  void clear(PacketFlag flag) noexcept { flags = static_cast<uint16_t>(flags & ~flag); }
  void set_hash(uint64_t hash) noexcept {
    hash_high = static_cast<uint32_t>(hash >> 32U);
    hash_low = static_cast<uint32_t>(hash);
  }
  [[nodiscard]] uint64_t hash() const noexcept {
    return (static_cast<uint64_t>(hash_high) << 32U) | hash_low;
  }
};

static_assert(sizeof(Packet) == 128, "two cache lines");
static_assert(sizeof(rte_mbuf) == 128, "Packet::of relies on the private area following the mbuf");

// Bytes that stages may push in front of a frame: one 802.1Q tag.
inline constexpr uint16_t kPushedHeaderBytes = 4;
static_assert(RTE_PKTMBUF_HEADROOM >= kPushedHeaderBytes);

}  // namespace masugata::dataplane
