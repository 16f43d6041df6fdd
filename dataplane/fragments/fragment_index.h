// SPDX-License-Identifier: GPL-2.0-or-later
// The bookkeeping of reassembly without the bytes: which datagrams are open, which spans of each
// have come, and every bound. Knows fragments as opaque handles, so that it can be tested and
// fuzzed without packet buffers.
#pragma once

#include <cstdint>
#include <vector>

#include "config/model.h"
#include "dataplane/pipeline/drop_reason.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// Bounds of one worker's reassembly; all at least 1.
struct ReassemblyLimits {
  uint32_t datagrams = 1024;           // open at once, discarded ones included
  uint32_t datagrams_per_source = 64;  // per IPv4 address; per /64 for IPv6
  uint32_t fragments_per_datagram = 64;
  uint32_t held_fragments = 4096;  // packet buffers kept in all
  uint32_t timeout_ms = 30000;     // from the first fragment that came; RFC 8200: 60 s

  // The share of one of `workers`; `held_fragments` is what the caller can spare of its buffers.
  [[nodiscard]] static ReassemblyLimits of_worker(const config::FragmentSettings& settings,
                                                  uint32_t workers, uint32_t held_fragments);
};

// One fragment as offered to the index. Precondition: parse_fragment() found no problem and it is
// not atomic.
struct FragmentArrival {
  net::FlowKey datagram;
  void* handle = nullptr;  // given back by take_fragment(); never null
  uint16_t offset = 0;
  uint16_t length = 0;          // 1 or more
  uint16_t network_length = 0;  // bytes of the whole fragment as an IP packet
  uint8_t congestion = 0;
  bool more = false;
};

inline constexpr uint32_t kNoDatagram = 0xffffffff;

// One worker's; nothing is allocated after construction. Every operation but expiry is O(fragments
// of one datagram), in-order arrival O(1).
class FragmentIndex {
 public:
  enum class Outcome : uint8_t {
    Held,       // the index keeps the handle
    Completed,  // kept, and nothing is missing: drain `datagram` with take_fragment(), then erase()
    Duplicate,  // same span as `existing`, not kept; same bytes? else call discard()
    Refused,    // not kept, the reason says why; nothing else changes
    Discarded,  // not kept; the whole datagram is void: drain `datagram`, do not erase() it, later
                // fragments are refused until its timeout (RFC 5722, RFC 8200)
  };
  struct Offer {
    Outcome outcome = Outcome::Refused;
    DropReason reason = DropReason::None;
    uint32_t datagram = kNoDatagram;
    void* existing = nullptr;
  };

  FragmentIndex(const ReassemblyLimits& limits, const net::HashSecret& secret);

  // At a bound the newest is refused: FragmentTableFull (datagrams or held fragments),
  // FragmentSourceLimit. More fragments than allowed in one datagram (FragmentTooMany), overlap
  // (FragmentOverlap) and contradictions about its end or congestion marks (FragmentInconsistent)
  // void the datagram.
  [[nodiscard]] Offer offer(const FragmentArrival& arrival, uint32_t now_ms) noexcept;

  // Voids an open datagram after a Duplicate turned out to hold other bytes.
  void discard(uint32_t datagram, DropReason reason) noexcept;

  // The remaining fragment with the lowest offset, or null when the datagram is drained.
  [[nodiscard]] void* take_fragment(uint32_t datagram) noexcept;
  // Forgets a drained datagram.
  void erase(uint32_t datagram) noexcept;

  // The oldest datagram when its time is over, else kNoDatagram. Drain and erase() it.
  [[nodiscard]] uint32_t oldest_expired(uint32_t now_ms) const noexcept;
  // The oldest datagram whatever its age; for emptying the table at its end.
  [[nodiscard]] uint32_t oldest() const noexcept { return oldest_; }

  // Facts about an open datagram.
  [[nodiscard]] uint16_t total_length(uint32_t datagram) const noexcept {
    return static_cast<uint16_t>(datagrams_[datagram].total_length);
  }
  [[nodiscard]] uint16_t largest_fragment(uint32_t datagram) const noexcept {
    return datagrams_[datagram].largest_fragment;
  }
  // True when any fragment was marked "congestion experienced" (RFC 3168 section 5.3).
  [[nodiscard]] bool congestion_experienced(uint32_t datagram) const noexcept {
    return (datagrams_[datagram].congestion_seen & 0x8U) != 0;
  }
  // Whether the fragment with offset 0 is (still) held.
  [[nodiscard]] bool holds_first(uint32_t datagram) const noexcept;
  [[nodiscard]] bool discarded(uint32_t datagram) const noexcept {
    return datagrams_[datagram].void_reason != DropReason::None;
  }

  [[nodiscard]] uint32_t open_datagrams() const noexcept { return open_datagrams_; }
  [[nodiscard]] uint32_t held_fragments() const noexcept { return held_fragments_; }
  [[nodiscard]] const ReassemblyLimits& limits() const noexcept { return limits_; }

 private:
  static constexpr uint32_t kNone = 0xffffffff;

  struct Fragment {
    void* handle = nullptr;
    uint16_t offset = 0;
    uint16_t end = 0;
    bool more = false;
    uint32_t next = kNone;  // towards higher offsets; or the next free one
  };
  struct Datagram {
    net::FlowKey key;
    uint32_t bucket = 0;
    uint32_t bucket_next = kNone;  // or the next free one
    uint32_t older = kNone;
    uint32_t newer = kNone;
    uint32_t source = kNone;
    uint32_t first_fragment = kNone;
    uint32_t last_fragment = kNone;
    uint32_t created_ms = 0;
    uint32_t received_bytes = 0;
    uint32_t total_length = 0;  // 0 until the last fragment came
    uint16_t fragments = 0;
    uint16_t largest_fragment = 0;
    uint8_t congestion_seen = 0;  // bit n: a fragment with ECN field n came
    DropReason void_reason = DropReason::None;
  };
  struct Source {
    net::IpAddress address;
    uint32_t bucket = 0;
    uint32_t bucket_next = kNone;  // or the next free one
    uint32_t datagrams = 0;
  };

  struct Place {  // where a span goes in the sorted list
    uint32_t before = kNone;
    uint32_t after = kNone;
  };

  [[nodiscard]] uint32_t find(const net::FlowKey& key, uint32_t bucket) const noexcept;
  [[nodiscard]] DropReason open(const net::FlowKey& key, uint32_t bucket, uint32_t now_ms,
                                uint32_t& datagram) noexcept;
  [[nodiscard]] uint32_t acquire_source(const net::IpAddress& address) noexcept;
  void release_source(uint32_t source) noexcept;
  [[nodiscard]] Place find_place(const Datagram& datagram, uint16_t offset) const noexcept;
  [[nodiscard]] DropReason contradiction(const Datagram& datagram, const FragmentArrival& arrival,
                                         const Place& place) const noexcept;
  void insert(Datagram& datagram, const FragmentArrival& arrival, const Place& place) noexcept;

  ReassemblyLimits limits_;
  net::HashSecret secret_;
  std::vector<uint32_t> datagram_buckets_;
  std::vector<uint32_t> source_buckets_;
  std::vector<Datagram> datagrams_;
  std::vector<Source> sources_;
  std::vector<Fragment> fragments_;
  uint32_t free_datagram_ = kNone;
  uint32_t free_source_ = kNone;
  uint32_t free_fragment_ = kNone;
  uint32_t oldest_ = kNone;
  uint32_t newest_ = kNone;
  uint32_t open_datagrams_ = 0;
  uint32_t held_fragments_ = 0;
};

}  // namespace masugata::dataplane
