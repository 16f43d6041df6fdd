// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/in_process_gateway.h"

#include <fmt/format.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <deque>
#include <system_error>

#include "config/load.h"
#include "dataplane/kernel/kernel_port.h"
#include "dataplane/snapshot/compile.h"

namespace masugata::test {
namespace {

using dataplane::Packet;
using dataplane::RouteEntry;
using dataplane::RouteKind;

// Names of rings and pools are global in EAL; gateways come and go within one test program.
std::atomic<uint32_t> instances{0};

constexpr uint32_t kMaximumTurns = 4096;

std::vector<uint8_t> bytes_of(const rte_mbuf& mbuf) {
  std::vector<uint8_t> bytes(mbuf.pkt_len);
  const void* data = rte_pktmbuf_read(&mbuf, 0, mbuf.pkt_len, bytes.data());
  if (data != bytes.data())
    std::copy_n(static_cast<const uint8_t*>(data), bytes.size(), bytes.data());
  return bytes;
}

RouteEntry entry_of(const net::Prefix& prefix, RouteKind kind, uint16_t interface,
                    const net::IpAddress& gateway = {}) {
  RouteEntry entry;
  entry.prefix = prefix.network();
  entry.paths.push_back({dataplane::Route{kind, interface, gateway}, 1});
  return entry;
}

uint8_t host_length(const net::IpAddress& address) { return address.is_v4() ? 32 : 128; }

std::optional<RouteKind> kind_of(const NetworkRoute& route) {
  if (route.kind == "unicast") return route.via.empty() ? RouteKind::Connected : RouteKind::Gateway;
  if (route.kind == "local") return RouteKind::Local;
  if (route.kind == "broadcast") return RouteKind::Broadcast;
  if (route.kind == "blackhole") return RouteKind::Blackhole;
  if (route.kind == "prohibit") return RouteKind::Prohibit;
  if (route.kind == "unreachable") return RouteKind::Unreachable;
  return std::nullopt;
}

std::time_t local_time_of(int year, int month, int day, int hour, int minute) {
  std::tm parts{};
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_isdst = -1;
  return std::mktime(&parts);
}

std::string endpoint(const net::IpAddress& address, net::Be16 port, bool has_port) {
  const std::string text = address.to_string();
  if (!has_port) return text;
  return address.is_v4() ? fmt::format("{}:{}", text, port.host())
                         : fmt::format("[{}]:{}", text, port.host());
}

std::string protocol_name(net::Protocol protocol) {
  switch (protocol) {
    case net::Protocol::Tcp:
      return "tcp";
    case net::Protocol::Udp:
      return "udp";
    case net::Protocol::Icmp:
      return "icmp";
    case net::Protocol::Icmpv6:
      return "icmpv6";
    case net::Protocol::Gre:
      return "gre";
    case net::Protocol::Esp:
      return "esp";
    case net::Protocol::Sctp:
      return "sctp";
    default:
      return std::to_string(static_cast<int>(protocol));
  }
}

}  // namespace

struct InProcessGateway::Port {
  std::string name;
  std::vector<rte_ring*> towards_gateway;  // by queue
  std::vector<rte_ring*> from_gateway;
  uint16_t device = dataplane::kNoPort;
  net::MacAddress mac;

  ~Port() {
    if (device != dataplane::kNoPort) {
      rte_eth_dev_stop(device);
      rte_eth_dev_close(device);
    }
    for (const auto& rings : {towards_gateway, from_gateway}) {
      for (rte_ring* ring : rings) {
        void* mbuf = nullptr;
        while (rte_ring_dequeue(ring, &mbuf) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(mbuf));
        rte_ring_free(ring);
      }
    }
  }
};

class InProcessGateway::Kernel final : public dataplane::KernelPort {
 public:
  struct Punted {
    uint16_t twin;
    std::vector<uint8_t> bytes;
  };
  ~Kernel() override {
    for (rte_mbuf* frame : outgoing) rte_pktmbuf_free(frame);
  }
  bool punt(uint16_t twin, rte_mbuf* frame) noexcept override {
    punted.push_back({twin, bytes_of(*frame)});
    rte_pktmbuf_free(frame);
    return true;
  }
  uint16_t receive(rte_mbuf** frames, uint16_t maximum) noexcept override {
    uint16_t count = 0;
    while (count < maximum && !outgoing.empty()) {
      frames[count++] = outgoing.front();
      outgoing.pop_front();
    }
    return count;
  }
  std::vector<Punted> punted;
  std::deque<rte_mbuf*> outgoing;
};

// The other workers hand packets to the kernel, too, but none come to them.
class InProcessGateway::KernelDoor final : public dataplane::KernelPort {
 public:
  explicit KernelDoor(Kernel& kernel) noexcept : kernel_(kernel) {}
  bool punt(uint16_t twin, rte_mbuf* frame) noexcept override { return kernel_.punt(twin, frame); }
  uint16_t receive(rte_mbuf**, uint16_t) noexcept override { return 0; }

 private:
  Kernel& kernel_;
};

InProcessGateway::InProcessGateway(const InProcessOptions& options)
    : options_(options),
      kernel_(std::make_unique<Kernel>()),
      kernel_door_(std::make_unique<KernelDoor>(*kernel_)),
      wall_clock_(local_time_of(2026, 6, 3, 12, 0)) {}

InProcessGateway::~InProcessGateway() {
  workers_.clear();
  inspection_.reset();
  antivirus_.reset();
  ipsec_.reset();
  std::error_code ignored;
  if (!rule_folder_.empty()) std::filesystem::remove_all(rule_folder_, ignored);
  messages_.reset();
  ports_.clear();
  kernel_.reset();
  forwarding_.reset();
  rte_mempool_free(pool_);
}

Status InProcessGateway::configure(const std::string& text) {
  config::Loaded loaded = config::load_text(text, "scenario");
  if (!loaded.model.has_value()) {
    std::string problems;
    for (const config::Problem& problem : loaded.problems) {
      problems += config::format_problem(problem, "configuration") + "\n";
    }
    return failure("configuration", problems);
  }
  if (workers_.empty()) {
    if (Status started = start(*loaded.model); !started) return started;
  } else if (Status aligned = dataplane::align_interfaces(*loaded.model, model_); !aligned) {
    return aligned;
  }
  if (Status published = publish(*loaded.model); !published) return published;
  model_ = std::move(*loaded.model);
  if (Status fed = feed_routes(); !fed) return fed;
  settle();
  return {};
}

Status InProcessGateway::start(const config::Model& model) {
  const uint32_t instance = instances++;
  pool_ = rte_pktmbuf_pool_create(
      fmt::format("pool{}", instance).c_str(), options_.packet_buffers, 0, sizeof(Packet),
      static_cast<uint16_t>(options_.buffer_bytes + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);
  if (pool_ == nullptr) return failure("test gateway", "no memory for packet buffers");
  dataplane::WorkerSettings settings;
  for (const config::Port& configured : model.ports) {
    if (Status opened = open_port(configured, instance); !opened) return opened;
    settings.ports.push_back({ports_.back()->device, static_cast<uint16_t>(ports_.size() - 1)});
  }
  dataplane::ForwardingSettings forwarding;
  forwarding.maximum_routes_ipv4 = 1024;
  forwarding.maximum_routes_ipv6 = 1024;
  forwarding.maximum_path_sets = 256;
  forwarding.maximum_neighbours = 1024;
  auto publisher = dataplane::ForwardingPublisher::create(forwarding, no_readers_);
  if (!publisher) return tl::unexpected(publisher.error());
  forwarding_ = std::move(*publisher);
  publication_.forwarding = forwarding_.get();

  return make_workers(std::move(settings), model);
}

Status InProcessGateway::make_workers(dataplane::WorkerSettings settings,
                                      const config::Model& model) {
  const uint16_t count = options_.workers;
  if (count > 1) {
    auto messages = dataplane::WorkerMessages::create(count);
    if (!messages) return tl::unexpected(messages.error());
    messages_ = std::move(*messages);
  }
  settings.worker_count = count;
  settings.packet_pool = pool_;
  settings.sessions = (model.sessions.maximum + count - 1) / count;
  settings.foreign_keys = count > 1 ? 4096 : 0;
  settings.tracked_sources = 4096;
  settings.reassembly =
      dataplane::ReassemblyLimits::of_worker(model.fragments, count, options_.packet_buffers / 4);
  settings.now_ms = static_cast<uint32_t>(now_us_ / 1000);
  for (uint16_t i = 0; i < count; ++i) {
    settings.worker = i;
    auto worker = dataplane::Worker::create(settings, memory_, publication_);
    if (!worker) return tl::unexpected(worker.error());
    // The kernel's frames come in by the first worker, as in the gateway.
    dataplane::KernelPort* kernel = kernel_.get();
    if (i > 0) kernel = kernel_door_.get();
    (*worker)->connect(kernel, messages_.get());
    workers_.push_back(std::move(*worker));
  }
  return {};
}

Status InProcessGateway::open_port(const config::Port& configured, uint32_t instance) {
  auto port = std::make_unique<Port>();
  port->name = configured.name;
  const std::string name = fmt::format("t{}p{}", instance, ports_.size());
  constexpr unsigned kFlags = RING_F_SP_ENQ | RING_F_SC_DEQ;
  const uint16_t queues = options_.workers;
  for (uint16_t queue = 0; queue < queues; ++queue) {
    port->towards_gateway.push_back(rte_ring_create(fmt::format("{}in{}", name, queue).c_str(),
                                                    options_.ring_size, SOCKET_ID_ANY, kFlags));
    port->from_gateway.push_back(rte_ring_create(fmt::format("{}out{}", name, queue).c_str(),
                                                 options_.ring_size, SOCKET_ID_ANY, kFlags));
  }
  const int device = rte_eth_from_rings(name.c_str(), port->towards_gateway.data(), queues,
                                        port->from_gateway.data(), queues, 0);
  if (device < 0) return failure("test gateway", "cannot make a ring port");
  port->device = static_cast<uint16_t>(device);
  const rte_eth_conf plain{};
  bool started = rte_eth_dev_configure(port->device, queues, queues, &plain) == 0;
  for (uint16_t queue = 0; queue < queues; ++queue) {
    started = started && rte_eth_rx_queue_setup(port->device, queue, 64, 0, nullptr, pool_) == 0 &&
              rte_eth_tx_queue_setup(port->device, queue, 64, 0, nullptr) == 0;
  }
  if (!started || rte_eth_dev_start(port->device) != 0) {
    return failure("test gateway", "a ring port does not start");
  }
  port->mac.bytes = {0x02, 0, 0, 0, 0, static_cast<uint8_t>(ports_.size() + 1)};
  ports_.push_back(std::move(port));
  return {};
}

Status InProcessGateway::publish(const config::Model& model) {
  if (Status loaded = load_inspection(model); !loaded) return loaded;
  if (Status loaded = load_antivirus(model); !loaded) return loaded;
  if (Status loaded = load_ipsec(model); !loaded) return loaded;
  auto snapshot = dataplane::compile_snapshot(
      model, epoch_ + 1, wall_clock_,
      configuration_ == nullptr ? nullptr : configuration_->snapshot.get());
  if (!snapshot) return tl::unexpected(snapshot.error());
  if ((*snapshot)->policy->depends_on_content()) {
    dataplane::IdentifierLimits limits = options_.identifier;
    limits.sessions = workers_.front()->settings().sessions;
    for (const auto& worker : workers_) {
      Status prepared = worker->applications().prepare(limits, inspection_memory_);
      if (!prepared) return prepared;
    }
  }
  if (!(*snapshot)->trusted_resolvers.empty()) {
    for (const auto& worker : workers_) {
      Status prepared = worker->names().prepare(options_.learner, inspection_memory_, {});
      if (!prepared) return prepared;
    }
  }
  std::vector<dataplane::PortFacts> ports;
  for (const auto& port : ports_) ports.push_back({port->device, port->mac});
  std::vector<uint16_t> twins(model.interfaces.size());
  for (uint16_t i = 0; i < twins.size(); ++i) twins[i] = i;
  ++epoch_;
  auto next = dataplane::build_configuration(
      model, std::shared_ptr<const dataplane::Snapshot>(std::move(*snapshot)), ports, twins,
      options_.workers, epoch_);
  next->inspection_slots = inspection_->slots_of(next->snapshot->policy->inspection_profiles());
  next->antivirus_slots = antivirus_->slots_of(next->snapshot->policy->inspection_profiles());
  publication_.configuration.store(next.get(), std::memory_order_release);
  configuration_ = std::move(next);
  return {};
}

Status InProcessGateway::feed_routes() {
  std::vector<RouteEntry> entries;
  for (uint16_t i = 0; i < model_.interfaces.size(); ++i) {
    for (const net::Prefix& prefix : model_.interfaces[i].addresses) {
      const uint8_t full = host_length(prefix.address);
      entries.push_back(entry_of({prefix.address, full}, RouteKind::Local, i));
      if (prefix.length == full) continue;
      entries.push_back(entry_of(prefix, RouteKind::Connected, i));
      if (prefix.address.is_v4() && prefix.length < 31) {
        entries.push_back(entry_of({prefix.range().last, 32}, RouteKind::Broadcast, i));
      }
    }
  }
  for (const config::StaticRoute& route : model_.routes) {
    if (route.blackhole) {
      entries.push_back(entry_of(route.destination, RouteKind::Blackhole, dataplane::kNoInterface));
      continue;
    }
    uint16_t interface = route.interface.value_or(dataplane::kNoInterface);
    for (uint16_t i = 0; route.via && !route.interface && i < model_.interfaces.size(); ++i) {
      const auto& addresses = model_.interfaces[i].addresses;
      const bool on_link = std::any_of(addresses.begin(), addresses.end(),
                                       [&](const auto& own) { return own.contains(*route.via); });
      if (on_link) interface = i;
    }
    entries.push_back(entry_of(route.destination,
                               route.via ? RouteKind::Gateway : RouteKind::Connected, interface,
                               route.via.value_or(net::IpAddress{})));
  }
  for (const NetworkRoute& route : extra_routes_) {
    const auto prefix = net::Prefix::parse(route.prefix);
    const auto kind = kind_of(route);
    const auto interface = model_.find_interface(route.interface);
    const auto via = net::IpAddress::parse(route.via);
    if (!prefix || !kind || (!route.via.empty() && !via)) {
      return failure("route " + route.prefix, "cannot be read");
    }
    std::erase_if(entries, [&](const auto& entry) { return entry.prefix == prefix->network(); });
    entries.push_back(entry_of(*prefix, *kind, interface.value_or(dataplane::kNoInterface),
                               via.value_or(net::IpAddress{})));
  }
  if (Status set = forwarding_->set_routes(entries); !set) return set;
  return forwarding_->settle();
}

Status InProcessGateway::set_route(const NetworkRoute& route) {
  std::erase_if(extra_routes_, [&](const auto& known) { return known.prefix == route.prefix; });
  extra_routes_.push_back(route);
  return feed_routes();
}

Status InProcessGateway::remove_route(const std::string& prefix) {
  std::erase_if(extra_routes_, [&](const auto& known) { return known.prefix == prefix; });
  return feed_routes();
}

Status InProcessGateway::set_neighbour(const std::string& interface, const std::string& address,
                                       const std::string& mac) {
  dataplane::NeighbourUpdate update;
  const auto index = model_.find_interface(interface);
  const auto parsed = net::IpAddress::parse(address);
  if (!index || !parsed) return failure("neighbour " + address, "unknown interface or bad address");
  update.interface = *index;
  update.address = *parsed;
  update.state = dataplane::NeighbourState::Failed;
  if (!mac.empty()) {
    const auto parsed_mac = net::MacAddress::parse(mac);
    if (!parsed_mac) return failure("neighbour " + address, "bad MAC address " + mac);
    update.mac = *parsed_mac;
    update.state = dataplane::NeighbourState::Reachable;
  }
  auto replaced = forwarding_->replace_neighbour(update);
  if (!replaced) return tl::unexpected(replaced.error());
  settle();
  return {};
}

Status InProcessGateway::remove_neighbour(const std::string& interface,
                                          const std::string& address) {
  const auto index = model_.find_interface(interface);
  const auto parsed = net::IpAddress::parse(address);
  if (!index || !parsed) return failure("neighbour " + address, "unknown interface or bad address");
  forwarding_->remove_neighbour(*index, *parsed);
  return forwarding_->settle();
}

Status InProcessGateway::set_link(const std::string& port, bool up) {
  Port* found = find_port(port);
  if (found == nullptr) return failure("port " + port, "unknown");
  const uint64_t bit = uint64_t{1} << found->device;
  const uint64_t down = publication_.ports_down.load();
  publication_.ports_down.store(up ? down & ~bit : down | bit);
  return {};
}

Status InProcessGateway::set_wall_clock(const std::string& local_time) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  if (std::sscanf(local_time.c_str(), "%d-%d-%d %d:%d", &year, &month, &day, &hour, &minute) != 5) {
    return failure("wall clock", "expected YYYY-MM-DD HH:MM, not " + local_time);
  }
  wall_clock_ = local_time_of(year, month, day, hour, minute);
  return workers_.empty() ? Status{} : publish(model_);
}

rte_mbuf* InProcessGateway::make_frame(const std::vector<uint8_t>& bytes) {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
  if (mbuf == nullptr || bytes.size() > rte_pktmbuf_tailroom(mbuf)) {
    rte_pktmbuf_free(mbuf);
    return nullptr;
  }
  char* data = rte_pktmbuf_append(mbuf, static_cast<uint16_t>(bytes.size()));
  std::copy(bytes.begin(), bytes.end(), data);
  return mbuf;
}

Status InProcessGateway::send(const std::vector<PortFrame>& frames) {
  const uint16_t queue = next_queue_++ % options_.workers;
  for (const PortFrame& frame : frames) {
    Port* port = find_port(frame.port);
    if (port == nullptr) return failure("port " + frame.port, "unknown");
    rte_mbuf* mbuf = make_frame(frame.bytes);
    if (mbuf == nullptr) return failure("port " + frame.port, "frame too large for its buffers");
    mbuf->port = port->device;
    if (frame.kernel) {
      kernel_->outgoing.push_back(mbuf);
    } else if (rte_ring_enqueue(port->towards_gateway[queue], mbuf) != 0) {
      rte_pktmbuf_free(mbuf);
      return failure("port " + frame.port, "too many frames at once");
    }
  }
  settle();
  return {};
}

void InProcessGateway::settle() {
  for (uint32_t turn = 0; turn < kMaximumTurns; ++turn) {
    bool busy = false;
    tend_antivirus();
    if (ipsec_ != nullptr) ipsec_->tick();
    for (const auto& worker : workers_) busy |= worker->run_once({now_us_});
    if (!busy) break;
  }
  tend_antivirus();
}

void InProcessGateway::advance(uint64_t milliseconds) {
  // In steps, so that timers fire in order and bounded work per turn suffices.
  constexpr uint64_t kStepMs = 100;
  while (milliseconds > 0) {
    const uint64_t step = std::min(milliseconds, std::max(kStepMs, milliseconds / 64));
    now_us_ += step * 1000;
    milliseconds -= step;
    for (int turn = 0; turn < 8; ++turn) settle();
  }
}

std::vector<PortFrame> InProcessGateway::take_output() {
  std::vector<PortFrame> frames;
  for (const auto& port : ports_) {
    for (rte_ring* ring : port->from_gateway) {
      void* object = nullptr;
      while (rte_ring_dequeue(ring, &object) == 0) {
        auto* mbuf = static_cast<rte_mbuf*>(object);
        frames.push_back({port->name, false, bytes_of(*mbuf)});
        rte_pktmbuf_free(mbuf);
      }
    }
  }
  for (Kernel::Punted& punted : kernel_->punted) {
    const uint16_t port = model_.interfaces[punted.twin].port;
    frames.push_back({ports_[port]->name, true, std::move(punted.bytes)});
  }
  kernel_->punted.clear();
  return frames;
}

std::vector<std::string> InProcessGateway::take_resolve_requests() {
  std::vector<std::string> requests;
  dataplane::NeighbourKey key;
  for (const auto& worker : workers_) {
    while (worker->context().resolve_requests.pop(key)) {
      requests.push_back(fmt::format("{} interface {}", key.address.to_string(),
                                     model_.interfaces[key.interface].name));
    }
  }
  return requests;
}

std::map<std::string, uint64_t> InProcessGateway::drop_counts() {
  std::map<std::string, uint64_t> counts;
  for (const auto& worker : workers_) {
    const auto& drops = worker->context().counters.drops;
    for (size_t i = 1; i < drops.size(); ++i) {
      if (drops[i].get() == 0) continue;
      counts[std::string(drop_reason_name(static_cast<dataplane::DropReason>(i)))] +=
          drops[i].get();
    }
  }
  return counts;
}

std::vector<SessionView> InProcessGateway::sessions() {
  using dataplane::Direction;
  std::vector<SessionView> views;
  const dataplane::Snapshot& snapshot = *configuration_->snapshot;
  const auto now_ms = static_cast<uint32_t>(now_us_ / 1000);
  const auto visit = [&](const dataplane::Session& session) {
    const net::FlowKey& original = session.flow(Direction::Original).key;
    const net::FlowKey& reply = session.flow(Direction::Reply).key;
    const bool ports = original.source_port.raw != 0 || original.destination_port.raw != 0;
    SessionView view;
    view.protocol = protocol_name(original.protocol);
    view.source = endpoint(original.source, original.source_port, ports);
    view.destination = endpoint(original.destination, original.destination_port, ports);
    view.translated_source = endpoint(reply.destination, reply.destination_port, ports);
    view.translated_destination = endpoint(reply.source, reply.source_port, ports);
    view.state = dataplane::name_of(session.state);
    if (session.record.policy_rule < snapshot.policy->rules().size()) {
      view.rule = snapshot.policy->rules()[session.record.policy_rule].name;
    }
    view.from_zone = snapshot.zones[session.record.ingress_zone].name;
    view.to_zone = snapshot.zones[session.record.egress_zone].name;
    const uint32_t idle = session.idle_ms(now_ms);
    view.expires_ms = idle < session.timeout_ms ? session.timeout_ms - idle : 0;
    view.packets_original = session.packets(Direction::Original);
    view.packets_reply = session.packets(Direction::Reply);
    views.push_back(std::move(view));
  };
  for (const auto& worker : workers_) {
    uint32_t cursor = 0;
    while (worker->context().sessions->visit_slice(cursor, 4096, visit)) {
    }
  }
  return views;
}

std::optional<std::string> InProcessGateway::mac_of_port(const std::string& port) {
  const Port* found = find_port(port);
  if (found == nullptr) return std::nullopt;
  return found->mac.to_string();
}

InProcessGateway::Port* InProcessGateway::find_port(const std::string& name) {
  for (const auto& port : ports_) {
    if (port->name == name) return port.get();
  }
  return nullptr;
}

uint32_t InProcessGateway::buffers_in_use() const {
  return pool_ == nullptr ? 0 : rte_mempool_in_use_count(pool_);
}

}  // namespace masugata::test
