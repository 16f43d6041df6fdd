// SPDX-License-Identifier: GPL-2.0-or-later
// Asks all workers about their sessions and waits without blocking anybody.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "dataplane/control/event_loop.h"
#include "dataplane/pipeline/session_query.h"
#include "result/result.h"

namespace masugata::dataplane {

struct SessionQuestion {
  SessionQueryFilter filter;
  uint32_t copies = 0;                        // at most so many sessions of each worker
  std::vector<net::AddressRange> translated;  // see SessionQuery
};

// One query per worker, all done, and the configuration that their numbers belong to.
struct SessionAnswer {
  std::vector<std::unique_ptr<SessionQuery>> workers;
  const RunningConfiguration* configuration = nullptr;  // valid during the callback
};

// Control thread. Questions are answered one after the other. A worker gets no time limit, but the
// question does: when it has passed, its queries are kept until the worker has let go of them.
class SessionQuestions {
 public:
  static constexpr uint64_t kPollPeriodMs = 2;
  static constexpr uint64_t kDeadlineMs = 5000;
  static constexpr size_t kMaximumWaiting = 32;
  static constexpr int kMaximumRepeats = 3;

  // Makes the question in the numbers of a configuration: called again when another one has come
  // into force before the answer was complete.
  using Maker = std::function<Result<SessionQuestion>(const RunningConfiguration&)>;
  // Never called from within ask() unless with a Fault.
  using Callback = std::function<void(Result<SessionAnswer>)>;

  // `slots` by worker; loop and slots outlive this. `running` gives what is in force.
  SessionQuestions(control::EventLoop& loop, std::vector<SessionQuerySlot*> slots,
                   std::function<const RunningConfiguration&()> running);
  // Workers must have stopped. Questions that wait get no answer.
  ~SessionQuestions();
  SessionQuestions(const SessionQuestions&) = delete;
  SessionQuestions& operator=(const SessionQuestions&) = delete;

  void ask(Maker make, Callback done);

 private:
  struct Job {
    Maker make;
    Callback done;
    uint64_t deadline_ms = 0;
    int repeats = 0;
    uint32_t epoch = 0;
    std::vector<std::unique_ptr<SessionQuery>> queries;  // empty: not begun
    std::vector<bool> posted;
  };
  void poll();
  [[nodiscard]] Status begin(Job& job);
  [[nodiscard]] static bool is_complete(const Job& job);
  void advance(Job& job);
  void give_up(Job& job);
  void finish(Result<SessionAnswer> answer);
  void free_abandoned();

  control::EventLoop& loop_;
  std::vector<SessionQuerySlot*> slots_;
  std::function<const RunningConfiguration&()> running_;
  std::deque<Job> jobs_;  // the first one is being answered
  std::vector<std::unique_ptr<SessionQuery>> abandoned_;
  control::EventLoop::TimerId timer_ = 0;  // 0 = none
};

}  // namespace masugata::dataplane
