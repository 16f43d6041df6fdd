// SPDX-License-Identifier: GPL-2.0-or-later
// The control socket's view of the running gateway. Nothing here makes a worker wait.
#pragma once

#include "dataplane/control/gateway_state.h"
#include "dataplane/gateway/gateway.h"
#include "dataplane/gateway/state/load_sampler.h"
#include "dataplane/gateway/state/session_questions.h"
#include "dataplane/gateway/state/show_antivirus.h"
#include "dataplane/gateway/state/show_inspection.h"
#include "dataplane/gateway/state/show_machine.h"
#include "dataplane/gateway/state/show_policy.h"
#include "dataplane/gateway/state/show_vpn.h"
#include "dataplane/gateway/state/trace_service.h"

namespace masugata::dataplane {

// Control thread. Outlives the workers' threads: they may be at work on a question.
class RunningGatewayState final : public control::GatewayState {
 public:
  explicit RunningGatewayState(Gateway& gateway);
  ~RunningGatewayState() override;

  control::SystemStatus system() override;
  std::vector<control::InterfaceStatus> interfaces() override;
  void zones(control::ZonesCallback done) override;
  void policy(control::PolicyCallback done) override;
  void nat(control::NatCallback done) override;
  control::RouteList routes(uint32_t limit) override;
  control::NeighbourList neighbours(uint32_t limit) override;
  control::DropStatus drops() override;
  void sessions(const control::SessionFilter& filter, control::SessionsCallback done) override;
  void reload(const std::string& path, control::ReloadCallback done) override;
  Result<control::Explanation> explain(const control::ExplainRequest& request) override;
  Result<control::TraceId> start_trace(const control::TraceRequest& request,
                                       control::TraceListener listener) override;
  void stop_trace(control::TraceId id) override;
  Status clear_counters() override;
  control::IpsStatus ips() override;
  control::IpsRuleFiles ips_rules(uint32_t limit) override;
  control::IpsHitList ips_hits(uint32_t limit) override;
  control::IpsCostList ips_costs(uint32_t limit) override;
  control::IpsExceptionList ips_exceptions(uint32_t limit) override;
  control::AntivirusState& antivirus() override { return antivirus_; }
  control::VpnDiagnosisState& vpn_diagnosis() override { return gateway_.vpn().diagnosis(); }
  control::VpnState& vpn() override { return vpn_; }
  control::ApplicationStatus applications() override;
  Result<control::IpsRuleDetail> ips_rule(uint32_t sid) override;
  Status clear_ips_hits() override;
  Status set_ips_profiling(bool on) override;
  Status reload_ips_rules() override;

 private:
  [[nodiscard]] const RunningConfiguration& running();
  [[nodiscard]] std::vector<PortView> port_views();
  [[nodiscard]] std::vector<PortStatistics> port_statistics();
  [[nodiscard]] std::optional<uint64_t> seconds_since_hit(RuleId rule);
  // Asks with `question` and gives `make(PolicyView, SessionAnswer)` to `done`.
  template <class Callback, class Make>
  void ask(SessionQuestions::Maker question, Callback done, Make make);

  Gateway& gateway_;
  LoadSampler load_;
  control::EventLoop::TimerId load_timer_ = 0;
  CounterBase base_;
  InspectionCounterBase inspection_base_;
  SessionQuestions questions_;
  TraceService traces_;
  RunningAntivirus antivirus_;
  RunningVpn vpn_;
};

}  // namespace masugata::dataplane
