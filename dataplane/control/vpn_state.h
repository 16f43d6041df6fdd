// SPDX-License-Identifier: GPL-2.0-or-later
// What the control socket asks of tunnels.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ipsec/charon/charon_agent.h"
#include "ipsec/charon/site_status.h"
#include "ipsec/diagnosis/explanation.h"
#include "ipsec/diagnosis/path_report.h"
#include "net/address.h"
#include "result/result.h"

namespace masugata::dataplane::control {

struct VpnSite {
  ipsec::SiteStatus status;
  std::optional<uint64_t> since_seconds;  // ago; nothing: not seen yet
  bool held_down = false;                 // by `request vpn SITE down`
  std::string fault;                      // why it is not loaded as configured
  std::string description;
  std::string zone;
  std::string role;                         // both, initiate, respond
  std::vector<std::string> local_networks;  // as configured; none: any
  std::vector<std::string> remote_networks;
};

// Packets of all tunnels that came before charon told of their SA, since the start. Those that wait
// are kept and none of the others.
struct VpnEarlyPackets {
  uint64_t kept = 0;
  uint64_t let_go = 0;   // their SA has come
  uint64_t refused = 0;  // too many: were not kept
  uint64_t expired = 0;  // their SA has not come in time
};

struct VpnStatus {
  bool active = false;  // there is or was a site
  bool charon_there = false;
  std::string charon_version;
  std::string problem;                // why charon is not there
  uint64_t charon_since_seconds = 0;  // ago: there, or not there
  VpnEarlyPackets early;
  std::vector<VpnSite> sites;  // in the order of the configuration
};

// Of one family of addresses inside of a tunnel.
struct VpnProbe {
  ipsec::PathReport report;
  std::optional<ipsec::Explanation> black_hole;
};

// Control thread. Answers come before the call returns or later, exactly once.
class VpnState {
 public:
  using StatusCallback = std::function<void(Result<VpnStatus>)>;
  using DoneCallback = std::function<void(const Status&)>;

  VpnState() = default;
  VpnState(const VpnState&) = delete;
  VpnState& operator=(const VpnState&) = delete;
  virtual ~VpnState() = default;

  // All sites, or that one. Without charon what was last seen. Fault: no such site.
  virtual void status(const std::string& site, StatusCallback done) = 0;
  // `done` when charon has taken it. Faults: no such site, one that cannot begin, no charon,
  // charon's own words.
  virtual void act(const std::string& site, ipsec::SiteAction action, DoneCallback done) = 0;
  // Measures how large packets pass the tunnel, by asking `host` behind it, or whoever may answer,
  // over IPv4 and IPv6 if it has networks of both: takes up to a minute for each. Faults: no such
  // site, one that is down, another one is measured.
  using ProbeCallback = std::function<void(Result<std::vector<VpnProbe>>)>;
  virtual void probe(const std::string& site, std::optional<net::IpAddress> host,
                     ProbeCallback done) = 0;
};

}  // namespace masugata::dataplane::control
