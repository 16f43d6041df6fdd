// SPDX-License-Identifier: GPL-2.0-or-later
// Measures how large packets pass a site's tunnel, when an administrator asks for it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "dataplane/ipsec/ipsec_manager.h"
#include "dataplane/pipeline/running_configuration.h"
#include "ipsec/diagnosis/path_report.h"
#include "ipsec/diagnosis/path_search.h"
#include "result/result.h"

namespace masugata::dataplane {

class ForwardingView;

// Everything that is asked outlives the probe; what the functions return is read at once.
struct PathProbeTargets {
  IpsecManager* manager = nullptr;
  std::function<uint64_t()> now_ms;  // any clock
  std::function<const config::Model&()> model;
  std::function<const RunningConfiguration&()> configuration;
  std::function<const ForwardingView&()> forwarding;
};

// Control thread. One tunnel at a time; PathSearch bounds packets and time of each family of
// addresses inside.
class PathProbe {
 public:
  // One report for each family that was asked, in the order of the tunnel's networks.
  using Callback = std::function<void(const Result<std::vector<ipsec::PathReport>>& reports)>;
  explicit PathProbe(PathProbeTargets targets) : targets_(std::move(targets)) {}

  // Asks `host`, which is behind the tunnel, or without one addresses of the peer's networks, of
  // one family after the other, and the peer itself, which says something when a packet's hops are
  // used up. `done` is called once: at once with a Fault (no such site, no SA, `host` is not of the
  // tunnel's networks, another probe goes on), or from tick() (Fault: the site was configured
  // otherwise meanwhile).
  void start(const std::string& site, std::optional<net::IpAddress> host, Callback done);

  // About ten times a second; does nothing while nothing is measured.
  void tick();
  [[nodiscard]] bool is_running() const noexcept { return search_.has_value(); }

 private:
  struct Reflector {
    net::IpAddress destination;
    uint8_t hop_limit = 64;
  };
  // Of one family.
  struct Plan {
    net::IpAddress source;
    std::vector<Reflector> reflectors;
    ViewedSa sa;
  };
  [[nodiscard]] Result<std::vector<Plan>> plans_for(
      const config::VpnSite& site, const std::optional<net::IpAddress>& host) const;
  void ask_for(const OutboundChoice& choice, const ViewedSa& sa,
               const std::optional<net::IpAddress>& host, std::vector<Plan>& plans) const;
  [[nodiscard]] net::IpAddress source_in(const net::AddressRange& network) const;
  [[nodiscard]] uint16_t exact_mtu() const;
  [[nodiscard]] const EgressInterface* below(const ViewedSa& sa, std::string& name) const;
  void begin(const Plan& plan);
  void send(const std::vector<ipsec::PathQuestion>& questions);
  void finish(const Result<std::vector<ipsec::PathReport>>& result);
  [[nodiscard]] const config::VpnSite* find(const std::string& site) const;  // may be null
  [[nodiscard]] ipsec::PathReport report() const;

  PathProbeTargets targets_;
  std::optional<ipsec::PathSearch> search_;
  Callback done_;
  config::VpnSite site_;
  std::vector<Plan> plans_;
  size_t next_plan_ = 0;  // after plan_
  Plan plan_;             // that is measured
  std::vector<ipsec::PathReport> reports_;
  uint16_t identifier_ = 0;
  uint16_t largest_ = 0;
  std::string answered_by_;
};

}  // namespace masugata::dataplane
