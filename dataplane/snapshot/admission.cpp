// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/snapshot/admission.h"

namespace masugata::dataplane::admission {

namespace {

// 0.0.0.0/8, 127/8, 224/4 and above as a source; ::, ::1, ff00::/8.
bool is_martian_source(const net::IpAddress& source) noexcept {
  if (source.is_multicast() || source.is_loopback() || source.is_unspecified()) return true;
  return source.is_v4() && (source.bytes[12] == 0 || source.bytes[12] >= 240);
}

bool is_martian_destination(const net::IpAddress& destination) noexcept {
  if (destination.is_loopback() || destination.is_unspecified()) return true;
  if (!destination.is_v4() || destination.is_limited_broadcast()) return false;
  return destination.bytes[12] == 0 || destination.bytes[12] >= 240;
}

// DHCP clients and duplicate address detection speak before they have an address; only the
// gateway itself may hear them, which the route decides.
bool may_lack_address(const net::FlowKey& key) noexcept {
  if (!key.source.is_unspecified()) return false;
  return !key.source.is_v4() || key.destination.is_limited_broadcast();
}

// Protocols whose checksum or authentication covers addresses in a way that is not followed:
// DCCP, UDP-Lite and AH.
bool survives_translation(net::Protocol protocol) noexcept {
  constexpr auto kDccp = static_cast<net::Protocol>(33);
  constexpr auto kUdpLite = static_cast<net::Protocol>(136);
  return protocol != kDccp && protocol != kUdpLite && protocol != net::Protocol::Ah;
}

}  // namespace

DropReason check_addresses(const net::FlowKey& key, bool from_self) noexcept {
  if (!from_self && is_martian_source(key.source) && !may_lack_address(key)) {
    return DropReason::MartianSource;
  }
  if (is_martian_destination(key.destination)) return DropReason::MartianDestination;
  if (!from_self && key.source == key.destination) return DropReason::Land;
  return DropReason::None;
}

bool is_group(const net::IpAddress& destination) noexcept {
  return destination.is_multicast() || destination.is_limited_broadcast();
}

DropReason refusal_of_group(const net::IpAddress& destination) noexcept {
  return destination.is_multicast() ? DropReason::MulticastNotForwarded
                                    : DropReason::BroadcastNotForwarded;
}

bool is_exempt_from_reverse_path(const net::IpAddress& source) noexcept {
  return source.is_unspecified() || (!source.is_v4() && source.is_link_local());
}

bool passes_reverse_path(const Snapshot& snapshot, config::AntiSpoofing mode,
                         config::ZoneIndex zone, const Route& route) noexcept {
  if (mode == config::AntiSpoofing::Off) return true;
  // An own address as a source is spoofed on any wire; so is a network's broadcast address.
  if (route.kind != RouteKind::Connected && route.kind != RouteKind::Gateway) return false;
  if (mode == config::AntiSpoofing::Loose) return true;
  return route.interface < snapshot.interfaces.size() &&
         snapshot.interfaces[route.interface].zone == zone;
}

DropReason judge_route(const Snapshot& snapshot, const Route& route, config::ZoneIndex& to_zone,
                       bool& to_self) noexcept {
  switch (route.kind) {
    case RouteKind::Unreachable:
      return DropReason::NoRoute;
    case RouteKind::Blackhole:
      return DropReason::NoRouteBlackhole;
    case RouteKind::Prohibit:
      return DropReason::NoRouteProhibited;
    case RouteKind::Broadcast:
      return DropReason::BroadcastNotForwarded;
    case RouteKind::Local:
      to_zone = config::kSelfZone;
      to_self = true;
      return DropReason::None;
    case RouteKind::Connected:
    case RouteKind::Gateway:
      break;
  }
  if (route.interface >= snapshot.interfaces.size() ||
      snapshot.interfaces[route.interface].zone == kNoZone) {
    return DropReason::EgressNoZone;
  }
  to_zone = snapshot.interfaces[route.interface].zone;
  return DropReason::None;
}

bool apply_policy(const Snapshot& snapshot, const PacketFacts& routed,
                  AdmissionResult& result) noexcept {
  result.policy =
      snapshot.policy->decide(result.from_zone, result.to_zone, routed, snapshot.policy_masks);
  switch (result.policy.action) {
    case config::Action::Permit:
      return true;
    case config::Action::Reject:
      result.verdict = AdmissionVerdict::Reject;
      result.reason = DropReason::PolicyRejected;
      return false;
    case config::Action::Deny:
      break;
  }
  result.verdict = AdmissionVerdict::Drop;
  result.reason = result.policy.rule == kDefaultDeny ? DropReason::PolicyDefaultDenied
                                                     : DropReason::PolicyDenied;
  return false;
}

SourceDecision decide_source(const Snapshot& snapshot, const PacketFacts& routed,
                             const DestinationTranslation& destination,
                             const AdmissionResult& result) noexcept {
  SourceDecision decision;
  if (!result.to_self) {
    decision.plan = snapshot.nat->plan_source(result.from_zone, result.to_zone, routed);
    const bool turns_back =
        destination.translated && destination.hairpin && result.from_zone == result.to_zone;
    if (turns_back && decision.plan.rule == kNoNatRule) {
      decision.hairpin = true;
      decision.plan.kind = SourceTranslationKind::Interface;
    }
  }
  const bool translates =
      destination.translated || decision.plan.kind != SourceTranslationKind::None;
  decision.untranslatable = translates && !survives_translation(routed.key.protocol);
  return decision;
}

void write_keys(const net::FlowKey& original, const net::FlowKey& translated,
                AdmissionResult& result) noexcept {
  result.original = original;
  result.reply = translated.reversed();
  result.forward_rewrite = make_rewrite(original, translated);
  result.reply_rewrite = make_rewrite(result.reply, original.reversed());
}

}  // namespace masugata::dataplane::admission
