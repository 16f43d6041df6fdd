// SPDX-License-Identifier: GPL-2.0-or-later
// A gateway for tests of the control socket and the command line: fixed answers, recorded calls.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/control/fake_antivirus.h"
#include "dataplane/control/fake_vpn.h"
#include "dataplane/control/fake_vpn_diagnosis.h"
#include "dataplane/control/gateway_state.h"

namespace masugata::dataplane::control {

class FakeGatewayState : public GatewayState {
 public:
  FakeGatewayState();

  SystemStatus system() override { return system_answer; }
  std::vector<InterfaceStatus> interfaces() override { return interfaces_answer; }
  void zones(ZonesCallback done) override { answer(done, zones_answer); }
  void policy(PolicyCallback done) override { answer(done, policy_answer); }
  void nat(NatCallback done) override { answer(done, nat_answer); }
  RouteList routes(uint32_t limit) override;
  NeighbourList neighbours(uint32_t limit) override;
  DropStatus drops() override { return drops_answer; }
  void sessions(const SessionFilter& filter, SessionsCallback done) override;
  void reload(const std::string& path, ReloadCallback done) override;
  Result<Explanation> explain(const ExplainRequest& request) override;
  Result<TraceId> start_trace(const TraceRequest& request, TraceListener listener) override;
  void stop_trace(TraceId id) override;
  Status clear_counters() override;
  IpsStatus ips() override { return ips_answer; }
  IpsRuleFiles ips_rules(uint32_t limit) override;
  IpsHitList ips_hits(uint32_t limit) override;
  IpsCostList ips_costs(uint32_t limit) override;
  IpsExceptionList ips_exceptions(uint32_t limit) override;
  AntivirusState& antivirus() override { return antivirus_answer; }
  VpnDiagnosisState& vpn_diagnosis() override { return vpn_diagnosis_answer; }
  VpnState& vpn() override { return vpn_answer; }
  ApplicationStatus applications() override { return applications_answer; }
  Result<IpsRuleDetail> ips_rule(uint32_t sid) override;
  Status clear_ips_hits() override;
  Status set_ips_profiling(bool on) override;
  Status reload_ips_rules() override;

  SystemStatus system_answer;
  std::vector<InterfaceStatus> interfaces_answer;
  std::vector<ZoneStatus> zones_answer;
  PolicyStatus policy_answer;
  NatStatus nat_answer;
  RouteList routes_answer;
  NeighbourList neighbours_answer;
  DropStatus drops_answer;
  SessionList sessions_answer;
  ReloadReport reload_answer;
  Explanation explanation_answer;
  IpsStatus ips_answer;
  IpsRuleFiles ips_rules_answer;
  IpsHitList ips_hits_answer;
  IpsCostList ips_costs_answer;
  IpsExceptionList ips_exceptions_answer;
  ApplicationStatus applications_answer;
  FakeAntivirus antivirus_answer;
  FakeVpnDiagnosis vpn_diagnosis_answer;
  FakeVpn vpn_answer;
  IpsRuleDetail ips_rule_answer;
  std::optional<Fault> fault;          // what every call that can fail answers, when set
  bool answer_sessions_later = false;  // keep `waiting_sessions` until the test calls it

  std::vector<SessionFilter> session_filters;
  std::vector<SessionsCallback> waiting_sessions;
  std::vector<std::string> reloaded_paths;
  std::vector<ExplainRequest> explain_requests;
  std::vector<TraceRequest> trace_requests;
  std::vector<std::pair<TraceId, TraceListener>> running_traces;
  int cleared_counters = 0;
  std::vector<uint32_t> asked_sids;
  std::vector<bool> profiling_switches;
  int cleared_hits = 0;
  int rule_reloads = 0;

 private:
  void fill_inspection();
  template <class Callback, class Answer>
  void answer(const Callback& done, const Answer& value) const {
    if (fault) {
      done(tl::unexpected(*fault));
    } else {
      done(value);
    }
  }
};

}  // namespace masugata::dataplane::control
