// SPDX-License-Identifier: GPL-2.0-or-later
// One core's whole dataplane: receives, runs the stages in their order, transmits. Shares nothing
// with other workers but rings.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/antivirus/object_guard.h"
#include "dataplane/applications/application_identifier.h"
#include "dataplane/forwarding/publisher.h"
#include "dataplane/inspection/inspector.h"
#include "dataplane/ipsec/ipsec_gate.h"
#include "dataplane/names/name_learner.h"
#include "dataplane/pipeline/runner.h"
#include "dataplane/pipeline/session_query.h"
#include "dataplane/pipeline/worker_context.h"
#include "dataplane/platform/quiescence.h"
#include "dataplane/stages/admit/admit_stage.h"
#include "dataplane/stages/decode/decode_stage.h"
#include "dataplane/stages/decrypt/decrypt_stage.h"
#include "dataplane/stages/defragment/defragment_stage.h"
#include "dataplane/stages/egress/egress_stage.h"
#include "dataplane/stages/encrypt/encrypt_stage.h"
#include "dataplane/stages/inspect/inspect_stage.h"
#include "dataplane/stages/punt/punt_stage.h"
#include "dataplane/stages/track/track_stage.h"
#include "dataplane/stages/transmit/transmit_stage.h"

namespace masugata::dataplane {

// What the control thread publishes to all workers.
struct Publication {
  std::atomic<const RunningConfiguration*> configuration{nullptr};
  const ForwardingPublisher* forwarding = nullptr;
  // Published before a configuration that asks for its slots.
  std::atomic<const InspectionSet*> inspection{nullptr};
  std::atomic<const AntivirusSet*> antivirus{nullptr};  // likewise
  std::atomic<const IpsecView*> ipsec{nullptr};
  std::atomic<uint64_t> ports_down{0};     // bit per DPDK port id: its link is down
  QuiescenceDomain* quiescence = nullptr;  // nullptr: a single thread runs worker and control
};

struct PolledPort {
  uint16_t device = 0;  // DPDK port id
  PortIndex index = 0;  // config::Model::ports
};

// Fixed at start.
struct WorkerSettings {
  uint16_t worker = 0;
  uint16_t worker_count = 1;
  net::HashSecret secret;
  net::SipHashKey cookie_secret;
  rte_mempool* packet_pool = nullptr;
  uint32_t sessions = 65536;  // of this worker
  uint32_t foreign_keys = 0;
  uint32_t tracked_sources = 16384;
  uint32_t expectations = 1024;
  uint32_t sequence_adjustments = 16384;
  uint32_t syn_proxies = 16384;
  uint16_t zones = 256;
  ReassemblyLimits reassembly;
  ResolveQueueSettings waiting;
  std::vector<PolledPort> ports;  // queue `worker` of each is this worker's
  uint32_t now_ms = 0;
};

// The worker's clock, read once per turn by whoever calls it.
struct WorkerTime {
  uint64_t us = 0;
  [[nodiscard]] uint32_t ms() const noexcept { return static_cast<uint32_t>(us / 1000); }
};

class Worker final : public SessionObserver {
 public:
  // Takes all memory now. `memory` and `publication` outlive the worker.
  static Result<std::unique_ptr<Worker>> create(const WorkerSettings& settings,
                                                MemorySource& memory,
                                                const Publication& publication);
  ~Worker() override;

  // Rings to the kernel and to other workers; before the first turn. May be nullptr.
  void connect(KernelPort* kernel, WorkerMessages* messages) noexcept;

  // One turn: messages, kernel, ports, timers. True when there was anything to do. The worker's
  // thread only (in tests: the caller's).
  bool run_once(WorkerTime now) noexcept;

  // Takes `count` (at most kBatchSize) received frames through all stages at once, without polling
  // ports: for benchmarks, tests and replay. The frames are the worker's from here on.
  void process(rte_mbuf** frames, uint16_t count, PortIndex port, bool from_kernel,
               WorkerTime now) noexcept;

  [[nodiscard]] WorkerContext& context() noexcept { return context_; }
  [[nodiscard]] const WorkerContext& context() const noexcept { return context_; }
  // For the control thread's part of inspection; see inspector.h for who may call what.
  [[nodiscard]] Inspector& inspector() noexcept { return inspector_; }
  // As above; see object_guard.h.
  [[nodiscard]] ObjectGuard& guard() noexcept { return guard_; }
  // As above; see application_identifier.h.
  [[nodiscard]] ApplicationIdentifier& applications() noexcept { return applications_; }
  // As above; see name_learner.h.
  [[nodiscard]] NameLearner& names() noexcept { return names_; }
  // As above; see ipsec_gate.h.
  [[nodiscard]] IpsecGate& ipsec() noexcept { return ipsec_; }
  [[nodiscard]] SessionQuerySlot& queries() noexcept { return queries_; }
  // As given at start; any thread.
  [[nodiscard]] const WorkerSettings& settings() const noexcept { return settings_; }

  void session_ended(Session& session, EndReason reason) noexcept override;

 private:
  explicit Worker(const WorkerSettings& settings, const Publication& publication);
  [[nodiscard]] Status allocate(const WorkerSettings& settings, MemorySource& memory);
  void begin_turn(WorkerTime now) noexcept;
  void end_turn() noexcept;
  void set_gauges() noexcept;
  [[nodiscard]] bool receive_handovers() noexcept;
  [[nodiscard]] bool receive_from_kernel() noexcept;
  [[nodiscard]] bool receive_from_ports() noexcept;
  [[nodiscard]] bool answer_queries() noexcept;
  void accept(rte_mbuf** frames, uint16_t count, PortIndex port, bool from_kernel) noexcept;
  void run_stages() noexcept;
  [[nodiscard]] bool run_timers() noexcept;  // whether there was anything to do

  const WorkerSettings settings_;
  const Publication& publication_;
  std::vector<PolledPort> ports_;
  std::vector<PortIndex> port_of_device_;
  WorkerContext context_;
  ObjectGuard guard_;  // outlives the inspector, which closes sessions in it
  Inspector inspector_;
  ApplicationIdentifier applications_;
  NameLearner names_;
  IpsecGate ipsec_;
  Runner runner_;
  TransmitQueues transmit_queues_;
  DecodeStage decode_;
  DefragmentStage defragment_;
  DecryptStage decrypt_;
  TrackStage track_;
  AdmitStage admit_;
  InspectStage inspect_;
  EgressStage egress_;
  EncryptStage encrypt_;
  PuntStage punt_;
  TransmitStage transmit_;
  SessionQuerySlot queries_;
  uint32_t forwarding_generation_ = 0;
  uint32_t route_changes_ = 0;
};

}  // namespace masugata::dataplane
