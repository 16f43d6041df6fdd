// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/forwarding/neighbour_table.h"

#include <bit>

namespace masugata::dataplane {

NeighbourTable::NeighbourTable(uint32_t capacity, uint64_t secret)
    : capacity_(capacity),
      bucket_mask_(std::bit_ceil(capacity) * 2 - 1),
      secret_(secret),
      slots_(std::make_unique<Slot[]>(capacity)),
      buckets_(std::make_unique<std::atomic<uint32_t>[]>(bucket_mask_ + 1)) {
  for (uint32_t bucket = 0; bucket <= bucket_mask_; ++bucket) {
    buckets_[bucket].store(kNoNeighbour, std::memory_order_relaxed);
  }
  vacant_.reserve(capacity);
  for (uint32_t index = capacity; index > 0; --index) vacant_.push_back(index - 1);
}

NeighbourIndex NeighbourTable::find(uint16_t interface,
                                    const net::IpAddress& address) const noexcept {
  const NeighbourKey key{address, interface};
  NeighbourIndex index =
      buckets_[hash_neighbour(key, secret_) & bucket_mask_].load(std::memory_order_acquire);
  while (index != kNoNeighbour && slots_[index].key != key) {
    index = slots_[index].next.load(std::memory_order_acquire);
  }
  return index;
}

std::optional<NeighbourIndex> NeighbourTable::create(uint16_t interface,
                                                     const net::IpAddress& address) {
  if (const NeighbourIndex known = find(interface, address); known != kNoNeighbour) return known;
  if (vacant_.empty()) return std::nullopt;
  const NeighbourIndex index = vacant_.back();
  vacant_.pop_back();
  Slot& slot = slots_[index];
  slot.key = NeighbourKey{address, interface};
  slot.used.store(0, std::memory_order_relaxed);
  slot.link.store(static_cast<uint64_t>(NeighbourState::Incomplete) << 48U,
                  std::memory_order_relaxed);
  std::atomic<uint32_t>& head = buckets_[hash_neighbour(slot.key, secret_) & bucket_mask_];
  slot.next.store(head.load(std::memory_order_relaxed), std::memory_order_relaxed);
  // Releases the key together with the link and the chain.
  head.store(index, std::memory_order_release);
  ++size_;
  return index;
}

void NeighbourTable::update(NeighbourIndex index, const net::MacAddress& mac,
                            NeighbourState state) noexcept {
  uint64_t word = static_cast<uint64_t>(state) << 48U;
  for (unsigned i = 0; i < 6; ++i) word |= static_cast<uint64_t>(mac.bytes[i]) << (8U * i);
  slots_[index].link.store(word, std::memory_order_release);
}

void NeighbourTable::unlink(NeighbourIndex index) noexcept {
  Slot& slot = slots_[index];
  std::atomic<uint32_t>* previous = &buckets_[hash_neighbour(slot.key, secret_) & bucket_mask_];
  uint32_t current = previous->load(std::memory_order_relaxed);
  while (current != index) {
    if (current == kNoNeighbour) return;
    previous = &slots_[current].next;
    current = previous->load(std::memory_order_relaxed);
  }
  // The slot keeps its own `next`: a reader that stands on it still finds the rest of the chain.
  previous->store(slot.next.load(std::memory_order_relaxed), std::memory_order_release);
  slot.link.store(0, std::memory_order_release);
  --size_;
}

void NeighbourTable::recycle(NeighbourIndex index) noexcept { vacant_.push_back(index); }

std::vector<NeighbourRow> NeighbourTable::rows() const {
  std::vector<NeighbourRow> rows;
  rows.reserve(size_);
  for (uint32_t bucket = 0; bucket <= bucket_mask_; ++bucket) {
    for (NeighbourIndex index = buckets_[bucket].load(std::memory_order_relaxed);
         index != kNoNeighbour; index = slots_[index].next.load(std::memory_order_relaxed)) {
      NeighbourRow row{index, interface(index), address(index), {}, state(index)};
      if (!read(index, row.mac)) row.mac = {};
      rows.push_back(row);
    }
  }
  return rows;
}

}  // namespace masugata::dataplane
