// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/forwarding/publisher.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "dataplane/forwarding/fib_instance.h"
#include "dataplane/forwarding/path_sets.h"

namespace masugata::dataplane {

namespace {

constexpr uint32_t kMaximumPathSets = 32767;
constexpr uint32_t kMaximumNeighbours = 1U << 24U;
// Slots that one refused neighbour may look at to find a dead one.
constexpr uint32_t kSweepBudget = 1024;
// Dead neighbours that may wait for the next publication before more are sought.
constexpr std::size_t kSweepBatch = 64;

unsigned family_slot(const net::Prefix& prefix) noexcept {
  return prefix.family() == net::Family::Ipv4 ? 0 : 1;
}

Status check_entry(const RouteEntry& entry) {
  const std::string where = "route " + entry.prefix.to_string();
  if (entry.paths.empty()) return failure(where, "has no path");
  if (entry.prefix.length > (entry.prefix.family() == net::Family::Ipv4 ? 32 : 128)) {
    return failure(where, "the prefix length does not fit the family");
  }
  if (entry.prefix.network() != entry.prefix) return failure(where, "has host bits set");
  return {};
}

std::vector<RoutePath> normalise(std::vector<RoutePath> paths) {
  if (paths.size() > kMaximumPaths) paths.resize(kMaximumPaths);
  for (RoutePath& path : paths) path.weight = std::max<uint8_t>(path.weight, 1);
  return paths;
}

Status table_full(const net::Prefix& prefix, uint32_t maximum) {
  return failure("route " + prefix.to_string(),
                 "the routing table is full (" + std::to_string(maximum) + " routes of " +
                     (prefix.family() == net::Family::Ipv4 ? "IPv4" : "IPv6") +
                     "): raise the bound in the hardware profile");
}

Status path_sets_full(const net::Prefix& prefix, uint32_t maximum) {
  return failure("route " + prefix.to_string(), "too many different next hops (" +
                                                    std::to_string(maximum - 1) +
                                                    "): raise the bound in the hardware profile");
}

}  // namespace

ForwardingPublisher::ForwardingPublisher(const ForwardingSettings& settings, Quiescence& quiescence)
    : settings_(settings),
      quiescence_(quiescence),
      neighbours_(
          std::make_unique<NeighbourTable>(settings.maximum_neighbours, settings.hash_secret)),
      path_sets_(std::make_unique<PathSets>(settings.maximum_path_sets)) {}

ForwardingPublisher::~ForwardingPublisher() = default;

Result<std::unique_ptr<ForwardingPublisher>> ForwardingPublisher::create(
    const ForwardingSettings& settings, Quiescence& quiescence) {
  if (settings.maximum_path_sets < 2 || settings.maximum_path_sets > kMaximumPathSets) {
    return failure("forwarding", "maximum_path_sets must be 2 to 32767");
  }
  if (settings.maximum_neighbours < 1 || settings.maximum_neighbours > kMaximumNeighbours) {
    return failure("forwarding", "maximum_neighbours must be 1 to 16777216");
  }
  if (settings.maximum_routes_ipv4 < 1 || settings.maximum_routes_ipv6 < 1) {
    return failure("forwarding", "the maximum number of routes must be at least 1");
  }
  std::unique_ptr<ForwardingPublisher> publisher(new ForwardingPublisher(settings, quiescence));
  for (unsigned side = 0; side < 2; ++side) {
    auto instance = FibInstance::create(settings, side);
    if (!instance) return tl::unexpected<Fault>(instance.error());
    publisher->instances_[side] = std::move(*instance);
    publisher->views_[side].reset(
        new ForwardingView(*publisher->instances_[side], *publisher->neighbours_));
  }
  publisher->published_.store(publisher->views_[0].get(), std::memory_order_release);
  return publisher;
}

Status ForwardingPublisher::replace_route(const RouteEntry& entry) {
  if (auto status = check_entry(entry); !status) return status;
  const unsigned family = family_slot(entry.prefix);
  const uint32_t maximum =
      family == 0 ? settings_.maximum_routes_ipv4 : settings_.maximum_routes_ipv6;
  const auto row = table_.find(entry.prefix);
  if (row == table_.end() && count_[family] >= maximum) {
    ++refused_routes_;
    return table_full(entry.prefix, maximum);
  }
  const auto paths = normalise(entry.paths);
  if (row != table_.end() && path_sets_->paths(row->second) == paths) return {};
  const auto acquired = path_sets_->acquire(paths);
  if (!acquired) {
    ++refused_routes_;
    return path_sets_full(entry.prefix, settings_.maximum_path_sets);
  }
  if (acquired->is_new) {
    staged_.push_back({Change::Kind::Define, {}, acquired->number, paths});
  }
  staged_.push_back({Change::Kind::Add, entry.prefix, acquired->number, {}});
  if (row == table_.end()) {
    table_.emplace(entry.prefix, acquired->number);
    ++count_[family];
  } else {
    path_sets_->release(std::exchange(row->second, acquired->number));
  }
  return {};
}

void ForwardingPublisher::stage_removal(std::map<net::Prefix, uint32_t>::iterator row) {
  staged_.push_back({Change::Kind::Remove, row->first, 0, {}});
  path_sets_->release(row->second);
  --count_[family_slot(row->first)];
  table_.erase(row);
}

void ForwardingPublisher::remove_route(const net::Prefix& prefix) {
  if (const auto row = table_.find(prefix); row != table_.end()) stage_removal(row);
}

Status ForwardingPublisher::check_room(const std::vector<RouteEntry>& entries) const {
  std::set<net::Prefix> prefixes[2];
  std::set<std::vector<RoutePath>> new_sets;
  for (const RouteEntry& entry : entries) {
    if (auto status = check_entry(entry); !status) return status;
    const unsigned family = family_slot(entry.prefix);
    const uint32_t maximum =
        family == 0 ? settings_.maximum_routes_ipv4 : settings_.maximum_routes_ipv6;
    prefixes[family].insert(entry.prefix);
    if (prefixes[family].size() > maximum) return table_full(entry.prefix, maximum);
    auto paths = normalise(entry.paths);
    if (!path_sets_->knows(paths)) new_sets.insert(std::move(paths));
    // Old sets go only one by one while the new ones come: both must fit for a moment.
    if (new_sets.size() > path_sets_->room()) {
      return path_sets_full(entry.prefix, settings_.maximum_path_sets);
    }
  }
  return {};
}

Status ForwardingPublisher::set_routes(const std::vector<RouteEntry>& entries) {
  if (auto status = check_room(entries); !status) {
    ++refused_routes_;
    return status;
  }
  std::set<net::Prefix> wanted;
  for (const RouteEntry& entry : entries) wanted.insert(entry.prefix);
  for (auto row = table_.begin(); row != table_.end();) {
    const auto current = row++;
    if (!wanted.contains(current->first)) stage_removal(current);
  }
  for (const RouteEntry& entry : entries) {
    if (auto status = replace_route(entry); !status) return status;
  }
  return {};
}

bool ForwardingPublisher::apply(const Change& change, FibInstance& instance) noexcept {
  switch (change.kind) {
    case Change::Kind::Define:
      instance.define_path_set(change.path_set, change.paths);
      return true;
    case Change::Kind::Add:
      return instance.add(change.prefix, change.path_set);
    case Change::Kind::Remove:
      instance.remove(change.prefix);
      return true;
    case Change::Kind::Skip:
      return true;
  }
  return true;
}

Status ForwardingPublisher::apply_first(FibInstance& instance) {
  std::set<net::Prefix> refused;
  for (Change& change : in_flight_) {
    if (apply(change, instance)) {
      if (!refused.empty() && change.kind != Change::Kind::Define) refused.erase(change.prefix);
    } else {
      refused.insert(change.prefix);
      change.kind = Change::Kind::Skip;
    }
  }
  if (refused.empty()) return {};
  for (const net::Prefix& prefix : refused) {
    const auto row = table_.find(prefix);
    path_sets_->release(row->second);
    --count_[family_slot(prefix)];
    table_.erase(row);
  }
  refused_routes_ += refused.size();
  return failure("route " + refused.begin()->to_string(),
                 "no room in the routing table for " + std::to_string(refused.size()) +
                     " routes: too many long prefixes, or more routes than fit into memory");
}

Status ForwardingPublisher::start_batch() {
  publish_requested_ = false;
  if (staged_.empty() && unlinked_.empty()) return {};
  in_flight_ = std::exchange(staged_, {});
  retiring_ = std::exchange(unlinked_, {});
  const uint32_t inactive = active_ ^ 1U;
  const Status status = apply_first(*instances_[inactive]);
  views_[inactive]->generation_ = ++generation_;
  published_.store(views_[inactive].get(), std::memory_order_release);
  active_ = inactive;
  ++publications_;
  token_ = quiescence_.start();
  phase_ = Phase::Draining;
  return status;
}

void ForwardingPublisher::finish_batch() {
  FibInstance& other = *instances_[active_ ^ 1U];
  for (const Change& change : in_flight_) {
    // The same changes in the same order on the same state: what fitted there fits here.
    if (!apply(change, other)) ++refused_routes_;
  }
  in_flight_.clear();
  for (const NeighbourIndex index : retiring_) neighbours_->recycle(index);
  retiring_.clear();
  phase_ = Phase::Settled;
}

Status ForwardingPublisher::publish() {
  if (phase_ == Phase::Settled) return start_batch();
  publish_requested_ = true;
  return advance();
}

Status ForwardingPublisher::advance() {
  if (phase_ == Phase::Draining) {
    if (!quiescence_.passed(token_)) return {};
    finish_batch();
  }
  return publish_requested_ ? start_batch() : Status{};
}

bool ForwardingPublisher::settled() const noexcept {
  return phase_ == Phase::Settled && staged_.empty() && unlinked_.empty();
}

Status ForwardingPublisher::settle() {
  Status first = publish();
  while (!settled()) {
    quiescence_.wait();
    Status next = publish();
    if (first) first = std::move(next);
  }
  return first;
}

void ForwardingPublisher::retire(NeighbourIndex index) {
  neighbours_->unlink(index);
  unlinked_.push_back(index);
}

void ForwardingPublisher::make_room_for_neighbours() {
  if (unlinked_.size() + retiring_.size() >= kSweepBatch) return;
  const uint32_t capacity = neighbours_->capacity();
  for (uint32_t looked = 0; looked < std::min(kSweepBudget, capacity); ++looked) {
    const NeighbourIndex index = sweep_;
    sweep_ = (sweep_ + 1) % capacity;
    const NeighbourState state = neighbours_->state(index);
    if (state == NeighbourState::Failed || state == NeighbourState::Incomplete) {
      retire(index);
      return;
    }
  }
}

Result<NeighbourIndex> ForwardingPublisher::replace_neighbour(const NeighbourUpdate& update) {
  if (update.state == NeighbourState::Vacant) {
    remove_neighbour(update.interface, update.address);
    return kNoNeighbour;
  }
  const auto index = neighbours_->create(update.interface, update.address);
  if (!index) {
    ++refused_neighbours_;
    make_room_for_neighbours();
    return failure("neighbour " + update.address.to_string(),
                   "the neighbour table is full (" + std::to_string(neighbours_->capacity()) +
                       "): raise the bound in the hardware profile");
  }
  neighbours_->update(*index, update.mac, update.state);
  return *index;
}

void ForwardingPublisher::remove_neighbour(uint16_t interface, const net::IpAddress& address) {
  const NeighbourIndex index = neighbours_->find(interface, address);
  if (index != kNoNeighbour) retire(index);
}

void ForwardingPublisher::remove_neighbours(uint16_t interface) {
  for (const NeighbourRow& row : neighbours_->rows()) {
    if (row.interface == interface) retire(row.index);
  }
}

ForwardingStatistics ForwardingPublisher::statistics() const noexcept {
  ForwardingStatistics statistics;
  statistics.routes_ipv4 = count_[0];
  statistics.routes_ipv6 = count_[1];
  statistics.path_sets = path_sets_->size();
  statistics.neighbours = neighbours_->size();
  statistics.publications = publications_;
  statistics.refused_routes = refused_routes_;
  statistics.refused_neighbours = refused_neighbours_;
  return statistics;
}

std::vector<RouteEntry> ForwardingPublisher::routes() const {
  std::vector<RouteEntry> entries;
  entries.reserve(table_.size());
  for (const unsigned family : {0U, 1U}) {
    for (const auto& [prefix, path_set] : table_) {
      if (family_slot(prefix) == family) entries.push_back({prefix, path_sets_->paths(path_set)});
    }
  }
  return entries;
}

std::optional<RouteEntry> ForwardingPublisher::find_route(const net::Prefix& prefix) const {
  const auto row = table_.find(prefix);
  if (row == table_.end()) return std::nullopt;
  return RouteEntry{prefix, path_sets_->paths(row->second)};
}

}  // namespace masugata::dataplane
