// SPDX-License-Identifier: GPL-2.0-or-later
// One of the two copies of the routing tables: rte_fib for IPv4, rte_fib6 for IPv6, and the sets
// of paths that their next-hop numbers stand for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/forwarding/publisher.h"
#include "dataplane/forwarding/route.h"
#include "net/address.h"
#include "result/result.h"

struct rte_fib;
struct rte_fib6;

namespace masugata::dataplane {

// The next-hop number of both tables for "no route"; its set is one Unreachable route.
inline constexpr uint32_t kNoRoutePathSet = 0;

// Written by the control thread while no worker reads it, then read by all and written by nobody.
class FibInstance {
 public:
  // `number` (0 or 1) makes the names of the DPDK objects unique. Fault when memory is short.
  static Result<std::unique_ptr<FibInstance>> create(const ForwardingSettings& settings,
                                                     unsigned number);
  ~FibInstance();
  FibInstance(const FibInstance&) = delete;
  FibInstance& operator=(const FibInstance&) = delete;

  // --- workers ---
  [[nodiscard]] const Route& lookup(const net::IpAddress& destination,
                                    uint32_t flow_hash) const noexcept;
  void lookup_bulk(const net::IpAddress* destinations, const uint32_t* flow_hashes,
                   const Route** routes, std::size_t count) const noexcept;

  // --- control thread, while no worker reads ---
  // Weights are spread over at most kMaximumPaths slots; every path keeps at least one.
  void define_path_set(uint32_t path_set, std::span<const RoutePath> paths) noexcept;
  // Adds or replaces. False: the tables have no room (only when the prefix is new).
  [[nodiscard]] bool add(const net::Prefix& prefix, uint32_t path_set) noexcept;
  void remove(const net::Prefix& prefix) noexcept;

 private:
  struct PathSlots {
    uint32_t count = 1;
    std::array<Route, kMaximumPaths> routes;
  };

  explicit FibInstance(uint32_t path_sets) : path_sets_(path_sets + 1) {}
  Status create_tables(const ForwardingSettings& settings, unsigned number);
  [[nodiscard]] bool add_once(const net::Prefix& prefix, uint32_t path_set) noexcept;
  // The last one: never given out, always Unreachable; at most 32767 as two-byte entries allow.
  [[nodiscard]] uint32_t unused_path_set() const noexcept {
    return static_cast<uint32_t>(path_sets_.size() - 1);
  }

  [[nodiscard]] const Route& choose(uint64_t path_set, uint32_t flow_hash) const noexcept {
    const PathSlots& slots = path_sets_[path_set];
    // Multiply and shift instead of a division: uniform over the slots for a well mixed hash.
    return slots.routes[(static_cast<uint64_t>(flow_hash) * slots.count) >> 32U];
  }

  rte_fib* ipv4_ = nullptr;
  rte_fib6* ipv6_ = nullptr;
  std::vector<PathSlots> path_sets_;
};

}  // namespace masugata::dataplane
