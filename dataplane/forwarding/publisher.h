// SPDX-License-Identifier: GPL-2.0-or-later
// The control side of forwarding: takes routes and neighbours as plain structs and publishes them
// to the workers without ever showing them a half-made change.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/forwarding/fib_kind.h"
#include "dataplane/forwarding/forwarding_view.h"
#include "dataplane/forwarding/neighbour_table.h"
#include "dataplane/forwarding/route.h"
#include "dataplane/platform/quiescence.h"
#include "result/result.h"

namespace masugata::dataplane {

struct ForwardingSettings {
  FibKind kind = FibKind::Compact;
  uint32_t maximum_routes_ipv4 = 16384;
  uint32_t maximum_routes_ipv6 = 16384;
  // Distinct sets of paths, 2..32767; 400 bytes each, twice.
  uint32_t maximum_path_sets = 1024;
  uint32_t maximum_neighbours = 8192;
  uint64_t hash_secret = 0x243f6a8885a308d3ULL;
  int memory_node = -1;  // NUMA node for the tables, -1 for any
};

struct NeighbourUpdate {
  uint16_t interface = 0;  // index into config::Model::interfaces
  net::IpAddress address;
  net::MacAddress mac;  // meaningful when Reachable or Stale
  NeighbourState state = NeighbourState::Incomplete;
};

struct ForwardingStatistics {
  uint32_t routes_ipv4 = 0;
  uint32_t routes_ipv6 = 0;
  uint32_t path_sets = 0;
  uint32_t neighbours = 0;
  uint64_t publications = 0;
  uint64_t refused_routes = 0;      // at a bound
  uint64_t refused_neighbours = 0;  // at the bound
};

class PathSets;

// Two instances of the tables (left-right): a batch of changes is made on the one that nobody
// reads, a pointer is released, and when all workers have moved over the same batch is made on the
// other. Needs a running EAL (memory). All functions except view(): control thread only.
//
// Route changes are staged by replace_route()/remove_route()/set_routes() and become visible all
// at once with publish(). Neighbour updates are visible at once, one by one; a removed one stops
// being found at once and its slot is reused only after the next publication has settled.
class ForwardingPublisher {
 public:
  // `quiescence` outlives the publisher. Fault when the tables do not fit into memory.
  static Result<std::unique_ptr<ForwardingPublisher>> create(const ForwardingSettings& settings,
                                                             Quiescence& quiescence);
  ~ForwardingPublisher();
  ForwardingPublisher(const ForwardingPublisher&) = delete;
  ForwardingPublisher& operator=(const ForwardingPublisher&) = delete;

  // Workers, once per burst, after having registered with the quiescence domain.
  [[nodiscard]] const ForwardingView& view() const noexcept {
    return *published_.load(std::memory_order_acquire);
  }

  // Adds the prefix or replaces all its paths. Fault at the bound (nothing staged), for an empty
  // or host-bits-set entry.
  Status replace_route(const RouteEntry& entry);
  // Nothing happens when the prefix is unknown.
  void remove_route(const net::Prefix& prefix);
  // The whole table at once: what is not named is removed. Fault (nothing staged) when it exceeds
  // a bound.
  Status set_routes(const std::vector<RouteEntry>& entries);

  // Creates or updates; a Vacant state removes. Fault at the bound: counted, the oldest Failed or
  // Incomplete one makes room for a later attempt.
  Result<NeighbourIndex> replace_neighbour(const NeighbourUpdate& update);
  void remove_neighbour(uint16_t interface, const net::IpAddress& address);
  // Every neighbour of an interface (link down).
  void remove_neighbours(uint16_t interface);

  // Publishes what is staged. When the batch before has not settled yet, advance() does it later.
  // Fault: some routes found no room inside the tables; they are left out of both instances and
  // counted, all others are published.
  Status publish();
  // Non-blocking; call it in the event loop while !settled(). Finishes a batch once all workers
  // have moved over, then starts the next one. Same Fault as publish().
  Status advance();
  // Nothing staged, nothing in flight.
  [[nodiscard]] bool settled() const noexcept;
  // publish() and wait until both instances agree. Blocks for some bursts: start-up and tests.
  Status settle();

  [[nodiscard]] NeighbourTable& neighbours() noexcept { return *neighbours_; }
  [[nodiscard]] const ForwardingSettings& settings() const noexcept { return settings_; }
  [[nodiscard]] ForwardingStatistics statistics() const noexcept;
  // What is staged and published, in order of prefixes, IPv4 before IPv6; for `show routes`.
  [[nodiscard]] std::vector<RouteEntry> routes() const;
  [[nodiscard]] std::optional<RouteEntry> find_route(const net::Prefix& prefix) const;

 private:
  // One step of a batch; replayed in order on either instance.
  struct Change {
    enum class Kind : uint8_t { Define, Add, Remove, Skip };
    Kind kind;
    net::Prefix prefix;            // Add, Remove
    uint32_t path_set = 0;         // Define, Add
    std::vector<RoutePath> paths;  // Define
  };
  enum class Phase : uint8_t { Settled, Draining };

  ForwardingPublisher(const ForwardingSettings& settings, Quiescence& quiescence);
  Status start_batch();
  void finish_batch();
  static bool apply(const Change& change, FibInstance& instance) noexcept;
  Status apply_first(FibInstance& instance);
  void stage_removal(std::map<net::Prefix, uint32_t>::iterator row);
  void retire(NeighbourIndex index);
  void make_room_for_neighbours();
  [[nodiscard]] Status check_room(const std::vector<RouteEntry>& entries) const;

  ForwardingSettings settings_;
  Quiescence& quiescence_;
  std::unique_ptr<NeighbourTable> neighbours_;
  std::unique_ptr<FibInstance> instances_[2];
  std::unique_ptr<ForwardingView> views_[2];
  std::atomic<const ForwardingView*> published_{nullptr};
  uint32_t active_ = 0;
  uint32_t generation_ = 0;
  Phase phase_ = Phase::Settled;
  Quiescence::Token token_ = 0;
  bool publish_requested_ = false;

  std::unique_ptr<PathSets> path_sets_;
  std::map<net::Prefix, uint32_t> table_;  // prefix → path set; what is staged
  uint32_t count_[2] = {0, 0};             // IPv4, IPv6
  std::vector<Change> staged_;
  std::vector<Change> in_flight_;
  std::vector<NeighbourIndex> unlinked_;  // since the last publication
  std::vector<NeighbourIndex> retiring_;  // wait for the batch in flight
  uint32_t sweep_ = 0;
  uint64_t publications_ = 0;
  uint64_t refused_routes_ = 0;
  uint64_t refused_neighbours_ = 0;
};

}  // namespace masugata::dataplane
