// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/pipeline/worker.h"

#include <fmt/core.h>
#include <rte_ethdev.h>

#include "dataplane/kernel/kernel_port.h"
#include "dataplane/pipeline/worker_messages.h"
#include "dataplane/stages/encrypt/probe_sender.h"

namespace masugata::dataplane {
namespace {

constexpr size_t kTimersPerTurn = 64;
constexpr size_t kForeignSlotsPerTurn = 16;
constexpr uint32_t kExpectationSlotsPerTurn = 4;
constexpr uint32_t kSessionsPerQueryTurn = 256;
constexpr uint32_t kMaximumPasses = 16;

// What another worker gave away goes on where that one could not go on.
StageId stage_of_handover(Packet& packet) noexcept {
  if (packet.has(kPacketToDecrypt)) return StageId::Decrypt;
  if (packet.has(kPacketToEncrypt)) return StageId::Encrypt;
  return packet.has(kPacketIsFragment) ? StageId::Defragment : StageId::Track;
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::create(const WorkerSettings& settings, MemorySource& memory,
                                               const Publication& publication) {
  std::unique_ptr<Worker> worker(new Worker(settings, publication));
  if (Status status = worker->allocate(settings, memory); !status) {
    return tl::unexpected(status.error());
  }
  return worker;
}

Worker::Worker(const WorkerSettings& settings, const Publication& publication)
    : settings_(settings), publication_(publication), ports_(settings.ports), runner_(context_) {
  context_.worker = settings.worker;
  context_.worker_count = settings.worker_count;
  context_.secret = settings.secret;
  context_.packet_pool = settings.packet_pool;
  context_.now_ms = settings.now_ms;
  context_.waiting = ResolveQueue<HeldPacket>(settings.waiting);
  context_.syn_cookies = SynCookies(settings.cookie_secret);
  context_.transmit = &transmit_queues_;
  context_.inspector = &inspector_;
  context_.guard = &guard_;
  inspector_.consult(guard_);
  context_.applications = &applications_;
  context_.names = &names_;
  context_.ipsec = &ipsec_;
  port_of_device_.assign(RTE_MAX_ETHPORTS, kNoPort);
  for (const PolledPort& port : ports_) port_of_device_[port.device] = port.index;
}

Status Worker::allocate(const WorkerSettings& settings, MemorySource& memory) {
  SessionTableSettings table;
  table.capacity = settings.sessions;
  table.foreign_capacity = settings.foreign_keys;
  table.zone_count = settings.zones;
  table.now_ms = settings.now_ms;
  auto sessions = SessionTable::create(table, memory);
  if (!sessions) return tl::unexpected(sessions.error());
  context_.sessions = std::move(*sessions);
  context_.sessions->set_observer(this);
  context_.reassembly = std::make_unique<ReassemblyTable>(settings.reassembly, settings.secret);
  const bool taken =
      context_.sources.allocate(memory, settings.tracked_sources, settings.secret) &&
      context_.expectations.allocate(memory, settings.expectations, settings.secret) &&
      context_.adjustments.allocate(memory, settings.sequence_adjustments) &&
      context_.syn_proxies.allocate(memory, settings.syn_proxies);
  if (!taken) {
    return failure(fmt::format("worker {}", settings.worker),
                   "no memory for its tables: lower `sessions maximum` or give it more memory");
  }
  return {};
}

Worker::~Worker() {
  context_.waiting.clear([](HeldPacket&&) {});
  if (context_.sessions != nullptr) context_.sessions->set_observer(nullptr);
}

void Worker::connect(KernelPort* kernel, WorkerMessages* messages) noexcept {
  context_.kernel = kernel;
  context_.messages = messages;
}

void Worker::begin_turn(WorkerTime now) noexcept {
  context_.now_us = now.us;
  context_.now_ms = now.ms();
  context_.configuration = publication_.configuration.load(std::memory_order_acquire);
  context_.forwarding = &publication_.forwarding->view();
  inspector_.adopt(publication_.inspection.load(std::memory_order_acquire));
  guard_.adopt(publication_.antivirus.load(std::memory_order_acquire));
  if (ipsec_.adopt(publication_.ipsec.load(std::memory_order_acquire))) [[unlikely]] {
    // Before what comes now, which is younger.
    ipsec_.release_early([this](Packet& packet) { runner_.push(packet, StageId::Decrypt); });
    if (ipsec_.begins_probe()) send_probes(context_);
  }
  context_.ports_down = publication_.ports_down.load(std::memory_order_relaxed);
  context_.trace_filter = context_.trace.filter.load(std::memory_order_acquire);
  if (context_.forwarding->generation() != forwarding_generation_) {
    forwarding_generation_ = context_.forwarding->generation();
    route_changes_ = (route_changes_ + 1) & ((1U << kRouteEpochBits) - 1);
  }
  context_.epoch = (context_.configuration->epoch << kRouteEpochBits) | route_changes_;
}

void Worker::set_gauges() noexcept {
  WorkerGauges& gauges = context_.gauges;
  gauges.sessions.set(context_.sessions->size());
  gauges.foreign_keys.set(context_.sessions->foreign_count());
  gauges.open_datagrams.set(context_.reassembly->open_datagrams());
  gauges.held_fragments.set(context_.reassembly->held_fragments());
  gauges.waiting_packets.set(context_.waiting.packets());
  gauges.expectations.set(context_.expectations.size());
  gauges.sequence_adjustments.set(context_.adjustments.in_use());
  gauges.syn_proxies.set(context_.syn_proxies.in_use());
}

void Worker::end_turn() noexcept {
  transmit_queues_.flush(context_);
  context_.sessions->release_burst();
  set_gauges();
  context_.configuration = nullptr;
  context_.forwarding = nullptr;
  if (publication_.quiescence != nullptr) publication_.quiescence->report(context_.worker);
}

bool Worker::run_once(WorkerTime now) noexcept {
  const uint64_t begin = rte_rdtsc();
  begin_turn(now);
  take_messages(context_);
  bool busy = receive_handovers();
  busy |= receive_from_kernel();
  busy |= receive_from_ports();
  busy |= run_timers();
  busy |= answer_queries();
  end_turn();
  const uint64_t cycles = rte_rdtsc() - begin;
  context_.counters.loops.add(1);
  context_.counters.total_cycles.add(cycles);
  if (busy) {
    context_.counters.busy_cycles.add(cycles);
  } else {
    context_.counters.idle_loops.add(1);
  }
  return busy;
}

void Worker::process(rte_mbuf** frames, uint16_t count, PortIndex port, bool from_kernel,
                     WorkerTime now) noexcept {
  begin_turn(now);
  accept(frames, count, port, from_kernel);
  run_stages();
  end_turn();
}

bool Worker::receive_handovers() noexcept {
  if (context_.messages == nullptr) return false;
  std::array<Packet*, kBatchSize> packets;
  const uint32_t count =
      context_.messages->receive_packets(context_.worker, packets.data(), kBatchSize);
  for (uint32_t i = 0; i < count; ++i) {
    Packet& packet = *packets[i];
    packet.session = nullptr;
    const StageId stage = stage_of_handover(packet);
    runner_.push(packet, stage);
    if (stage == StageId::Track) context_.sessions->prefetch_bucket(packet.hash());
  }
  if (count > 0) run_stages();
  return count > 0;
}

bool Worker::receive_from_kernel() noexcept {
  if (context_.kernel == nullptr) return false;
  std::array<rte_mbuf*, kBatchSize> frames;
  const uint16_t count = context_.kernel->receive(frames.data(), kBatchSize);
  if (count == 0) return false;
  context_.counters.from_kernel.add(count);
  for (uint16_t i = 0; i < count; ++i) {
    const uint16_t device = frames[i]->port;
    const PortIndex port =
        device == kTunnelDevice ? VlanTable::kTunnelPort : port_of_device_[device];
    accept(&frames[i], 1, port, true);
  }
  run_stages();
  return true;
}

bool Worker::receive_from_ports() noexcept {
  bool busy = false;
  std::array<rte_mbuf*, kBatchSize> frames;
  for (const PolledPort& port : ports_) {
    const uint16_t count =
        rte_eth_rx_burst(port.device, context_.worker, frames.data(), kBatchSize);
    if (count == 0) continue;
    context_.counters.received.add(count);
    accept(frames.data(), count, port.index, false);
    run_stages();
    busy = true;
  }
  return busy;
}

void Worker::accept(rte_mbuf** frames, uint16_t count, PortIndex port, bool from_kernel) noexcept {
  for (uint16_t i = 0; i < count; ++i) {
    __builtin_prefetch(rte_pktmbuf_mtod(frames[i], void*));
    Packet* packet = new (&Packet::of(frames[i])) Packet();
    packet->ingress_port = port;
    packet->received_ms = context_.now_ms;
    if (from_kernel) packet->set(kPacketFromKernel);
    runner_.push(*packet, StageId::Decode);
  }
}

void Worker::run_stages() noexcept {
  // A second pass serves packets that a later stage sent back: a session that the same batch
  // opened, a datagram that became whole. More than a few passes cannot be needed.
  for (uint32_t pass = 0; pass < kMaximumPasses && !runner_.idle(); ++pass) {
    runner_.run(decode_);
    runner_.run(defragment_);
    runner_.run(decrypt_);
    runner_.run(track_);
    runner_.run(admit_);
    runner_.run(inspect_);
    runner_.run(egress_);
    runner_.run(encrypt_);
    runner_.run(punt_);
    runner_.run(transmit_);
  }
}

bool Worker::run_timers() noexcept {
  (void)context_.sessions->expire(context_.now_ms, kTimersPerTurn);
  if (context_.worker_count > 1) {
    (void)context_.sessions->expire_foreign(context_.now_ms, kForeignSlotsPerTurn);
  }
  context_.expectations.expire(context_.now_ms, kExpectationSlotsPerTurn);
  DefragmentStage::expire(context_);
  EgressStage::release_waiting(context_);
  ipsec_.early().expire(context_.now_ms, [this](Packet& packet) noexcept {
    context_.drop_packet(packet, DropReason::IpsecEarly);
  });
  const bool tended = guard_.tend(context_);
  context_.outbox.drain([this](Packet& packet, StageId stage) { runner_.push(packet, stage); });
  run_stages();
  return tended;
}

bool Worker::answer_queries() noexcept {
  SessionQuery* query = queries_.pending();
  if (query == nullptr) return false;
  const auto visit = [this, query](const Session& session) noexcept {
    query->visit(session, *context_.configuration);
  };
  if (!context_.sessions->visit_slice(query->cursor, kSessionsPerQueryTurn, visit)) {
    query->now_ms = context_.now_ms;
    query->in_table = context_.sessions->size();
    queries_.finish(*query);
  }
  return true;
}

void Worker::session_ended(Session& session, EndReason reason) noexcept {
  context_.sources.release_session(session.record.source_limit_slot);
  context_.adjustments.release(session);
  context_.syn_proxies.release(session);
  inspector_.session_ended(session, context_.sessions->index_in_table(session), context_.now_us,
                           name_of(reason));
  applications_.session_ended(context_.sessions->index_in_table(session));
  if ((session.flags & kSessionHelper) != 0) {
    context_.expectations.remove_of_parent(context_.sessions->handle_of(session));
  }
  if (session.record.foreign_worker != kNone16 && context_.messages != nullptr) {
    const ForeignKeyMessage message{session.flow(Direction::Reply).key, 0, context_.worker};
    // When that ring is full the entry ends by its own timeout.
    (void)context_.messages->send_key(session.record.foreign_worker, message);
  }
  if (session.record.helper == kFtpDataHelper && context_.messages != nullptr) {
    const net::FlowKey& key = session.flow(Direction::Original).key;
    const uint32_t other = worker_of(key, context_.worker_count);
    if (other != context_.worker) {
      (void)context_.messages->send_key(static_cast<uint16_t>(other), {key, 0, context_.worker});
    }
  }
  if ((session.flags & kSessionLog) == 0 || context_.configuration == nullptr) return;
  PolicyLogRecord record;
  record.original = session.flow(Direction::Original).key;
  record.translated = session.flow(Direction::Reply).key.reversed();
  for (const Direction direction : {Direction::Original, Direction::Reply}) {
    record.bytes[index_of(direction)] = session.bytes(direction);
    record.packets[index_of(direction)] = session.packets(direction);
  }
  record.time_us = context_.now_us;
  record.rule = place_of(session, *context_.configuration).rule;
  record.epoch = context_.configuration->epoch;
  record.duration_ms = context_.now_ms - session.record.created_ms;
  record.ingress_interface = session.record.ingress_interface;
  record.egress_interface = session.flow(Direction::Original).egress_interface;
  record.event = PolicyLogEvent::SessionEnded;
  record.end_reason = static_cast<uint8_t>(reason);
  if (!context_.policy_log.push(record)) context_.counters.log_lost.add(1);
}

}  // namespace masugata::dataplane
