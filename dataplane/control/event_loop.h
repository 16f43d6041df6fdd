// SPDX-License-Identifier: GPL-2.0-or-later
// The control thread's loop: file descriptors, timers, signals and work posted by other threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "result/result.h"

namespace masugata::dataplane::control {

// What a watched descriptor is ready for; bits. Hang-up and errors are reported as readable, so
// that the next read tells.
enum Readiness : uint32_t {
  kReadable = 1U << 0U,
  kWritable = 1U << 1U,
};

// Thread: one thread owns the loop and calls everything but post() and stop(). Callbacks may add
// and remove watches and timers, their own included.
// Bounds: each round serves at most kEventsPerRound descriptors, kTimersPerRound timers and
// kPostsPerRound posts, so no source starves another; post() refuses beyond kMaximumPosts.
class EventLoop {
 public:
  using TimerId = uint64_t;
  using ClockFunction = std::function<uint64_t()>;  // monotonic milliseconds

  static constexpr int kEventsPerRound = 64;
  static constexpr int kTimersPerRound = 64;
  static constexpr int kPostsPerRound = 64;
  static constexpr size_t kMaximumPosts = 1024;

  // `clock` is for tests: with one, run_once() never sleeps. Faults name the failed system call.
  static Result<std::unique_ptr<EventLoop>> create(ClockFunction clock = {});
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  // Calls `ready` whenever `descriptor` is ready for one of `interest` (Readiness bits, level
  // triggered). The descriptor stays the caller's, who calls forget() before closing it.
  [[nodiscard]] Status watch(int descriptor, uint32_t interest,
                             std::function<void(uint32_t readiness)> ready);
  // Unknown descriptors are a fault. Interest 0 keeps the watch but pauses it.
  [[nodiscard]] Status change_interest(int descriptor, uint32_t interest);
  // No callback for this descriptor is made any more, not even in the round under way.
  void forget(int descriptor);

  // Timers fire once at least `delay_ms` from now, in the order of their time. A repeating timer
  // counts from the moment it ran: after a stall it fires once, not once per missed period.
  TimerId call_after(uint64_t delay_ms, std::function<void()> callback);
  TimerId call_every(uint64_t period_ms, std::function<void()> callback);
  void cancel(TimerId timer);  // unknown ids are ignored

  // Blocks `signals` for this thread and threads started later, and delivers them here. Once per
  // loop, before threads start.
  [[nodiscard]] Status watch_signals(const std::vector<int>& signals,
                                     std::function<void(int signal)> received);

  // From any thread: runs `callback` on the loop's thread. False when too much waits already.
  [[nodiscard]] bool post(std::function<void()> callback);

  // Serves what is ready, waiting at most `timeout_ms` (-1: as long as it takes) for the first.
  // Returns how many callbacks ran.
  int run_once(int timeout_ms);
  // Until stop(); a stop() before run() makes it return at once.
  void run();
  void stop();  // from any thread

  [[nodiscard]] uint64_t now_ms() const { return clock_(); }

 private:
  struct Watch {
    int descriptor;
    uint32_t interest;
    std::shared_ptr<std::function<void(uint32_t)>> ready;
  };
  struct Timer {
    uint64_t due_ms;
    uint64_t period_ms;  // 0 = once
    std::shared_ptr<std::function<void()>> callback;
  };
  struct Due {
    uint64_t due_ms;
    TimerId timer;
    bool operator>(const Due& other) const {
      return due_ms != other.due_ms ? due_ms > other.due_ms : timer > other.timer;
    }
  };

  EventLoop() = default;
  TimerId add_timer(uint64_t delay_ms, uint64_t period_ms, std::function<void()> callback);
  [[nodiscard]] int wait_limit_ms(int timeout_ms) const;
  int serve_descriptors(int timeout_ms);
  int serve_timers();
  int serve_posts();
  void compact_due();
  void wake();

  ClockFunction clock_;
  bool virtual_time_ = false;
  int epoll_ = -1;
  int wakeup_ = -1;
  int signals_ = -1;
  uint64_t next_watch_ = 1;
  std::unordered_map<uint64_t, Watch> watches_;  // by watch number
  std::unordered_map<int, uint64_t> watch_of_descriptor_;
  TimerId next_timer_ = 1;
  std::unordered_map<TimerId, Timer> timers_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;  // may hold cancelled ones
  std::mutex posts_lock_;
  std::queue<std::function<void()>> posts_;  // guarded by posts_lock_
  std::atomic<bool> stopping_{false};
};

}  // namespace masugata::dataplane::control
