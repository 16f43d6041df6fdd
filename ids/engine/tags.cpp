// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/engine/tags.h"

#include <algorithm>
#include <cstddef>

namespace masugata::ids {
namespace {

// Ends tags that are counted in packets or bytes when nothing comes any more.
constexpr uint64_t kLongestTag_us = 3'600'000'000;

}  // namespace

bool Tag::take(uint64_t time_us, size_t bytes) noexcept {
  if (packets_left == 0) {
    return false;
  }
  if (time_us > until_us) {
    packets_left = 0;
    return false;
  }
  // The packet that uses up the bytes is logged whole.
  packets_left = bytes >= bytes_left ? 0 : packets_left - 1;
  bytes_left -= std::min<uint64_t>(bytes, bytes_left);
  return true;
}

Tag tag_of(const Rule& rule, uint64_t time_us) noexcept {
  Tag tag{kMostTaggedPackets, UINT64_MAX, time_us + kLongestTag_us};
  switch (rule.tag_unit) {
    case Rule::TagUnit::Packets:
      tag.packets_left = std::min(rule.tag_count, kMostTaggedPackets);
      break;
    case Rule::TagUnit::Seconds:
      tag.until_us = time_us + uint64_t{rule.tag_count} * 1'000'000;
      break;
    case Rule::TagUnit::Bytes:
      tag.bytes_left = rule.tag_count;
      break;
  }
  return tag;
}

void HostTags::begin(const net::IpAddress& host, const Tag& tag, uint64_t time_us) noexcept {
  // A tag that runs is not begun again: an alert at each packet would log for ever.
  if (tag.packets_left == 0 || tags_.find(host, time_us) != nullptr) {
    return;
  }
  tags_.put(host, time_us, tag.until_us) = tag;
  last_end_us_ = std::max(last_end_us_, tag.until_us);
}

bool HostTags::take(const PacketFacts& packet) noexcept {
  if (packet.time_us >= last_end_us_) {
    return false;
  }
  bool taken = false;
  for (const net::IpAddress* host : {&packet.key.source, &packet.key.destination}) {
    Tag* tag = tags_.find(*host, packet.time_us);
    if (tag == nullptr) {
      continue;
    }
    taken = tag->take(packet.time_us, packet.network.size()) || taken;
    if (tag->packets_left == 0) {
      tags_.remove(*host);
    }
  }
  return taken;
}

}  // namespace masugata::ids
