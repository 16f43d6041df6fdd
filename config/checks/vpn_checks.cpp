// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/checks/vpn_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace masugata::config::checks {
namespace {

using reading::Context;
using schema::DataNode;

bool leads_everywhere(const std::vector<net::AddressRange>& ranges) {
  if (ranges.empty()) return true;
  const auto everything = net::AddressRange::parse("0.0.0.0/0");
  return std::find(ranges.begin(), ranges.end(), *everything) != ranges.end();
}

void check_authentication(Context& context, DataNode node, const VpnSite& site) {
  const DataNode authentication = node.child("authentication");
  constexpr size_t kShortSecretBytes = 20;
  if (site.authentication == VpnAuthentication::Psk && !site.psk.empty() &&
      site.psk.reveal().size() < kShortSecretBytes) {
    context.warning(authentication.child("psk"),
                    "the secret is short: whoever records one handshake can try to guess it",
                    fmt::format("{} bytes or more, for example from `openssl rand -base64 24`",
                                kShortSecretBytes));
  }
  if (site.authentication == VpnAuthentication::Certificate && site.authorities.empty()) {
    context.error(authentication, "nothing says whose certificates the peer may have", "ca NAME;");
  }
  if (site.peer_is_any() && site.identities.remote.empty()) {
    context.error(authentication,
                  "a peer of any address is told apart from others by its identity only",
                  "remote-identity IDENTITY;");
  }
}

void check_ends(Context& context, DataNode node, const VpnSite& site) {
  if (site.peer_address && site.local_address &&
      site.peer_address->family() != site.local_address->family()) {
    context.error(node.child("peer"),
                  fmt::format("the peer's address and ours, {}, are of different families",
                              site.local_address->to_string()));
  }
  const DataNode role = node.child("role");
  if (site.peer_is_any() && role && role.value() != "respond") {
    context.error(role, "this side cannot begin: the peer's address is not known", "role respond;");
  }
}

void check_closed_network(Context& context, DataNode node, const VpnSite& site) {
  if (!site.closed_network) return;
  const DataNode word = node.child("closed-network");
  if (!site.local_interface) {
    context.error(word, "nothing says which interface is closed", "local-interface NAME;");
    return;
  }
  if (!leads_everywhere(site.remote_networks)) {
    context.error(node.child("remote-networks"),
                  "the only exit of a closed network must lead everywhere",
                  "remote-networks 0.0.0.0/0; or none");
  }
}

bool in_one_zone(const Model& model, uint16_t one, uint16_t other) {
  return std::any_of(model.zones.begin(), model.zones.end(), [&](const Zone& zone) {
    const auto has = [&zone](uint16_t interface) {
      return std::find(zone.interfaces.begin(), zone.interfaces.end(), interface) !=
             zone.interfaces.end();
    };
    return has(one) && has(other);
  });
}

void check_transport_mode(Context& context, DataNode node, const VpnSite& site) {
  if (!site.transport_mode) return;
  const DataNode word = node.child("transport-mode");
  if (!site.peer_address) {
    context.error(node.child("peer"), "transport mode is for a peer whose address is known",
                  "an address");
  }
  if (!site.local_interface) {
    context.error(word, "nothing says by which interface the peer is reached",
                  "local-interface NAME;");
  } else if (in_one_zone(context.model, site.interface, *site.local_interface)) {
    context.error(
        node.child("zone"),
        "in the zone of the interface below, what is protected would not be told from what "
        "is not",
        "a zone of its own");
  }
  for (const char* statement : {"local-networks", "remote-networks", "closed-network"}) {
    if (!node.child(statement)) continue;
    context.error(
        node.child(statement),
        "transport mode is for what the gateway itself and the peer send, not for networks");
  }
  if (site.exchange.always_in_udp) {
    context.error(word, "transport mode cannot be in UDP", "udp-encapsulation auto;");
  }
}

}  // namespace

void check_site(Context& context, DataNode node, const VpnSite& site) {
  check_ends(context, node, site);
  check_authentication(context, node, site);
  check_closed_network(context, node, site);
  check_transport_mode(context, node, site);
}

void check_sites_are_apart(Context& context, const std::vector<DataNode>& nodes) {
  std::map<std::string, std::string> by_peer;
  std::map<uint32_t, std::string> by_tunnel_id;
  std::map<uint16_t, std::string> by_closed_interface;
  std::map<net::IpAddress, std::string> by_protected_peer;
  const std::vector<VpnSite>& sites = context.model.vpn.sites;
  for (size_t i = 0; i < sites.size() && i < nodes.size(); ++i) {
    const VpnSite& site = sites[i];
    if (const auto [same, added] = by_tunnel_id.try_emplace(site.tunnel_id, site.name); !added) {
      context.error(nodes[i], fmt::format("the name is taken for '{}' by charon", same->second),
                    "another name");
    }
    if (site.transport_mode && site.peer_address) {
      const auto [other, first] = by_protected_peer.try_emplace(*site.peer_address, site.name);
      if (!first) {
        context.error(nodes[i].child("transport-mode"),
                      fmt::format("site {} protects the same peer", other->second));
      }
    }
    if (!site.enabled) continue;
    const auto [same, added] = by_peer.try_emplace(
        fmt::format("{} {} {}", site.peer, site.identities.remote, site.identities.local),
        site.name);
    if (!added) {
      context.error(nodes[i], fmt::format("site {} has the same peer and identities", same->second),
                    "one site with the networks of both, or other identities");
    }
    if (!site.closed_network || !site.local_interface) continue;
    const auto [closed, first] = by_closed_interface.try_emplace(*site.local_interface, site.name);
    if (!first) {
      context.error(
          nodes[i].child("closed-network"),
          fmt::format("interface {} is closed by site {} already",
                      context.model.interfaces[*site.local_interface].name, closed->second));
    }
  }
}

}  // namespace masugata::config::checks
