// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel/site_routes.h"

#include <algorithm>

namespace masugata::dataplane {
namespace {

using Number = unsigned __int128;

Number number_of(const net::IpAddress& address) {
  Number number = 0;
  for (const uint8_t byte : address.bytes) number = (number << 8U) | byte;
  return number;
}

net::IpAddress address_of(Number number) {
  std::array<uint8_t, 16> bytes{};
  for (size_t i = bytes.size(); i-- > 0; number >>= 8U) bytes[i] = static_cast<uint8_t>(number);
  return net::IpAddress::from_v6(bytes.data());
}

}  // namespace

std::vector<net::Prefix> prefixes_of(const net::AddressRange& range) {
  const uint32_t bits = range.first.is_v4() ? 32 : 128;
  std::vector<net::Prefix> prefixes;
  Number first = number_of(range.first);
  const Number last = number_of(range.last);
  while (first <= last) {
    // As large as its first address allows, and as the range is long.
    uint32_t host_bits = 0;
    while (host_bits < bits) {
      const Number larger = (Number{2} << host_bits) - 1;
      if ((first & larger) != 0 || larger > last - first) break;
      ++host_bits;
    }
    prefixes.push_back({address_of(first), static_cast<uint8_t>(bits - host_bits)});
    const Number step = Number{1} << host_bits;
    if (host_bits == 128 || last - first < step) break;
    first += step;
  }
  return prefixes;
}

std::vector<config::StaticRoute> routes_to_sites(const config::Model& model) {
  std::vector<config::StaticRoute> routes;
  const auto is_written = [](const std::vector<config::StaticRoute>& known,
                             const net::Prefix& prefix) {
    return std::any_of(known.begin(), known.end(), [&prefix](const config::StaticRoute& route) {
      return route.destination.network() == prefix;
    });
  };
  for (const config::VpnSite& site : model.vpn.sites) {
    if (!site.enabled) continue;
    for (const net::AddressRange& range : site.remote_networks) {
      for (const net::Prefix& prefix : prefixes_of(range)) {
        if (prefix.length == 0 || is_written(model.routes, prefix) || is_written(routes, prefix)) {
          continue;
        }
        config::StaticRoute route;
        route.destination = prefix;
        route.interface = site.interface;
        routes.push_back(route);
      }
    }
  }
  return routes;
}

}  // namespace masugata::dataplane
