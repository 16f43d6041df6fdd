// SPDX-License-Identifier: GPL-2.0-or-later
// `monitor trace`: gives the workers a filter, reads what they write, tells it in words.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/control/event_loop.h"
#include "dataplane/control/gateway_state.h"
#include "dataplane/pipeline/counters.h"
#include "dataplane/pipeline/running_configuration.h"
#include "dataplane/pipeline/trace.h"
#include "dataplane/platform/quiescence.h"

namespace masugata::dataplane {

// What a worker and the service share.
struct TracedWorker {
  TraceChannel* channel = nullptr;
  const RelaxedCounter* lost = nullptr;  // records that found the ring full
};

// Control thread. One trace at a time: a worker has one filter.
class TraceService {
 public:
  static constexpr uint64_t kDrainPeriodMs = 20;
  // After the last packet has begun its way: those that wait for a neighbour get no longer.
  static constexpr uint64_t kLastPacketsMs = 200;

  // Everything outlives this. `now_us` is the workers' clock, `running` what is in force.
  TraceService(control::EventLoop& loop, std::vector<TracedWorker> workers, Quiescence& quiescence,
               std::function<uint64_t()> now_us,
               std::function<const RunningConfiguration&()> running);
  // Workers must have stopped.
  ~TraceService();
  TraceService(const TraceService&) = delete;
  TraceService& operator=(const TraceService&) = delete;

  // As GatewayState::start_trace() and stop_trace().
  [[nodiscard]] Result<control::TraceId> start(const control::TraceRequest& request,
                                               control::TraceListener listener);
  void stop(control::TraceId id);

 private:
  struct Collected {
    uint32_t worker = 0;
    TraceRecord record;
  };
  struct Trace {
    control::TraceId id = 0;
    control::TraceListener listener;
    uint32_t packet_limit = 0;
    uint64_t begun_us = 0;
    uint32_t numbering_epoch = 0;
    bool by_zone = false;
    uint64_t packets = 0;
    uint64_t lost = 0;                     // of all workers, as told so far
    std::map<uint64_t, uint64_t> numbers;  // TraceRecord::packet -> what the listener is told
    std::vector<Collected> early;          // from another worker, before the packet's first record
    std::optional<uint64_t> ends_ms;       // the limit was reached
  };
  struct RetiredFilter {
    std::unique_ptr<const TraceFilter> filter;
    Quiescence::Token token;
  };

  void drain();
  [[nodiscard]] std::vector<Collected> collect();
  void tell(const Collected& collected, bool last_chance);
  [[nodiscard]] std::optional<std::string> reason_to_end() const;
  void withdraw_filter();
  void end(const std::string& why);
  void free_filters();
  [[nodiscard]] uint64_t lost() const;

  control::EventLoop& loop_;
  std::vector<TracedWorker> workers_;
  Quiescence& quiescence_;
  std::function<uint64_t()> now_us_;
  std::function<const RunningConfiguration&()> running_;
  std::optional<Trace> trace_;
  std::unique_ptr<const TraceFilter> filter_;  // published
  std::vector<RetiredFilter> retired_;
  control::EventLoop::TimerId timer_ = 0;  // 0 = none
  control::TraceId next_id_ = 1;
};

// What one record says: "to track", "session 17 established; to egress", "drop policy-denied: ...".
[[nodiscard]] std::string trace_text(const TraceRecord& record,
                                     const RunningConfiguration& configuration);

// Faults: a zone or interface that is not known.
[[nodiscard]] Result<TraceFilter> trace_filter(const control::TraceRequest& request,
                                               const Snapshot& snapshot);

}  // namespace masugata::dataplane
