// SPDX-License-Identifier: GPL-2.0-or-later
// Everything that workers read of the configuration, published as one pointer.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/antivirus/antivirus_slot.h"
#include "dataplane/identifiers.h"
#include "dataplane/inspection/inspection_set.h"
#include "dataplane/pipeline/counters.h"
#include "dataplane/session/session_tracker.h"
#include "dataplane/snapshot/snapshot.h"
#include "net/address.h"

namespace masugata::dataplane {

inline constexpr uint16_t kNoPort = 0xffff;

// What the packet path needs of a logical interface, half a cache line.
struct alignas(32) EgressInterface {
  net::MacAddress mac;      // of the port
  uint16_t port = kNoPort;  // DPDK port id; kNoPort: the port is not there
  uint16_t vlan = 0;        // 0 = untagged
  uint16_t mtu = 1500;      // bytes of the IP packet; of a tunnel 0: tunnel_limits.h knows
  uint16_t mss_ipv4 = 0;    // clamp, 0 = none, of a tunnel: from what fits into it
  uint16_t mss_ipv6 = 0;
  uint16_t twin = 0xffff;  // TwinId of the kernel's twin
  uint16_t zone = kNoZone;
  bool port_sums_tcp = false;  // the port completes TCP checksums of both families
  bool tunnel = false;         // has no port: what leaves by it is encrypted
  // Of a tunnel: its MTU as configured, or what is supposed while it has no SA.
  uint16_t tunnel_mtu = 0;
  bool tunnel_mtu_configured = false;
  // Of a tunnel: it is none, but protects what the gateway itself sends and receives (transport
  // mode). `twin` and `mac` are those of the interface below.
  bool transport = false;
};
static_assert(sizeof(EgressInterface) == 32);

// Per worker and per interface or rule; only that worker writes.
struct InterfaceCounters {
  RelaxedCounter received_packets;
  RelaxedCounter received_bytes;
  RelaxedCounter sent_packets;
  RelaxedCounter sent_bytes;
};

struct RuleCounters {
  RelaxedCounter hits;
  RelaxedCounter last_hit_ms;  // worker clock + 1; 0 = never
};

// Counters whose indexes mean something only within one configuration.
struct ConfigurationCounters {
  std::vector<InterfaceCounters> interfaces;
  std::vector<RuleCounters> policy_rules;  // by RuleId
  std::vector<RuleCounters> nat_rules;     // by NatRuleId
};

// Immutable while published, but for the counters. Made and freed by the control thread.
struct RunningConfiguration {
  uint32_t epoch = 0;  // differs from the configuration before; wraps in 12 bits
  // The first epoch since when rules and zones have the numbers that they have now.
  uint32_t numbering_epoch = 0;
  std::shared_ptr<const Snapshot> snapshot;
  TrackingSettings tracking;
  // By index of Snapshot::policy->inspection_profiles(): whose engine inspects, or none.
  std::vector<InspectionSlotIndex> inspection_slots;
  // Likewise: whose antivirus profile, or none.
  std::vector<AntivirusSlotIndex> antivirus_slots;
  std::vector<EgressInterface> interfaces;              // as Snapshot::interfaces
  mutable std::vector<ConfigurationCounters> counters;  // by worker
};

}  // namespace masugata::dataplane
