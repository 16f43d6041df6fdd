// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel/route_selection.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <tuple>

namespace masugata::dataplane {

namespace {

bool same_place(const KernelRoute& left, const KernelRoute& right) noexcept {
  return left.table == right.table && left.metric == right.metric;
}

bool contains(const std::vector<KernelHop>& hops, const KernelHop& wanted) {
  return std::any_of(hops.begin(), hops.end(), [&](const KernelHop& hop) {
    return hop.link == wanted.link && hop.gateway == wanted.gateway;
  });
}

bool contains_all(const std::vector<KernelHop>& hops, const std::vector<KernelHop>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const KernelHop& hop) { return contains(hops, hop); });
}

std::vector<RoutePath> unicast_paths(const KernelRoute& route,
                                     const RouteSelection::LinkMap& interface_of) {
  std::vector<RoutePath> alive;
  std::vector<RoutePath> dead;
  for (const KernelHop& hop : route.hops) {
    const InterfaceIndex interface = interface_of(hop.link);
    if (interface == kNoInterface) continue;
    Route path{RouteKind::Connected, interface, {}};
    if (hop.gateway) path = {RouteKind::Gateway, interface, *hop.gateway};
    (hop.alive ? alive : dead).push_back({path, hop.weight});
  }
  return alive.empty() ? dead : alive;
}

RoutePath without_interface(RouteKind kind) { return {{kind, kNoInterface, {}}, 1}; }

// Empty: a unicast route whose links are all foreign.
std::vector<RoutePath> paths_of(const KernelRoute& route,
                                const RouteSelection::LinkMap& interface_of) {
  const InterfaceIndex first =
      route.hops.empty() ? kNoInterface : interface_of(route.hops.front().link);
  switch (route.type) {
    case RTN_LOCAL:
    case RTN_ANYCAST:
      return {{{RouteKind::Local, first, {}}, 1}};
    case RTN_BROADCAST:
      if (first == kNoInterface) return {};
      return {{{RouteKind::Broadcast, first, {}}, 1}};
    case RTN_BLACKHOLE:
      return {without_interface(RouteKind::Blackhole)};
    case RTN_PROHIBIT:
      return {without_interface(RouteKind::Prohibit)};
    case RTN_UNREACHABLE:
      return {without_interface(RouteKind::Unreachable)};
    default:
      return unicast_paths(route, interface_of);
  }
}

}  // namespace

bool RouteSelection::is_mirrored(const KernelRoute& route) {
  if (route.table != RT_TABLE_MAIN && route.table != RT_TABLE_LOCAL) return false;
  switch (route.type) {
    case RTN_LOCAL:
    case RTN_ANYCAST:
      return true;
    case RTN_UNICAST:
    case RTN_BROADCAST:
    case RTN_BLACKHOLE:
    case RTN_PROHIBIT:
    case RTN_UNREACHABLE:
      break;
    default:
      return false;
  }
  const bool ipv6 = route.prefix.family() == net::Family::Ipv6;
  return !route.prefix.address.is_multicast() &&
         !(ipv6 && route.prefix.length >= 10 && route.prefix.address.is_link_local());
}

void RouteSelection::add(const KernelRoute& route, Placement placement) {
  std::vector<Candidate>& candidates = routes_[route.prefix];
  const auto known = std::find_if(candidates.begin(), candidates.end(), [&](const auto& candidate) {
    return same_place(candidate.route, route);
  });
  if (known == candidates.end()) {
    candidates.push_back({route, false});
    return;
  }
  if (known->route == route) return;
  const bool ipv6 = route.prefix.family() == net::Family::Ipv6;
  // IPv6 reports a grown set of equal-cost hops as a whole; otherwise an appended route, or an
  // IPv6 one on another link, stands behind the first.
  const bool grown = ipv6 && contains_all(route.hops, known->route.hops);
  const bool elsewhere =
      ipv6 && !route.hops.empty() && !contains(known->route.hops, route.hops.front());
  const bool behind =
      placement == Placement::Append || (placement == Placement::Unstated && elsewhere);
  if (behind && !grown) {
    known->hides_others = true;
    return;
  }
  known->route = route;
}

bool RouteSelection::remove(const KernelRoute& route) {
  const auto row = routes_.find(route.prefix);
  if (row == routes_.end()) return true;
  std::vector<Candidate>& candidates = row->second;
  const auto known = std::find_if(candidates.begin(), candidates.end(), [&](const auto& candidate) {
    return same_place(candidate.route, route);
  });
  if (known == candidates.end()) return true;
  if (known->hides_others) return false;
  auto& hops = known->route.hops;
  const bool partial = route.prefix.family() == net::Family::Ipv6 && !route.hops.empty() &&
                       route.hops.size() < hops.size();
  if (partial) {
    std::erase_if(hops, [&](const KernelHop& hop) { return contains(route.hops, hop); });
    return true;
  }
  // A replaced route may be reported as deleted after its successor was announced.
  if (!contains_all(hops, route.hops)) return false;
  candidates.erase(known);
  if (candidates.empty()) routes_.erase(row);
  return true;
}

std::optional<RouteEntry> RouteSelection::best(const net::Prefix& prefix,
                                               const LinkMap& interface_of) const {
  const auto row = routes_.find(prefix);
  if (row == routes_.end()) return std::nullopt;
  std::optional<std::vector<RoutePath>> chosen;
  std::tuple<bool, uint32_t> chosen_rank;
  for (const Candidate& candidate : row->second) {
    auto paths = paths_of(candidate.route, interface_of);
    if (paths.empty()) continue;
    const std::tuple<bool, uint32_t> rank{candidate.route.table != RT_TABLE_LOCAL,
                                          candidate.route.metric};
    if (!chosen || rank < chosen_rank) {
      chosen = std::move(paths);
      chosen_rank = rank;
    }
  }
  // Only links that are not ours: the packet must not fall through to a shorter prefix.
  if (!chosen) chosen = {without_interface(RouteKind::Unreachable)};
  if (chosen->size() > kMaximumPaths) chosen->resize(kMaximumPaths);
  return RouteEntry{prefix, std::move(*chosen)};
}

std::set<net::Prefix> RouteSelection::prefixes() const {
  std::set<net::Prefix> result;
  for (const auto& row : routes_) result.insert(row.first);
  return result;
}

}  // namespace masugata::dataplane
