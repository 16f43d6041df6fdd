// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps the MTU of each tunnel's twin in the kernel at what the tunnel carries, so that what the
// gateway itself sends into it is neither too large nor needlessly small.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "dataplane/identifiers.h"
#include "dataplane/ipsec/ipsec_view.h"
#include "dataplane/pipeline/running_configuration.h"
#include "result/result.h"

namespace masugata::dataplane {

class ForwardingView;

// What the functions return is read at once.
struct TwinMtuTargets {
  std::function<const IpsecView*()> view;  // null: there was no site yet
  std::function<const ForwardingView&()> forwarding;
  std::function<const RunningConfiguration&()> configuration;
  // The twin has the configured MTU, or the one that is supposed, after each configuration.
  std::function<Status(InterfaceIndex tunnel, uint16_t mtu)> set;
  std::function<void(bool problem, const std::string& text)> log;
};

// Control thread.
class TwinMtus {
 public:
  explicit TwinMtus(TwinMtuTargets targets) : targets_(std::move(targets)) {}

  // About ten times a second; looks no further while SAs, routes and configuration are the same.
  // A tunnel whose MTU is configured keeps it, one without an SA keeps what it had. Not below 1280:
  // the kernel would end IPv6 there.
  void tick();

 private:
  struct Twin {
    InterfaceIndex tunnel = kNoInterface;
    uint16_t mtu = 0;
  };

  TwinMtuTargets targets_;
  bool looked_ = false;
  uint32_t view_ = 0;
  uint32_t routes_ = 0;
  uint32_t configuration_ = 0;
  std::vector<Twin> twins_;  // as they were set since the last configuration
};

}  // namespace masugata::dataplane
