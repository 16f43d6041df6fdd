// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/supervisor.h"

#include <poll.h>
#include <spdlog/spdlog.h>

#include <utility>
#include <vector>

namespace masugata::av {
namespace {

constexpr int kLinkVersion = 1;

}  // namespace

void Supervisor::run(SupervisorRequests& requests) {
  while (!requests.stop) {
    const uint64_t now_ms = monotonic_ms();
    if (requests.reload.exchange(false)) service_.reload();
    if (!link_ && now_ms >= next_connect_ms_) connect(now_ms);
    if (link_) hear();
    service_.tick();
    report(now_ms);
    wait();
  }
}

void Supervisor::connect(uint64_t now_ms) {
  next_connect_ms_ = now_ms + kConnectEveryMs;
  auto link = MessageSocket::connect(socket_path_);
  if (!link) {
    if (std::exchange(connect_problem_, link.error().message()) != link.error().message()) {
      spdlog::warn("masugatad cannot be reached: {}", connect_problem_);
    }
    return;
  }
  connect_problem_.clear();
  link_.emplace(std::move(*link));
  next_status_ms_ = 0;
  if (auto sent = link_->send({{"type", "hello"}, {"link_version", kLinkVersion}}); !sent) {
    disconnect(sent.error().message());
    return;
  }
  spdlog::info("connected to masugatad");
}

void Supervisor::disconnect(const std::string& reason) {
  spdlog::warn("the link to masugatad is lost: {}", reason);
  link_.reset();
  service_.drop_regions();
}

void Supervisor::hear() {
  while (link_) {
    auto message = link_->receive();
    if (!message) {
      disconnect(message.error().message());
      return;
    }
    if (!*message) return;
    obey(std::move(**message));
  }
}

void Supervisor::obey(Message message) {
  const std::string type = message.type();
  Status status;
  if (type == "settings") {
    auto settings = read_settings(message.body);
    if (settings) {
      service_.configure(*settings);
    } else {
      status = tl::unexpected(settings.error());
    }
  } else if (type == "regions") {
    status = service_.take_regions(std::move(message.descriptors));
  } else if (type == "reload") {
    service_.reload();
  } else {
    status = failure("message", "of a kind that is not known: " + type);
  }
  if (status) return;
  spdlog::error("masugatad's message is refused: {}", status.error().message());
  const Status sent =
      link_->send({{"type", "problem"}, {"about", type}, {"problem", status.error().message()}});
  if (!sent) disconnect(sent.error().message());
}

void Supervisor::report(uint64_t now_ms) {
  const bool changed = service_.ready() != was_ready_ || service_.refusal() != reported_refusal_;
  if (!link_ || (!changed && now_ms < next_status_ms_)) return;
  next_status_ms_ = now_ms + kStatusEveryMs;
  was_ready_ = service_.ready();
  reported_refusal_ = service_.refusal();
  if (auto sent = link_->send(service_.status()); !sent) disconnect(sent.error().message());
}

void Supervisor::wait() {
  std::vector<pollfd> waiting;
  if (link_) waiting.push_back({link_->descriptor(), POLLIN, 0});
  for (const int descriptor : service_.descriptors()) waiting.push_back({descriptor, POLLIN, 0});
  poll(waiting.data(), waiting.size(), kRoundMs);
}

}  // namespace masugata::av
