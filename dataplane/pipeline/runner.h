// SPDX-License-Identifier: GPL-2.0-or-later
// Runs stages over batches: loop, counters, trace and frees are here, decisions in the stages.
#pragma once

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <span>

#include "dataplane/pipeline/stage_id.h"
#include "dataplane/pipeline/verdict.h"
#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

inline constexpr uint32_t kBatchSize = 32;

// A stage is a class with
//   static constexpr StageId kId;
//   enum class Next : uint8_t { Drop, Hold, <exits...> };
//   static constexpr StageId kExits[];   // the stage behind each exit, in the order of the enum
//   Verdict<Next> decide(Packet&, WorkerContext&) noexcept;
// and, when it looks things up in bulk before deciding,
//   void prepare(std::span<Packet* const>, WorkerContext&) noexcept;   // at most kBatchSize
template <class Stage>
concept PreparesInBulk =
    requires(Stage& stage, std::span<Packet* const> batch, WorkerContext& context) {
      { stage.prepare(batch, context) } noexcept;
    };

// Packets that wait for a stage within one loop of the worker.
class PendingPackets {
 public:
  // More than two bursts cannot meet in front of one stage: each stage is emptied before the next
  // burst is received, and what a batch adds is bounded by Outbox::kCapacity.
  static constexpr uint32_t kCapacity = 512;

  bool push(Packet& packet) noexcept {
    if (count_ == kCapacity) [[unlikely]]
      return false;
    packets_[count_++] = &packet;
    return true;
  }
  // Takes up to kBatchSize packets in order of arrival.
  uint32_t take(Packet** batch) noexcept {
    const uint32_t count = std::min(count_ - head_, kBatchSize);
    std::copy_n(packets_.begin() + head_, count, batch);
    head_ += count;
    if (head_ == count_) head_ = count_ = 0;
    return count;
  }
  [[nodiscard]] bool empty() const noexcept { return count_ == head_; }

 private:
  uint32_t head_ = 0;
  uint32_t count_ = 0;
  std::array<Packet*, kCapacity> packets_;
};

// The queues in front of all stages of one worker, and the loop over one stage.
class Runner {
 public:
  explicit Runner(WorkerContext& context) noexcept : context_(context) {}

  void push(Packet& packet, StageId stage) noexcept {
    if (!pending_[static_cast<size_t>(stage)].push(packet)) [[unlikely]] {
      context_.drop_packet(packet, DropReason::InternalError);
    }
  }

  [[nodiscard]] bool idle() const noexcept {
    return std::all_of(pending_.begin(), pending_.end(),
                       [](const PendingPackets& queue) { return queue.empty(); });
  }

  // Empties the queue in front of `stage`.
  template <class Stage>
  void run(Stage& stage) noexcept {
    PendingPackets& queue = pending_[static_cast<size_t>(Stage::kId)];
    while (!queue.empty()) {
      std::array<Packet*, kBatchSize> batch;
      const uint32_t count = queue.take(batch.data());
      run_batch(stage, std::span<Packet* const>(batch.data(), count));
    }
  }

 private:
  template <class Stage>
  void run_batch(Stage& stage, std::span<Packet* const> batch) noexcept {
    using Next = typename Stage::Next;
    const uint64_t begin = rte_rdtsc();
    std::array<rte_mbuf*, kBatchSize> dropped;
    uint32_t dropped_count = 0;
    if constexpr (PreparesInBulk<Stage>) stage.prepare(batch, context_);
    for (Packet* packet : batch) {
      const Verdict<Next> verdict = stage.decide(*packet, context_);
      // A held packet belongs to the stage: it must not be touched any more.
      if (verdict.next == Next::Hold) continue;
      if (packet->has(kPacketTraced)) [[unlikely]]
        trace<Stage>(*packet, verdict);
      if (verdict.next == Next::Drop) [[unlikely]] {
        context_.count_drop(verdict.reason);
        dropped[dropped_count++] = &packet->mbuf();
        continue;
      }
      if constexpr (std::size(Stage::kExits) > 0) {
        push(*packet, Stage::kExits[static_cast<size_t>(verdict.next) - kFirstExit]);
      }
    }
    if (dropped_count > 0) [[unlikely]]
      rte_pktmbuf_free_bulk(dropped.data(), dropped_count);
    if (!context_.outbox.empty()) [[unlikely]] {
      context_.outbox.drain([this](Packet& packet, StageId target) { push(packet, target); });
    }
    StageCounters& counters = context_.counters.stages[static_cast<size_t>(Stage::kId)];
    counters.calls.add(1);
    counters.packets.add(batch.size());
    counters.cycles.add(rte_rdtsc() - begin);
  }

  template <class Stage>
  void trace(const Packet& packet, const Verdict<typename Stage::Next>& verdict) noexcept {
    StageId next = StageId::Count;
    if constexpr (std::size(Stage::kExits) > 0) {
      if (verdict.next != Stage::Next::Drop) {
        next = Stage::kExits[static_cast<size_t>(verdict.next) - kFirstExit];
      }
    }
    write_trace(packet, Stage::kId, next, verdict.reason);
  }
  void write_trace(const Packet& packet, StageId stage, StageId next, DropReason reason) noexcept;

  static constexpr size_t kFirstExit = 2;  // behind Drop and Hold

  WorkerContext& context_;
  std::array<PendingPackets, kStageCount> pending_;
};

}  // namespace masugata::dataplane
