// SPDX-License-Identifier: GPL-2.0-or-later
// Choosing the external address and port of a session. The session table itself is the allocator:
// a candidate is free when no session has its reply key, so one external port serves many
// destinations and nothing has to be given back.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

#include "dataplane/nat/nat_tables.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// True when `reply_key` names no session of this worker and its packets belong to this worker.
template <class Probe>
concept PortProbe = requires(Probe& probe, const net::FlowKey& reply_key) {
  { probe.is_free(reply_key) } noexcept -> std::same_as<bool>;
};

// Bounds on the look-ups that one new session may cost.
inline constexpr uint32_t kRandomPortTries = 64;
inline constexpr uint32_t kSweepPortTries = 512;  // after the random ones, first address only
inline constexpr uint32_t kPoolAddressTries = 4;  // addresses of a pool that are tried
inline constexpr config::PortRange kInterfacePorts{1024, 65535};

// The pool address of an inside host: always the same for the same pool (RFC 4787 REQ-2, "paired").
// `attempt` > 0 gives the addresses to fall back to.
[[nodiscard]] net::IpAddress pool_address_for(const CompiledPool& pool,
                                              const net::IpAddress& inside,
                                              const net::HashSecret& secret,
                                              uint32_t attempt) noexcept;

// A generator for the probing order: unpredictable from outside because it starts from the keyed
// hash of the flow (RFC 6056).
class PortSequence {
 public:
  PortSequence(uint64_t seed, config::PortRange range) noexcept : state_(seed), range_(range) {}
  [[nodiscard]] uint16_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15ULL;
    uint64_t mixed = (state_ ^ (state_ >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
    mixed ^= mixed >> 31U;
    const uint64_t width = uint64_t{range_.last} - range_.first + 1;
    return static_cast<uint16_t>(range_.first + (((mixed >> 32U) * width) >> 32U));
  }

 private:
  uint64_t state_;
  config::PortRange range_;
};

// Whether the protocol's ports may be changed: TCP, UDP and ICMP echo. SCTP keeps its ports: its
// end points check them (RFC 9260 section 3.1).
[[nodiscard]] bool has_translatable_ports(const net::FlowKey& key, bool has_ports) noexcept;

// Writes an identifier or port into a forward key's source side. ICMP keys hold the identifier
// twice.
inline void set_source_port(net::FlowKey& key, net::Be16 port) noexcept {
  key.source_port = port;
  if (key.protocol == net::Protocol::Icmp || key.protocol == net::Protocol::Icmpv6) {
    key.destination_port = port;
  }
}

// Gives `forward` (destination already translated) the source `address` and a free port: the
// port that it has, if `keep` holds it and it is free, else by bounded probing in `ports`
// (`sweep` allows the linear part). Protocols whose ports cannot change only get the address. On
// false `forward` is unspecified.
template <PortProbe Probe>
[[nodiscard]] bool allocate_source(net::FlowKey& forward, const net::IpAddress& address,
                                   config::PortRange keep, config::PortRange ports,
                                   bool translatable, bool sweep, const net::HashSecret& secret,
                                   Probe& probe) noexcept {
  const uint64_t seed = net::hash_flow(forward, secret);
  forward.source = address;
  const uint16_t original = forward.source_port.host();
  const bool keeps = !translatable || (original >= keep.first && original <= keep.last);
  if (keeps && probe.is_free(forward.reversed())) return true;
  if (!translatable) return false;
  PortSequence sequence(seed, ports);
  uint16_t port = ports.first;
  for (uint32_t attempt = 0; attempt < kRandomPortTries; ++attempt) {
    port = sequence.next();
    set_source_port(forward, net::Be16::from_host(port));
    if (probe.is_free(forward.reversed())) return true;
  }
  const uint32_t width = uint32_t{ports.last} - ports.first + 1U;
  const uint32_t steps = !sweep ? 0 : (width < kSweepPortTries ? width : kSweepPortTries);
  for (uint32_t step = 0; step < steps; ++step) {
    port = port == ports.last ? ports.first : static_cast<uint16_t>(port + 1);
    set_source_port(forward, net::Be16::from_host(port));
    if (probe.is_free(forward.reversed())) return true;
  }
  return false;
}

// The same for a pool: the host's own address first, then a bounded number of others.
template <PortProbe Probe>
[[nodiscard]] bool allocate_from_pool(net::FlowKey& forward, const CompiledPool& pool,
                                      bool translatable, const net::HashSecret& secret,
                                      Probe& probe) noexcept {
  const net::FlowKey before = forward;
  const uint32_t tries =
      pool.address_count < kPoolAddressTries ? pool.address_count : kPoolAddressTries;
  for (uint32_t attempt = 0; attempt < tries; ++attempt) {
    forward = before;
    const net::IpAddress address = pool_address_for(pool, before.source, secret, attempt);
    if (allocate_source(forward, address, pool.ports, pool.ports, translatable, attempt == 0,
                        secret, probe)) {
      return true;
    }
  }
  return false;
}

}  // namespace masugata::dataplane
