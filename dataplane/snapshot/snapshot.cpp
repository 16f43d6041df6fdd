// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/snapshot/snapshot.h"

namespace masugata::dataplane {

std::optional<net::IpAddress> SnapshotInterface::address_towards(
    const net::IpAddress& peer) const noexcept {
  const net::Prefix* best = nullptr;
  const bool to_link_local = peer.is_link_local();
  for (const net::Prefix& candidate : addresses) {
    if (candidate.family() != peer.family()) continue;
    if (candidate.contains(peer)) return candidate.address;
    const bool usable_sooner =
        best == nullptr ||
        (best->address.is_link_local() && !candidate.address.is_link_local() && !to_link_local);
    if (usable_sooner) best = &candidate;
  }
  return best == nullptr ? std::nullopt : std::optional(best->address);
}

void VlanTable::resize(size_t ports) {
  std::array<uint16_t, kVlans> empty;
  empty.fill(kNone);
  rows_.resize(ports, empty);
}

bool VlanTable::insert(uint16_t port, uint16_t vlan, InterfaceIndex interface) {
  if (port >= rows_.size() || vlan >= kVlans || rows_[port][vlan] != kNone) return false;
  rows_[port][vlan] = interface;
  return true;
}

}  // namespace masugata::dataplane
