// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/transfers/lossy_path.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/packets/field_values.h"

namespace masugata::test {
namespace {

// However little there is to wait for, gateways look at what they hold each millisecond.
constexpr uint64_t kLongestStep_us = 10'000;
constexpr uint32_t kMostOvertaken_us = 16'000;
constexpr std::array<uint8_t, 6> kClientMac{2, 0, 0, 0, 1, 10};
constexpr std::array<uint8_t, 6> kServerMac{2, 0, 0, 0, 3, 1};

std::array<uint8_t, 6> mac_of(InProcessGateway& gateway, const std::string& port) {
  return mac_bytes(gateway.mac_of_port(port).value()).value();
}

}  // namespace

void OneWayLine::push(std::vector<uint8_t> frame, uint64_t now_us) {
  if (chance_.percent(trouble_.loss_percent)) return;
  uint64_t us = now_us + trouble_.delay_us;
  if (chance_.percent(trouble_.repeat_percent)) {
    queue_.push({us + chance_.below(kMostOvertaken_us), numbers_++, frame});
  }
  if (chance_.percent(trouble_.reorder_percent)) us += 1000 + chance_.below(kMostOvertaken_us);
  queue_.push({us, numbers_++, std::move(frame)});
}

std::vector<std::vector<uint8_t>> OneWayLine::take_due(uint64_t now_us) {
  std::vector<std::vector<uint8_t>> due;
  while (next_us() <= now_us) {
    due.push_back(queue_.top().frame);
    queue_.pop();
  }
  return due;
}

LossyPath::LossyPath(InProcessGateway& gateway, const LineTrouble& lan, const LineTrouble& wan,
                     Chance& chance)
    : gateway_(gateway),
      chance_(chance),
      from_client_(lan, chance),
      to_client_(lan, chance),
      from_server_(wan, chance),
      to_server_(wan, chance) {}

SimulatedConnection& LossyPath::add(uint16_t client_port, uint16_t server_port,
                                    const TcpEndSettings& client, const TcpEndSettings& server) {
  const TcpAddress client_address{kClientMac, {10, 0, 1, 10}, client_port};
  const TcpAddress server_address{kServerMac, {203, 0, 113, 1}, server_port};
  connections_.push_back(
      {client_address, server_address, TcpEnd(client, chance_), TcpEnd(server, chance_)});
  connections_.back().server_end.listen();
  return connections_.back();
}

void LossyPath::hand_to_end(const std::vector<uint8_t>& frame, bool to_client) {
  const auto read = read_frame(frame);
  if (!read) {
    ++broken_;
    return;
  }
  for (SimulatedConnection& each : connections_) {
    const uint16_t client_port = to_client ? read->destination_port : read->source_port;
    const uint16_t server_port = to_client ? read->source_port : read->destination_port;
    if (each.client.port != client_port || each.server.port != server_port) continue;
    (to_client ? each.client_end : each.server_end).take(read->words, now_us_);
  }
}

void LossyPath::tick_ends() {
  const auto lan_mac = mac_of(gateway_, "lan0");
  const auto wan_mac = mac_of(gateway_, "wan0");
  for (SimulatedConnection& each : connections_) {
    each.client_end.tick(now_us_);
    each.server_end.tick(now_us_);
    TcpAddress server = each.server;
    server.mac = lan_mac;
    for (const TcpWords& words : each.client_end.take_output()) {
      from_client_.push(write_frame(words, each.client, server), now_us_);
    }
    TcpAddress client = each.client;
    client.mac = wan_mac;
    for (const TcpWords& words : each.server_end.take_output()) {
      from_server_.push(write_frame(words, each.server, client), now_us_);
    }
  }
}

void LossyPath::deliver() {
  std::vector<PortFrame> frames;
  for (auto& frame : from_client_.take_due(now_us_)) {
    frames.push_back({"lan0", false, std::move(frame)});
  }
  for (auto& frame : from_server_.take_due(now_us_)) {
    frames.push_back({"wan0", false, std::move(frame)});
  }
  // In bursts of any size, both directions mixed by the worker.
  for (size_t at = 0; at < frames.size();) {
    const size_t count = std::min<size_t>(frames.size() - at, 1 + chance_.below(40));
    const auto first = frames.begin() + static_cast<ptrdiff_t>(at);
    if (!gateway_.send({first, first + static_cast<ptrdiff_t>(count)})) ++broken_;
    at += count;
    collect();
  }
  for (const auto& frame : to_client_.take_due(now_us_)) hand_to_end(frame, true);
  for (const auto& frame : to_server_.take_due(now_us_)) hand_to_end(frame, false);
}

void LossyPath::collect() {
  for (PortFrame& frame : gateway_.take_output()) {
    if (frame.kernel) continue;
    (frame.port == "lan0" ? to_client_ : to_server_).push(std::move(frame.bytes), now_us_);
  }
}

uint64_t LossyPath::next_event_us() const {
  uint64_t next = now_us_ + kLongestStep_us;
  for (const OneWayLine* line : {&from_client_, &to_client_, &from_server_, &to_server_}) {
    next = std::min(next, line->next_us());
  }
  for (const SimulatedConnection& each : connections_) {
    next = std::min({next, each.client_end.next_timer_us(), each.server_end.next_timer_us()});
  }
  return next;
}

bool LossyPath::run(const std::function<void()>& act, const std::function<bool()>& finished,
                    uint64_t limit_ms) {
  const uint64_t end_us = now_us_ + limit_ms * 1000;
  while (now_us_ < end_us) {
    act();
    tick_ends();
    deliver();
    act();
    tick_ends();
    if (finished()) return true;
    const uint64_t next_us = next_event_us();
    const uint64_t step_ms = next_us <= now_us_ ? 1 : (next_us - now_us_ + 999) / 1000;
    now_us_ += step_ms * 1000;
    gateway_.advance(step_ms);
    collect();
  }
  return false;
}

std::string LossyPath::describe() const {
  std::string text = fmt::format("after {} ms", now_us_ / 1000);
  for (const SimulatedConnection& each : connections_) {
    text += fmt::format("\n  {} client: {}\n  {} server: {}", each.client.port,
                        each.client_end.describe(), each.server.port, each.server_end.describe());
  }
  for (const auto& [reason, count] : gateway_.drop_counts()) {
    text += fmt::format("\n  dropped: {} {}", reason, count);
  }
  return text;
}

}  // namespace masugata::test
