// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/gateway.h"

#include <fmt/format.h>
#include <grp.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>

#include <algorithm>
#include <filesystem>

#include "dataplane/control/methods.h"
#include "dataplane/gateway/state/show_antivirus.h"
#include "dataplane/gateway/worker_threads.h"
#include "dataplane/inspection/stats_event.h"
#include "dataplane/platform/eal.h"

namespace masugata::dataplane {
namespace {

constexpr uint64_t kResolvePeriodMs = 5;
constexpr uint64_t kHousekeepingPeriodMs = 100;
constexpr uint64_t kKernelTickMs = 1000;
constexpr uint64_t kLinkPeriodMs = 500;
constexpr size_t kResolveRequestsPerRound = 256;

// Every worker can answer for any flow; the first one sorts out what is not its own.
class FirstWorker final : public FrameSteering {
 public:
  [[nodiscard]] uint32_t worker_of(std::span<const uint8_t>) const noexcept override { return 0; }
};
const FirstWorker first_worker;

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::start(const GatewayOptions& options,
                                                config::Model model) {
  std::unique_ptr<Gateway> gateway(new Gateway(options));
  auto loop = control::EventLoop::create();
  if (!loop) return tl::unexpected(loop.error());
  gateway->loop_ = std::move(*loop);
  // Before any thread starts, so that all of them leave these signals to the control thread.
  Status status =
      gateway->loop_->watch_signals({SIGTERM, SIGINT, SIGHUP}, [g = gateway.get()](int s) {
        if (s == SIGHUP) {
          g->reload("");
        } else {
          g->loop_->stop();
        }
      });
  if (status) status = gateway->choose_machine(model);
  if (status) status = gateway->open_ports(model);
  if (status) status = gateway->make_workers(model);
  if (status) status = gateway->connect_kernel();
  std::vector<Fault> warnings;
  if (status) status = gateway->configuration_->apply(std::move(model), warnings);
  for (const Fault& warning : warnings) spdlog::warn("{}", warning.message());
  if (status) gateway->open_event_log();
  if (status) gateway->configure_antivirus_service();
  if (status) gateway->vpn_->configure(gateway->configuration_->model().vpn);
  if (status) status = gateway->start_workers();
  if (status) status = gateway->start_control();
  if (!status) return tl::unexpected(status.error());
  gateway->add_jobs();
  return gateway;
}

Status Gateway::connect_kernel() {
  ExceptionSettings settings;
  settings.workers = static_cast<uint32_t>(workers_.size());
  auto path = ExceptionPath::create(settings, pool_, &first_worker);
  if (!path) return tl::unexpected(path.error());
  exception_path_ = std::move(*path);
  auto mirror = KernelMirror::create({}, *forwarding_);
  if (!mirror) return tl::unexpected(mirror.error());
  kernel_ = std::move(*mirror);
  ConfigurationTargets targets;
  targets.publication = &publication_;
  targets.quiescence = quiescence_.get();
  targets.twins = exception_path_.get();
  targets.kernel = kernel_.get();
  targets.workers = static_cast<uint16_t>(workers_.size());
  for (const auto& port : ports_) {
    targets.ports.push_back({port->device(), port->mac(), port->sums_tcp()});
  }
  start_inspection();
  targets.inspection = inspection_.get();
  for (const auto& worker : workers_) {
    targets.identifiers.push_back(&worker->applications());
    targets.learners.push_back(&worker->names());
  }
  targets.secret = secret_;
  start_antivirus();
  start_antivirus_service();
  start_vpn();
  targets.antivirus = antivirus_.get();
  targets.ipsec = &vpn_->manager();
  targets.identifier_limits.sessions = workers_.front()->settings().sessions;
  targets.identifier_memory = &inspection_memory_;
  targets.wall_clock = wall_clock_;
  configuration_ = std::make_unique<ConfigurationManager>(std::move(targets));
  for (uint16_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->connect(&exception_path_->port(i), messages_.get());
  }
  return {};
}

void Gateway::start_inspection() {
  InspectionTargets targets;
  targets.publication = &publication_.inspection;
  targets.wall_clock = wall_clock_;
  targets.memory = &inspection_memory_;
  targets.limits.sessions = workers_.front()->settings().sessions;
  targets.limits.inspected_sessions =
      std::min(targets.limits.inspected_sessions, targets.limits.sessions);
  for (const auto& worker : workers_) targets.inspectors.push_back(&worker->inspector());
  inspection_ = std::make_unique<InspectionManager>(std::move(targets));
}

void Gateway::start_antivirus() {
  AntivirusTargets targets;
  targets.publication = &publication_.antivirus;
  targets.wall_clock = wall_clock_;
  targets.url_secret = url_secret_;
  for (const auto& worker : workers_) targets.guards.push_back(&worker->guard());
  antivirus_ = std::make_unique<AntivirusManager>(std::move(targets));
}

void Gateway::start_antivirus_service() {
  AntivirusServiceTargets targets;
  targets.manager = antivirus_.get();
  targets.loop = loop_.get();
  targets.write_event = [this](const std::string& line) { event_log_.write(line); };
  targets.log = [](bool problem, const std::string& text) {
    spdlog::log(problem ? spdlog::level::warn : spdlog::level::info, "antivirus: {}", text);
  };
  targets.wall_time_us = [this](uint64_t time_us) {
    return microseconds_of(wall_time()) - static_cast<int64_t>(clock_.now().us - time_us);
  };
  targets.wall_clock = wall_clock_;
  targets.zone_of = [this](const net::IpAddress& address) -> std::string {
    const Snapshot& snapshot = *configuration_->running().snapshot;
    const InterfaceIndex interface = forwarding_->view().lookup(address, 0).interface;
    if (interface >= snapshot.interfaces.size()) return {};
    const config::ZoneIndex zone = snapshot.interfaces[interface].zone;
    return zone < snapshot.zones.size() ? snapshot.zones[zone].name : std::string();
  };
  targets.scanner_socket = options_.scanner_socket;
  if (targets.scanner_socket.empty()) targets.scanner_socket = beside_control_socket("scand.sock");
  targets.scan_job_socket = options_.scan_job_socket;
  targets.scan_job_folder = options_.state_folder + "/scan-jobs";
  targets.worker_cores.assign(cores_.begin(), cores_.end());
  antivirus_service_ = std::make_unique<AntivirusService>(std::move(targets));
}

void Gateway::start_vpn() {
  VpnServiceTargets targets;
  targets.publication = &publication_.ipsec;
  for (const auto& worker : workers_) targets.gates.push_back(&worker->ipsec());
  targets.now_ms = [this] { return clock_.now().us / 1000; };
  targets.loop = loop_.get();
  targets.daemon_file = beside_control_socket("strongswan.conf");
  targets.daemon.vici_socket = beside_control_socket("charon.vici");
  targets.daemon.sa_socket =
      options_.sa_socket.empty() ? beside_control_socket("sa.sock") : options_.sa_socket;
  targets.daemon.log_file = options_.charon_log;
  targets.pki_folder = options_.pki_folder;
  targets.log = [](bool problem, const std::string& text) {
    spdlog::log(problem ? spdlog::level::warn : spdlog::level::info, "vpn: {}", text);
  };
  // Without a profile there is no event log.
  targets.write_event = [this](const std::string& line) {
    if (inspection_->running() != nullptr) event_log_.write(line);
  };
  targets.wall_time_us = [this] { return static_cast<uint64_t>(microseconds_of(wall_time())); };
  targets.forwarding = [this]() -> const ForwardingView& { return forwarding_->view(); };
  targets.configuration = [this]() -> const RunningConfiguration& {
    return configuration_->running();
  };
  targets.set_twin_mtu = [this](InterfaceIndex tunnel, uint16_t mtu) {
    return kernel_->set_mtu(tunnel, mtu);
  };
  vpn_ = std::make_unique<VpnService>(std::move(targets));
}

std::string Gateway::beside_control_socket(const char* name) const {
  const std::filesystem::path control = options_.control_socket;
  return std::filesystem::absolute(control.parent_path() / name).string();
}

void Gateway::configure_antivirus_service() {
  report(antivirus_service_->configure(configuration_->model()), "antivirus");
}

void Gateway::tend_antivirus() {
  if (!antivirus_->is_active()) return;
  const int64_t offset_us = microseconds_of(wall_time()) - static_cast<int64_t>(clock_.now().us);
  for (ObjectGuard* guard : antivirus_->guards()) guard->set_wall_offset(offset_us);
  antivirus_->tick();
}

void Gateway::tend_inspection() {
  std::string ended;
  if (inspection_->tick(ended)) spdlog::info("{}", ended);
  if (inspection_->running() == nullptr) return;
  const int64_t offset_us = microseconds_of(wall_time()) - static_cast<int64_t>(clock_.now().us);
  for (Inspector* inspector : inspection_->inspectors()) inspector->set_wall_offset(offset_us);
  event_log_.write_waiting(event_rings_);
}

void Gateway::open_event_log() {
  if (inspection_->running() == nullptr) return;
  event_rings_.clear();
  for (Inspector* inspector : inspection_->inspectors()) {
    event_rings_.push_back(&inspector->events());
  }
  const config::IpsLog& log = configuration_->model().ips.log;
  report(event_log_.open(log.file, uint64_t{log.maximum_megabytes} << 20U), "events");
}

void Gateway::write_stats() {
  if (inspection_ == nullptr || inspection_->running() == nullptr ||
      !wants_stats(configuration_->model().ips.log)) {
    return;
  }
  StatsFigures figures = gather_stats(*inspection_);
  figures.uptime_s = (loop_->now_ms() - started_ms_) / 1000;
  for (const auto& worker : workers_) {
    figures.received_packets += worker->context().counters.received.get();
  }
  if (antivirus_->is_active()) {
    control::AvStatus antivirus;
    add_guard_counters(antivirus_->guards(), antivirus);
    figures.antivirus = {antivirus.counters, antivirus.passed, antivirus.refused};
  }
  event_log_.write(stats_event(figures, static_cast<uint64_t>(microseconds_of(wall_time()))));
}

Status Gateway::start_workers() {
  WorkerThreadSettings settings;
  settings.stop = &stop_workers_;
  settings.clock = &clock_;
  settings.quiescence = quiescence_.get();
  settings.idle = profile_.idle;
  workers_run_ = true;
  return launch_workers(workers_, settings);
}

Status Gateway::start_control() {
  const std::filesystem::path path = options_.control_socket;
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  const std::optional<gid_t> group = control::find_group("masugata");
  auto socket = control::ListeningSocket::create(options_.control_socket, 0660, group);
  if (!socket) return tl::unexpected(socket.error());
  socket_ = std::make_unique<control::ListeningSocket>(std::move(*socket));
  state_ = make_gateway_state(*this);
  server_ = std::make_unique<control::JsonRpcServer>(*loop_, control::gateway_methods(*state_),
                                                     control::roles_by_group(group, false));
  if (Status accepting = server_->accept_from(socket_->descriptor()); !accepting) return accepting;
  start_policy_log();
  return loop_->watch(kernel_->event_descriptor(), control::kReadable,
                      [this](uint32_t) { report(kernel_->process_events(), "kernel events"); });
}

void Gateway::add_jobs() {
  loop_->call_every(kResolvePeriodMs, [this] { serve_resolve_requests(); });
  loop_->call_every(kHousekeepingPeriodMs, [this] {
    configuration_->tick();
    policy_log_->write_waiting();
    tend_inspection();
    tend_antivirus();
    vpn_->tick();
  });
  loop_->call_every(kKernelTickMs, [this] { report(kernel_->tick(clock_.now().ms()), "kernel"); });
  loop_->call_every(kLinkPeriodMs, [this] {
    poll_links();
    vpn_->observe();
  });
  loop_->call_every(kStatsPeriod_ms, [this] { write_stats(); });
  poll_links();
}

void Gateway::serve_resolve_requests() {
  for (const auto& worker : workers_) {
    NeighbourKey key;
    for (size_t count = 0; count < kResolveRequestsPerRound; ++count) {
      if (!worker->context().resolve_requests.pop(key)) break;
      kernel_->resolve(key.interface, key.address);
    }
  }
  if (!forwarding_->settled()) report(forwarding_->advance(), "routes");
}

void Gateway::poll_links() {
  uint64_t down = 0;
  for (size_t i = 0; i < ports_.size(); ++i) {
    const PortLink link = ports_[i]->link();
    if (link.gone && !links_[i].gone) {
      spdlog::error("port {}: its device has disappeared; restart masugatad when it is back",
                    ports_[i]->name());
    } else if (link.up != links_[i].up) {
      spdlog::info("port {} ({}): link {}", ports_[i]->name(), ports_[i]->driver(),
                   link.up ? "up" : "down");
    }
    links_[i] = link;
    if (!link.up) down |= uint64_t{1} << ports_[i]->device();
  }
  publication_.ports_down.store(down, std::memory_order_relaxed);
}

void Gateway::report(const Status& status, const char* kind) {
  if (!status) spdlog::warn("{}: {}", kind, status.error().message());
}

control::PolicyLogNames Gateway::log_names() {
  control::PolicyLogNames names;
  names.rule = [this](uint32_t rule, uint32_t epoch) {
    const RunningConfiguration& running = configuration_->running();
    if (rule == kNone32) return std::string("of an earlier configuration");
    if (epoch != running.epoch) return fmt::format("rule {}", rule);
    return ConfigurationManager::rule_title(*running.snapshot, rule);
  };
  names.interface = [this](uint16_t interface) -> std::string {
    const auto& interfaces = configuration_->running().snapshot->interfaces;
    return interface < interfaces.size() ? interfaces[interface].name : "";
  };
  names.end_reason = [](uint8_t reason) -> std::string {
    return name_of(static_cast<EndReason>(reason));
  };
  names.wall_clock_us = [this](uint64_t time_us) -> int64_t {
    return microseconds_of(wall_time()) - static_cast<int64_t>(clock_.now().us - time_us);
  };
  return names;
}

void Gateway::start_policy_log() {
  std::vector<control::PolicyLogSource> sources;
  for (const auto& worker : workers_) {
    control::PolicyLogSource source;
    source.worker = worker->context().worker;
    source.pop = [w = worker.get()](PolicyLogRecord& record) {
      return w->context().policy_log.pop(record);
    };
    source.lost = [w = worker.get()] { return w->context().counters.log_lost.get(); };
    sources.push_back(std::move(source));
  }
  policy_log_ = std::make_unique<control::PolicyLog>(
      std::move(sources), log_names(), control::PolicyLogFormat::Text,
      [](const std::string& line) { spdlog::info("{}", line); });
}

void Gateway::run() { loop_->run(); }

Gateway::~Gateway() {
  server_.reset();
  socket_.reset();
  stop_workers_ = true;
  if (workers_run_) {
    join_workers();
    tend_antivirus();
    tend_inspection();
    write_stats();
  }
  // Only now: workers may have been at work on a question or a trace.
  state_.reset();
  antivirus_service_.reset();
  if (vpn_ != nullptr) vpn_->disconnect();
  if (kernel_ != nullptr) loop_->forget(kernel_->event_descriptor());
  kernel_.reset();
  workers_.clear();
  configuration_.reset();
  inspection_.reset();
  vpn_.reset();
  exception_path_.reset();
  messages_.reset();
  forwarding_.reset();
  ports_.clear();
}

control::ReloadReport Gateway::reload(const std::string& path) {
  control::ReloadReport result;
  const uint64_t begin = loop_->now_ms();
  result.file = path.empty() ? options_.configuration : path;
  const auto add = [&result](bool error, const std::string& what, const std::string& where) {
    control::ReloadProblem problem;
    problem.error = error;
    problem.file = result.file;
    problem.path = where;
    problem.what = what;
    result.problems.push_back(std::move(problem));
  };
  config::Loaded loaded = config::load_file(result.file);
  for (const config::Problem& problem : loaded.problems) {
    control::ReloadProblem item;
    item.error = problem.severity == config::Problem::Severity::Error;
    item.file = result.file;
    item.line = problem.line;
    item.column = problem.column;
    item.path = problem.path;
    item.what = problem.what;
    item.accepted = problem.accepted;
    result.problems.push_back(std::move(item));
  }
  if (loaded.model) {
    const uint32_t bound = configuration_->model().sessions.maximum;
    if (loaded.model->sessions.maximum != bound) {
      add(false, "takes effect at the next restart", "sessions maximum");
    }
    if (loaded.model->fragments != configuration_->model().fragments) {
      add(false, "takes effect at the next restart", "fragments");
    }
    std::vector<Fault> warnings;
    Status applied = vpn_->key_exchange().refuse_new_faults(loaded.model->vpn);
    if (applied) applied = configuration_->apply(std::move(*loaded.model), warnings, true);
    for (const Fault& warning : warnings) add(false, warning.what, warning.where);
    if (applied) {
      open_event_log();
      configure_antivirus_service();
      vpn_->configure(configuration_->model().vpn);
      result.applied = true;
      options_.configuration = result.file;
    } else {
      add(true, applied.error().what, applied.error().where);
    }
  }
  result.generation = configuration_->running().epoch;
  result.duration_ms = static_cast<uint32_t>(loop_->now_ms() - begin);
  last_reload_.outcome =
      result.applied ? control::ReloadOutcome::Applied : control::ReloadOutcome::Refused;
  last_reload_.at_ms = loop_->now_ms();
  last_reload_.message =
      result.applied ? fmt::format("{} applied in {} ms", result.file, result.duration_ms)
                     : fmt::format("{} refused, the running configuration stays", result.file);
  spdlog::info("reload: {}", last_reload_.message);
  return result;
}

}  // namespace masugata::dataplane
