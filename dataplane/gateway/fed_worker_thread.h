// SPDX-License-Identifier: GPL-2.0-or-later
// For tests: a worker in a thread of its own that is fed with frames and whose output is taken.
#pragma once

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "dataplane/kernel/kernel_port.h"
#include "dataplane/pipeline/worker.h"
#include "dataplane/pipeline/worker_messages.h"
#include "dataplane/platform/quiescence.h"

namespace masugata::dataplane {

enum Side : uint16_t { kLan, kWan };

struct Frame {
  Side side = kLan;
  std::vector<uint8_t> bytes;
};

// What the peer of a UDP datagram answers: the same back. Checksums stay right.
inline std::vector<uint8_t> echo_of(std::vector<uint8_t> frame) {
  std::swap_ranges(frame.begin(), frame.begin() + 6, frame.begin() + 6);
  std::swap_ranges(frame.begin() + 26, frame.begin() + 30, frame.begin() + 30);
  std::swap_ranges(frame.begin() + 34, frame.begin() + 36, frame.begin() + 36);
  return frame;
}
inline bool is_udp(const std::vector<uint8_t>& frame) {
  return frame.size() > 42 && frame[23] == 17;
}

class NoKernel final : public KernelPort {
 public:
  bool punt(uint16_t, rte_mbuf*) noexcept override { return false; }
  uint16_t receive(rte_mbuf**, uint16_t) noexcept override { return 0; }
};

// One worker's thread and its queues of both ports. Frames are put into the queues and taken out of
// them by that thread alone: the ring driver's own synchronisation is invisible, too.
class FedWorkerThread {
 public:
  FedWorkerThread(Worker& worker, rte_mempool& pool, QuiescenceDomain& quiescence,
                  const std::atomic<uint64_t>& now_us)
      : worker_(worker), pool_(pool), quiescence_(quiescence), now_us_(now_us) {}
  void connect(WorkerMessages& messages) { worker_.connect(&kernel_, &messages); }
  void attach(Side side, uint16_t device, rte_ring* in, rte_ring* out) {
    queues_[side] = {device, in, out};
  }
  void answer_through(FedWorkerThread& other) { other_ = &other; }

  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void stop() {
    stop_.store(true, std::memory_order_relaxed);
    thread_.join();
  }
  // Any thread.
  void give(Frame frame) {
    const std::scoped_lock lock(mutex_);
    inbox_.push_back(std::move(frame));
  }
  // Turns that found nothing to do, since the beginning.
  [[nodiscard]] uint64_t idle_turns() const { return idle_turns_.load(); }
  [[nodiscard]] uint64_t received(Side side) const { return received_[side].load(); }

 private:
  struct Queue {
    uint16_t device = kNoPort;
    rte_ring* in = nullptr;
    rte_ring* out = nullptr;
  };

  void run() {
    Inspector::begin();
    const uint32_t number = worker_.context().worker;
    quiescence_.register_worker(number);
    while (!stop_.load(std::memory_order_relaxed)) {
      const bool fed = feed();
      const bool busy = worker_.run_once({now_us_.load(std::memory_order_relaxed)});
      if (take_output() || fed || busy) continue;
      idle_turns_.fetch_add(1);
      quiescence_.go_offline(number);
      std::this_thread::yield();
      quiescence_.go_online(number);
    }
    quiescence_.unregister_worker(number);
  }

  bool feed() {
    std::vector<Frame> frames;
    {
      const std::scoped_lock lock(mutex_);
      frames.swap(inbox_);
    }
    for (const Frame& frame : frames) {
      rte_mbuf* mbuf = rte_pktmbuf_alloc(&pool_);
      if (mbuf == nullptr) continue;
      char* data = rte_pktmbuf_append(mbuf, static_cast<uint16_t>(frame.bytes.size()));
      std::copy(frame.bytes.begin(), frame.bytes.end(), data);
      mbuf->port = queues_[frame.side].device;
      if (rte_ring_enqueue(queues_[frame.side].in, mbuf) != 0) rte_pktmbuf_free(mbuf);
    }
    return !frames.empty();
  }

  bool take_output() {
    bool any = false;
    for (const Side side : {kLan, kWan}) {
      void* object = nullptr;
      while (rte_ring_dequeue(queues_[side].out, &object) == 0) {
        auto* mbuf = static_cast<rte_mbuf*>(object);
        const auto* data = rte_pktmbuf_mtod(mbuf, const uint8_t*);
        const std::vector<uint8_t> bytes(data, data + mbuf->data_len);
        rte_pktmbuf_free(mbuf);
        received_[side].fetch_add(1);
        if (side == kWan && is_udp(bytes)) other_->give({kWan, echo_of(bytes)});
        any = true;
      }
    }
    return any;
  }

  Worker& worker_;
  rte_mempool& pool_;
  QuiescenceDomain& quiescence_;
  const std::atomic<uint64_t>& now_us_;
  NoKernel kernel_;
  std::array<Queue, 2> queues_;
  FedWorkerThread* other_ = nullptr;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> idle_turns_{0};
  std::array<std::atomic<uint64_t>, 2> received_{};
  std::mutex mutex_;
  std::vector<Frame> inbox_;
};

}  // namespace masugata::dataplane
