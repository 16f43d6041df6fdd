// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "config/checks/vpn_checks.h"
#include "config/reading/readers.h"
#include "config/vpn_algorithms.h"

namespace masugata::config::reading {
namespace {

constexpr uint32_t kShortestRekeySeconds = 60;
constexpr uint64_t kFewestRekeyBytes = 1ULL << 20U;
constexpr size_t kMaximumSelectors = 255;  // RFC 7296 section 3.13

void complain(Context& context, DataNode leaf, const ProposalComplaint& complaint, bool weak) {
  if (complaint.weak_only && weak) {
    context.warning(leaf, complaint.what);
  } else {
    context.error(leaf, complaint.what, complaint.accepted);
  }
}

uint32_t read_rekey_time(Context& context, DataNode leaf, uint32_t otherwise) {
  const uint32_t seconds = number_or(leaf, otherwise);
  if (leaf && seconds < kShortestRekeySeconds) {
    context.error(leaf, "keys cannot be renewed that often",
                  fmt::format("{} seconds or more", kShortestRekeySeconds));
  }
  return seconds;
}

void read_ike(Context& context, DataNode node, VpnExchange& exchange) {
  const DataNode version = node.child("version");
  exchange.ike_version = number_or(version, exchange.ike_version);
  if (version && exchange.ike_version == 1) {
    context.warning(version, "IKE version 1 is obsolete and weaker (RFC 9395)",
                    "version 2; wherever the peer has it");
  }
  if (const DataNode first = node.child("proposal")) {
    exchange.ike_proposals.clear();
    for (const DataNode leaf : node.children("proposal")) {
      const auto complaint = check_ike_proposal(leaf.value(), exchange.ike_version);
      if (complaint) complain(context, leaf, *complaint, exchange.allow_weak);
      exchange.ike_proposals.emplace_back(leaf.value());
    }
  }
  exchange.ike_rekey_seconds =
      read_rekey_time(context, node.child("rekey-time"), exchange.ike_rekey_seconds);
  if (const DataNode leaf = node.child("fragmentation"))
    exchange.ike_fragmentation = leaf.value() == "on";
  if (const DataNode leaf = node.child("mobike")) exchange.mobike = leaf.value() == "on";
  if (const DataNode leaf = node.child("udp-encapsulation"))
    exchange.always_in_udp = leaf.value() == "always";
}

void read_pfs(Context& context, DataNode esp, VpnExchange& exchange) {
  if (!esp.has("pfs")) return;
  exchange.pfs_groups.clear();
  bool off = false;
  for (const DataNode leaf : esp.children("pfs")) {
    if (leaf.value() == "off") {
      off = true;
      continue;
    }
    if (const auto complaint = check_pfs_group(leaf.value()))
      complain(context, leaf, *complaint, exchange.allow_weak);
    exchange.pfs_groups.emplace_back(leaf.value());
  }
  if (off && !exchange.pfs_groups.empty()) {
    context.error(esp.child("pfs"), "'off' stands beside groups", "groups, or off");
  }
}

void read_esp(Context& context, DataNode node, VpnExchange& exchange) {
  if (node.has("proposal")) {
    exchange.esp_proposals.clear();
    for (const DataNode leaf : node.children("proposal")) {
      const auto complaint = check_esp_proposal(leaf.value());
      if (complaint) complain(context, leaf, *complaint, exchange.allow_weak);
      exchange.esp_proposals.emplace_back(leaf.value());
    }
  }
  read_pfs(context, node, exchange);
  exchange.esp_rekey_seconds =
      read_rekey_time(context, node.child("rekey-time"), exchange.esp_rekey_seconds);
  exchange.esp_rekey_bytes = read_size(context, node.child("rekey-bytes"), exchange.esp_rekey_bytes,
                                       kFewestRekeyBytes, 1ULL << 60U);
  exchange.replay_window = number_or(node.child("replay-window"), exchange.replay_window);
  if (const DataNode esn = node.child("esn")) {
    exchange.esn = esn.value() == "on"    ? VpnEsn::On
                   : esn.value() == "off" ? VpnEsn::Off
                                          : VpnEsn::Offer;
  }
  if (const DataNode copy = node.child("copy-dscp")) {
    exchange.copy_dscp = copy.value() == "in"     ? VpnCopyDscp::In
                         : copy.value() == "both" ? VpnCopyDscp::Both
                         : copy.value() == "off"  ? VpnCopyDscp::Off
                                                  : VpnCopyDscp::Out;
  }
}

// What `node` (a profile or a site) says; the rest stays.
void read_exchange(Context& context, DataNode node, VpnExchange& exchange) {
  exchange.allow_weak = exchange.allow_weak || node.has("allow-weak");
  read_ike(context, node.child("ike"), exchange);
  read_esp(context, node.child("esp"), exchange);
  const DataNode dead = node.child("dead-peer");
  exchange.dead_peer_interval_seconds =
      number_or(dead.child("interval"), exchange.dead_peer_interval_seconds);
  exchange.dead_peer_timeout_seconds =
      number_or(dead.child("timeout"), exchange.dead_peer_timeout_seconds);
}

// The defaults are for version 2.
void fit_to_version(VpnExchange& exchange) {
  if (exchange.ike_version != 1) return;
  std::erase_if(exchange.ike_proposals, [](const std::string& proposal) {
    const auto complaint = check_ike_proposal(proposal, 1);
    return complaint && !complaint->weak_only;
  });
}

void read_peer(Context& context, DataNode node, VpnSite& site) {
  const DataNode leaf = node.child("peer");
  site.peer = leaf.value();
  if (site.peer.empty() || site.peer_is_any()) return;
  site.peer_address = net::IpAddress::parse(site.peer);
  if (site.peer_address) {
    if (site.peer_address->is_multicast() || site.peer_address->is_unspecified() ||
        site.peer_address->is_loopback()) {
      context.refuse(leaf);
    }
    return;
  }
  // What looks like an address is meant as one.
  const bool number = site.peer.find_first_not_of("0123456789.") == std::string::npos;
  const bool colon = site.peer.find(':') != std::string::npos;
  if (number || colon) context.refuse(leaf);
}

void read_local_end(Context& context, DataNode node, VpnSite& site) {
  if (const DataNode leaf = node.child("local-interface")) {
    const auto found = context.names.interfaces.find(std::string(leaf.value()));
    if (found == context.names.interfaces.end()) {
      context.refuse_name(leaf, "interface", context.names.interfaces);
    } else if (context.model.interfaces[found->second].kind == InterfaceKind::Tunnel) {
      context.error(leaf, fmt::format("'{}' is a tunnel itself", leaf.value()),
                    "an interface of a port");
    } else {
      site.local_interface = found->second;
    }
  }
  const DataNode leaf = node.child("local-address");
  if (leaf) {
    site.local_address = net::IpAddress::parse(leaf.value());
    if (!site.local_address) context.refuse(leaf);
  }
  const auto family = site.peer_address ? site.peer_address->family() : net::Family::Ipv4;
  bool found = false;
  for (uint16_t i = 0; i < context.model.interfaces.size(); ++i) {
    if (site.local_interface && *site.local_interface != i) continue;
    for (const net::Prefix& own : context.model.interfaces[i].addresses) {
      if (leaf ? own.address != site.local_address
               : !site.local_interface || own.family() != family) {
        continue;
      }
      if (found) break;
      found = true;
      site.local_address = own.address;
      site.local_interface = i;
    }
  }
  if (leaf && site.local_address && !found) {
    context.warning(leaf, fmt::format("no interface has the address {}", leaf.value()));
  }
}

void read_authentication(const schema::DataTree& tree, DataNode node, VpnSite& site) {
  site.identities.local = node.child("local-identity").value();
  site.identities.remote = node.child("remote-identity").value();
  if (const DataNode psk = node.child("psk")) {
    site.psk = Secret(tree.secret(psk));
  } else if (const DataNode file = node.child("psk-file")) {
    site.authentication = VpnAuthentication::PskFile;
    site.psk_file = file.value();
  } else {
    site.authentication = VpnAuthentication::Certificate;
    site.certificate = node.child("certificate").value();
  }
  for (const DataNode leaf : node.children("ca")) site.authorities.emplace_back(leaf.value());
  const std::string_view revocation = node.child("revocation").value();
  site.revocation = revocation == "strict"     ? VpnRevocation::Strict
                    : revocation == "if-named" ? VpnRevocation::IfNamed
                                               : VpnRevocation::Relaxed;
}

void read_beginning(DataNode node, VpnSite& site) {
  const std::string_view role = node.child("role").value();
  site.role = role == "initiate"                        ? VpnRole::Initiate
              : role == "respond" || site.peer_is_any() ? VpnRole::Respond
                                                        : VpnRole::Both;
  const std::string_view start = node.child("start").value();
  site.start = start == "on-traffic" ? VpnStart::OnTraffic
               : start == "by-hand"  ? VpnStart::ByHand
                                     : VpnStart::AtOnce;
}

void read_zone_of_site(Context& context, DataNode node, const VpnSite& site) {
  const DataNode leaf = node.child("zone");
  if (!leaf) return;
  const auto zone = read_zone(context, leaf);
  if (!zone) return;
  if (*zone == kAnyZone || *zone == kSelfZone) {
    context.error(leaf, fmt::format("a tunnel cannot be in the zone {}", leaf.value()));
    return;
  }
  for (const Zone& other : context.model.zones) {
    if (std::find(other.interfaces.begin(), other.interfaces.end(), site.interface) ==
        other.interfaces.end()) {
      continue;
    }
    context.error(leaf, fmt::format("site '{}' is in zone {} already", site.name, other.name),
                  "at most one zone per interface");
    return;
  }
  context.model.zones[*zone].interfaces.push_back(site.interface);
}

// The fewest prefixes that make up `range`.
std::vector<net::Prefix> prefixes_of(net::AddressRange range) {
  std::vector<net::Prefix> prefixes;
  const uint8_t bits = range.first.is_v4() ? 32 : 128;
  while (range.first <= range.last) {
    uint8_t length = bits;
    while (length > 0) {
      const net::AddressRange wider =
          net::Prefix{range.first, static_cast<uint8_t>(length - 1)}.range();
      if (wider.first != range.first || wider.last > range.last) break;
      --length;
    }
    const net::Prefix prefix{range.first, length};
    prefixes.push_back(prefix);
    if (prefix.range().last == range.last) break;
    range.first = prefix.range().last.next();
  }
  return prefixes;
}

void add_routes(Context& context, DataNode node, const VpnSite& site) {
  if (node.has("no-routes") || !site.enabled) return;
  std::map<net::Prefix, const StaticRoute*> known;
  for (const StaticRoute& route : context.model.routes) known.emplace(route.destination, &route);
  std::vector<StaticRoute> added;
  for (const net::AddressRange& range : site.remote_networks) {
    for (const net::Prefix& prefix : prefixes_of(range)) {
      // A default route is the administrator's own choice.
      if (prefix.length == 0) continue;
      const auto same = known.find(prefix);
      if (same == known.end()) {
        StaticRoute route;
        route.destination = prefix;
        route.interface = site.interface;
        route.place = place_of(node);
        added.push_back(route);
      } else if (same->second->interface != site.interface) {
        context.error(node.child("remote-networks"),
                      fmt::format("{} is routed elsewhere on line {}", prefix.to_string(),
                                  same->second->place.line),
                      "no-routes; when that is meant");
      }
    }
  }
  context.model.routes.insert(context.model.routes.end(), added.begin(), added.end());
}

void read_networks(Context& context, DataNode node, VpnSite& site) {
  const auto read = [&](std::string_view statement, std::vector<net::AddressRange>& networks) {
    const auto ranges = read_addresses(context, node, statement);
    if (!ranges) return;
    // Many peers know networks only, no ranges.
    for (const net::AddressRange& range : *ranges) {
      for (const net::Prefix& prefix : prefixes_of(range)) networks.push_back(prefix.range());
    }
    if (networks.size() > kMaximumSelectors) {
      context.error(
          node.child(statement),
          fmt::format("these are {} networks, IKE carries {}", networks.size(), kMaximumSelectors),
          "larger networks");
    }
  };
  read("local-networks", site.local_networks);
  read("remote-networks", site.remote_networks);
  if (!context.has_errors()) add_routes(context, node, site);
}

// FNV-1a over the name, in 31 bits.
uint32_t tunnel_id_of(std::string_view name) {
  uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619U;
  hash = (hash ^ hash >> 31U) & 0x7fffffffU;
  return hash == 0 ? 1 : hash;
}

struct Profile {
  VpnExchange exchange;
  DataNode node;
  bool used = false;
};

void read_site(Context& context, DataNode node, std::map<std::string, Profile>& profiles,
               VpnSite& site) {
  site.description = node.child("description").value();
  site.line = place_of(node).line;
  site.tunnel_id = tunnel_id_of(site.name);
  site.enabled = !node.has("disable");
  read_peer(context, node, site);
  read_local_end(context, node, site);
  read_beginning(node, site);
  if (const DataNode leaf = node.child("profile")) {
    const auto found = profiles.find(std::string(leaf.value()));
    if (found == profiles.end()) {
      context.refuse_name(leaf, "VPN profile", profiles);
    } else {
      found->second.used = true;
      site.exchange = found->second.exchange;
    }
  }
  read_exchange(context, node, site.exchange);
  fit_to_version(site.exchange);
  read_authentication(context.tree(), node.child("authentication"), site);
  site.closed_network = node.has("closed-network");
  site.transport_mode = node.has("transport-mode");
  site.mtu = number_or(node.child("mtu"), site.mtu);
  site.tcp_mss = number_or(node.child("tcp-mss"), site.tcp_mss);
  read_networks(context, node, site);
  read_zone_of_site(context, node, site);
  checks::check_site(context, node, site);
}

}  // namespace

void read_vpn(Context& context) {
  const DataNode vpn = context.tree().top("vpn");
  VpnSettings& settings = context.model.vpn;
  settings.nat_keep_alive_seconds =
      number_or(vpn.child("nat-keep-alive"), settings.nat_keep_alive_seconds);
  std::map<std::string, Profile> profiles;
  for (const DataNode node : vpn.children("profile")) {
    Profile profile;
    profile.node = node;
    read_exchange(context, node, profile.exchange);
    profiles.emplace(node.child("name").value(), std::move(profile));
  }
  std::vector<DataNode> nodes;
  for (const DataNode node : vpn.children("site")) {
    read_site(context, node, profiles, settings.sites[nodes.size()]);
    nodes.push_back(node);
  }
  checks::check_sites_are_apart(context, nodes);
  for (const auto& [name, profile] : profiles) {
    if (!profile.used && !context.has_errors())
      context.warning(profile.node, fmt::format("no site uses the VPN profile '{}'", name));
  }
}

}  // namespace masugata::config::reading
