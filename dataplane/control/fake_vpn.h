// SPDX-License-Identifier: GPL-2.0-or-later
// Tunnels for tests of the control socket and the command line: fixed answers, recorded calls.
#pragma once

#include <string>
#include <vector>

#include "dataplane/control/vpn_state.h"

namespace masugata::dataplane::control {

class FakeVpn final : public VpnState {
 public:
  FakeVpn();

  void status(const std::string& site, StatusCallback done) override;
  void act(const std::string& site, ipsec::SiteAction action, DoneCallback done) override;

  void probe(const std::string& site, std::optional<net::IpAddress> host,
             ProbeCallback done) override;

  VpnStatus status_answer;
  Result<std::vector<VpnProbe>> probe_answer;
  Status act_answer;
  std::vector<std::string> calls;  // "osaka 0", the number is that of the action
};

}  // namespace masugata::dataplane::control
