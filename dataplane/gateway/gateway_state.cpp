// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/gateway.h"

namespace masugata::dataplane {
namespace {

class RunningGatewayState final : public control::GatewayState {
 public:
  explicit RunningGatewayState(Gateway& gateway) : gateway_(gateway) {}
  control::SystemStatus system() override { return {}; }
  std::vector<control::InterfaceStatus> interfaces() override { return {}; }
  std::vector<control::ZoneStatus> zones() override { return {}; }
  control::PolicyStatus policy() override { return {}; }
  control::NatStatus nat() override { return {}; }
  control::RouteList routes(uint32_t) override { return {}; }
  control::NeighbourList neighbours(uint32_t) override { return {}; }
  control::DropStatus drops() override { return {}; }
  void sessions(const control::SessionFilter&, control::SessionsCallback done) override {
    done(control::SessionList{});
  }
  void reload(const std::string& path, control::ReloadCallback done) override {
    done(gateway_.reload(path));
  }
  Result<control::Explanation> explain(const control::ExplainRequest&) override {
    return failure("explain", "is not there yet");
  }
  Result<control::TraceId> start_trace(const control::TraceRequest&,
                                       control::TraceListener) override {
    return failure("trace", "is not there yet");
  }
  void stop_trace(control::TraceId) override {}
  Status clear_counters() override { return {}; }

 private:
  Gateway& gateway_;
};

}  // namespace

std::unique_ptr<control::GatewayState> make_gateway_state(Gateway& gateway) {
  return std::make_unique<RunningGatewayState>(gateway);
}

}  // namespace masugata::dataplane
