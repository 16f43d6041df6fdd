// SPDX-License-Identifier: GPL-2.0-or-later
// How large packets into a tunnel may be: what the SA's cipher and headers leave of the path to the
// peer, or what is configured.
#pragma once

#include <cstdint>

#include "dataplane/ipsec/ipsec_gate.h"
#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

// Packet path. Asking costs a few loads while SAs, routes and configuration stay as they are.
class TunnelLimits {
 public:
  // MTU of the tunnel `interface` for `packet`, which leaves by it. The exact one when the outer
  // packet must not be cut, so that the sender learns it or the packet is cut before encryption;
  // the configured one, which may be larger, when it may (RFC 4301 section 8). IPv6 has 1280 at
  // least.
  [[nodiscard]] static uint16_t mtu(const Packet& packet, InterfaceIndex interface,
                                    WorkerContext& context) noexcept;
  // Largest TCP segment without options that leaves the tunnel `interface` in one piece.
  [[nodiscard]] static uint16_t segment(bool ipv4, InterfaceIndex interface,
                                        WorkerContext& context) noexcept;
  // The largest inner packet whose outer one the path carries whole, as far as is known; 0 while
  // there is no SA. Not below 1280 for IPv6 as mtu() is. Any thread that may read all three.
  [[nodiscard]] static uint16_t exact_mtu(InterfaceIndex interface, const IpsecView* view,
                                          const ForwardingView& forwarding,
                                          const RunningConfiguration& configuration) noexcept;
  // The largest packet that passes on the way of an SA's outer packets, which leave by `egress`.
  [[nodiscard]] static uint16_t outer_mtu(const ViewedSa& sa,
                                          const EgressInterface& egress) noexcept {
    const uint16_t learned = sa.outer.path_mtu;
    return learned != 0 && learned < egress.mtu ? learned : egress.mtu;
  }

 private:
  using Limit = IpsecGate::KnownLimit;
  [[nodiscard]] static const Limit& find(InterfaceIndex interface, WorkerContext& context) noexcept;
  static void measure(Limit& limit, const IpsecView* view, const ForwardingView& forwarding,
                      const RunningConfiguration& configuration) noexcept;
};

// MTU and segment size of any interface.
[[nodiscard]] inline uint16_t mtu_for(const Packet& packet, InterfaceIndex interface,
                                      WorkerContext& context) noexcept {
  const EgressInterface& egress = context.configuration->interfaces[interface];
  if (egress.tunnel) [[unlikely]]
    return TunnelLimits::mtu(packet, interface, context);
  return egress.mtu;
}
// 0: any.
[[nodiscard]] inline uint16_t segment_limit_of(bool ipv4, InterfaceIndex interface,
                                               WorkerContext& context) noexcept {
  const EgressInterface& egress = context.configuration->interfaces[interface];
  if (egress.tunnel) [[unlikely]]
    return TunnelLimits::segment(ipv4, interface, context);
  return ipv4 ? egress.mss_ipv4 : egress.mss_ipv6;
}

}  // namespace masugata::dataplane
