// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <limits>

namespace masugata::dataplane::control {
namespace {

uint64_t steady_milliseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

tl::unexpected<Fault> system_failure(const char* call) {
  return failure("event loop", std::string(call) + ": " + std::strerror(errno));
}

uint32_t epoll_bits(uint32_t interest) {
  uint32_t bits = 0;
  if ((interest & kReadable) != 0) bits |= EPOLLIN | EPOLLRDHUP;
  if ((interest & kWritable) != 0) bits |= EPOLLOUT;
  return bits;
}

}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::create(ClockFunction clock) {
  std::unique_ptr<EventLoop> loop(new EventLoop());
  loop->virtual_time_ = static_cast<bool>(clock);
  loop->clock_ = clock ? std::move(clock) : ClockFunction(steady_milliseconds);
  loop->epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (loop->epoll_ < 0) return system_failure("epoll_create1");
  loop->wakeup_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (loop->wakeup_ < 0) return system_failure("eventfd");
  const int wakeup = loop->wakeup_;
  auto watched = loop->watch(wakeup, kReadable, [wakeup](uint32_t) {
    uint64_t count = 0;
    (void)!read(wakeup, &count, sizeof count);
  });
  if (!watched) return tl::unexpected(watched.error());
  return loop;
}

EventLoop::~EventLoop() {
  for (const int descriptor : {signals_, wakeup_, epoll_}) {
    if (descriptor >= 0) close(descriptor);
  }
}

Status EventLoop::watch(int descriptor, uint32_t interest,
                        std::function<void(uint32_t readiness)> ready) {
  epoll_event event{};
  event.events = epoll_bits(interest);
  event.data.u64 = next_watch_;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
    return system_failure("epoll_ctl(add)");
  }
  watches_[next_watch_] = {descriptor, interest,
                           std::make_shared<std::function<void(uint32_t)>>(std::move(ready))};
  watch_of_descriptor_[descriptor] = next_watch_++;
  return {};
}

Status EventLoop::change_interest(int descriptor, uint32_t interest) {
  const auto found = watch_of_descriptor_.find(descriptor);
  if (found == watch_of_descriptor_.end()) {
    return failure("event loop", "descriptor is not watched");
  }
  Watch& watch = watches_.at(found->second);
  if (watch.interest == interest) return {};
  epoll_event event{};
  event.events = epoll_bits(interest);
  event.data.u64 = found->second;
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event) != 0) {
    return system_failure("epoll_ctl(modify)");
  }
  watch.interest = interest;
  return {};
}

void EventLoop::forget(int descriptor) {
  const auto found = watch_of_descriptor_.find(descriptor);
  if (found == watch_of_descriptor_.end()) return;
  epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
  watches_.erase(found->second);
  watch_of_descriptor_.erase(found);
}

EventLoop::TimerId EventLoop::add_timer(uint64_t delay_ms, uint64_t period_ms,
                                        std::function<void()> callback) {
  const TimerId timer = next_timer_++;
  const uint64_t due_ms = now_ms() + delay_ms;
  timers_[timer] = {due_ms, period_ms,
                    std::make_shared<std::function<void()>>(std::move(callback))};
  due_.push({due_ms, timer});
  return timer;
}

EventLoop::TimerId EventLoop::call_after(uint64_t delay_ms, std::function<void()> callback) {
  return add_timer(delay_ms, 0, std::move(callback));
}

EventLoop::TimerId EventLoop::call_every(uint64_t period_ms, std::function<void()> callback) {
  const uint64_t period = std::max<uint64_t>(period_ms, 1);
  return add_timer(period, period, std::move(callback));
}

void EventLoop::cancel(TimerId timer) {
  timers_.erase(timer);
  compact_due();
}

// Cancelled timers leave their entry in the heap until it is due; a caller that arms and cancels
// long timers all the time would let it grow without this.
void EventLoop::compact_due() {
  if (due_.size() < 64 || due_.size() < 2 * timers_.size()) return;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> alive;
  for (const auto& [id, timer] : timers_) alive.push({timer.due_ms, id});
  due_.swap(alive);
}

Status EventLoop::watch_signals(const std::vector<int>& signals,
                                std::function<void(int signal)> received) {
  if (signals_ >= 0) return failure("event loop", "signals are watched already");
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    errno = error;
    return system_failure("pthread_sigmask");
  }
  signals_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (signals_ < 0) return system_failure("signalfd");
  const int descriptor = signals_;
  return watch(signals_, kReadable, [descriptor, received = std::move(received)](uint32_t) {
    signalfd_siginfo information{};
    if (read(descriptor, &information, sizeof information) ==
        static_cast<ssize_t>(sizeof information)) {
      received(static_cast<int>(information.ssi_signo));
    }
  });
}

void EventLoop::wake() {
  const uint64_t one = 1;
  (void)!write(wakeup_, &one, sizeof one);
}

bool EventLoop::post(std::function<void()> callback) {
  {
    const std::lock_guard<std::mutex> guard(posts_lock_);
    if (posts_.size() >= kMaximumPosts) return false;
    posts_.push(std::move(callback));
  }
  wake();
  return true;
}

int EventLoop::wait_limit_ms(int timeout_ms) const {
  if (virtual_time_) return 0;
  if (due_.empty()) return timeout_ms;
  const uint64_t now = now_ms();
  const uint64_t due = due_.top().due_ms;
  const uint64_t distance = due > now ? due - now : 0;
  const int until_timer = static_cast<int>(
      std::min<uint64_t>(distance, static_cast<uint64_t>(std::numeric_limits<int>::max())));
  return timeout_ms < 0 ? until_timer : std::min(timeout_ms, until_timer);
}

int EventLoop::serve_descriptors(int timeout_ms) {
  std::array<epoll_event, kEventsPerRound> events{};
  const int ready = epoll_wait(epoll_, events.data(), kEventsPerRound, timeout_ms);
  int served = 0;
  for (int index = 0; index < ready; ++index) {
    const epoll_event& event = events[static_cast<size_t>(index)];
    const uint64_t number = event.data.u64;  // a copy: the kernel's structure is packed
    const auto found = watches_.find(number);
    if (found == watches_.end()) continue;  // forgotten by an earlier callback of this round
    uint32_t readiness = 0;
    if ((event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readiness |= kReadable;
    if ((event.events & EPOLLOUT) != 0) readiness |= kWritable;
    const bool internal = found->second.descriptor == wakeup_;
    const auto callback = found->second.ready;  // outlives a forget() from inside
    (*callback)(readiness);
    if (!internal) ++served;
  }
  return served;
}

int EventLoop::serve_timers() {
  const uint64_t now = now_ms();
  int served = 0;
  while (served < kTimersPerRound && !due_.empty() && due_.top().due_ms <= now) {
    const Due entry = due_.top();
    due_.pop();
    const auto found = timers_.find(entry.timer);
    if (found == timers_.end()) continue;
    const auto callback = found->second.callback;
    if (found->second.period_ms == 0) {
      timers_.erase(found);
    } else {
      found->second.due_ms = now + found->second.period_ms;
      due_.push({found->second.due_ms, entry.timer});
    }
    (*callback)();
    ++served;
  }
  return served;
}

int EventLoop::serve_posts() {
  int served = 0;
  while (served < kPostsPerRound) {
    std::function<void()> callback;
    {
      const std::lock_guard<std::mutex> guard(posts_lock_);
      if (posts_.empty()) return served;
      callback = std::move(posts_.front());
      posts_.pop();
    }
    callback();
    ++served;
  }
  wake();  // there may be more: come back without waiting
  return served;
}

int EventLoop::run_once(int timeout_ms) {
  int served = serve_descriptors(wait_limit_ms(timeout_ms));
  served += serve_timers();
  served += serve_posts();
  return served;
}

void EventLoop::run() {
  while (!stopping_.load(std::memory_order_acquire)) run_once(-1);
  stopping_.store(false, std::memory_order_release);
}

void EventLoop::stop() {
  stopping_.store(true, std::memory_order_release);
  wake();
}

}  // namespace masugata::dataplane::control
