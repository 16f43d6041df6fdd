// SPDX-License-Identifier: GPL-2.0-or-later
// What a worker holds for one burst: where does a packet go, and who sits there.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/forwarding/neighbour_table.h"
#include "dataplane/forwarding/route.h"
#include "net/address.h"

namespace masugata::dataplane {

class FibInstance;

// Immutable while any worker may read it. Load it once per burst with ForwardingPublisher::view()
// and let go of it before reporting a quiescent state. References from lookup() live as long as
// the burst; what is kept longer (in a session) is a copy together with generation().
class ForwardingView {
 public:
  // Longest prefix match; never fails: no route gives a static Unreachable route. `flow_hash`
  // (well mixed, its high bits count) chooses among equal-cost paths, so a flow keeps its path as
  // long as the set of paths stays.
  [[nodiscard]] const Route& lookup(const net::IpAddress& destination,
                                    uint32_t flow_hash) const noexcept;

  // The same for `count` packets (at most 32), cheaper per packet: routes[i] is set for
  // destinations[i] and flow_hashes[i]. Families may be mixed.
  void lookup_bulk(const net::IpAddress* destinations, const uint32_t* flow_hashes,
                   const Route** routes, std::size_t count) const noexcept;

  // Changes whenever an answer of lookup() or the meaning of a neighbour index may have changed.
  // Compare for equality only: it wraps.
  [[nodiscard]] uint32_t generation() const noexcept { return generation_; }

  [[nodiscard]] const NeighbourTable& neighbours() const noexcept { return *neighbours_; }

  ForwardingView(const ForwardingView&) = delete;
  ForwardingView& operator=(const ForwardingView&) = delete;

 private:
  friend class ForwardingPublisher;
  ForwardingView(const FibInstance& fib, const NeighbourTable& neighbours) noexcept
      : fib_(&fib), neighbours_(&neighbours) {}

  const FibInstance* fib_;
  const NeighbourTable* neighbours_;
  uint32_t generation_ = 0;
};

}  // namespace masugata::dataplane
