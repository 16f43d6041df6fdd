// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel/kernel_mirror.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "dataplane/kernel/interface_settings.h"
#include "dataplane/kernel/kernel_objects.h"
#include "dataplane/kernel/kernel_requests.h"
#include "dataplane/kernel/netlink_socket.h"
#include "dataplane/kernel/route_selection.h"

namespace masugata::dataplane {

namespace {

// Refused routes that one tick tries again.
constexpr std::size_t kRetriesPerTick = 1024;

// Never forwarded (RFC 4291 section 2.5.6); the kernel's own fe80::/64 routes are left out, since
// there is one for every interface.
RouteEntry link_local_guard() {
  net::Prefix prefix;
  prefix.address.bytes[0] = 0xfe;
  prefix.address.bytes[1] = 0x80;
  prefix.length = 10;
  return {prefix, {{Route{}, 1}}};
}

// Remembers the first of several faults while the work goes on.
class FirstFault {
 public:
  void note(Status status) {
    if (status_ && !status) status_ = std::move(status);
  }
  Status take() { return std::move(status_); }

 private:
  Status status_;
};

}  // namespace

class KernelMirror::Implementation {
 public:
  Implementation(const KernelMirrorSettings& settings, ForwardingPublisher& publisher,
                 SocketPointer events, SocketPointer requests)
      : settings_(settings),
        publisher_(publisher),
        events_(std::move(events)),
        requests_(std::move(requests)),
        interface_settings_(settings.sysctl_root) {}

  Status apply(const KernelConfiguration& configuration);
  Status set_mtu(InterfaceIndex interface, uint16_t mtu);
  Status process_events();
  Status tick();
  void resolve(uint16_t interface, const net::IpAddress& address);
  [[nodiscard]] int descriptor() const noexcept { return nl_socket_get_fd(events_.get()); }
  [[nodiscard]] KernelStatistics statistics() const noexcept { return statistics_; }

 private:
  [[nodiscard]] InterfaceIndex interface_of(int link) const;
  [[nodiscard]] int link_of(InterfaceIndex interface) const;
  // After every change of links_ or twins_.
  void match_links();
  [[nodiscard]] RouteSelection::LinkMap link_map() const {
    return [this](int link) { return interface_of(link); };
  }

  void apply_twin(const TwinConfiguration& twin, int link,
                  const std::vector<KernelAddress>& present, FirstFault& fault);
  void apply_static_routes(const std::vector<config::StaticRoute>& routes, FirstFault& fault);
  void enforce_settings(FirstFault& fault);

  Status dump_links();
  Result<std::vector<KernelAddress>> dump_addresses();
  Result<std::vector<KernelRoute>> dump_routes();
  Status mirror_all_routes();
  Status mirror_all_neighbours();
  Status resynchronise();

  void on_event(const NetlinkObject& event);
  void on_link(const KernelLink& link, bool removed);
  void on_route(const KernelRoute& route, int flags, bool removed);
  void on_neighbour(const KernelNeighbour& neighbour, bool removed);
  void mirror_prefix(const net::Prefix& prefix);

  KernelMirrorSettings settings_;
  ForwardingPublisher& publisher_;
  SocketPointer events_;
  SocketPointer requests_;
  InterfaceSettings interface_settings_;
  bool applied_ = false;
  bool routes_doubtful_ = false;  // dump the routes again
  bool all_doubtful_ = false;     // dump everything again

  std::vector<TwinConfiguration> twins_;
  // By twin name: what we have added and may remove.
  std::map<std::string, std::set<net::Prefix>> own_addresses_;
  std::map<int, KernelLink> links_;
  std::map<int, InterfaceIndex> interface_by_link_;
  std::vector<int> link_by_interface_;  // 0: no twin
  RouteSelection selection_;
  std::set<net::Prefix> mirrored_;
  std::set<net::Prefix> refused_;
  std::set<net::Prefix> changed_;
  KernelStatistics statistics_;
};

InterfaceIndex KernelMirror::Implementation::interface_of(int link) const {
  const auto row = interface_by_link_.find(link);
  return row == interface_by_link_.end() ? kNoInterface : row->second;
}

int KernelMirror::Implementation::link_of(InterfaceIndex interface) const {
  return interface < link_by_interface_.size() ? link_by_interface_[interface] : 0;
}

void KernelMirror::Implementation::match_links() {
  interface_by_link_.clear();
  link_by_interface_.assign(twins_.size(), 0);
  for (const auto& [index, link] : links_) {
    for (std::size_t i = 0; i < twins_.size(); ++i) {
      if (twins_[i].name != link.name) continue;
      interface_by_link_[index] = static_cast<InterfaceIndex>(i);
      link_by_interface_[i] = index;
    }
  }
}

// --- towards the kernel ---

Status KernelMirror::Implementation::apply(const KernelConfiguration& configuration) {
  FirstFault fault;
  twins_ = configuration.twins;
  fault.note(dump_links());
  // Settings first: nothing may be forwarded or learnt in the moment after a link comes up.
  enforce_settings(fault);
  std::vector<KernelAddress> present;
  if (auto addresses = dump_addresses()) {
    present = std::move(*addresses);
  } else {
    fault.note(tl::unexpected<Fault>(addresses.error()));
  }
  for (std::size_t i = 0; i < twins_.size(); ++i) {
    const int link = link_of(static_cast<InterfaceIndex>(i));
    if (link == 0) {
      fault.note(failure("interface " + twins_[i].name, "has no twin in the kernel"));
      continue;
    }
    apply_twin(twins_[i], link, present, fault);
  }
  std::erase_if(own_addresses_, [&](const auto& row) {
    return std::none_of(twins_.begin(), twins_.end(),
                        [&](const TwinConfiguration& twin) { return twin.name == row.first; });
  });
  apply_static_routes(configuration.routes, fault);
  applied_ = true;
  fault.note(resynchronise());
  fault.note(publisher_.publish());
  return fault.take();
}

Status KernelMirror::Implementation::set_mtu(InterfaceIndex interface, uint16_t mtu) {
  const int link = link_of(interface);
  if (link == 0) return failure("interface", "has no twin in the kernel");
  twins_[interface].mtu = mtu;
  return set_link(requests_.get(), link, twins_[interface]);
}

void KernelMirror::Implementation::apply_twin(const TwinConfiguration& twin, int link,
                                              const std::vector<KernelAddress>& present,
                                              FirstFault& fault) {
  fault.note(set_link(requests_.get(), link, twin));
  std::set<net::Prefix> wanted(twin.addresses.begin(), twin.addresses.end());
  const std::set<net::Prefix> configured = wanted;
  for (const net::IpAddress& address : twin.answered) {
    wanted.insert({address, static_cast<uint8_t>(address.is_v4() ? 32 : 128)});
  }
  std::set<net::Prefix> held;
  for (const KernelAddress& address : present) {
    if (address.link == link) held.insert(address.prefix);
  }
  for (const net::Prefix& prefix : own_addresses_[twin.name]) {
    if (!wanted.contains(prefix)) fault.note(remove_address(requests_.get(), link, prefix));
  }
  // In the order written: the first one is the source of what the box itself sends.
  for (const net::Prefix& prefix : twin.addresses) {
    if (!held.contains(prefix)) fault.note(add_address(requests_.get(), link, prefix, true));
  }
  for (const net::Prefix& prefix : wanted) {
    if (configured.contains(prefix) || held.contains(prefix)) continue;
    fault.note(add_address(requests_.get(), link, prefix, false));
  }
  own_addresses_[twin.name] = std::move(wanted);
}

void KernelMirror::Implementation::apply_static_routes(
    const std::vector<config::StaticRoute>& routes, FirstFault& fault) {
  auto present = dump_routes();
  if (!present) {
    fault.note(tl::unexpected<Fault>(present.error()));
    return;
  }
  std::vector<KernelRoute> wanted;
  for (const config::StaticRoute& route : routes) {
    const int link = route.interface ? link_of(*route.interface) : 0;
    if (route.interface && link == 0) {
      fault.note(failure("route " + route.destination.to_string(),
                         "its interface has no twin in the kernel"));
      continue;
    }
    wanted.push_back(as_kernel_route(route, link));
  }
  for (const KernelRoute& route : *present) {
    if (route.protocol != kRouteProtocol || route.table != RT_TABLE_MAIN) continue;
    const bool stays = std::any_of(wanted.begin(), wanted.end(), [&](const KernelRoute& other) {
      return other.prefix == route.prefix && other.metric == route.metric;
    });
    if (!stays) fault.note(remove_route(requests_.get(), route));
  }
  for (const KernelRoute& route : wanted) fault.note(add_route(requests_.get(), route));
}

void KernelMirror::Implementation::enforce_settings(FirstFault& fault) {
  for (const TwinConfiguration& twin : twins_) {
    auto changed = interface_settings_.enforce(twin.name);
    if (!changed) {
      fault.note(tl::unexpected<Fault>(changed.error()));
    } else if (applied_) {
      statistics_.corrected_settings += *changed;
    }
  }
}

void KernelMirror::Implementation::resolve(uint16_t interface, const net::IpAddress& address) {
  ++statistics_.resolve_requests;
  const int link = link_of(interface);
  if (link == 0) return;
  const NeighbourIndex known = publisher_.neighbours().find(interface, address);
  const bool usable = known != kNoNeighbour &&
                      publisher_.neighbours().state(known) != NeighbourState::Failed &&
                      publisher_.neighbours().state(known) != NeighbourState::Incomplete;
  if (!usable) {
    // The slot comes first, so that the index is stable from the first packet on.
    if (!publisher_.replace_neighbour({interface, address, {}, NeighbourState::Incomplete})) {
      ++statistics_.refused_neighbours;
      return;
    }
  }
  if (!use_neighbour(requests_.get(), link, address) && !usable) {
    (void)publisher_.replace_neighbour({interface, address, {}, NeighbourState::Failed});
  }
}

// --- from the kernel ---

Status KernelMirror::Implementation::dump_links() {
  Status status = dump(
      requests_.get(), RTM_GETLINK, AF_UNSPEC,
      [&](const NetlinkObject& object) {
        if (auto link = read_link(object.object)) links_[link->index] = *link;
      },
      [&] { links_.clear(); });
  match_links();
  return status;
}

Result<std::vector<KernelAddress>> KernelMirror::Implementation::dump_addresses() {
  std::vector<KernelAddress> addresses;
  const Status status = dump(
      requests_.get(), RTM_GETADDR, AF_UNSPEC,
      [&](const NetlinkObject& object) {
        if (auto address = read_address(object.object)) addresses.push_back(*address);
      },
      [&] { addresses.clear(); });
  if (!status) return tl::unexpected<Fault>(status.error());
  return addresses;
}

Result<std::vector<KernelRoute>> KernelMirror::Implementation::dump_routes() {
  std::vector<KernelRoute> routes;
  for (const int family : {AF_INET, AF_INET6}) {
    const std::size_t before = routes.size();
    const Status status = dump(
        requests_.get(), RTM_GETROUTE, family,
        [&](const NetlinkObject& object) {
          if (auto route = read_route(object.object)) routes.push_back(std::move(*route));
        },
        [&] { routes.resize(before); });
    if (!status) return tl::unexpected<Fault>(status.error());
  }
  return routes;
}

void KernelMirror::Implementation::mirror_prefix(const net::Prefix& prefix) {
  refused_.erase(prefix);
  const auto entry = selection_.best(prefix, link_map());
  if (!entry) {
    publisher_.remove_route(prefix);
    mirrored_.erase(prefix);
    return;
  }
  if (publisher_.replace_route(*entry)) {
    mirrored_.insert(prefix);
    return;
  }
  ++statistics_.refused_routes;
  refused_.insert(prefix);
}

Status KernelMirror::Implementation::mirror_all_routes() {
  auto routes = dump_routes();
  if (!routes) return tl::unexpected<Fault>(routes.error());
  selection_ = RouteSelection{};
  for (const KernelRoute& route : *routes) {
    if (RouteSelection::is_mirrored(route)) {
      selection_.add(route, RouteSelection::Placement::Append);
    }
  }
  // Removals first: they make room at the bound.
  const std::set<net::Prefix> wanted = selection_.prefixes();
  std::set<net::Prefix> gone;
  std::set_difference(mirrored_.begin(), mirrored_.end(), wanted.begin(), wanted.end(),
                      std::inserter(gone, gone.end()));
  for (const net::Prefix& prefix : gone) mirror_prefix(prefix);
  for (const net::Prefix& prefix : wanted) mirror_prefix(prefix);
  changed_.clear();
  routes_doubtful_ = false;
  return publisher_.replace_route(link_local_guard());
}

Status KernelMirror::Implementation::mirror_all_neighbours() {
  std::vector<KernelNeighbour> neighbours;
  for (const int family : {AF_INET, AF_INET6}) {
    const std::size_t before = neighbours.size();
    const Status status = dump(
        requests_.get(), RTM_GETNEIGH, family,
        [&](const NetlinkObject& object) {
          if (auto neighbour = read_neighbour(object.object)) neighbours.push_back(*neighbour);
        },
        [&] { neighbours.resize(before); });
    if (!status) return status;
  }
  std::set<std::pair<InterfaceIndex, net::IpAddress>> seen;
  for (const KernelNeighbour& neighbour : neighbours) {
    seen.insert({interface_of(neighbour.link), neighbour.address});
    on_neighbour(neighbour, false);
  }
  for (const NeighbourRow& row : publisher_.neighbours().rows()) {
    if (!seen.contains({row.interface, row.address})) {
      publisher_.remove_neighbour(row.interface, row.address);
    }
  }
  return {};
}

Status KernelMirror::Implementation::resynchronise() {
  ++statistics_.resynchronisations;
  all_doubtful_ = false;
  FirstFault fault;
  fault.note(dump_links());
  fault.note(mirror_all_routes());
  fault.note(mirror_all_neighbours());
  return fault.take();
}

void KernelMirror::Implementation::on_event(const NetlinkObject& event) {
  ++statistics_.messages;
  switch (event.type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      if (auto link = read_link(event.object)) on_link(*link, event.type == RTM_DELLINK);
      return;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      if (auto route = read_route(event.object)) {
        on_route(*route, event.flags, event.type == RTM_DELROUTE);
      }
      return;
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      if (auto neighbour = read_neighbour(event.object)) {
        on_neighbour(*neighbour, event.type == RTM_DELNEIGH);
      }
      return;
    case RTM_DELADDR:
      // The kernel drops routes that used the address as their source without telling.
      routes_doubtful_ = true;
      return;
    default:
      return;
  }
}

void KernelMirror::Implementation::on_link(const KernelLink& link, bool removed) {
  const auto known = links_.find(link.index);
  if (removed) {
    const InterfaceIndex interface = interface_of(link.index);
    if (known != links_.end()) links_.erase(known);
    match_links();
    if (interface != kNoInterface) publisher_.remove_neighbours(interface);
    routes_doubtful_ = true;
    return;
  }
  const bool changed = known == links_.end() || known->second.name != link.name ||
                       known->second.up != link.up || known->second.running != link.running;
  links_[link.index] = link;
  if (changed) match_links();
  // IPv4 routes over a link that goes down vanish without a message, and a new or renamed twin
  // gives old routes a new meaning.
  if (changed) all_doubtful_ = true;
}

void KernelMirror::Implementation::on_route(const KernelRoute& route, int flags, bool removed) {
  if (!RouteSelection::is_mirrored(route)) return;
  if (removed) {
    if (!selection_.remove(route)) routes_doubtful_ = true;
  } else {
    auto placement = RouteSelection::Placement::Unstated;
    if ((flags & NLM_F_APPEND) != 0) placement = RouteSelection::Placement::Append;
    if ((flags & NLM_F_REPLACE) != 0) placement = RouteSelection::Placement::Replace;
    selection_.add(route, placement);
  }
  changed_.insert(route.prefix);
}

void KernelMirror::Implementation::on_neighbour(const KernelNeighbour& neighbour, bool removed) {
  const InterfaceIndex interface = interface_of(neighbour.link);
  if (interface == kNoInterface) return;
  if (removed) {
    publisher_.remove_neighbour(interface, neighbour.address);
    return;
  }
  if (!publisher_.replace_neighbour(
          {interface, neighbour.address, neighbour.mac, neighbour.state})) {
    ++statistics_.refused_neighbours;
  }
}

Status KernelMirror::Implementation::process_events() {
  if (!applied_) return {};
  FirstFault fault;
  const auto handler = [&](const NetlinkObject& event) { on_event(event); };
  for (uint32_t taken = 0; taken < settings_.messages_per_call; ++taken) {
    const ReceiveOutcome outcome = receive_events(events_.get(), handler);
    if (outcome == ReceiveOutcome::Nothing) break;
    if (outcome == ReceiveOutcome::Received) continue;
    if (outcome == ReceiveOutcome::Overrun) ++statistics_.overruns;
    all_doubtful_ = true;
    if (outcome == ReceiveOutcome::Failed) break;
  }
  if (all_doubtful_) {
    fault.note(resynchronise());
  } else if (routes_doubtful_) {
    ++statistics_.resynchronisations;
    fault.note(mirror_all_routes());
  }
  for (const net::Prefix& prefix : changed_) mirror_prefix(prefix);
  changed_.clear();
  fault.note(publisher_.publish());
  return fault.take();
}

Status KernelMirror::Implementation::tick() {
  if (!applied_) return {};
  FirstFault fault;
  enforce_settings(fault);
  NeighbourTable& table = publisher_.neighbours();
  for (const NeighbourRow& row : table.rows()) {
    if (row.state != NeighbourState::Stale || !table.take_used(row.index)) continue;
    if (const int link = link_of(row.interface); link != 0) {
      // A refusal shows up as the neighbour's own failure.
      (void)use_neighbour(requests_.get(), link, row.address);
    }
  }
  std::vector<net::Prefix> again;
  for (const net::Prefix& prefix : refused_) {
    if (again.size() == kRetriesPerTick) break;
    again.push_back(prefix);
  }
  const uint64_t refused_before = statistics_.refused_routes;
  for (const net::Prefix& prefix : again) mirror_prefix(prefix);
  statistics_.refused_routes = refused_before;
  fault.note(publisher_.publish());
  return fault.take();
}

// --- the public face ---

KernelMirror::KernelMirror(std::unique_ptr<Implementation> implementation) noexcept
    : implementation_(std::move(implementation)) {}
KernelMirror::~KernelMirror() = default;

Result<std::unique_ptr<KernelMirror>> KernelMirror::create(const KernelMirrorSettings& settings,
                                                           ForwardingPublisher& publisher) {
  auto events = open_event_socket(settings.receive_buffer_bytes);
  if (!events) return tl::unexpected<Fault>(events.error());
  auto requests = open_request_socket();
  if (!requests) return tl::unexpected<Fault>(requests.error());
  return std::unique_ptr<KernelMirror>(new KernelMirror(std::make_unique<Implementation>(
      settings, publisher, std::move(*events), std::move(*requests))));
}

Status KernelMirror::apply(const KernelConfiguration& configuration) {
  return implementation_->apply(configuration);
}
Status KernelMirror::set_mtu(InterfaceIndex interface, uint16_t mtu) {
  return implementation_->set_mtu(interface, mtu);
}
int KernelMirror::event_descriptor() const noexcept { return implementation_->descriptor(); }
Status KernelMirror::process_events() { return implementation_->process_events(); }
Status KernelMirror::tick(uint32_t) { return implementation_->tick(); }
void KernelMirror::resolve(uint16_t interface, const net::IpAddress& address) {
  implementation_->resolve(interface, address);
}
KernelStatistics KernelMirror::statistics() const noexcept { return implementation_->statistics(); }

}  // namespace masugata::dataplane
