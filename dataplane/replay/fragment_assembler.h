// SPDX-License-Identifier: GPL-2.0-or-later
// Puts IP datagrams of a capture together again (RFC 791 section 3.2, RFC 8200 section 4.5). Unlike
// the gateway, which drops overlapping fragments, a capture is read as it is: the bytes that came
// first win and the overlap is reported.
#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <utility>
#include <vector>

#include "net/address.h"

namespace masugata::dataplane {

// One fragment as the decoder found it.
struct Fragment {
  net::IpAddress source;
  net::IpAddress destination;
  uint32_t identification = 0;
  uint16_t vlan[2] = {};
  uint8_t protocol = 0;  // IPv4: part of the identity; IPv6: what follows the fragment header
  bool is_ipv6 = false;
  bool more = false;
  uint32_t offset = 0;              // bytes
  std::span<const uint8_t> header;  // what goes before the data: the IPv4 header, or the IPv6
                                    // header with the extension headers before the fragment header
  uint16_t next_header_offset = 6;  // IPv6: the byte in `header` that named the fragment header
  std::span<const uint8_t> data;
};

struct AssemblyOutcome {
  std::vector<uint8_t> datagram;  // whole again; empty: not yet
  bool overlap = false;
  bool too_large = false;  // would end beyond 65,535 bytes: the fragment is ignored
  bool ignored = false;    // not taken, for that or because it contradicts an end already seen
};

// Thread: one at a time. At most kMaximumDatagrams unfinished datagrams (the oldest makes room) of
// 64 KiB and kMaximumPieces pieces each; a datagram lives kLifetime_us of the capture's time.
class FragmentAssembler {
 public:
  static constexpr size_t kMaximumDatagrams = 1024;
  static constexpr size_t kMaximumPieces = 4096;
  static constexpr uint64_t kLifetime_us = 60'000'000;

  [[nodiscard]] AssemblyOutcome add(const Fragment& fragment, uint64_t time_us);
  [[nodiscard]] size_t unfinished() const noexcept { return datagrams_.size(); }

 private:
  struct Datagram {
    Fragment identity;  // spans unused
    uint64_t first_seen_us = 0;
    std::vector<uint8_t> header;
    uint16_t next_header_offset = 6;
    std::vector<uint8_t> data;
    std::vector<std::pair<uint32_t, uint32_t>> pieces;  // [first, end), sorted, disjoint
    uint32_t total = 0;                                 // bytes of data; 0 until the last came
  };
  using Place = std::list<Datagram>::iterator;

  [[nodiscard]] Place find_or_begin(const Fragment& fragment, uint64_t time_us);
  [[nodiscard]] static bool insert(Datagram& datagram, uint32_t first,
                                   std::span<const uint8_t> bytes);
  [[nodiscard]] static std::vector<uint8_t> build(const Datagram& datagram);

  std::list<Datagram> datagrams_;  // oldest first
};

}  // namespace masugata::dataplane
