// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/twin_mtus.h"

#include <algorithm>

#include "dataplane/forwarding/forwarding_view.h"
#include "dataplane/ipsec/tunnel_limits.h"

namespace masugata::dataplane {
namespace {

constexpr uint16_t kMinimumIpv6Mtu = 1280;  // RFC 8200 section 5

}  // namespace

void TwinMtus::tick() {
  const IpsecView* view = targets_.view();
  if (view == nullptr) return;
  const ForwardingView& forwarding = targets_.forwarding();
  const RunningConfiguration& configuration = targets_.configuration();
  const bool same = looked_ && view_ == view->generation && routes_ == forwarding.generation() &&
                    configuration_ == configuration.epoch;
  if (same) return;
  if (!looked_ || configuration_ != configuration.epoch) twins_.clear();
  looked_ = true;
  view_ = view->generation;
  routes_ = forwarding.generation();
  configuration_ = configuration.epoch;
  for (const TunnelView& tunnel : view->tunnels) {
    if (tunnel.interface >= configuration.interfaces.size()) continue;
    const EgressInterface& interface = configuration.interfaces[tunnel.interface];
    if (!interface.tunnel || interface.tunnel_mtu_configured) continue;
    const uint16_t exact =
        TunnelLimits::exact_mtu(tunnel.interface, view, forwarding, configuration);
    if (exact == 0) continue;
    const uint16_t mtu = std::max(exact, kMinimumIpv6Mtu);
    auto twin = std::find_if(twins_.begin(), twins_.end(), [&tunnel](const Twin& each) {
      return each.tunnel == tunnel.interface;
    });
    if (twin == twins_.end()) twin = twins_.insert(twins_.end(), {tunnel.interface, 0});
    if (twin->mtu == mtu) continue;
    // Not tried again before something changes.
    twin->mtu = mtu;
    if (const Status done = targets_.set(tunnel.interface, mtu); !done) {
      targets_.log(true, done.error().message());
    }
  }
}

}  // namespace masugata::dataplane
