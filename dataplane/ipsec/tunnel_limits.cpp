// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/tunnel_limits.h"

#include <algorithm>

#include "ipsec/esp/packet_size.h"
#include "net/headers/ipv4.h"
#include "net/headers/ipv6.h"

namespace masugata::dataplane {
namespace {

constexpr uint16_t kMinimumIpv6Mtu = 1280;  // RFC 8200 section 5
constexpr uint16_t kTcpHeaderBytes = 20;
constexpr uint16_t kUsualMtu = 1500;

ipsec::EspShape shape_of(const ViewedSa& sa) noexcept {
  return {sa.installed->sa->transform(), sa.installed->mode, sa.outer.remote.family(),
          sa.outer.udp.enabled()};
}

uint16_t path_of(const ViewedSa& sa, const ForwardingView& forwarding,
                 const RunningConfiguration& configuration) noexcept {
  EgressInterface below;
  below.mtu = kUsualMtu;
  net::FlowKey key;
  key.source = sa.outer.local;
  key.destination = sa.outer.remote;
  const Route& route = forwarding.lookup(sa.outer.remote, net::symmetric_flow_hash(key));
  const auto& interfaces = configuration.interfaces;
  const bool leaves = route.interface < interfaces.size() && !interfaces[route.interface].tunnel;
  return TunnelLimits::outer_mtu(sa, leaves ? interfaces[route.interface] : below);
}

}  // namespace

void TunnelLimits::measure(Limit& limit, const IpsecView* view, const ForwardingView& forwarding,
                           const RunningConfiguration& configuration) noexcept {
  const TunnelView* tunnel = view == nullptr ? nullptr : view->find_tunnel(limit.tunnel);
  limit.exact_mtu = 0;
  limit.df_outside = false;
  limit.breakable = true;
  if (tunnel == nullptr) return;
  for (const OutboundChoice& choice : tunnel->choices) {
    if (choice.sa == kNoSa) continue;
    const ViewedSa& sa = view->sas[choice.sa];
    const uint32_t fits =
        ipsec::maximum_inner_size(shape_of(sa), path_of(sa, forwarding, configuration));
    const auto mtu = static_cast<uint16_t>(std::min<uint32_t>(fits, 0xffff));
    limit.exact_mtu = limit.exact_mtu == 0 ? mtu : std::min(limit.exact_mtu, mtu);
    limit.df_outside |= sa.installed->df == ipsec::DfHandling::Set;
    limit.breakable &= sa.installed->df == ipsec::DfHandling::Clear;
  }
}

uint16_t TunnelLimits::exact_mtu(InterfaceIndex interface, const IpsecView* view,
                                 const ForwardingView& forwarding,
                                 const RunningConfiguration& configuration) noexcept {
  Limit limit;
  limit.tunnel = interface;
  measure(limit, view, forwarding, configuration);
  return limit.exact_mtu;
}

const IpsecGate::KnownLimit& TunnelLimits::find(InterfaceIndex interface,
                                                WorkerContext& context) noexcept {
  const IpsecView* view = context.ipsec->view();
  const uint32_t generation = view == nullptr ? 0 : view->generation;
  Limit& limit = context.ipsec->limits_[interface % IpsecGate::kKnownLimits];
  const bool current = limit.tunnel == interface && limit.view == generation &&
                       limit.routes == context.forwarding->generation() &&
                       limit.configuration == context.configuration->epoch;
  if (current) return limit;
  limit.tunnel = interface;
  limit.view = generation;
  limit.routes = context.forwarding->generation();
  limit.configuration = context.configuration->epoch;
  measure(limit, view, *context.forwarding, *context.configuration);
  // Without an SA nothing leaves; until there is one sizes are guessed.
  if (limit.exact_mtu == 0) {
    limit.exact_mtu = context.configuration->interfaces[interface].tunnel_mtu;
  }
  return limit;
}

uint16_t TunnelLimits::mtu(const Packet& packet, InterfaceIndex interface,
                           WorkerContext& context) noexcept {
  const Limit& limit = find(interface, context);
  const EgressInterface& egress = context.configuration->interfaces[interface];
  const bool ipv4 = (packet.network()[0] >> 4U) == 4;
  const bool cut_outside =
      limit.breakable || (!limit.df_outside && ipv4 && !packet.has(kPacketDontFragment));
  uint16_t mtu = limit.exact_mtu;
  if (egress.tunnel_mtu_configured) {
    mtu = cut_outside ? egress.tunnel_mtu : std::min(mtu, egress.tunnel_mtu);
  }
  return ipv4 ? mtu : std::max(mtu, kMinimumIpv6Mtu);
}

uint16_t TunnelLimits::segment(bool ipv4, InterfaceIndex interface,
                               WorkerContext& context) noexcept {
  const EgressInterface& egress = context.configuration->interfaces[interface];
  const uint16_t configured = ipv4 ? egress.mss_ipv4 : egress.mss_ipv6;
  if (configured != 0) return configured;
  uint16_t mtu = find(interface, context).exact_mtu;
  if (egress.tunnel_mtu_configured) mtu = std::min(mtu, egress.tunnel_mtu);
  const auto headers = static_cast<uint16_t>(
      kTcpHeaderBytes + (ipv4 ? net::kIpv4MinimumHeaderBytes : net::kIpv6HeaderBytes));
  if (!ipv4) mtu = std::max(mtu, kMinimumIpv6Mtu);
  return mtu > headers ? static_cast<uint16_t>(mtu - headers) : uint16_t{1};
}

}  // namespace masugata::dataplane
