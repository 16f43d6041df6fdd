// SPDX-License-Identifier: GPL-2.0-or-later
// The whole dataplane of one worker inside a test: ring ports, a virtual clock, routes and
// neighbours fed by hand, a kernel made of two lists. Needs a running EAL (eal_main.cpp).
#pragma once

#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "config/model.h"
#include "dataplane/antivirus/antivirus_manager.h"
#include "dataplane/gateway/configuration_builder.h"
#include "dataplane/inspection/inspection_manager.h"
#include "dataplane/ipsec/ipsec_manager.h"
#include "dataplane/pipeline/worker.h"
#include "dataplane/pipeline/worker_messages.h"
#include "dataplane/session/mapped_memory.h"
#include "tests/scenarios/gateway_under_test.h"
#include "tests/scripted_scanner.h"

struct rte_mempool;
struct rte_ring;

namespace masugata::test {

// How an InProcessGateway differs from what its configuration says.
struct InProcessOptions {
  uint32_t packet_buffers = 8191;
  uint16_t buffer_bytes = 2048;  // data room behind the headroom; 9216 for jumbo frames
  uint32_t ring_size = 1024;     // frames per port, queue and direction
  // With several workers every call of send() steers its frames to another queue, whatever flow
  // they belong to: the worst that a port can do.
  uint16_t workers = 1;
  dataplane::InspectorLimits inspection;
  dataplane::IdentifierLimits identifier;
  dataplane::LearnerLimits learner;
  dataplane::ObjectGuardLimits antivirus{.sessions = 64, .objects = 64};
};

// Connected, local and broadcast routes follow from the interfaces' addresses, and static routes
// from the configuration, as the kernel would make them; everything else is set by calls.
class InProcessGateway final : public GatewayUnderTest {
 public:
  explicit InProcessGateway(const InProcessOptions& options = {});
  ~InProcessGateway() override;

  Status configure(const std::string& text) override;
  Status set_rules(const std::string& text) override;
  std::vector<std::string> take_alerts() override;
  Status set_scanner(const std::string& mode) override;
  std::vector<std::string> take_objects() override;
  Status set_route(const NetworkRoute& route) override;
  Status remove_route(const std::string& prefix) override;
  Status set_neighbour(const std::string& interface, const std::string& address,
                       const std::string& mac) override;
  Status remove_neighbour(const std::string& interface, const std::string& address) override;
  Status set_link(const std::string& port, bool up) override;
  Status set_wall_clock(const std::string& local_time) override;
  Status send(const std::vector<PortFrame>& frames) override;
  void advance(uint64_t milliseconds) override;
  std::vector<PortFrame> take_output() override;
  std::vector<std::string> take_resolve_requests() override;
  std::map<std::string, uint64_t> drop_counts() override;
  std::vector<SessionView> sessions() override;
  std::optional<std::string> mac_of_port(const std::string& port) override;

  // For tests that look deeper. Valid after the first configure().
  [[nodiscard]] dataplane::Worker& worker() noexcept { return *workers_.front(); }
  [[nodiscard]] dataplane::InspectionManager& inspection() noexcept { return *inspection_; }
  [[nodiscard]] dataplane::AntivirusManager& antivirus() noexcept { return *antivirus_; }
  [[nodiscard]] dataplane::IpsecManager& ipsec() noexcept { return *ipsec_; }
  [[nodiscard]] dataplane::ForwardingPublisher& forwarding() noexcept { return *forwarding_; }
  [[nodiscard]] const config::Model& model() const noexcept { return model_; }
  [[nodiscard]] const dataplane::RunningConfiguration& configuration() const noexcept {
    return *configuration_;
  }
  // Packet buffers that are neither in a ring nor held by the gateway have leaked: 0 when the
  // gateway holds nothing.
  [[nodiscard]] uint32_t buffers_in_use() const;

 private:
  struct Port;
  class Kernel;
  class KernelDoor;

  Status start(const config::Model& model);
  Status open_port(const config::Port& configured, uint32_t instance);
  Status make_workers(dataplane::WorkerSettings settings, const config::Model& model);
  Status publish(const config::Model& model);
  Status load_inspection(const config::Model& model);
  Status load_antivirus(const config::Model& model);
  Status load_ipsec(const config::Model& model);
  void tend_antivirus();
  [[nodiscard]] dataplane::WallTime wall_time() const;
  Status feed_routes();
  void settle();
  [[nodiscard]] Port* find_port(const std::string& name);
  [[nodiscard]] rte_mbuf* make_frame(const std::vector<uint8_t>& bytes);

  InProcessOptions options_;
  rte_mempool* pool_ = nullptr;
  std::vector<std::unique_ptr<Port>> ports_;
  std::unique_ptr<Kernel> kernel_;
  std::unique_ptr<KernelDoor> kernel_door_;
  std::unique_ptr<dataplane::ForwardingPublisher> forwarding_;
  dataplane::NoReaders no_readers_;
  dataplane::Publication publication_;
  dataplane::HeapMemory memory_;
  std::unique_ptr<const dataplane::RunningConfiguration> configuration_;
  std::unique_ptr<dataplane::WorkerMessages> messages_;
  std::vector<std::unique_ptr<dataplane::Worker>> workers_;
  dataplane::MappedMemory inspection_memory_;
  std::unique_ptr<dataplane::InspectionManager> inspection_;
  std::unique_ptr<dataplane::AntivirusManager> antivirus_;
  std::unique_ptr<dataplane::IpsecManager> ipsec_;
  ScriptedScanner scanner_;
  bool scanner_opened_ = false;
  std::vector<std::string> objects_;
  std::string rules_;
  std::filesystem::path rule_folder_;
  uint16_t next_queue_ = 0;
  config::Model model_;
  std::vector<NetworkRoute> extra_routes_;
  uint32_t epoch_ = 0;
  uint64_t now_us_ = 1'000'000'000;
  std::time_t wall_clock_;
};

}  // namespace masugata::test
