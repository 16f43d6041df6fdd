// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/fragments/fragment_index.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace masugata::dataplane {
namespace {

constexpr uint8_t kNotEctSeen = 1U << 0U;
constexpr uint8_t kCongestionSeen = 1U << 3U;

// Whoever has one IPv6 address has its whole /64.
net::IpAddress accounted_source(const net::IpAddress& address) noexcept {
  if (address.is_v4()) return address;
  net::IpAddress prefix = address;
  std::fill(prefix.bytes.begin() + 8, prefix.bytes.end(), uint8_t{0});
  return prefix;
}

size_t bucket_count(uint32_t entries) { return std::bit_ceil(size_t{entries}); }

}  // namespace

ReassemblyLimits ReassemblyLimits::of_worker(const config::FragmentSettings& settings,
                                             uint32_t workers, uint32_t held_fragments) {
  const uint32_t shares = std::max(workers, 1U);
  ReassemblyLimits limits;
  limits.datagrams = std::max((settings.maximum_datagrams + shares - 1) / shares, 1U);
  limits.datagrams_per_source = std::max(settings.maximum_per_source, 1U);
  // Counted in 16 bits; more than 8,189 non-empty fragments do not fit one datagram anyway.
  limits.fragments_per_datagram = std::clamp(settings.maximum_fragments_per_datagram, 2U, 8192U);
  limits.held_fragments = std::max(held_fragments, 1U);
  constexpr uint32_t kMaximumTimeoutSeconds = 60;  // RFC 8200 section 4.5
  limits.timeout_ms = std::clamp(settings.timeout_seconds, 1U, kMaximumTimeoutSeconds) * 1000U;
  return limits;
}

FragmentIndex::FragmentIndex(const ReassemblyLimits& limits, const net::HashSecret& secret)
    : limits_(limits),
      secret_(secret),
      datagram_buckets_(bucket_count(limits.datagrams), kNone),
      source_buckets_(bucket_count(limits.datagrams), kNone),
      datagrams_(limits.datagrams),
      sources_(limits.datagrams),
      fragments_(limits.held_fragments) {
  for (uint32_t index = limits.datagrams; index-- > 0;) {
    datagrams_[index].bucket_next = free_datagram_;
    free_datagram_ = index;
    sources_[index].bucket_next = free_source_;
    free_source_ = index;
  }
  for (uint32_t index = limits.held_fragments; index-- > 0;) {
    fragments_[index].next = free_fragment_;
    free_fragment_ = index;
  }
}

uint32_t FragmentIndex::find(const net::FlowKey& key, uint32_t bucket) const noexcept {
  uint32_t index = datagram_buckets_[bucket];
  while (index != kNone && !(datagrams_[index].key == key)) index = datagrams_[index].bucket_next;
  return index;
}

uint32_t FragmentIndex::acquire_source(const net::IpAddress& address) noexcept {
  net::FlowKey key;
  key.source = address;
  const auto bucket =
      static_cast<uint32_t>(net::hash_flow(key, secret_) & (source_buckets_.size() - 1));
  uint32_t index = source_buckets_[bucket];
  while (index != kNone && sources_[index].address != address) index = sources_[index].bucket_next;
  if (index != kNone) return index;
  // There are as many slots as datagrams, and every source has one: there is a free one.
  index = free_source_;
  free_source_ = sources_[index].bucket_next;
  sources_[index] = {address, bucket, source_buckets_[bucket], 0};
  source_buckets_[bucket] = index;
  return index;
}

void FragmentIndex::release_source(uint32_t source) noexcept {
  Source& entry = sources_[source];
  if (--entry.datagrams != 0) return;
  uint32_t* link = &source_buckets_[entry.bucket];
  while (*link != source) link = &sources_[*link].bucket_next;
  *link = entry.bucket_next;
  entry.bucket_next = free_source_;
  free_source_ = source;
}

DropReason FragmentIndex::open(const net::FlowKey& key, uint32_t bucket, uint32_t now_ms,
                               uint32_t& datagram) noexcept {
  if (free_datagram_ == kNone || free_fragment_ == kNone) return DropReason::FragmentTableFull;
  const uint32_t source = acquire_source(accounted_source(key.source));
  if (sources_[source].datagrams >= limits_.datagrams_per_source) {
    return DropReason::FragmentSourceLimit;
  }
  ++sources_[source].datagrams;
  const uint32_t index = free_datagram_;
  free_datagram_ = datagrams_[index].bucket_next;
  Datagram& entry = datagrams_[index];
  entry = Datagram{};
  entry.key = key;
  entry.bucket = bucket;
  entry.bucket_next = datagram_buckets_[bucket];
  datagram_buckets_[bucket] = index;
  entry.source = source;
  entry.created_ms = now_ms;
  entry.older = newest_;
  (newest_ == kNone ? oldest_ : datagrams_[newest_].newer) = index;
  newest_ = index;
  ++open_datagrams_;
  datagram = index;
  return DropReason::None;
}

FragmentIndex::Place FragmentIndex::find_place(const Datagram& datagram,
                                               uint16_t offset) const noexcept {
  // Fragments mostly come in order: look behind the last one first.
  const uint32_t last = datagram.last_fragment;
  if (last != kNone && fragments_[last].offset < offset) return {last, kNone};
  Place place{kNone, datagram.first_fragment};
  while (place.after != kNone && fragments_[place.after].offset < offset) {
    place.before = place.after;
    place.after = fragments_[place.after].next;
  }
  return place;
}

DropReason FragmentIndex::contradiction(const Datagram& datagram, const FragmentArrival& arrival,
                                        const Place& place) const noexcept {
  const uint32_t end = uint32_t{arrival.offset} + arrival.length;
  if (place.before != kNone && fragments_[place.before].end > arrival.offset) {
    return DropReason::FragmentOverlap;
  }
  if (place.after != kNone && fragments_[place.after].offset < end) {
    return DropReason::FragmentOverlap;
  }
  const uint32_t held_end =
      datagram.last_fragment == kNone ? 0 : fragments_[datagram.last_fragment].end;
  if (!arrival.more) {
    if (datagram.total_length != 0 || held_end > end) return DropReason::FragmentInconsistent;
  } else if (datagram.total_length != 0 && end >= datagram.total_length) {
    return DropReason::FragmentInconsistent;
  }
  const auto seen =
      static_cast<uint8_t>(datagram.congestion_seen | (1U << (arrival.congestion & 0x3U)));
  if ((seen & kNotEctSeen) != 0 && (seen & kCongestionSeen) != 0) {
    return DropReason::FragmentInconsistent;
  }
  if (datagram.fragments >= limits_.fragments_per_datagram) return DropReason::FragmentTooMany;
  return DropReason::None;
}

void FragmentIndex::insert(Datagram& datagram, const FragmentArrival& arrival,
                           const Place& place) noexcept {
  const uint32_t index = free_fragment_;
  free_fragment_ = fragments_[index].next;
  const auto end = static_cast<uint16_t>(arrival.offset + arrival.length);
  fragments_[index] = {arrival.handle, arrival.offset, end, arrival.more, place.after};
  (place.before == kNone ? datagram.first_fragment : fragments_[place.before].next) = index;
  if (place.after == kNone) datagram.last_fragment = index;
  ++held_fragments_;
  ++datagram.fragments;
  datagram.received_bytes += arrival.length;
  datagram.largest_fragment = std::max(datagram.largest_fragment, arrival.network_length);
  datagram.congestion_seen =
      static_cast<uint8_t>(datagram.congestion_seen | (1U << (arrival.congestion & 0x3U)));
  if (!arrival.more) datagram.total_length = end;
}

FragmentIndex::Offer FragmentIndex::offer(const FragmentArrival& arrival,
                                          uint32_t now_ms) noexcept {
  const uint32_t end = uint32_t{arrival.offset} + arrival.length;
  if (arrival.handle == nullptr || arrival.length == 0 ||
      end > std::numeric_limits<uint16_t>::max()) {
    return {Outcome::Refused, DropReason::InternalError, kNoDatagram, nullptr};
  }
  const auto bucket = static_cast<uint32_t>(net::hash_flow(arrival.datagram, secret_) &
                                            (datagram_buckets_.size() - 1));
  uint32_t index = find(arrival.datagram, bucket);
  if (index == kNone) {
    const DropReason full = open(arrival.datagram, bucket, now_ms, index);
    if (full != DropReason::None) return {Outcome::Refused, full, kNoDatagram, nullptr};
  }
  Datagram& datagram = datagrams_[index];
  if (datagram.void_reason != DropReason::None) {
    return {Outcome::Refused, datagram.void_reason, index, nullptr};
  }
  const Place place = find_place(datagram, arrival.offset);
  if (place.after != kNone) {
    const Fragment& other = fragments_[place.after];
    if (other.offset == arrival.offset && other.end == end && other.more == arrival.more) {
      return {Outcome::Duplicate, DropReason::FragmentDuplicate, index, other.handle};
    }
  }
  const DropReason wrong = contradiction(datagram, arrival, place);
  if (wrong != DropReason::None) {
    datagram.void_reason = wrong;
    return {Outcome::Discarded, wrong, index, nullptr};
  }
  if (free_fragment_ == kNone) {
    return {Outcome::Refused, DropReason::FragmentTableFull, index, nullptr};
  }
  insert(datagram, arrival, place);
  const bool whole = datagram.total_length != 0 && datagram.received_bytes == datagram.total_length;
  return {whole ? Outcome::Completed : Outcome::Held, DropReason::None, index, nullptr};
}

void FragmentIndex::discard(uint32_t datagram, DropReason reason) noexcept {
  datagrams_[datagram].void_reason = reason;
}

void* FragmentIndex::take_fragment(uint32_t datagram) noexcept {
  Datagram& entry = datagrams_[datagram];
  const uint32_t index = entry.first_fragment;
  if (index == kNone) return nullptr;
  Fragment& fragment = fragments_[index];
  entry.first_fragment = fragment.next;
  if (entry.first_fragment == kNone) entry.last_fragment = kNone;
  void* handle = fragment.handle;
  fragment.handle = nullptr;
  fragment.next = free_fragment_;
  free_fragment_ = index;
  --held_fragments_;
  return handle;
}

void FragmentIndex::erase(uint32_t datagram) noexcept {
  Datagram& entry = datagrams_[datagram];
  uint32_t* link = &datagram_buckets_[entry.bucket];
  while (*link != datagram) link = &datagrams_[*link].bucket_next;
  *link = entry.bucket_next;
  (entry.older == kNone ? oldest_ : datagrams_[entry.older].newer) = entry.newer;
  (entry.newer == kNone ? newest_ : datagrams_[entry.newer].older) = entry.older;
  release_source(entry.source);
  entry.bucket_next = free_datagram_;
  free_datagram_ = datagram;
  --open_datagrams_;
}

uint32_t FragmentIndex::oldest_expired(uint32_t now_ms) const noexcept {
  if (oldest_ == kNone) return kNoDatagram;
  const auto age_ms = static_cast<int32_t>(now_ms - datagrams_[oldest_].created_ms);
  return age_ms >= 0 && static_cast<uint32_t>(age_ms) >= limits_.timeout_ms ? oldest_ : kNoDatagram;
}

bool FragmentIndex::holds_first(uint32_t datagram) const noexcept {
  const uint32_t first = datagrams_[datagram].first_fragment;
  return first != kNone && fragments_[first].offset == 0;
}

}  // namespace masugata::dataplane
