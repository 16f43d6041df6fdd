// SPDX-License-Identifier: GPL-2.0-or-later
// The running gateway: ports, workers, kernel, configuration, control socket. Everything here is
// the control thread's; workers run in threads of their own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/antivirus/antivirus_manager.h"
#include "dataplane/antivirus/service/antivirus_service.h"
#include "dataplane/control/event_loop.h"
#include "dataplane/control/gateway_state.h"
#include "dataplane/control/json_rpc_server.h"
#include "dataplane/control/listening_socket.h"
#include "dataplane/control/policy_log.h"
#include "dataplane/forwarding/publisher.h"
#include "dataplane/gateway/configuration_manager.h"
#include "dataplane/gateway/gateway_options.h"
#include "dataplane/gateway/worker_clock.h"
#include "dataplane/inspection/event_log.h"
#include "dataplane/inspection/inspection_manager.h"
#include "dataplane/ipsec/vpn_service.h"
#include "dataplane/kernel/exception_path.h"
#include "dataplane/kernel/kernel_mirror.h"
#include "dataplane/pipeline/worker.h"
#include "dataplane/pipeline/worker_messages.h"
#include "dataplane/platform/hw_profile.h"
#include "dataplane/platform/pinned_memory.h"
#include "dataplane/platform/port.h"
#include "dataplane/session/mapped_memory.h"
#include "dataplane/wall_clock.h"

namespace masugata::dataplane {

// How the last reload ended.
struct ReloadMemory {
  control::ReloadOutcome outcome = control::ReloadOutcome::Never;
  uint64_t at_ms = 0;  // event loop clock
  std::string message;
};

class Gateway {
 public:
  // Brings everything up, in this order: EAL, ports, tables, workers' memory, twins, configuration,
  // kernel, worker threads, control socket. A Fault leaves nothing behind but EAL's memory.
  // `model` is the checked configuration of `options`.
  static Result<std::unique_ptr<Gateway>> start(const GatewayOptions& options, config::Model model);
  // Stops workers, then everything else.
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Serves until SIGTERM or SIGINT. SIGHUP reloads.
  void run();

  // Reads, checks and applies `path` (empty: the file that runs).
  control::ReloadReport reload(const std::string& path);

  // --- for the part that answers questions ---
  [[nodiscard]] control::EventLoop& loop() noexcept { return *loop_; }
  [[nodiscard]] const GatewayOptions& options() const noexcept { return options_; }
  [[nodiscard]] const HwProfile& profile() const noexcept { return profile_; }
  [[nodiscard]] bool hugepages() const noexcept { return hugepages_; }
  [[nodiscard]] const InspectionManager& inspection() const noexcept { return *inspection_; }
  [[nodiscard]] InspectionManager& inspection() noexcept { return *inspection_; }
  [[nodiscard]] AntivirusManager& antivirus() noexcept { return *antivirus_; }
  [[nodiscard]] AntivirusService& antivirus_service() noexcept { return *antivirus_service_; }
  [[nodiscard]] VpnService& vpn() noexcept { return *vpn_; }
  [[nodiscard]] const EventLog& event_log() const noexcept { return event_log_; }
  [[nodiscard]] ConfigurationManager& configuration() noexcept { return *configuration_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Port>>& ports() const noexcept { return ports_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Worker>>& workers() const noexcept {
    return workers_;
  }
  [[nodiscard]] const std::vector<uint16_t>& worker_cores() const noexcept { return cores_; }
  [[nodiscard]] ForwardingPublisher& forwarding() noexcept { return *forwarding_; }
  [[nodiscard]] KernelMirror& kernel() noexcept { return *kernel_; }
  [[nodiscard]] const ExceptionPath& exception_path() const noexcept { return *exception_path_; }
  [[nodiscard]] rte_mempool* packet_pool() const noexcept { return pool_; }
  [[nodiscard]] const net::HashSecret& secret() const noexcept { return secret_; }
  [[nodiscard]] const WorkerClock& clock() const noexcept { return clock_; }
  [[nodiscard]] WallTime wall_time() const { return wall_clock_(); }
  [[nodiscard]] const ReloadMemory& last_reload() const noexcept { return last_reload_; }
  [[nodiscard]] uint64_t started_ms() const noexcept { return started_ms_; }
  [[nodiscard]] QuiescenceDomain& quiescence() noexcept { return *quiescence_; }
  [[nodiscard]] std::vector<PortLink> links() const { return links_; }

 private:
  explicit Gateway(const GatewayOptions& options) : options_(options) {}
  Status choose_machine(const config::Model& model);
  Status open_ports(const config::Model& model);
  Status make_workers(const config::Model& model);
  Status connect_kernel();
  Status start_control();
  Status start_workers();
  void start_inspection();
  void start_antivirus();
  void start_antivirus_service();
  void start_vpn();
  void tend_antivirus();
  void tend_inspection();
  // After each configuration that was applied.
  void configure_antivirus_service();
  // After each configuration that was applied: where events go, and the rings they come from.
  void open_event_log();
  // Adds the `stats` event to the event log, if it is wanted.
  void write_stats();
  void add_jobs();
  void poll_links();
  void serve_resolve_requests();
  void report(const Status& status, const char* kind);
  // A file or socket of that name beside the control socket.
  [[nodiscard]] std::string beside_control_socket(const char* name) const;
  [[nodiscard]] control::PolicyLogNames log_names();
  void start_policy_log();

  GatewayOptions options_;
  HwProfile profile_;
  bool hugepages_ = false;
  std::vector<uint16_t> cores_;
  net::HashSecret secret_;
  net::SipHashKey url_secret_;  // of the list of blocked URLs
  WorkerClock clock_;
  WallClock wall_clock_ = system_wall_time;
  uint64_t started_ms_ = 0;
  ReloadMemory last_reload_;

  std::unique_ptr<control::EventLoop> loop_;
  rte_mempool* pool_ = nullptr;
  PinnedMemory memory_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::vector<PortLink> links_;
  std::unique_ptr<QuiescenceDomain> quiescence_;
  std::unique_ptr<ForwardingPublisher> forwarding_;
  std::unique_ptr<WorkerMessages> messages_;
  std::unique_ptr<ExceptionPath> exception_path_;
  std::unique_ptr<KernelMirror> kernel_;
  Publication publication_;
  MappedMemory inspection_memory_;
  std::unique_ptr<InspectionManager> inspection_;
  std::unique_ptr<AntivirusManager> antivirus_;
  EventLog event_log_;
  std::vector<LineRing*> event_rings_;  // of the workers; empty until there is a profile
  std::unique_ptr<AntivirusService> antivirus_service_;
  std::unique_ptr<VpnService> vpn_;
  std::unique_ptr<ConfigurationManager> configuration_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<bool> stop_workers_{false};
  bool workers_run_ = false;
  std::unique_ptr<control::PolicyLog> policy_log_;
  std::unique_ptr<control::GatewayState> state_;
  std::unique_ptr<control::ListeningSocket> socket_;
  std::unique_ptr<control::JsonRpcServer> server_;
};

// The answers to `show`, `explain`, `monitor`, `reload` over a running gateway.
[[nodiscard]] std::unique_ptr<control::GatewayState> make_gateway_state(Gateway& gateway);

}  // namespace masugata::dataplane
