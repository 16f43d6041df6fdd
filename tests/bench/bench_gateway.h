// SPDX-License-Identifier: GPL-2.0-or-later
// One worker's whole dataplane between two ring ports, for measurements: `lan` with clients behind
// a router, `wan` with servers behind another. Needs a running EAL.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "config/model.h"
#include "dataplane/gateway/configuration_builder.h"
#include "dataplane/pipeline/worker.h"
#include "dataplane/platform/pinned_memory.h"
#include "tests/bench/bench_flows.h"

struct rte_mempool;
struct rte_ring;

namespace masugata::bench {

// The ports and the packet buffers that all gateways of a program use, one after the other.
class BenchPorts {
 public:
  static constexpr uint16_t kBuffers = 8191;
  static constexpr size_t kPorts = 2;

  static Result<std::unique_ptr<BenchPorts>> create();
  ~BenchPorts();
  BenchPorts(const BenchPorts&) = delete;
  BenchPorts& operator=(const BenchPorts&) = delete;

  // Buffers for `frames`; false when the pool is used up.
  [[nodiscard]] bool allocate(std::span<rte_mbuf*> frames) noexcept;
  // What was transmitted through a port since the last call, at most frames.size(); how many.
  [[nodiscard]] size_t take_sent(size_t port, std::span<rte_mbuf*> frames) noexcept;
  // Puts frames where the next rte_eth_rx_burst() of a port finds them; how many it took.
  [[nodiscard]] size_t offer(size_t port, std::span<rte_mbuf*> frames) noexcept;

  [[nodiscard]] uint16_t device(size_t port) const noexcept { return devices_[port]; }
  [[nodiscard]] rte_mempool* pool() const noexcept { return pool_; }

 private:
  BenchPorts() = default;
  Status open(size_t port);

  rte_mempool* pool_ = nullptr;
  std::array<rte_ring*, kPorts> received_{};
  std::array<rte_ring*, kPorts> sent_{};
  std::array<uint16_t, kPorts> devices_{dataplane::kNoPort, dataplane::kNoPort};
};

struct GatewayShape {
  uint32_t session_capacity = 262'144;
  uint32_t policy_rules = 10;  // of which the last one permits, and no other one matches
  bool source_nat = true;      // to the address of `wan`, a free port per session
};

class BenchGateway {
 public:
  // `ports` outlive the gateway.
  static Result<std::unique_ptr<BenchGateway>> create(const GatewayShape& shape, BenchPorts& ports);
  ~BenchGateway();
  BenchGateway(const BenchGateway&) = delete;
  BenchGateway& operator=(const BenchGateway&) = delete;

  // At most 32 frames that came in by `port` through all stages.
  void process(std::span<rte_mbuf*> frames, size_t port) noexcept {
    worker_->process(frames.data(), static_cast<uint16_t>(frames.size()),
                     static_cast<dataplane::PortIndex>(port), false, {now_us_});
  }
  [[nodiscard]] bool run_once() noexcept { return worker_->run_once({now_us_}); }
  void advance(uint64_t microseconds) noexcept { now_us_ += microseconds; }

  // Opens the sessions 0 .. count - 1 with a packet each way and remembers their translations.
  Status establish(uint32_t count);

  // A packet of session `number` as it comes in by `port`; the session was established, or (lan
  // only) is new.
  [[nodiscard]] UdpEndpoints endpoints(uint32_t number, size_t port) const noexcept;

  [[nodiscard]] dataplane::Worker& worker() noexcept { return *worker_; }
  // Packets dropped so far for whatever reason.
  [[nodiscard]] uint64_t drops() const noexcept;

 private:
  BenchGateway(const GatewayShape& shape, BenchPorts& ports) : shape_(shape), ports_(ports) {}
  Status start();
  Status feed_forwarding();
  Status establish_burst(uint32_t first, std::span<rte_mbuf*> frames);

  struct Translation {
    net::Be32 address;
    net::Be16 port;
  };

  GatewayShape shape_;
  BenchPorts& ports_;
  dataplane::PinnedMemory memory_;
  dataplane::NoReaders no_readers_;
  dataplane::Publication publication_;
  std::unique_ptr<dataplane::ForwardingPublisher> forwarding_;
  std::unique_ptr<dataplane::RunningConfiguration> configuration_;
  std::unique_ptr<dataplane::Worker> worker_;
  std::vector<Translation> translations_;
  uint64_t now_us_ = 1'000'000'000;
};

}  // namespace masugata::bench
