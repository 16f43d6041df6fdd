// SPDX-License-Identifier: GPL-2.0-or-later
// What the control socket asks about tunnels that do not come up.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ipsec/diagnosis/diagnosis.h"
#include "result/result.h"

namespace masugata::dataplane::control {

struct VpnReason {
  ipsec::Failure failure;
  ipsec::Explanation explanation;
  bool standing = true;  // the tunnel has not come up since
};

struct VpnReasons {
  std::string site;                // empty: peers that no site is for
  bool up = false;                 // a tunnel of the site is up
  std::vector<VpnReason> reasons;  // the newest first
};

using VpnWatchId = uint64_t;

// Control thread.
class VpnDiagnosisState {
 public:
  VpnDiagnosisState() = default;
  VpnDiagnosisState(const VpnDiagnosisState&) = delete;
  VpnDiagnosisState& operator=(const VpnDiagnosisState&) = delete;
  virtual ~VpnDiagnosisState() = default;

  // That site, or all of them and what strangers want. Fault: no such site.
  [[nodiscard]] virtual Result<std::vector<VpnReasons>> reasons(const std::string& site) = 0;

  // `listener` is called for each event of that site, or of all when `site` is empty; it may end
  // its own watch. Faults: no such site, kMaximumWatches are there.
  static constexpr size_t kMaximumWatches = 16;
  using Listener = std::function<void(const ipsec::TunnelEvent& event)>;
  [[nodiscard]] virtual Result<VpnWatchId> watch(const std::string& site, Listener listener) = 0;
  virtual void unwatch(VpnWatchId id) = 0;
};

}  // namespace masugata::dataplane::control
