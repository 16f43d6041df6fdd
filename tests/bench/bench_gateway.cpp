// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/bench_gateway.h"

#include <fmt/format.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <ctime>
#include <random>

#include "dataplane/snapshot/compile.h"

namespace masugata::bench {
namespace {

using dataplane::RouteEntry;
using dataplane::RouteKind;

constexpr uint32_t kRingSize = 4096;
constexpr uint32_t kBurst = 32;
constexpr config::ZoneIndex kLanZone = 1;
constexpr config::ZoneIndex kWanZone = 2;

net::IpAddress address_of(uint32_t host_order) {
  return net::IpAddress::from_v4(net::Be32::from_host(host_order));
}

net::AddressRange range_of(uint32_t first, uint32_t count) {
  return {address_of(first), address_of(first + count - 1)};
}

void add_interface(config::Model& model, const char* name, uint32_t address) {
  const auto index = static_cast<uint16_t>(model.ports.size());
  config::Port port;
  port.name = name;
  port.device = fmt::format("net_ring{}", index);
  model.ports.push_back(port);
  config::Interface interface;
  interface.name = name;
  interface.port = index;
  interface.addresses.push_back({address_of(address), 24});
  model.interfaces.push_back(interface);
  config::Zone zone;
  zone.name = fmt::format("zone-{}", name);
  zone.interfaces.push_back(index);
  model.zones.push_back(zone);
}

// Rules in front of the one that permits name networks of the clients, servers that nobody asks,
// and a port each.
config::PolicySection make_policy(uint32_t rules) {
  std::mt19937 random(7);
  const auto below = [&random](uint32_t bound) { return static_cast<uint32_t>(random() % bound); };
  config::PolicySection section;
  section.from = kLanZone;
  section.to = kWanZone;
  for (uint32_t number = 1; number < rules; ++number) {
    config::PolicyRule rule;
    rule.name = fmt::format("rule{}", number);
    rule.action = config::Action::Deny;
    rule.source.push_back(range_of(0x0a010000 + (below(256) << 8U), 256));
    rule.destination.push_back(range_of(0xac100000 + below(1U << 20U), 1));
    const auto port = static_cast<uint16_t>(1 + below(2000));
    rule.services.push_back({net::Protocol::Udp, {}, {port, port}, {}, {}});
    section.rules.push_back(std::move(rule));
  }
  config::PolicyRule permit;
  permit.name = "permit";
  permit.action = config::Action::Permit;
  section.rules.push_back(std::move(permit));
  return section;
}

config::Model make_model(const GatewayShape& shape) {
  config::Model model;
  config::Zone self;
  self.name = "self";
  model.zones.push_back(self);
  add_interface(model, "lan", kGatewayLan);
  add_interface(model, "wan", kGatewayWan);
  model.policy.push_back(make_policy(shape.policy_rules));
  model.sessions.maximum = shape.session_capacity;
  if (shape.source_nat) {
    config::SourceNatRule rule;
    rule.name = "out";
    rule.from = kLanZone;
    rule.to = kWanZone;
    rule.translation = config::SourceTranslation::Interface;
    model.source_nat.push_back(rule);
  }
  return model;
}

RouteEntry route(uint32_t prefix, uint8_t length, RouteKind kind, size_t interface,
                 uint32_t gateway = 0) {
  RouteEntry entry;
  entry.prefix = net::Prefix{address_of(prefix), length}.network();
  const net::IpAddress via = gateway == 0 ? net::IpAddress{} : address_of(gateway);
  entry.paths.push_back({dataplane::Route{kind, static_cast<uint16_t>(interface), via}, 1});
  return entry;
}

}  // namespace

// ---- ports ----

Result<std::unique_ptr<BenchPorts>> BenchPorts::create() {
  std::unique_ptr<BenchPorts> ports(new BenchPorts);
  ports->pool_ = rte_pktmbuf_pool_create("bench", kBuffers, 0, sizeof(dataplane::Packet),
                                         RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  if (ports->pool_ == nullptr) return failure("packet buffers", "no memory");
  for (size_t port = 0; port < kPorts; ++port) {
    if (Status opened = ports->open(port); !opened) return tl::unexpected(opened.error());
  }
  return ports;
}

Status BenchPorts::open(size_t port) {
  constexpr unsigned kFlags = RING_F_SP_ENQ | RING_F_SC_DEQ;
  const std::string name = fmt::format("bench{}", port);
  received_[port] = rte_ring_create((name + "in").c_str(), kRingSize, SOCKET_ID_ANY, kFlags);
  sent_[port] = rte_ring_create((name + "out").c_str(), kRingSize, SOCKET_ID_ANY, kFlags);
  if (received_[port] == nullptr || sent_[port] == nullptr) return failure(name, "no memory");
  const int device =
      rte_eth_from_rings(name.c_str(), &received_[port], 1, &sent_[port], 1, SOCKET_ID_ANY);
  if (device < 0) return failure(name, "cannot make a ring port");
  devices_[port] = static_cast<uint16_t>(device);
  const rte_eth_conf plain{};
  if (rte_eth_dev_configure(devices_[port], 1, 1, &plain) != 0 ||
      rte_eth_rx_queue_setup(devices_[port], 0, 64, 0, nullptr, pool_) != 0 ||
      rte_eth_tx_queue_setup(devices_[port], 0, 64, 0, nullptr) != 0 ||
      rte_eth_dev_start(devices_[port]) != 0) {
    return failure(name, "the ring port does not start");
  }
  return {};
}

BenchPorts::~BenchPorts() {
  for (const uint16_t device : devices_) {
    if (device == dataplane::kNoPort) continue;
    rte_eth_dev_stop(device);
    rte_eth_dev_close(device);
  }
  for (size_t port = 0; port < kPorts; ++port) {
    rte_ring_free(received_[port]);
    rte_ring_free(sent_[port]);
  }
  rte_mempool_free(pool_);
}

bool BenchPorts::allocate(std::span<rte_mbuf*> frames) noexcept {
  return rte_pktmbuf_alloc_bulk(pool_, frames.data(), static_cast<unsigned>(frames.size())) == 0;
}

size_t BenchPorts::take_sent(size_t port, std::span<rte_mbuf*> frames) noexcept {
  return rte_ring_dequeue_burst(sent_[port], reinterpret_cast<void**>(frames.data()),
                                static_cast<unsigned>(frames.size()), nullptr);
}

size_t BenchPorts::offer(size_t port, std::span<rte_mbuf*> frames) noexcept {
  return rte_ring_enqueue_burst(received_[port], reinterpret_cast<void**>(frames.data()),
                                static_cast<unsigned>(frames.size()), nullptr);
}

// ---- gateway ----

Result<std::unique_ptr<BenchGateway>> BenchGateway::create(const GatewayShape& shape,
                                                           BenchPorts& ports) {
  std::unique_ptr<BenchGateway> gateway(new BenchGateway(shape, ports));
  if (Status started = gateway->start(); !started) return tl::unexpected(started.error());
  return gateway;
}

BenchGateway::~BenchGateway() = default;

Status BenchGateway::start() {
  const config::Model model = make_model(shape_);
  auto snapshot = dataplane::compile_snapshot(model, 1, std::time(nullptr));
  if (!snapshot) return tl::unexpected(snapshot.error());
  std::vector<dataplane::PortFacts> facts;
  dataplane::WorkerSettings settings;
  for (size_t port = 0; port < BenchPorts::kPorts; ++port) {
    facts.push_back({ports_.device(port), gateway_mac(port)});
    settings.ports.push_back({ports_.device(port), static_cast<uint16_t>(port)});
  }
  configuration_ = dataplane::build_configuration(
      model, std::shared_ptr<const dataplane::Snapshot>(std::move(*snapshot)), facts, {0, 1}, 1, 1);
  publication_.configuration.store(configuration_.get());
  if (Status fed = feed_forwarding(); !fed) return fed;

  settings.packet_pool = ports_.pool();
  settings.sessions = shape_.session_capacity;
  settings.now_ms = static_cast<uint32_t>(now_us_ / 1000);
  auto worker = dataplane::Worker::create(settings, memory_, publication_);
  if (!worker) return tl::unexpected(worker.error());
  worker_ = std::move(*worker);
  return {};
}

Status BenchGateway::feed_forwarding() {
  dataplane::ForwardingSettings settings;
  settings.maximum_routes_ipv4 = 1024;
  settings.maximum_routes_ipv6 = 64;
  settings.maximum_path_sets = 64;
  settings.maximum_neighbours = 1024;
  auto publisher = dataplane::ForwardingPublisher::create(settings, no_readers_);
  if (!publisher) return tl::unexpected(publisher.error());
  forwarding_ = std::move(*publisher);
  publication_.forwarding = forwarding_.get();
  const std::vector<RouteEntry> routes{
      route(kGatewayLan, 32, RouteKind::Local, kLan),
      route(kGatewayWan, 32, RouteKind::Local, kWan),
      route(kGatewayLan, 24, RouteKind::Connected, kLan),
      route(kGatewayWan, 24, RouteKind::Connected, kWan),
      route(0x0a000000, 8, RouteKind::Gateway, kLan, kLanRouter),
      route(0, 0, RouteKind::Gateway, kWan, kWanRouter),
  };
  if (Status set = forwarding_->set_routes(routes); !set) return set;
  for (const size_t port : {kLan, kWan}) {
    dataplane::NeighbourUpdate router;
    router.interface = static_cast<uint16_t>(port);
    router.address = address_of(port == kLan ? kLanRouter : kWanRouter);
    router.mac = router_mac(port);
    router.state = dataplane::NeighbourState::Reachable;
    auto known = forwarding_->replace_neighbour(router);
    if (!known) return tl::unexpected(known.error());
  }
  return forwarding_->settle();
}

UdpEndpoints BenchGateway::endpoints(uint32_t number, size_t port) const noexcept {
  const UdpEndpoints client = client_flow(number);
  if (port == kLan) return client;
  const Translation& translation = translations_[number];
  return {client.destination, translation.address, client.destination_port, translation.port};
}

Status BenchGateway::establish(uint32_t count) {
  translations_.resize(count);
  std::array<rte_mbuf*, kBurst> frames{};
  if (!ports_.allocate(frames)) return failure("establishing sessions", "no packet buffer");
  Status status;
  for (uint32_t first = 0; first < count && status; first += kBurst) {
    const uint32_t burst = std::min(kBurst, count - first);
    status = establish_burst(first, std::span(frames).first(burst));
  }
  // After a failure nobody knows which frames are still the caller's.
  if (status) rte_pktmbuf_free_bulk(frames.data(), static_cast<unsigned>(frames.size()));
  return status;
}

Status BenchGateway::establish_burst(uint32_t first, std::span<rte_mbuf*> frames) {
  for (const size_t port : {kLan, kWan}) {
    for (uint32_t i = 0; i < frames.size(); ++i) {
      write_frame(*frames[i], endpoints(first + i, port), port, false);
    }
    process(frames, port);
    const size_t sent = ports_.take_sent(port == kLan ? kWan : kLan, frames);
    if (sent != frames.size()) {
      return failure("establishing sessions",
                     fmt::format("{} of {} packets of the burst at {} came out, {} drops", sent,
                                 frames.size(), first, drops()));
    }
    if (port == kWan) continue;
    // The rings keep the order of the burst.
    for (uint32_t i = 0; i < frames.size(); ++i) {
      Translation& translation = translations_[first + i];
      read_source(*frames[i], translation.address, translation.port);
    }
  }
  return {};
}

uint64_t BenchGateway::drops() const noexcept {
  uint64_t sum = 0;
  for (const auto& counter : worker_->context().counters.drops) sum += counter.get();
  return sum;
}

}  // namespace masugata::bench
