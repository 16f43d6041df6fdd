// SPDX-License-Identifier: GPL-2.0-or-later
// Reassembly of IPv4 and IPv6 datagrams before policy sees them. One per worker.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/fragments/fragment_index.h"
#include "dataplane/pipeline/drop_reason.h"
#include "dataplane/pipeline/packet.h"

namespace masugata::dataplane {

// Keeps the packet buffers of incomplete datagrams and joins them. Rules: RFC 791, RFC 8200
// section 4.5, RFC 5722 (overlap voids the datagram, for both families), RFC 6946, RFC 7112,
// RFC 1858, RFC 3168 section 5.3. Exact duplicates (same span, same flag, same bytes) are dropped
// as FragmentDuplicate and change nothing; the same span with other bytes is an overlap.
class ReassemblyTable {
 public:
  // Allocates everything; off the packet path.
  ReassemblyTable(const ReassemblyLimits& limits, const net::HashSecret& secret);
  // Frees what is still held.
  ~ReassemblyTable();
  ReassemblyTable(const ReassemblyTable&) = delete;
  ReassemblyTable& operator=(const ReassemblyTable&) = delete;

  struct Offer {
    enum class Outcome : uint8_t {
      Held,       // the table owns the packet
      Completed,  // `packet` is the whole datagram and belongs to the caller
      Refused,    // `packet` belongs to the caller, who drops it for `reason`
    };
    Outcome outcome = Outcome::Refused;
    DropReason reason = DropReason::None;
    Packet* packet = nullptr;  // null when Held
    // Held fragments of the same datagram that the table freed together with this refusal; to be
    // counted under the same reason.
    uint16_t discarded_fragments = 0;
  };

  // Takes a packet that decode marked kPacketIsFragment (link_length, network_length,
  // ingress_interface set; IP header validated; buffer not shared). Fragments that came in through
  // different interfaces are never joined.
  //
  // A completed datagram is the first fragment's packet. Its bytes lie in one buffer when they fit
  // its room, else in a chain whose first buffer is filled to the end before the next begins: all
  // headers are in the first one. The IP header is clean (IPv4: offset 0, MF clear, DF as in the
  // first fragment, total length, checksum; IPv6: fragment header gone, next header and payload
  // length patched), link padding is cut off, and the transport checksum over all buffers has been
  // verified (TcpBadChecksum, UdpBadChecksum, IcmpBadChecksum: Refused): the mbuf says
  // RTE_MBUF_F_RX_{IP,L4}_CKSUM_GOOD. kPacketWasReassembled is set, kPacketIsFragment cleared,
  // network_length, largest_fragment and fragment_identification are set; everything behind the
  // network header is for decode_network() to fill in again.
  [[nodiscard]] Offer offer(Packet& packet, uint32_t now_ms) noexcept;

  static constexpr uint32_t kMaximumExpiredFirstFragments = 32;
  struct Expired {
    // First fragments of datagrams that will not be completed: the caller may answer each with
    // ICMP time exceeded, code 1 (RFC 792, RFC 4443 section 3.3), then drops it for
    // FragmentTimeout.
    std::array<Packet*, kMaximumExpiredFirstFragments> first_fragments{};
    uint32_t first_count = 0;
    uint32_t freed_fragments = 0;  // freed by the table; to be counted under FragmentTimeout
    uint32_t datagrams = 0;        // table entries that ended, voided ones included
  };
  // Ends at most `max_datagrams` (and at most 32 with a first fragment) whose time is over, oldest
  // first. Call once per loop or millisecond; costs nothing when there is none.
  [[nodiscard]] Expired expire(uint32_t now_ms, uint32_t max_datagrams) noexcept;

  [[nodiscard]] uint32_t open_datagrams() const noexcept { return index_.open_datagrams(); }
  [[nodiscard]] uint32_t held_fragments() const noexcept { return index_.held_fragments(); }

  struct Counters {
    uint64_t fragments = 0;  // offered
    uint64_t completed = 0;  // datagrams, atomic ones included
    uint64_t duplicates = 0;
    uint64_t discarded = 0;  // datagrams voided for overlap or contradiction
    uint64_t timed_out = 0;  // datagrams
  };
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  [[nodiscard]] Offer refuse(Packet& packet, DropReason reason) const noexcept;
  [[nodiscard]] Offer void_datagram(Packet& packet, uint32_t datagram, DropReason reason) noexcept;
  [[nodiscard]] Offer complete(uint32_t datagram) noexcept;
  [[nodiscard]] Offer finish(Packet& packet) noexcept;
  uint16_t free_fragments(uint32_t datagram) noexcept;

  FragmentIndex index_;
  Counters counters_;
};

}  // namespace masugata::dataplane
