// SPDX-License-Identifier: GPL-2.0-or-later
// Failures of tunnels for tests of the control socket and the command line.
#pragma once

#include <string>
#include <vector>

#include "dataplane/control/vpn_diagnosis_state.h"

namespace masugata::dataplane::control {

class FakeVpnDiagnosis final : public VpnDiagnosisState {
 public:
  FakeVpnDiagnosis();

  Result<std::vector<VpnReasons>> reasons(const std::string& site) override;
  // The listener gets `events` at once, and stays in `listeners`.
  Result<VpnWatchId> watch(const std::string& site, Listener listener) override;
  void unwatch(VpnWatchId id) override { unwatched.push_back(id); }

  std::vector<VpnReasons> reasons_answer;
  std::vector<Listener> listeners;
  std::vector<VpnWatchId> unwatched;
};

}  // namespace masugata::dataplane::control
