// SPDX-License-Identifier: GPL-2.0-or-later
// Tunnels of the running gateway, for the control socket.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/model.h"
#include "dataplane/control/vpn_state.h"
#include "dataplane/ipsec/ipsec_manager.h"
#include "dataplane/ipsec/key_exchange.h"
#include "dataplane/ipsec/path_probe.h"
#include "dataplane/ipsec/vpn_diagnosis.h"

namespace masugata::dataplane {

// What the packet path knows of charon's SAs is put into `site`: both sides' SPIs are charon's.
void add_counters(const std::vector<SaStatus>& sas, ipsec::SiteStatus& site);

// The zone of a site; empty when its interface has none.
[[nodiscard]] std::string zone_of(const config::Model& model, const config::VpnSite& site);

// Control thread. Everything outlives it.
class RunningVpn final : public control::VpnState {
 public:
  RunningVpn(KeyExchange& exchange, VpnDiagnosis& diagnosis, control::EventLoop& loop,
             PathProbeTargets targets);
  ~RunningVpn() override;

  void status(const std::string& site, StatusCallback done) override;
  void act(const std::string& site, ipsec::SiteAction action, DoneCallback done) override;
  void probe(const std::string& site, std::optional<net::IpAddress> host,
             ProbeCallback done) override;

 private:
  [[nodiscard]] control::VpnStatus now(const std::string& site) const;

  KeyExchange& exchange_;
  VpnDiagnosis& diagnosis_;
  const IpsecManager& manager_;
  control::EventLoop& loop_;
  std::function<const config::Model&()> model_;
  PathProbe probe_;
  control::EventLoop::TimerId probe_timer_ = 0;
};

}  // namespace masugata::dataplane
