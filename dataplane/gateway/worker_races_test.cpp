// SPDX-License-Identifier: GPL-2.0-or-later
// Two workers in two threads and the control thread beside them, as in the gateway: packets of a
// flow come in at either worker while configurations, rules, routes and neighbours are published
// and freed. Meant for ThreadSanitizer (docs/testing.md); without it, it shows that nothing is
// lost.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "config/load.h"
#include "dataplane/gateway/configuration_manager.h"
#include "dataplane/gateway/fed_worker_thread.h"
#include "dataplane/session/mapped_memory.h"
#include "tests/packets/packet_builder.h"

namespace masugata::dataplane {
namespace {

constexpr uint16_t kWorkers = 2;
constexpr uint32_t kRounds = 48;
constexpr uint32_t kConversationSteps = 7;
// More than all frames together: no buffer is used twice, so that nothing of its second user can
// look like a race with the first. The pool itself is DPDK's and invisible to ThreadSanitizer.
constexpr uint32_t kBuffers = 16383;
constexpr uint16_t kRingSize = 1024;

constexpr const char* kConfiguration = R"(
interfaces {{
    interface lan0 {{ device "net_ring0"; address 10.0.1.1/24; }}
    interface wan0 {{ device "net_ring1"; address 203.0.113.2/24; }}
}}
zones {{ zone lan {{ interface lan0; }} zone wan {{ interface wan0; }} }}
ips {{ profile test {{ memory-full {0}; }} }}
policy {{ from lan to wan {{
    rule web {{ destination {{ port 80; }} action permit; inspect {{ ips test; }} }}
    rule {1} {{ action permit; }}
}} }}
nat {{ source {{
    rule not {{ from lan; to wan; destination {{ address 198.51.100.6; }} translate none; }}
    rule out {{ from lan; to wan; translate interface; }}
}} }}
)";

class WorkerRaces : public ::testing::Test {
 protected:
  void SetUp() override {
    pool_ = rte_pktmbuf_pool_create("races", kBuffers, 0, sizeof(Packet), 1024, SOCKET_ID_ANY);
    ASSERT_NE(pool_, nullptr);
    make_rules();
    for (const Side side : {kLan, kWan}) open_port(side);
    quiescence_ = std::move(*QuiescenceDomain::create(kWorkers));
    ForwardingSettings forwarding;
    forwarding.maximum_routes_ipv4 = forwarding.maximum_routes_ipv6 = 256;
    forwarding_ = std::move(*ForwardingPublisher::create(forwarding, *quiescence_));
    publication_.forwarding = forwarding_.get();
    publication_.quiescence = quiescence_.get();
    messages_ = std::move(*WorkerMessages::create(kWorkers));
    make_workers();
    make_managers();
    ASSERT_TRUE(apply(0));
    feed_routes(false);
    ASSERT_TRUE(forwarding_->settle());
    inspection_->finish_loading();
    ASSERT_EQ(inspection_->report().state, RuleLoadState::Ready) << inspection_->report().failure;
  }

  void TearDown() override {
    threads_.clear();
    configuration_.reset();
    workers_.clear();
    inspection_.reset();
    messages_.reset();
    for (const Side side : {kLan, kWan}) {
      rte_eth_dev_stop(devices_[side]);
      rte_eth_dev_close(devices_[side]);
    }
    for (rte_ring* ring : rings_) rte_ring_free(ring);
    forwarding_.reset();
    rte_mempool_free(pool_);
    std::filesystem::remove_all(folder_);
  }

  void make_rules() {
    std::string folder = "/tmp/masugata-races-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    std::ofstream(folder_ / "test.rules")
        << R"(alert http any any -> any any (http.uri; content:"/seen"; sid:1;))" << '\n'
        << R"(drop tcp any any -> any any (flow:established; content:"evilword"; sid:2;))" << '\n';
  }

  void open_port(Side side) {
    std::vector<rte_ring*> in;
    std::vector<rte_ring*> out;
    for (uint16_t queue = 0; queue < kWorkers; ++queue) {
      for (auto* rings : {&in, &out}) {
        const std::string name = fmt::format("races{}", rings_.size());
        rings_.push_back(
            rte_ring_create(name.c_str(), kRingSize, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ));
        rings->push_back(rings_.back());
      }
    }
    const std::string name = fmt::format("races_port{}", static_cast<int>(side));
    const int device =
        rte_eth_from_rings(name.c_str(), in.data(), kWorkers, out.data(), kWorkers, 0);
    ASSERT_GE(device, 0);
    devices_[side] = static_cast<uint16_t>(device);
    const rte_eth_conf plain{};
    ASSERT_EQ(rte_eth_dev_configure(devices_[side], kWorkers, kWorkers, &plain), 0);
    for (uint16_t queue = 0; queue < kWorkers; ++queue) {
      ASSERT_EQ(rte_eth_rx_queue_setup(devices_[side], queue, 64, 0, nullptr, pool_), 0);
      ASSERT_EQ(rte_eth_tx_queue_setup(devices_[side], queue, 64, 0, nullptr), 0);
    }
    ASSERT_EQ(rte_eth_dev_start(devices_[side]), 0);
  }

  void make_workers() {
    WorkerSettings settings;
    settings.worker_count = kWorkers;
    settings.packet_pool = pool_;
    settings.sessions = 4096;
    settings.foreign_keys = 4096;
    settings.tracked_sources = 1024;
    settings.reassembly = ReassemblyLimits::of_worker({}, kWorkers, kBuffers / 4);
    settings.now_ms = static_cast<uint32_t>(now_us_.load() / 1000);
    for (const Side side : {kLan, kWan}) settings.ports.push_back({devices_[side], side});
    for (uint16_t number = 0; number < kWorkers; ++number) {
      settings.worker = number;
      workers_.push_back(std::move(*Worker::create(settings, memory_, publication_)));
      threads_.push_back(
          std::make_unique<FedWorkerThread>(*workers_.back(), *pool_, *quiescence_, now_us_));
      threads_.back()->connect(*messages_);
      for (const Side side : {kLan, kWan}) {
        const size_t first = (side * kWorkers + number) * 2U;
        threads_.back()->attach(side, devices_[side], rings_[first], rings_[first + 1]);
      }
    }
    threads_[0]->answer_through(*threads_[1]);
    threads_[1]->answer_through(*threads_[0]);
  }

  void make_managers() {
    InspectionTargets rules;
    rules.publication = &publication_.inspection;
    rules.memory = &mapped_;
    rules.limits.sessions = 4096;
    rules.limits.stream_bytes = 4U << 20U;
    for (const auto& worker : workers_) rules.inspectors.push_back(&worker->inspector());
    inspection_ = std::make_unique<InspectionManager>(std::move(rules));
    ConfigurationTargets targets;
    targets.publication = &publication_;
    targets.quiescence = quiescence_.get();
    targets.inspection = inspection_.get();
    for (const Side side : {kLan, kWan}) targets.ports.push_back({devices_[side], mac_of(side)});
    targets.workers = kWorkers;
    configuration_ = std::make_unique<ConfigurationManager>(std::move(targets));
  }

  static net::MacAddress mac_of(Side side) {
    return {{0x02, 0, 0, 0, 0, static_cast<uint8_t>(side + 1)}};
  }

  // The configurations of rounds differ in their rules and in a profile's choice.
  ::testing::AssertionResult apply(uint32_t round) {
    const bool odd = round % 2 != 0;
    const std::string text =
        fmt::format(kConfiguration, odd ? "pass" : "drop", odd ? "other" : "rest");
    config::Loaded loaded = config::load_text(text, "test");
    if (!loaded.model) return ::testing::AssertionFailure() << "configuration";
    loaded.model->ips.cache_folder.clear();
    loaded.model->ips.rule_files.push_back((folder_ / "test.rules").string());
    std::vector<Fault> warnings;
    const Status applied = configuration_->apply(std::move(*loaded.model), warnings);
    if (!applied) return ::testing::AssertionFailure() << applied.error().message();
    return ::testing::AssertionSuccess();
  }

  void feed_routes(bool more) {
    std::vector<RouteEntry> entries;
    const auto add = [&](const char* prefix, RouteKind kind, uint16_t interface, const char* via) {
      RouteEntry entry;
      entry.prefix = *net::Prefix::parse(prefix);
      const net::IpAddress gateway =
          via == nullptr ? net::IpAddress{} : *net::IpAddress::parse(via);
      entry.paths.push_back({Route{kind, interface, gateway}, 1});
      entries.push_back(entry);
    };
    add("10.0.1.0/24", RouteKind::Connected, kLan, nullptr);
    add("203.0.113.0/24", RouteKind::Connected, kWan, nullptr);
    add("203.0.113.2/32", RouteKind::Local, kWan, nullptr);
    add("0.0.0.0/0", RouteKind::Gateway, kWan, "203.0.113.1");
    if (more) add("198.51.100.0/24", RouteKind::Gateway, kWan, "203.0.113.1");
    EXPECT_TRUE(forwarding_->set_routes(entries));
    EXPECT_TRUE(forwarding_->publish());
    set_neighbour(kLan, "10.0.1.10", more);
    set_neighbour(kWan, "203.0.113.1", more);
  }
  void set_neighbour(Side side, const char* address, bool stale) {
    NeighbourUpdate update;
    update.interface = side;
    update.address = *net::IpAddress::parse(address);
    update.mac = {{0x02, 0, 0, 0, 0x10, static_cast<uint8_t>(side)}};
    update.state = stale ? NeighbourState::Stale : NeighbourState::Reachable;
    EXPECT_TRUE(forwarding_->replace_neighbour(update));
  }

  void give(uint32_t number, Side side, const std::string& recipe) {
    const std::string to = mac_of(side).to_string();
    const auto bytes =
        test::build_packet("eth 02:00:00:00:10:99 > " + to + " | " + recipe, test::LinkDefaults{});
    ASSERT_TRUE(bytes) << recipe;
    threads_[number % kWorkers]->give({side, *bytes});
  }

  // New flows each round, and a step on for the connections of earlier ones.
  void give_frames(uint32_t round) {
    for (uint32_t flow = 0; flow < 8; ++flow) {
      give(
          flow, kLan,
          fmt::format("udp 10.0.1.10:{} > 198.51.100.5:53 payload \"x\"", 2000 + round * 8 + flow));
    }
    for (uint32_t step = 0; step < kConversationSteps && step <= round; ++step) {
      for (uint32_t index = 0; index < 4; ++index) {
        converse(20000 + (round - step) * 4 + index, step, index + step);
      }
    }
  }
  void converse(uint32_t port, uint32_t step, uint32_t worker) {
    const std::string out = fmt::format("tcp 10.0.1.10:{} > 198.51.100.6:80 ", port);
    const std::string back = fmt::format("tcp 198.51.100.6:80 > 10.0.1.10:{} ", port);
    const std::array<std::pair<Side, std::string>, kConversationSteps> steps{{
        {kLan, out + "flags S seq 999"},
        {kWan, back + "flags SA seq 1999 ack 1000"},
        {kLan, out + "flags A seq 1000 ack 2000"},
        {kLan, out + R"(flags AP seq 1000 ack 2000 payload "GET /seen HTTP/1.1\r\n\r\n")"},
        {kWan, back + R"(flags AP seq 2000 ack 1022 payload "HTTP/1.1 200 OK\r\n")"},
        {kLan, out + R"(flags AP seq 1022 ack 2017 payload "evilword")"},
        {kLan, out + "flags R seq 1022"},
    }};
    give(worker, steps[step].first, steps[step].second);
  }

  // Until both workers have had nothing to do since now, and what was published has been taken up.
  void settle() {
    for (int twice = 0; twice < 2; ++twice) {
      const std::array<uint64_t, 2> before{threads_[0]->idle_turns(), threads_[1]->idle_turns()};
      while (threads_[0]->idle_turns() < before[0] + 2 ||
             threads_[1]->idle_turns() < before[1] + 2) {
        tend();
        std::this_thread::yield();
      }
    }
  }
  void tend() {
    configuration_->tick();
    std::string ended;
    (void)inspection_->tick(ended);
    EXPECT_TRUE(forwarding_->settled() || forwarding_->advance());
    std::string line;
    for (const auto& worker : workers_) {
      while (worker->inspector().events().pop(line)) ++events_;
    }
  }

  // What `show` commands read.
  void look() {
    for (const auto& worker : workers_) {
      SessionQuery query;
      query.found.reserve(64);
      query.per_rule.resize(16);
      ASSERT_TRUE(worker->queries().post(&query));
      while (!query.done.load(std::memory_order_acquire)) std::this_thread::yield();
      sessions_seen_ += query.in_table;
      for (const auto& drop : worker->context().counters.drops) drops_seen_ += drop.get();
      (void)worker->inspector().counters().packets.get();
    }
    (void)configuration_->totals();
    for (InspectionSlotIndex slot = 0; slot < inspection_->running()->slots.size(); ++slot) {
      (void)inspection_->rule_counts(slot);
    }
  }

  rte_mempool* pool_ = nullptr;
  std::vector<rte_ring*> rings_;  // by side, queue, in before out
  std::array<uint16_t, 2> devices_{};
  std::filesystem::path folder_;
  std::atomic<uint64_t> now_us_{1'000'000'000};
  HeapMemory memory_;
  MappedMemory mapped_;
  std::unique_ptr<QuiescenceDomain> quiescence_;
  std::unique_ptr<ForwardingPublisher> forwarding_;
  Publication publication_;
  std::unique_ptr<WorkerMessages> messages_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<FedWorkerThread>> threads_;
  std::unique_ptr<InspectionManager> inspection_;
  std::unique_ptr<ConfigurationManager> configuration_;
  uint64_t events_ = 0;
  uint64_t sessions_seen_ = 0;
  uint64_t drops_seen_ = 0;
};

TEST_F(WorkerRaces, PacketsFlowWhileEverythingIsPublished) {
  for (const auto& thread : threads_) thread->start();
  for (uint32_t round = 0; round < kRounds; ++round) {
    give_frames(round);
    now_us_.fetch_add(10'000);
    EXPECT_TRUE(round % 4 != 1 || apply(round / 4));
    if (round % 4 == 2) feed_routes(round % 8 == 2);
    EXPECT_TRUE(round % 8 != 3 || inspection_->reread_rules());
    if (round % 8 == 5) inspection_->set_profiling(round % 16 == 5);
    if (round % 4 == 0) look();
    tend();
    settle();
  }
  inspection_->finish_loading();
  settle();
  for (const auto& thread : threads_) thread->stop();
  tend();
  EXPECT_GT(threads_[0]->received(kLan) + threads_[1]->received(kLan), kRounds * 8)
      << "answers, some of them by the other worker";
  EXPECT_GT(events_, kRounds) << "alerts";
  EXPECT_GT(sessions_seen_, 0U);
  EXPECT_GT(drops_seen_, 0U);
  EXPECT_EQ(rte_mempool_in_use_count(pool_), 0U) << "buffers are lost";
}

}  // namespace
}  // namespace masugata::dataplane
