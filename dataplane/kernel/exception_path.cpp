// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/kernel/exception_path.h"

#include <pthread.h>
#include <rte_config.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "dataplane/kernel/frame_carrier.h"
#include "dataplane/kernel/tap_device.h"
#include "net/relaxed_counter.h"

namespace masugata::dataplane {

namespace {

constexpr unsigned kRingBurst = 32;
constexpr int kEventsPerTurn = 64;
constexpr uint64_t kWakeUp = ~uint64_t{0};

struct Twin {
  TwinSettings settings;
  std::shared_ptr<TapDevice> device;  // shared by successive settings of one name
};
// By TwinId. The control thread makes a new one for every change; the thread takes it over whole.
using TwinTable = std::vector<std::shared_ptr<Twin>>;

rte_ring* make_ring(const char* direction, uint32_t worker, uint32_t size) {
  static std::atomic<uint32_t> serial{0};
  const std::string name = std::string("exception_") + direction + "_" + std::to_string(worker) +
                           "_" + std::to_string(serial.fetch_add(1));
  return rte_ring_create(name.c_str(), size, -1, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

void free_ring(rte_ring* ring) noexcept {
  if (ring == nullptr) return;
  void* frame = nullptr;
  while (rte_ring_sc_dequeue(ring, &frame) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(frame));
  rte_ring_free(ring);
}

}  // namespace

bool ExceptionPort::punt(TwinId twin, rte_mbuf* frame) noexcept {
  frame->hash.usr = twin;
  if (rte_ring_sp_enqueue(to_kernel_, frame) == 0) return true;
  refused_.store(refused_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return false;
}

uint16_t ExceptionPort::receive(rte_mbuf** frames, uint16_t maximum) noexcept {
  return static_cast<uint16_t>(
      rte_ring_sc_dequeue_burst(from_kernel_, reinterpret_cast<void**>(frames), maximum, nullptr));
}

struct ExceptionPath::State {
  State(const ExceptionSettings& given, rte_mempool* frames, const FrameSteering* chooser)
      : settings(given),
        pool(frames),
        steering(chooser),
        ports(std::make_unique<ExceptionPort[]>(given.workers)),
        to_kernel(given.workers, nullptr),
        from_kernel(given.workers, nullptr),
        twins(std::make_shared<TwinTable>(kMaximumTwins)),
        buffer(kMaximumFrameBytes) {}

  ~State() {
    if (thread.joinable()) {
      stop.store(true);
      wake();
      thread.join();
    }
    for (rte_ring* ring : to_kernel) free_ring(ring);
    for (rte_ring* ring : from_kernel) free_ring(ring);
    if (events >= 0) close(events);
    if (wake_up >= 0) close(wake_up);
  }

  Status prepare();
  void wake() const noexcept {
    const uint64_t one = 1;
    // A full counter wakes as well.
    [[maybe_unused]] const ssize_t written = write(wake_up, &one, sizeof one);
  }
  void hand_over(std::shared_ptr<TwinTable> table);

  // --- the exception thread ---
  void run() noexcept;
  void adopt_table() noexcept;
  uint32_t carry_to_kernel(rte_ring* ring) noexcept;
  uint32_t carry_from_kernel(Twin& twin) noexcept;
  uint32_t carry_ready(int timeout_ms) noexcept;
  void deliver(Twin& twin, std::span<const uint8_t> bytes) noexcept;

  ExceptionSettings settings;
  rte_mempool* pool;
  const FrameSteering* steering;
  std::unique_ptr<ExceptionPort[]> ports;
  std::vector<rte_ring*> to_kernel;
  std::vector<rte_ring*> from_kernel;
  int events = -1;
  int wake_up = -1;
  std::thread thread;
  std::atomic<bool> stop{false};

  // Control thread.
  std::shared_ptr<TwinTable> twins;
  TwinId next_twin = 0;

  // Hand-over of a new table.
  std::mutex mutex;
  std::condition_variable adopted;
  std::shared_ptr<TwinTable> pending;
  std::atomic<bool> has_pending{false};

  // Exception thread.
  std::shared_ptr<TwinTable> current;
  std::vector<uint8_t> buffer;

  net::RelaxedCounter to_kernel_count;
  net::RelaxedCounter from_kernel_count;
  net::RelaxedCounter unknown_twin;
  net::RelaxedCounter write_failed;
  net::RelaxedCounter no_memory;
  net::RelaxedCounter to_worker_full;
  net::RelaxedCounter sleeps;
};

Status ExceptionPath::State::prepare() {
  for (uint32_t worker = 0; worker < settings.workers; ++worker) {
    to_kernel[worker] = make_ring("out", worker, settings.ring_size);
    from_kernel[worker] = make_ring("in", worker, settings.ring_size);
    if (to_kernel[worker] == nullptr || from_kernel[worker] == nullptr) {
      return failure("exception path",
                     std::string("cannot make its rings: ") + rte_strerror(rte_errno));
    }
    ports[worker].to_kernel_ = to_kernel[worker];
    ports[worker].from_kernel_ = from_kernel[worker];
  }
  events = epoll_create1(EPOLL_CLOEXEC);
  wake_up = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeUp;
  if (events < 0 || wake_up < 0 || epoll_ctl(events, EPOLL_CTL_ADD, wake_up, &event) != 0) {
    return failure("exception path",
                   std::string("cannot watch its twins: ") + std::strerror(errno));
  }
  current = twins;
  thread = std::thread([this] { run(); });
  return {};
}

void ExceptionPath::State::hand_over(std::shared_ptr<TwinTable> table) {
  std::unique_lock lock(mutex);
  pending = std::move(table);
  has_pending.store(true, std::memory_order_release);
  wake();
  adopted.wait(lock, [this] { return !has_pending.load(std::memory_order_acquire); });
}

void ExceptionPath::State::adopt_table() noexcept {
  const std::lock_guard lock(mutex);
  for (std::size_t id = 0; id < kMaximumTwins; ++id) {
    const auto& before = (*current)[id];
    const auto& after = (*pending)[id];
    if ((before ? before->device : nullptr) == (after ? after->device : nullptr)) continue;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = id;
    if (before) epoll_ctl(events, EPOLL_CTL_DEL, before->device->descriptor(), nullptr);
    if (after) epoll_ctl(events, EPOLL_CTL_ADD, after->device->descriptor(), &event);
  }
  current = std::exchange(pending, nullptr);
  has_pending.store(false, std::memory_order_release);
  adopted.notify_all();
}

uint32_t ExceptionPath::State::carry_to_kernel(rte_ring* ring) noexcept {
  uint32_t carried = 0;
  void* frames[kRingBurst];
  while (carried < settings.burst_per_loop) {
    const unsigned count = rte_ring_sc_dequeue_burst(ring, frames, kRingBurst, nullptr);
    for (unsigned i = 0; i < count; ++i) {
      auto* frame = static_cast<rte_mbuf*>(frames[i]);
      const uint32_t id = frame->hash.usr;
      Twin* twin = id < kMaximumTwins ? (*current)[id].get() : nullptr;
      if (twin == nullptr) {
        unknown_twin.add(1);
      } else if (write_frame(*twin->device, twin->settings, *frame)) {
        to_kernel_count.add(1);
      } else {
        write_failed.add(1);
      }
      rte_pktmbuf_free(frame);
    }
    carried += count;
    if (count < kRingBurst) break;
  }
  return carried;
}

void ExceptionPath::State::deliver(Twin& twin, std::span<const uint8_t> bytes) noexcept {
  rte_mbuf* frame = make_frame(bytes, twin.settings, pool);
  if (frame == nullptr) {
    no_memory.add(1);
    return;
  }
  const uint32_t chosen = steering == nullptr ? 0 : steering->worker_of(bytes);
  const uint32_t worker = chosen < settings.workers ? chosen : 0;
  if (rte_ring_sp_enqueue(from_kernel[worker], frame) == 0) {
    from_kernel_count.add(1);
    return;
  }
  to_worker_full.add(1);
  rte_pktmbuf_free(frame);
}

uint32_t ExceptionPath::State::carry_from_kernel(Twin& twin) noexcept {
  uint32_t carried = 0;
  while (carried < settings.burst_per_loop) {
    const auto bytes = read_frame(*twin.device, twin.settings, buffer);
    if (bytes.empty()) break;
    deliver(twin, bytes);
    ++carried;
  }
  return carried;
}

uint32_t ExceptionPath::State::carry_ready(int timeout_ms) noexcept {
  epoll_event ready[kEventsPerTurn];
  const int count = epoll_wait(events, ready, kEventsPerTurn, timeout_ms);
  uint32_t carried = 0;
  for (int i = 0; i < count; ++i) {
    const uint64_t id = ready[i].data.u64;
    if (id == kWakeUp) {
      uint64_t drained = 0;
      [[maybe_unused]] const ssize_t length = read(wake_up, &drained, sizeof drained);
    } else if (Twin* twin = (*current)[id].get(); twin != nullptr) {
      carried += carry_from_kernel(*twin);
    }
  }
  return carried;
}

void ExceptionPath::State::run() noexcept {
  pthread_setname_np(pthread_self(), "exception");
  // Without an lcore id (all taken) mbufs still work, only without the mempool's cache.
  const bool registered = rte_thread_register() == 0;
  uint32_t idle_turns = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    if (has_pending.load(std::memory_order_acquire)) adopt_table();
    uint32_t carried = 0;
    for (rte_ring* ring : to_kernel) carried += carry_to_kernel(ring);
    const bool sleep = carried == 0 && idle_turns >= settings.busy_turns;
    if (sleep) sleeps.add(1);
    carried += carry_ready(sleep ? static_cast<int>(settings.idle_sleep_ms) : 0);
    if (carried > 0) {
      idle_turns = 0;
    } else if (idle_turns < settings.busy_turns) {
      ++idle_turns;
      sched_yield();
    }
  }
  if (registered) rte_thread_unregister();
}

ExceptionPath::ExceptionPath(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
ExceptionPath::~ExceptionPath() = default;

Result<std::unique_ptr<ExceptionPath>> ExceptionPath::create(const ExceptionSettings& settings,
                                                             rte_mempool* pool,
                                                             const FrameSteering* steering) {
  if (settings.workers == 0 || (steering == nullptr && settings.workers > 1)) {
    return failure("exception path", "needs a worker, and a steering for more than one");
  }
  if (settings.idle_sleep_ms == 0 || settings.burst_per_loop == 0) {
    return failure("exception path", "idle_sleep_ms and burst_per_loop must be at least 1");
  }
  auto state = std::make_unique<State>(settings, pool, steering);
  if (auto status = state->prepare(); !status) return tl::unexpected<Fault>(status.error());
  if (settings.cpu != 0xffff) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(settings.cpu, &cpus);
    if (pthread_setaffinity_np(state->thread.native_handle(), sizeof cpus, &cpus) != 0) {
      return failure("exception path", "there is no CPU " + std::to_string(settings.cpu));
    }
  }
  return std::unique_ptr<ExceptionPath>(new ExceptionPath(std::move(state)));
}

Result<std::vector<TwinId>> ExceptionPath::set_twins(const std::vector<TwinSettings>& twins) {
  auto table = std::make_shared<TwinTable>(kMaximumTwins);
  std::vector<TwinId> ids;
  TwinId next = state_->next_twin;
  for (const TwinSettings& settings : twins) {
    const TwinTable& old = *state_->twins;
    const auto known = std::find_if(old.begin(), old.end(), [&](const auto& twin) {
      return twin && twin->settings.name == settings.name;
    });
    if (known != old.end()) {
      ids.push_back(static_cast<TwinId>(known - old.begin()));
      (*table)[ids.back()] = std::make_shared<Twin>(Twin{settings, (*known)->device});
      continue;
    }
    std::optional<TwinId> vacant;
    for (std::size_t tried = 0; tried < kMaximumTwins && !vacant; ++tried) {
      const TwinId id = next;
      next = static_cast<TwinId>((next + 1) % kMaximumTwins);
      if (!old[id] && !(*table)[id]) vacant = id;
    }
    if (!vacant) return failure("twin " + settings.name, "there are too many interfaces (1024)");
    auto device = TapDevice::create(settings.name, settings.mac);
    if (!device) return tl::unexpected<Fault>(device.error());
    (*table)[*vacant] =
        std::make_shared<Twin>(Twin{settings, std::make_shared<TapDevice>(std::move(*device))});
    ids.push_back(*vacant);
  }
  state_->next_twin = next;
  state_->hand_over(table);
  // The last owner of what was removed: its interface goes here, not on the exception thread.
  state_->twins = std::move(table);
  return ids;
}

void ExceptionPath::set_carrier(TwinId twin, bool carrier) {
  if (twin >= kMaximumTwins || !(*state_->twins)[twin]) return;
  // An old kernel without TUNSETCARRIER shows every twin as connected, which is harmless.
  (void)(*state_->twins)[twin]->device->set_carrier(carrier);
}

ExceptionPort& ExceptionPath::port(uint32_t worker) noexcept { return state_->ports[worker]; }

ExceptionStatistics ExceptionPath::statistics() const noexcept {
  ExceptionStatistics statistics;
  statistics.to_kernel = state_->to_kernel_count.get();
  statistics.from_kernel = state_->from_kernel_count.get();
  statistics.dropped_unknown_twin = state_->unknown_twin.get();
  statistics.dropped_write_failed = state_->write_failed.get();
  statistics.dropped_no_memory = state_->no_memory.get();
  statistics.dropped_to_worker_full = state_->to_worker_full.get();
  statistics.sleeps = state_->sleeps.get();
  for (uint32_t worker = 0; worker < state_->settings.workers; ++worker) {
    statistics.dropped_to_kernel_full +=
        state_->ports[worker].refused_.load(std::memory_order_relaxed);
  }
  return statistics;
}

}  // namespace masugata::dataplane
