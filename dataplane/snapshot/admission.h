// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a new session may be, and how: the one function that packets and `masugata explain` run.
//
// Order: source check (martian, anti-spoofing) - destination and static NAT - route of the
// translated destination - zones - policy (source before, destination after translation) - source
// NAT, hairpin. Limits per source and SYN cookies are the caller's, before this. A session's reply
// packets need no admission.
#pragma once

#include <concepts>
#include <cstdint>

#include "dataplane/forwarding/route.h"
#include "dataplane/nat/rewrite.h"
#include "dataplane/nat/source_allocation.h"
#include "dataplane/pipeline/drop_reason.h"
#include "dataplane/snapshot/snapshot.h"

namespace masugata::dataplane {

// The forwarding table as admission needs it: ForwardingView, or a table of a test.
template <class View>
concept RouteSource = requires(const View& view, const net::IpAddress& address, uint32_t hash) {
  { view.lookup(address, hash) } noexcept -> std::convertible_to<const Route&>;
};

enum class AdmissionVerdict : uint8_t {
  Permit,
  Drop,    // silently, for `reason`
  Reject,  // `reason` counts; TCP is answered by RST, everything else by ICMP
};

struct AdmissionResult {
  AdmissionVerdict verdict = AdmissionVerdict::Drop;
  DropReason reason = DropReason::InternalError;  // None for Permit
  config::ZoneIndex from_zone = kNoZone;
  config::ZoneIndex to_zone = kNoZone;  // kNoZone until the route is known
  // Meaningful from Permit; the policy part also for a refusal by policy.
  PolicyDecision policy;
  NatRuleId destination_rule = kNoNatRule;
  NatRuleId source_rule = kNoNatRule;
  bool hairpin = false;
  bool to_self = false;  // deliver to the kernel instead of forwarding
  // The site in transport mode that protects this session of the gateway itself; kNoInterface: it
  // is in clear, or not of the gateway itself.
  InterfaceIndex protector = kNoInterface;
  // Of the translated destination, looked up with symmetric_flow_hash() of the routed key.
  Route route;
  net::FlowKey original;        // as the client sends
  net::FlowKey reply;           // as the server answers; also the session's second key
  FlowRewrite forward_rewrite;  // client to server
  FlowRewrite reply_rewrite;    // server to client
};

// What `explain` and `monitor trace` tell, step by step. Fixed size.
enum class AdmissionStep : uint8_t {
  Start,
  SourceCheck,
  DestinationNat,
  Route,
  Policy,
  SourceNat,
  Done,
};

struct AdmissionTrace {
  AdmissionStep reached = AdmissionStep::Start;  // the last step that was carried out
  config::AntiSpoofing anti_spoofing = config::AntiSpoofing::Off;  // as applied
  bool source_exempt = false;  // link-local or unspecified: no route is asked for
  Route source_route;          // of the source, when anti-spoofing asked
  DestinationTranslation destination;
  net::FlowKey routed;  // key after destination NAT: what route and policy saw
  Route route;
  SourceTranslationPlan source;
  net::FlowKey translated;  // key as it leaves the gateway
};

// Where a packet comes from.
struct AdmissionOrigin {
  InterfaceIndex interface = 0xffff;  // ingress; unused from self
  bool from_self = false;             // sent by the gateway's own kernel
};

// The parts that need neither routes nor probes; admit() calls them, tests may.
namespace admission {

// Martian sources (RFC 6890) that no session may have; None when fine. Decode refuses most of
// them already; `explain` asks without decode. Multicast and limited broadcast are refused here,
// from self too: such packets belong to the kernel and never become sessions.
[[nodiscard]] DropReason check_addresses(const net::FlowKey& key, bool from_self) noexcept;

// Multicast and limited broadcast are never forwarded; the gateway itself may listen (DHCP, routing
// protocols), if policy towards `self` says so.
[[nodiscard]] bool is_group(const net::IpAddress& destination) noexcept;
// What a packet to a group is dropped for when no rule towards `self` speaks of it.
[[nodiscard]] DropReason refusal_of_group(const net::IpAddress& destination) noexcept;

// Link-local sources are only checked for that: no route leads to them.
[[nodiscard]] bool is_exempt_from_reverse_path(const net::IpAddress& source) noexcept;

// Reverse path: does `route` (of the source) lead back into the ingress zone?
[[nodiscard]] bool passes_reverse_path(const Snapshot& snapshot, config::AntiSpoofing mode,
                                       config::ZoneIndex zone, const Route& route) noexcept;

// In a closed network what leads out of a closed interface leads into its tunnel instead. Not for
// what the gateway itself sends.
inline void keep_inside(const Snapshot& snapshot, Route& route) noexcept {
  if (!snapshot.closes_interfaces) [[likely]]
    return;
  if (route.kind != RouteKind::Connected && route.kind != RouteKind::Gateway) return;
  if (route.interface >= snapshot.interfaces.size()) return;
  const InterfaceIndex tunnel = snapshot.interfaces[route.interface].closed_by;
  if (tunnel != kNoInterface) route = Route{RouteKind::Connected, tunnel, {}};
}
// Whether an interface takes and gives packets of the gateway itself only.
[[nodiscard]] inline bool is_closed(const Snapshot& snapshot, InterfaceIndex interface) noexcept {
  return snapshot.closes_interfaces && interface < snapshot.interfaces.size() &&
         snapshot.interfaces[interface].closed_by != kNoInterface;
}

// The site in transport mode that protects packets between the gateway itself and `peer` with this
// key, in either direction; kNoInterface: none. IKE, which makes the SA, goes without.
[[nodiscard]] inline InterfaceIndex protector_of(const Snapshot& snapshot, const net::FlowKey& key,
                                                 const net::IpAddress& peer) noexcept {
  if (snapshot.protected_peers.empty()) [[likely]]
    return kNoInterface;
  const auto is_ike = [](net::Be16 port) { return port.host() == 500 || port.host() == 4500; };
  if (key.protocol == net::Protocol::Udp && is_ike(key.source_port) &&
      is_ike(key.destination_port)) {
    return kNoInterface;
  }
  for (const ProtectedPeer& candidate : snapshot.protected_peers) {
    if (candidate.peer == peer) return candidate.site;
  }
  return kNoInterface;
}

// Zone of the egress, or the reason why there is none.
[[nodiscard]] DropReason judge_route(const Snapshot& snapshot, const Route& route,
                                     config::ZoneIndex& to_zone, bool& to_self) noexcept;

// Runs policy; fills verdict, reason and policy. True when permitted.
[[nodiscard]] bool apply_policy(const Snapshot& snapshot, const PacketFacts& routed,
                                AdmissionResult& result) noexcept;

// Source rules and hairpin. `hairpin_wanted` comes from the destination rule.
struct SourceDecision {
  SourceTranslationPlan plan;
  bool hairpin = false;
  bool untranslatable = false;
};
[[nodiscard]] SourceDecision decide_source(const Snapshot& snapshot, const PacketFacts& routed,
                                           const DestinationTranslation& destination,
                                           const AdmissionResult& result) noexcept;

void write_keys(const net::FlowKey& original, const net::FlowKey& translated,
                AdmissionResult& result) noexcept;

}  // namespace admission

// Decides on the first packet of a session. `secret` is the worker-independent secret of the
// process (pool addresses must not depend on the worker). `trace` may be null.
// noexcept, no allocation. Cost: five classifier look-ups for policy, as many per NAT kind in use,
// one or two route look-ups, and the probes that source NAT needs.
template <RouteSource Routes, PortProbe Probe>
[[nodiscard]] AdmissionResult admit(const Snapshot& snapshot, const Routes& routes,
                                    const PacketFacts& facts, const AdmissionOrigin& origin,
                                    const net::HashSecret& secret, Probe& probe,
                                    AdmissionTrace* trace = nullptr) noexcept;

}  // namespace masugata::dataplane

#include "dataplane/snapshot/admission_inline.h"
