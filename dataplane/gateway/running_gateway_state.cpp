// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/running_gateway_state.h"

#include <rte_cycles.h>

#include <ctime>

#include "dataplane/gateway/state/explain.h"
#include "dataplane/gateway/state/show_applications.h"
#include "dataplane/gateway/state/texts.h"
#include "dataplane/gateway/version.h"

namespace masugata::dataplane {
namespace {

std::vector<const WorkerCounters*> counters_of(const Workers& workers) {
  std::vector<const WorkerCounters*> counters;
  for (const auto& worker : workers) counters.push_back(&worker->context().counters);
  return counters;
}

std::vector<SessionQuerySlot*> slots_of(const Workers& workers) {
  std::vector<SessionQuerySlot*> slots;
  for (const auto& worker : workers) slots.push_back(&worker->queries());
  return slots;
}

std::vector<TracedWorker> traced_workers(const Workers& workers) {
  std::vector<TracedWorker> traced;
  for (const auto& worker : workers) {
    traced.push_back({&worker->context().trace, &worker->context().counters.trace_lost});
  }
  return traced;
}

// Everything else of the configuration is in force.
void add_vpn_problem(bool error, const Fault& fault, control::ReloadReport& report) {
  control::ReloadProblem problem;
  problem.error = error;
  problem.file = report.file;
  problem.path = fault.where;
  problem.what = fault.what;
  report.problems.push_back(std::move(problem));
}

Result<SessionQuestion> only_counts(const RunningConfiguration&) { return SessionQuestion{}; }

}  // namespace

RunningGatewayState::RunningGatewayState(Gateway& gateway)
    : gateway_(gateway),
      load_(counters_of(gateway.workers()), gateway.clock().hertz()),
      questions_(gateway.loop(), slots_of(gateway.workers()),
                 [this]() -> const RunningConfiguration& { return running(); }),
      traces_(
          gateway.loop(), traced_workers(gateway.workers()), gateway.quiescence(),
          [this] { return gateway_.clock().now().us; },
          [this]() -> const RunningConfiguration& { return running(); }),
      antivirus_(gateway.antivirus_service(), [this] { return gateway_.wall_time(); }),
      vpn_(gateway.vpn().key_exchange(), gateway.vpn().diagnosis(), gateway.loop(),
           {.manager = &gateway.vpn().manager(),
            .now_ms = [this] { return gateway_.loop().now_ms(); },
            .model = [this]() -> const config::Model& { return gateway_.configuration().model(); },
            .configuration = [this]() -> const RunningConfiguration& { return running(); },
            .forwarding = [this]() -> const ForwardingView& {
              return gateway_.forwarding().view();
            }}) {
  load_.take(rte_rdtsc());
  load_timer_ =
      gateway.loop().call_every(LoadSampler::kPeriodMs, [this] { load_.take(rte_rdtsc()); });
}

RunningGatewayState::~RunningGatewayState() { gateway_.loop().cancel(load_timer_); }

const RunningConfiguration& RunningGatewayState::running() {
  return gateway_.configuration().running();
}

control::SystemStatus RunningGatewayState::system() {
  const uint64_t now_ms = gateway_.loop().now_ms();
  const ReloadMemory& reload = gateway_.last_reload();
  control::SystemStatus status;
  status.version = kVersion;
  status.host_name = gateway_.configuration().model().system.host_name;
  status.uptime_seconds = (now_ms - gateway_.started_ms()) / 1000;
  status.configuration_file = gateway_.options().configuration;
  status.snapshot_generation = running().epoch;
  status.last_reload = reload.outcome;
  if (reload.outcome != control::ReloadOutcome::Never) {
    status.last_reload_seconds_ago = (now_ms - reload.at_ms) / 1000;
    status.last_reload_message = reload.message;
  }
  status.hw_profile = gateway_.profile().name;
  status.idle_policy = idle_text(gateway_.profile().idle);
  status.hugepages = gateway_.hugepages();
  status.workers = worker_statuses(gateway_.workers(), gateway_.worker_cores(), load_, base_);
  status.memory =
      memory_statuses(gateway_.workers(), gateway_.packet_pool(), gateway_.forwarding());
  return status;
}

std::vector<PortView> RunningGatewayState::port_views() {
  const std::vector<PortLink> links = gateway_.links();
  std::vector<PortView> views;
  for (size_t i = 0; i < gateway_.ports().size(); ++i) {
    const Port& port = *gateway_.ports()[i];
    views.push_back({port.driver(), port.mac(), port.offloads(), links[i], port.statistics()});
  }
  return views;
}

std::vector<PortStatistics> RunningGatewayState::port_statistics() {
  std::vector<PortStatistics> statistics;
  for (const auto& port : gateway_.ports()) statistics.push_back(port->statistics());
  return statistics;
}

std::vector<control::InterfaceStatus> RunningGatewayState::interfaces() {
  return interface_statuses(gateway_.configuration().model(), running(), port_views(),
                            gateway_.configuration().totals(), read_twin_counters(), base_);
}

std::optional<uint64_t> RunningGatewayState::seconds_since_hit(RuleId rule) {
  const auto hit_ms = gateway_.configuration().last_policy_hit_ms(rule);
  if (!hit_ms) return std::nullopt;
  // A hit may be a moment younger than the time that was read for it.
  const auto elapsed_ms = static_cast<int32_t>(gateway_.clock().now().ms() - *hit_ms);
  return elapsed_ms > 0 ? static_cast<uint64_t>(elapsed_ms) / 1000 : 0;
}

template <class Callback, class Make>
void RunningGatewayState::ask(SessionQuestions::Maker question, Callback done, Make make) {
  questions_.ask(std::move(question), [this, done, make](Result<SessionAnswer> answer) {
    if (!answer) {
      done(tl::unexpected(answer.error()));
      return;
    }
    const ConfigurationManager::Totals totals = gateway_.configuration().totals();
    const PolicyView view{gateway_.configuration().model(), *answer->configuration, totals,
                          seconds_of(gateway_.wall_time()),
                          [this](RuleId rule) { return seconds_since_hit(rule); }};
    done(make(view, *answer));
  });
}

void RunningGatewayState::zones(control::ZonesCallback done) {
  ask(only_counts, std::move(done), [](const PolicyView& view, const SessionAnswer& answer) {
    return zone_statuses(*view.configuration.snapshot, answer);
  });
}

void RunningGatewayState::policy(control::PolicyCallback done) {
  ask(only_counts, std::move(done), [](const PolicyView& view, const SessionAnswer& answer) {
    return policy_status(view, answer);
  });
}

void RunningGatewayState::nat(control::NatCallback done) {
  const auto question = [this](const RunningConfiguration& configuration) {
    SessionQuestion made;
    made.translated = translated_ranges(
        translation_pools(gateway_.configuration().model(), *configuration.snapshot));
    return Result<SessionQuestion>(std::move(made));
  };
  ask(question, std::move(done), [this](const PolicyView& view, const SessionAnswer& answer) {
    return nat_status(view, answer, nat_exhausted(gateway_.workers(), base_));
  });
}

void RunningGatewayState::sessions(const control::SessionFilter& filter,
                                   control::SessionsCallback done) {
  const auto question = [filter](const RunningConfiguration& configuration) {
    return session_question(filter, *configuration.snapshot);
  };
  uint64_t bound = 0;
  for (const auto& worker : gateway_.workers()) bound += worker->settings().sessions;
  ask(question, std::move(done),
      [limit = filter.limit, bound](const PolicyView&, const SessionAnswer& answer) {
        return session_list(answer, limit, bound);
      });
}

control::RouteList RunningGatewayState::routes(uint32_t limit) {
  return route_list(gateway_.forwarding(), gateway_.configuration().model(), *running().snapshot,
                    limit);
}

control::NeighbourList RunningGatewayState::neighbours(uint32_t limit) {
  return neighbour_list(gateway_.forwarding(), *running().snapshot, limit);
}

control::DropStatus RunningGatewayState::drops() {
  return drop_status(gateway_.workers(), load_, base_);
}

void RunningGatewayState::reload(const std::string& path, control::ReloadCallback done) {
  control::ReloadReport report = gateway_.reload(path);
  if (!report.applied || !gateway_.vpn().key_exchange().is_active()) {
    done(std::move(report));
    return;
  }
  gateway_.vpn().key_exchange().when_loaded(
      [report, done](const Status& reached, const std::vector<Fault>& faults) mutable {
        for (const Fault& fault : faults) add_vpn_problem(true, fault, report);
        if (!reached) add_vpn_problem(false, reached.error(), report);
        done(std::move(report));
      });
}

Result<control::Explanation> RunningGatewayState::explain(const control::ExplainRequest& request) {
  const std::vector<PortLink> links = gateway_.links();
  uint64_t ports_down = 0;
  for (size_t i = 0; i < links.size(); ++i) {
    if (!links[i].up) ports_down |= uint64_t{1} << gateway_.ports()[i]->device();
  }
  return explain_connection(request, {gateway_.configuration().model(), running(),
                                      gateway_.forwarding(), gateway_.secret(), ports_down});
}

Result<control::TraceId> RunningGatewayState::start_trace(const control::TraceRequest& request,
                                                          control::TraceListener listener) {
  return traces_.start(request, std::move(listener));
}

control::ApplicationStatus RunningGatewayState::applications() {
  return application_status(gateway_.workers(), *running().snapshot);
}

control::IpsExceptionList RunningGatewayState::ips_exceptions(uint32_t limit) {
  return ips_exception_list(gateway_.inspection(), limit, seconds_of(gateway_.wall_time()));
}

void RunningGatewayState::stop_trace(control::TraceId id) { traces_.stop(id); }

Status RunningGatewayState::clear_counters() {
  gateway_.configuration().clear_counters();
  base_ = counters_now(gateway_.workers(), port_statistics(), read_twin_counters());
  inspection_base_ = inspection_counters_now(gateway_.inspection(), gateway_.event_log());
  antivirus_.clear_counters();
  return {};
}

control::IpsStatus RunningGatewayState::ips() {
  return ips_status(gateway_.inspection(), gateway_.event_log(), inspection_base_,
                    seconds_of(gateway_.wall_time()));
}

control::IpsRuleFiles RunningGatewayState::ips_rules(uint32_t limit) {
  return ips_rule_files(gateway_.inspection(), limit, seconds_of(gateway_.wall_time()));
}

control::IpsHitList RunningGatewayState::ips_hits(uint32_t limit) {
  return ips_hit_list(gateway_.inspection(), limit, seconds_of(gateway_.wall_time()));
}

control::IpsCostList RunningGatewayState::ips_costs(uint32_t limit) {
  return ips_cost_list(gateway_.inspection(), limit);
}

Result<control::IpsRuleDetail> RunningGatewayState::ips_rule(uint32_t sid) {
  return ips_rule_detail(gateway_.inspection(), sid, seconds_of(gateway_.wall_time()));
}

Status RunningGatewayState::clear_ips_hits() {
  gateway_.inspection().clear_rule_hits();
  return {};
}

Status RunningGatewayState::set_ips_profiling(bool on) {
  gateway_.inspection().set_profiling(on);
  return {};
}

Status RunningGatewayState::reload_ips_rules() { return gateway_.inspection().reread_rules(); }

std::unique_ptr<control::GatewayState> make_gateway_state(Gateway& gateway) {
  return std::make_unique<RunningGatewayState>(gateway);
}

}  // namespace masugata::dataplane
