// SPDX-License-Identifier: GPL-2.0-or-later
// The diagnosis of tunnels in the gateway: takes what charon tells, keeps why sites do not come
// up, tells it to the logs and to who watches.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "dataplane/control/vpn_diagnosis_state.h"
#include "dataplane/ipsec/ipsec_manager.h"
#include "dataplane/ipsec/key_exchange.h"
#include "ipsec/diagnosis/diagnosis.h"

namespace masugata::dataplane {

struct VpnDiagnosisTargets {
  std::function<void(bool problem, const std::string& text)> log;
  // A line of the event log, without its end.
  std::function<void(const std::string& line)> write_event;
  std::function<uint64_t()> wall_time_us;  // since 1970
};

// Control thread.
class VpnDiagnosis final : public KeyExchangeListener, public control::VpnDiagnosisState {
 public:
  explicit VpnDiagnosis(VpnDiagnosisTargets targets);

  // What the packet path counts; about once a second.
  void observe(const std::vector<SaStatus>& sas);

  // What `request vpn SITE probe` has found.
  void measured(const std::vector<ipsec::PathReport>& reports) { diagnosis_.measured(reports); }

  // --- KeyExchangeListener ---
  void site_changed(const SiteView& site, ipsec::SiteState before) override;
  void charon_alerted(const ipsec::CharonAlert& alert) override;
  void site_begun(const std::string& site) override;
  void configured(const config::VpnSettings& settings) override;

  // --- control::VpnDiagnosisState ---
  [[nodiscard]] Result<std::vector<control::VpnReasons>> reasons(const std::string& site) override;
  [[nodiscard]] Result<control::VpnWatchId> watch(const std::string& site,
                                                  Listener listener) override;
  void unwatch(control::VpnWatchId id) override;

 private:
  struct Watch {
    std::string site;
    Listener listener;
  };
  void tell(const ipsec::TunnelEvent& event);
  void alert(const ipsec::Failure& failure, const ipsec::Explanation& explanation, bool over);
  [[nodiscard]] control::VpnReasons reasons_of(const std::string& site) const;
  [[nodiscard]] bool is_configured(const std::string& site) const;
  [[nodiscard]] int64_t now() const;

  VpnDiagnosisTargets targets_;
  ipsec::Diagnosis diagnosis_;
  std::map<std::string, bool> up_;
  std::map<control::VpnWatchId, Watch> watches_;
  control::VpnWatchId next_watch_ = 1;
};

// One line of EVE: `event_type` vpn, with a member `vpn` that has a `failure`.
[[nodiscard]] std::string failure_event(const ipsec::Failure& failure,
                                        const ipsec::Explanation& explanation, bool over,
                                        uint64_t time_us);

}  // namespace masugata::dataplane
