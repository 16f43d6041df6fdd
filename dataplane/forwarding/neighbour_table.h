// SPDX-License-Identifier: GPL-2.0-or-later
// Who sits at which address of which interface: written by the control thread, read by all workers.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "dataplane/forwarding/neighbour_key.h"
#include "net/address.h"

namespace masugata::dataplane {

using NeighbourIndex = uint32_t;
inline constexpr NeighbourIndex kNoNeighbour = 0xffffffffU;

enum class NeighbourState : uint8_t {
  Vacant,      // the slot is free, or its neighbour was removed
  Incomplete,  // asked for, no answer yet
  Reachable,   // answered lately, or permanent
  Stale,       // usable; the kernel asks again when told that it is used
  Failed,      // did not answer
};

[[nodiscard]] constexpr std::string_view name_of(NeighbourState state) noexcept {
  constexpr std::string_view kNames[] = {"vacant", "incomplete", "reachable", "stale", "failed"};
  return kNames[static_cast<uint8_t>(state)];
}

// A neighbour as `show neighbours` prints it.
struct NeighbourRow {
  NeighbourIndex index = kNoNeighbour;
  uint16_t interface = 0;
  net::IpAddress address;
  net::MacAddress mac;
  NeighbourState state = NeighbourState::Vacant;
};

// Fixed capacity, chained hash. Readers are wait-free (a bounded walk, no retry) and may hold an
// index across packets as long as they compare ForwardingView::generation(): the key of a slot
// changes only after the generation has changed and every worker has passed a quiescent state.
// At the bound create() refuses; nothing is evicted behind the readers' backs.
class NeighbourTable {
 public:
  // `capacity` in 1..2^24; 64 bytes a slot. `secret` keys the hash.
  NeighbourTable(uint32_t capacity, uint64_t secret);

  // --- workers (any thread) ---

  // kNoNeighbour when unknown: ask the control thread to resolve (resolve_request.h).
  [[nodiscard]] NeighbourIndex find(uint16_t interface,
                                    const net::IpAddress& address) const noexcept;
  // True and `mac` set when the neighbour can be sent to; false when incomplete, failed or removed.
  // `index` must be one that find() returned.
  [[nodiscard]] bool read(NeighbourIndex index, net::MacAddress& mac) const noexcept {
    const uint64_t word = slots_[index].link.load(std::memory_order_acquire);
    if (!is_usable(state_of(word))) return false;
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(mac.bytes.data(), &word, mac.bytes.size());
    return true;
  }
  [[nodiscard]] NeighbourState state(NeighbourIndex index) const noexcept {
    return state_of(slots_[index].link.load(std::memory_order_acquire));
  }
  [[nodiscard]] uint16_t interface(NeighbourIndex index) const noexcept {
    return slots_[index].key.interface;
  }
  [[nodiscard]] const net::IpAddress& address(NeighbourIndex index) const noexcept {
    return slots_[index].key.address;
  }
  // Tells the control thread that packets go there. Writes only when the flag is clear, so that
  // the cache line stays shared.
  void mark_used(NeighbourIndex index) const noexcept {
    std::atomic<uint8_t>& flag = slots_[index].used;
    if (flag.load(std::memory_order_relaxed) == 0) flag.store(1, std::memory_order_relaxed);
  }
  void prefetch(NeighbourIndex index) const noexcept { __builtin_prefetch(&slots_[index]); }

  // --- control thread ---

  // The existing or a new slot for the key; nullopt at the bound. A new one is Incomplete.
  std::optional<NeighbourIndex> create(uint16_t interface, const net::IpAddress& address);
  // MAC and state change in one store.
  void update(NeighbourIndex index, const net::MacAddress& mac, NeighbourState state) noexcept;
  // Takes the slot out of find(); read() fails from now on. The key stays until recycle().
  void unlink(NeighbourIndex index) noexcept;
  // Gives an unlinked slot back for reuse: only after generation change and quiescence.
  void recycle(NeighbourIndex index) noexcept;
  // Reads and clears the used flag.
  [[nodiscard]] bool take_used(NeighbourIndex index) noexcept {
    return slots_[index].used.exchange(0, std::memory_order_relaxed) != 0;
  }
  [[nodiscard]] uint32_t capacity() const noexcept { return capacity_; }
  // Linked slots; unlinked ones that wait for recycle() are not counted but take room.
  [[nodiscard]] uint32_t size() const noexcept { return size_; }
  [[nodiscard]] std::vector<NeighbourRow> rows() const;

 private:
  struct alignas(64) Slot {
    NeighbourKey key;
    std::atomic<uint64_t> link{0};  // bits 0..47 MAC, first byte lowest; 48..55 state
    std::atomic<uint32_t> next{kNoNeighbour};
    mutable std::atomic<uint8_t> used{0};
  };

  static constexpr NeighbourState state_of(uint64_t word) noexcept {
    return static_cast<NeighbourState>((word >> 48U) & 0xffU);
  }
  static constexpr bool is_usable(NeighbourState state) noexcept {
    return state == NeighbourState::Reachable || state == NeighbourState::Stale;
  }

  uint32_t capacity_;
  uint32_t size_ = 0;
  uint32_t bucket_mask_;
  uint64_t secret_;
  std::unique_ptr<Slot[]> slots_;
  std::unique_ptr<std::atomic<uint32_t>[]> buckets_;
  std::vector<NeighbourIndex> vacant_;
};

}  // namespace masugata::dataplane
