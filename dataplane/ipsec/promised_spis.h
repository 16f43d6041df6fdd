// SPDX-License-Identifier: GPL-2.0-or-later
// SPIs that charon has, whose SAs are not here yet. Who answers a negotiation may encrypt with the
// new keys at once, and his packets overtake charon (RFC 7296 section 2.8): an SPI of this table is
// no unknown one, early_packets.h keeps what comes for it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "net/address.h"
#include "net/byte_order.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// One writer, any number of readers, who need no more than the eight words of one cache line.
class PromisedSpis {
 public:
  static constexpr size_t kWays = 8;
  static constexpr size_t kPlaces = 8192;  // twice what is promised at most

  PromisedSpis() noexcept { clear(); }

  // --- the writer ---
  // Whether it may be promised: it is not yet, and the set that it belongs to has room.
  [[nodiscard]] bool takes(uint32_t spi) const noexcept {
    const std::atomic<uint64_t>* set = set_of(spi);
    bool free = false;
    for (size_t way = 0; way < kWays; ++way) {
      const uint64_t entry = set[way].load(std::memory_order_relaxed);
      if (entry >> 32U == spi) return false;
      free = free || entry == 0;
    }
    return free;
  }
  // For what `remote` sends to `local`. An SPI that takes() accepts, in host order.
  void add(uint32_t spi, const net::IpAddress& local, const net::IpAddress& remote) noexcept {
    replace(spi, 0, entry_of(spi, local, remote));
  }
  void remove(uint32_t spi) noexcept { replace(spi, spi, 0); }
  void clear() noexcept {
    for (std::atomic<uint64_t>& entry : entries_) entry.store(0, std::memory_order_relaxed);
  }

  // --- any thread ---
  [[nodiscard]] bool holds(net::Be32 spi, const net::IpAddress& local,
                           const net::IpAddress& remote) const noexcept {
    const uint64_t wanted = entry_of(spi.host(), local, remote);
    const std::atomic<uint64_t>* set = set_of(spi.host());
    for (size_t way = 0; way < kWays; ++way) {
      if (set[way].load(std::memory_order_relaxed) == wanted) return true;
    }
    return false;
  }

 private:
  // SPIs are random numbers already. The addresses are folded: who guesses 28 bits of SPI would
  // only have to forge a source, and gains nothing but a place in a bounded queue.
  static uint64_t entry_of(uint32_t spi, const net::IpAddress& local,
                           const net::IpAddress& remote) noexcept {
    net::FlowKey key;
    key.source = remote;
    key.destination = local;
    const auto folded = static_cast<uint32_t>(net::hash_flow(key, net::HashSecret{}));
    return static_cast<uint64_t>(spi) << 32U | folded;
  }
  [[nodiscard]] const std::atomic<uint64_t>* set_of(uint32_t spi) const noexcept {
    return &entries_[(spi & (kPlaces / kWays - 1)) * kWays];
  }
  // Of the set of `spi`: the entry of `old_spi`, 0 for a free one.
  void replace(uint32_t spi, uint32_t old_spi, uint64_t entry) noexcept {
    const size_t begin = (spi & (kPlaces / kWays - 1)) * kWays;
    for (size_t place = begin; place < begin + kWays; ++place) {
      if (entries_[place].load(std::memory_order_relaxed) >> 32U != old_spi) continue;
      entries_[place].store(entry, std::memory_order_relaxed);
      return;
    }
  }

  alignas(64) std::array<std::atomic<uint64_t>, kPlaces> entries_;
};

}  // namespace masugata::dataplane
