// SPDX-License-Identifier: GPL-2.0-or-later
#include <net/if.h>

#include <set>
#include <string>

#include "dataplane/kernel/kernel_interface.h"

namespace masugata::dataplane {

namespace {

using AddressSets = std::vector<std::set<net::IpAddress>>;

// The interface whose own network holds the address and which does not own the address itself.
void answer_for(const config::Model& model, const net::IpAddress& address, AddressSets& sets) {
  for (std::size_t i = 0; i < model.interfaces.size(); ++i) {
    for (const net::Prefix& prefix : model.interfaces[i].addresses) {
      if (prefix.address == address) return;
    }
  }
  for (std::size_t i = 0; i < model.interfaces.size(); ++i) {
    for (const net::Prefix& prefix : model.interfaces[i].addresses) {
      if (!prefix.contains(address)) continue;
      const net::AddressRange network = prefix.range();
      const bool ends = address == network.first || address == network.last;
      // The network's own and its broadcast address are nobody's (RFC 919).
      if (!ends || prefix.family() == net::Family::Ipv6 || prefix.length > 30) {
        sets[i].insert(address);
      }
      return;
    }
  }
}

Status answer_for(const config::Model& model, const net::AddressRange& range, std::size_t& budget,
                  AddressSets& sets) {
  for (net::IpAddress address = range.first;; address = address.next()) {
    if (budget-- == 0) {
      return failure("nat", "more than " + std::to_string(kMaximumAnsweredAddresses) +
                                " addresses in pools and translated destinations; use smaller "
                                "ranges, or route them to the gateway");
    }
    answer_for(model, address, sets);
    if (address == range.last) return {};
  }
}

// Ranges that cannot lie in a network of ours (a whole /8 of another) need no walk.
bool touches_own_network(const config::Model& model, const net::AddressRange& range) {
  for (const config::Interface& interface : model.interfaces) {
    for (const net::Prefix& prefix : interface.addresses) {
      const net::AddressRange own = prefix.range();
      if (prefix.family() == range.first.family() && range.first <= own.last &&
          own.first <= range.last) {
        return true;
      }
    }
  }
  return false;
}

std::vector<net::AddressRange> translated_ranges(const config::Model& model) {
  std::vector<net::AddressRange> ranges;
  for (const config::NatPool& pool : model.nat_pools) {
    ranges.insert(ranges.end(), pool.addresses.begin(), pool.addresses.end());
  }
  for (const config::DestinationNatRule& rule : model.destination_nat) {
    if (!rule.translate) continue;
    ranges.insert(ranges.end(), rule.destination.begin(), rule.destination.end());
  }
  for (const config::StaticNatRule& rule : model.static_nat) ranges.push_back(rule.external);
  return ranges;
}

}  // namespace

Result<KernelConfiguration> compile_kernel_configuration(
    const config::Model& model, const std::vector<net::MacAddress>& port_macs) {
  KernelConfiguration configuration;
  configuration.routes = model.routes;
  AddressSets answered(model.interfaces.size());
  std::size_t budget = kMaximumAnsweredAddresses;
  for (const net::AddressRange& range : translated_ranges(model)) {
    if (!touches_own_network(model, range)) continue;
    if (auto status = answer_for(model, range, budget, answered); !status) {
      return tl::unexpected<Fault>(status.error());
    }
  }
  for (std::size_t i = 0; i < model.interfaces.size(); ++i) {
    const config::Interface& interface = model.interfaces[i];
    if (interface.name.empty() || interface.name.size() >= IFNAMSIZ) {
      return failure("interface " + interface.name,
                     "the name must have 1 to 15 characters, as the kernel has an interface of "
                     "that name too");
    }
    const bool tunnel = interface.kind == config::InterfaceKind::Tunnel;
    if (!tunnel && (interface.port >= model.ports.size() || interface.port >= port_macs.size())) {
      return failure("interface " + interface.name, "its port is not open");
    }
    TwinConfiguration twin;
    twin.name = interface.name;
    twin.mac = tunnel ? kTunnelTwinMac : port_macs[interface.port];
    twin.mtu = interface.mtu;
    twin.up = tunnel || model.ports[interface.port].enabled;
    twin.tunnel = tunnel;
    twin.addresses = interface.addresses;
    twin.answered.assign(answered[i].begin(), answered[i].end());
    configuration.twins.push_back(std::move(twin));
  }
  return configuration;
}

}  // namespace masugata::dataplane
