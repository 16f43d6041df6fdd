// SPDX-License-Identifier: GPL-2.0-or-later
// What the stages of one worker share: its tables, the published configuration of this burst, and
// the ways to send a packet that did not come out of decide().
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "dataplane/forwarding/forwarding_view.h"
#include "dataplane/forwarding/resolve_queue.h"
#include "dataplane/forwarding/resolve_request.h"
#include "dataplane/fragments/reassembly_table.h"
#include "dataplane/icmp/rate_limiter.h"
#include "dataplane/pipeline/counters.h"
#include "dataplane/pipeline/held_packet.h"
#include "dataplane/pipeline/packet.h"
#include "dataplane/pipeline/policy_log_record.h"
#include "dataplane/pipeline/running_configuration.h"
#include "dataplane/pipeline/trace.h"
#include "dataplane/session/expectation_table.h"
#include "dataplane/session/sequence_adjustment.h"
#include "dataplane/session/session_table.h"
#include "dataplane/session/source_accounting.h"
#include "dataplane/synproxy/syn_cookie.h"
#include "dataplane/synproxy/syn_proxy_table.h"
#include "net/flow_key.h"

struct rte_mempool;

namespace masugata::dataplane {

// Of WorkerContext::epoch, 32 bits: the rest counts configurations.
inline constexpr uint32_t kRouteEpochBits = 20;

class ApplicationIdentifier;
class Inspector;
class IpsecGate;
class KernelPort;
class NameLearner;
class ObjectGuard;
class TransmitQueues;
class WorkerMessages;

// Packets that a stage made or let go, on their way to another stage. Filled by stages, emptied by
// the runner after each batch.
class Outbox {
 public:
  // Most a batch of 32 can bring forth: a neighbour's whole queue per packet never happens, a reply
  // and a released packet each do. At the bound add() refuses.
  static constexpr uint32_t kCapacity = 128;

  // False when full: the caller drops the packet with NoBuffer.
  bool add(Packet& packet, StageId stage) noexcept {
    if (count_ == kCapacity) return false;
    packets_[count_] = &packet;
    stages_[count_] = stage;
    ++count_;
    return true;
  }
  template <class Take>
  void drain(Take&& take) noexcept {
    for (uint32_t i = 0; i < count_; ++i) take(*packets_[i], stages_[i]);
    count_ = 0;
  }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] uint32_t room() const noexcept { return kCapacity - count_; }

 private:
  uint32_t count_ = 0;
  std::array<Packet*, kCapacity> packets_;
  std::array<StageId, kCapacity> stages_;
};

// Belongs to one worker's thread; nothing in it is shared but what is named as such.
struct WorkerContext {
  // --- fixed ---
  uint16_t worker = 0;
  uint16_t worker_count = 1;
  net::HashSecret secret;  // the same for every worker
  rte_mempool* packet_pool = nullptr;

  // --- of this burst ---
  uint32_t now_ms = 0;
  uint64_t now_us = 0;
  const RunningConfiguration* configuration = nullptr;
  const ForwardingView* forwarding = nullptr;
  // Changes when a session has to be looked at again: configuration above, routes in the lower
  // kRouteEpochBits. Sessions remember the one that they were last found in order under.
  uint32_t epoch = 0;
  uint64_t ports_down = 0;  // bit per DPDK port id
  const TraceFilter* trace_filter = nullptr;
  uint16_t traced_packets = 0;  // numbers the packets of a trace

  // --- own ---
  std::unique_ptr<SessionTable> sessions;
  SourceAccounting sources;
  ExpectationTable expectations;
  SequenceAdjustmentTable adjustments;
  std::unique_ptr<ReassemblyTable> reassembly;
  ResolveQueue<HeldPacket> waiting;
  IcmpRateLimiter icmp_limiter;
  IcmpRateLimiter reset_limiter;
  SynProxyTable syn_proxies;
  SynCookies syn_cookies{net::SipHashKey{}};
  Outbox outbox;
  WorkerCounters counters;
  WorkerGauges gauges;

  // --- shared with the control thread or other workers ---
  ResolveRequestRing resolve_requests;
  TraceChannel trace;
  PolicyLogRing policy_log;
  KernelPort* kernel = nullptr;  // nullptr in tests without a kernel
  TransmitQueues* transmit = nullptr;
  Inspector* inspector = nullptr;
  ObjectGuard* guard = nullptr;
  ApplicationIdentifier* applications = nullptr;
  NameLearner* names = nullptr;
  IpsecGate* ipsec = nullptr;
  WorkerMessages* messages = nullptr;  // rings to and from other workers; nullptr with one worker

  [[nodiscard]] const Snapshot& snapshot() const noexcept { return *configuration->snapshot; }
  [[nodiscard]] ConfigurationCounters& configuration_counters() const noexcept {
    return configuration->counters[worker];
  }
  void count_drop(DropReason reason) noexcept {
    counters.drops[static_cast<size_t>(reason)].add(1);
  }
  // Drops a packet outside of decide() (timeouts, failed neighbours).
  void drop_packet(Packet& packet, DropReason reason) noexcept {
    count_drop(reason);
    rte_pktmbuf_free(&packet.mbuf());
  }
  [[nodiscard]] bool leaves_by_tunnel(const Packet& packet) const noexcept {
    return packet.egress_interface < configuration->interfaces.size() &&
           configuration->interfaces[packet.egress_interface].tunnel;
  }
  // Sends a packet that the gateway wrote itself, or one that waited, to a stage. What is to be
  // transmitted by a tunnel is encrypted first.
  void emit(Packet& packet, StageId stage) noexcept {
    if (stage == StageId::Transmit && leaves_by_tunnel(packet)) stage = StageId::Encrypt;
    if (!outbox.add(packet, stage)) drop_packet(packet, DropReason::NoBuffer);
  }
  // The worker's clock in seconds; does not wrap.
  [[nodiscard]] uint32_t now_s() const noexcept {
    return static_cast<uint32_t>(now_us / 1'000'000);
  }
};

}  // namespace masugata::dataplane
