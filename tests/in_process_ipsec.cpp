// SPDX-License-Identifier: GPL-2.0-or-later
// IPsec of a test's gateway; the test is its charon.
#include "tests/in_process_gateway.h"

namespace masugata::test {

Status InProcessGateway::load_ipsec(const config::Model& model) {
  if (ipsec_ == nullptr) {
    dataplane::IpsecTargets targets;
    targets.publication = &publication_.ipsec;
    for (const auto& worker : workers_) targets.gates.push_back(&worker->ipsec());
    targets.now_ms = [this] { return now_us_ / 1000; };
    targets.log = [](bool, const std::string&) {};
    ipsec_ = std::make_unique<dataplane::IpsecManager>(std::move(targets));
  }
  return ipsec_->configure(model.vpn);
}

}  // namespace masugata::test
