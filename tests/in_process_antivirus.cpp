// SPDX-License-Identifier: GPL-2.0-or-later
// Antivirus of a test's gateway, with a scanner that does what the test says.
#include <fmt/format.h>

#include "tests/in_process_gateway.h"

namespace masugata::test {

Status InProcessGateway::load_antivirus(const config::Model& model) {
  if (antivirus_ == nullptr) {
    dataplane::AntivirusTargets targets;
    targets.publication = &publication_.antivirus;
    targets.limits = options_.antivirus;
    targets.url_secret = {1, 2};
    targets.wall_clock = [this] { return wall_time(); };
    for (const auto& worker : workers_) targets.guards.push_back(&worker->guard());
    antivirus_ = std::make_unique<dataplane::AntivirusManager>(std::move(targets));
    antivirus_->add_listener([this](size_t, const dataplane::AntivirusRecord& record) {
      objects_.push_back(fmt::format(
          "{} {}{}", av::name_of(record.reason),
          record.action == dataplane::AntivirusAction::Passed     ? "passed"
          : record.action == dataplane::AntivirusAction::Answered ? "answered"
                                                                  : "reset",
          record.signature.size == 0 ? "" : fmt::format(" {}", record.signature.view())));
    });
  }
  if (Status configured = antivirus_->configure(model.antivirus); !configured) return configured;
  if (scanner_opened_ || !antivirus_->is_active()) return {};
  scanner_opened_ = true;
  for (dataplane::ObjectGuard* guard : antivirus_->guards()) {
    if (Status opened = scanner_.open(guard->region_descriptor()); !opened) return opened;
  }
  return {};
}

Status InProcessGateway::set_scanner(const std::string& mode) { return scanner_.set_mode(mode); }

std::vector<std::string> InProcessGateway::take_objects() { return std::move(objects_); }

dataplane::WallTime InProcessGateway::wall_time() const {
  return std::chrono::system_clock::from_time_t(wall_clock_);
}

void InProcessGateway::tend_antivirus() {
  if (antivirus_ == nullptr || !antivirus_->is_active()) return;
  const auto offset_us =
      static_cast<int64_t>(wall_clock_) * 1'000'000 - static_cast<int64_t>(now_us_);
  for (dataplane::ObjectGuard* guard : antivirus_->guards()) guard->set_wall_offset(offset_us);
  scanner_.work();
  antivirus_->tick();
}

}  // namespace masugata::test
