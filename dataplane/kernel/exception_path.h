// SPDX-License-Identifier: GPL-2.0-or-later
// The side door to the kernel: frames between workers and TAP twins, carried by an own thread so
// that no worker ever makes a system call.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/kernel/kernel_port.h"
#include "net/address.h"
#include "result/result.h"

struct rte_mbuf;
struct rte_mempool;
struct rte_ring;

namespace masugata::dataplane {

// Names a twin for its whole life, through reloads that renumber interfaces. Ids are given out
// round robin: one that was removed comes back only after all others had their turn.
using TwinId = uint16_t;
inline constexpr TwinId kNoTwin = 0xffff;
inline constexpr std::size_t kMaximumTwins = 1024;

struct TwinSettings {
  std::string name;     // of the logical interface: "lan0", "lan0.10"
  net::MacAddress mac;  // the port's
  uint16_t port = 0;    // DPDK port id, set as mbuf->port on frames from the kernel
  uint16_t vlan = 0;    // 0 = untagged; the tag is taken off towards the kernel and put on back
  friend bool operator==(const TwinSettings&, const TwinSettings&) = default;
};

// Decides which worker gets a frame from the kernel: the owner of its flow. Called on the
// exception thread; must be thread-safe and noexcept. Below the number of workers.
class FrameSteering {
 public:
  virtual ~FrameSteering() = default;
  [[nodiscard]] virtual uint32_t worker_of(std::span<const uint8_t> frame) const noexcept = 0;
};

struct ExceptionSettings {
  uint32_t workers = 1;
  uint32_t ring_size = 1024;     // frames per worker and direction; a power of two
  uint32_t burst_per_loop = 64;  // frames per worker ring, and per twin, in one turn
  uint32_t idle_sleep_ms = 1;    // longest sleep, bounds the latency towards the kernel
  uint32_t busy_turns = 200;     // empty turns before the first sleep
  uint16_t cpu = 0xffff;         // 0xffff: wherever the scheduler likes
};

// Counted by the exception thread, but for dropped_to_kernel_full (the workers).
struct ExceptionStatistics {
  uint64_t to_kernel = 0;
  uint64_t from_kernel = 0;
  uint64_t dropped_unknown_twin = 0;  // the twin was removed meanwhile
  uint64_t dropped_write_failed = 0;  // the kernel refused it: twin down, queue full
  uint64_t dropped_no_memory = 0;     // no mbuf for a frame from the kernel
  uint64_t dropped_to_worker_full = 0;
  uint64_t dropped_to_kernel_full = 0;  // refused by punt(); the worker dropped it
  uint64_t sleeps = 0;
};

class ExceptionPath;

// One worker's end; used by that worker alone. No system call, no lock, noexcept.
class ExceptionPort final : public KernelPort {
 public:
  // Hands the frame to the kernel's twin: from the Ethernet header on, with its 802.1Q tag (in the
  // frame or stripped to vlan_tci) or without. Takes the mbuf when true. False: the ring is full,
  // the worker drops it with that reason.
  [[nodiscard]] bool punt(TwinId twin, rte_mbuf* frame) noexcept override;
  // Frames that the kernel sends, ready for the wire: tagged for their VLAN, mbuf->port set. Up to
  // `maximum`; the caller owns them. Zone self.
  [[nodiscard]] uint16_t receive(rte_mbuf** frames, uint16_t maximum) noexcept override;

 private:
  friend class ExceptionPath;
  rte_ring* to_kernel_ = nullptr;  // owned by the ExceptionPath
  rte_ring* from_kernel_ = nullptr;
  std::atomic<uint64_t> refused_{0};  // written by this worker only
};

// Owns the twins and their thread. Functions: control thread, unless they say otherwise. Needs a
// running EAL.
class ExceptionPath {
 public:
  // `pool` holds the frames from the kernel: room for the largest MTU and an mbuf of at least
  // 2 KB; `steering` may be null when there is one worker. Both outlive this object. The thread
  // starts at once, in the caller's network namespace.
  static Result<std::unique_ptr<ExceptionPath>> create(const ExceptionSettings& settings,
                                                       rte_mempool* pool,
                                                       const FrameSteering* steering);
  // Stops the thread, frees what is in the rings, removes the twins. Workers must be done.
  ~ExceptionPath();
  ExceptionPath(const ExceptionPath&) = delete;
  ExceptionPath& operator=(const ExceptionPath&) = delete;

  // Makes the set of twins as given: one whose name stays keeps its id and its interface in the
  // kernel, even when its other settings change; new ones are created, others removed. Returns the
  // ids in the order given. Fault: nothing has changed. Blocks for one turn of the thread. At a
  // reload: before the new snapshot is published; frames for a removed twin that are still on
  // their way are dropped and counted.
  Result<std::vector<TwinId>> set_twins(const std::vector<TwinSettings>& twins);

  // Shows the kernel whether the twin's port has a link. Nothing happens for an unknown id.
  void set_carrier(TwinId twin, bool carrier);

  // `worker` below settings.workers.
  [[nodiscard]] ExceptionPort& port(uint32_t worker) noexcept;
  [[nodiscard]] ExceptionStatistics statistics() const noexcept;

 private:
  struct State;
  explicit ExceptionPath(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace masugata::dataplane
