// SPDX-License-Identifier: GPL-2.0-or-later
// `tag`: after an alert the packets of its session, or of one of its hosts, are logged, too.
#pragma once

#include <cstdint>

#include "ids/engine/expiring_table.h"
#include "ids/engine/packet_facts.h"
#include "ids/rules/rule.h"
#include "net/address.h"

namespace masugata::ids {

// What is still to be logged of one session or host. Never more than kMostTaggedPackets of one
// alert, whatever the rule asks for.
inline constexpr uint32_t kMostTaggedPackets = 256;
struct Tag {
  uint32_t packets_left = 0;  // 0: not tagged
  uint64_t bytes_left = 0;    // of packets from the IP header on
  uint64_t until_us = 0;      // time of packets, since 1970

  // Counts a packet; false when it is beyond what was asked for.
  [[nodiscard]] bool take(uint64_t time_us, size_t bytes) noexcept;
};

// The tag that a rule asks for, from the packet of its alert on.
[[nodiscard]] Tag tag_of(const Rule& rule, uint64_t time_us) noexcept;

// Tagged hosts of one worker, bounded: in a full table the host whose tag ends first is forgotten.
class HostTags {
 public:
  explicit HostTags(size_t buckets) : tags_(buckets) {}

  void begin(const net::IpAddress& host, const Tag& tag, uint64_t time_us) noexcept;
  // Whether the packet comes from or goes to a tagged host; counts it.
  [[nodiscard]] bool take(const PacketFacts& packet) noexcept;

 private:
  ExpiringTable<net::IpAddress, Tag> tags_;
  uint64_t last_end_us_ = 0;  // of all tags: after it there is nothing to look for
};

}  // namespace masugata::ids
