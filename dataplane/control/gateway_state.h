// SPDX-License-Identifier: GPL-2.0-or-later
// What the control socket asks of the running gateway. The dataplane implements it over its
// workers, snapshot and kernel mirror; tests implement it with a fake.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataplane/control/antivirus_state.h"
#include "dataplane/control/gateway_records.h"
#include "dataplane/control/inspection_records.h"
#include "dataplane/control/vpn_diagnosis_state.h"
#include "dataplane/control/vpn_state.h"
#include "result/result.h"

namespace masugata::dataplane::control {

// Answers to the calls that need the workers or a compile step. Called exactly once, on the
// control thread, either before the call returns or later from the event loop. Faults: a name that
// is not known, workers that do not answer, too many questions at once.
using SessionsCallback = std::function<void(Result<SessionList>)>;
using ZonesCallback = std::function<void(Result<std::vector<ZoneStatus>>)>;
using PolicyCallback = std::function<void(Result<PolicyStatus>)>;
using NatCallback = std::function<void(Result<NatStatus>)>;
using ReloadCallback = std::function<void(ReloadReport)>;

// Receives what a trace sees. Both are called on the control thread, never from within
// start_trace(); `ended` exactly once and last, unless stop_trace() came first: then neither is
// called any more. `line` may call stop_trace() itself.
struct TraceListener {
  std::function<void(const TraceLine&)> line;
  std::function<void(const std::string& why)> ended;  // "packet limit reached", "reloaded"...
};

// Thread: every member is called on the control thread and must return within a few milliseconds;
// nothing here may make a worker wait. Numbers are read without stopping the workers, so figures
// of one answer may be a burst apart from each other.
class GatewayState {
 public:
  GatewayState() = default;
  GatewayState(const GatewayState&) = delete;
  GatewayState& operator=(const GatewayState&) = delete;
  virtual ~GatewayState() = default;

  [[nodiscard]] virtual SystemStatus system() = 0;
  [[nodiscard]] virtual std::vector<InterfaceStatus> interfaces() = 0;
  // At most `limit` entries of each, in table order; `total` says how many there are.
  [[nodiscard]] virtual RouteList routes(uint32_t limit) = 0;
  [[nodiscard]] virtual NeighbourList neighbours(uint32_t limit) = 0;
  // Only reasons that were counted at least once.
  [[nodiscard]] virtual DropStatus drops() = 0;

  // Live sessions are counted by the workers, who look through their own tables in slices: the
  // answers come later.
  virtual void zones(ZonesCallback done) = 0;
  virtual void policy(PolicyCallback done) = 0;
  virtual void nat(NatCallback done) = 0;

  // The workers look through their own tables in slices, so the answer comes later. At most
  // `filter.limit` sessions; sessions that begin or end meanwhile may or may not be in it.
  virtual void sessions(const SessionFilter& filter, SessionsCallback done) = 0;

  // Reads, checks, compiles and publishes `path` (empty: the file that is running). Whatever goes
  // wrong leaves everything as it was. A second reload while one runs is refused in its report.
  virtual void reload(const std::string& path, ReloadCallback done) = 0;

  // What a new connection would meet, from the running snapshot and through the code that packets
  // take. Faults: unknown zone or interface, families that differ.
  [[nodiscard]] virtual Result<Explanation> explain(const ExplainRequest& request) = 0;

  // Marks packets that match and reports what each stage does with them. Bounded: the listener
  // is told the end after `request.packet_limit` packets; lines that do not fit into the worker's
  // ring are counted in TraceLine::lost_before. Zone and interface of the filter are those that
  // the packet comes in by. Faults: unknown zone or interface; a trace runs already (one can).
  [[nodiscard]] virtual Result<TraceId> start_trace(const TraceRequest& request,
                                                    TraceListener listener) = 0;
  // Unknown ids are ignored (the trace may just have ended).
  virtual void stop_trace(TraceId id) = 0;

  // Packet, drop, rule and stage counters start again at zero; sessions are not touched.
  [[nodiscard]] virtual Status clear_counters() = 0;

  // --- intrusion prevention ---
  [[nodiscard]] virtual IpsStatus ips() = 0;
  // Lists have at most `limit` entries and say how many there are.
  [[nodiscard]] virtual IpsRuleFiles ips_rules(uint32_t limit) = 0;
  [[nodiscard]] virtual IpsHitList ips_hits(uint32_t limit) = 0;
  [[nodiscard]] virtual IpsCostList ips_costs(uint32_t limit) = 0;
  [[nodiscard]] virtual IpsExceptionList ips_exceptions(uint32_t limit) = 0;
  // Faults: no profile knows the rule.
  [[nodiscard]] virtual Result<IpsRuleDetail> ips_rule(uint32_t sid) = 0;
  [[nodiscard]] virtual Status clear_ips_hits() = 0;
  // Whether workers count what rules cost; switching it on starts the counts at zero.
  [[nodiscard]] virtual Status set_ips_profiling(bool on) = 0;
  // Begins to read the rule files again; ips() says how it went. Faults: no rules are configured, a
  // file cannot be read.
  [[nodiscard]] virtual Status reload_ips_rules() = 0;

  // Lives as long as this.
  [[nodiscard]] virtual AntivirusState& antivirus() = 0;

  // Lives as long as this.
  [[nodiscard]] virtual VpnDiagnosisState& vpn_diagnosis() = 0;
  // Lives as long as this.
  [[nodiscard]] virtual VpnState& vpn() = 0;

  // How recognising applications and host names goes.
  [[nodiscard]] virtual ApplicationStatus applications() = 0;
};

}  // namespace masugata::dataplane::control
