// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/nat/source_allocation.h"

namespace masugata::dataplane {

net::IpAddress pool_address_for(const CompiledPool& pool, const net::IpAddress& inside,
                                const net::HashSecret& secret, uint32_t attempt) noexcept {
  net::FlowKey host;  // the host alone: every flow of it gets the same address
  host.source = inside;
  const uint64_t hash = net::hash_flow(host, secret);
  const auto first = static_cast<uint32_t>((hash >> 32U) * pool.address_count >> 32U);
  return pool.address_at(static_cast<uint32_t>((uint64_t{first} + attempt) % pool.address_count));
}

bool has_translatable_ports(const net::FlowKey& key, bool has_ports) noexcept {
  switch (key.protocol) {
    case net::Protocol::Tcp:
    case net::Protocol::Udp:
    case net::Protocol::Icmp:
    case net::Protocol::Icmpv6:
      return has_ports;
    default:
      return false;
  }
}

}  // namespace masugata::dataplane
