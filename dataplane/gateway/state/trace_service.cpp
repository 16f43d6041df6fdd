// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/trace_service.h"

#include <algorithm>

#include "dataplane/gateway/state/texts.h"

namespace masugata::dataplane {

Result<TraceFilter> trace_filter(const control::TraceRequest& request, const Snapshot& snapshot) {
  TraceFilter filter;
  const control::SessionFilter& wanted = request.filter;
  filter.match_source = wanted.source.has_value();
  filter.source = wanted.source.value_or(net::AddressRange{});
  filter.match_destination = wanted.destination.has_value();
  filter.destination = wanted.destination.value_or(net::AddressRange{});
  filter.match_protocol = wanted.protocol.has_value();
  filter.protocol = wanted.protocol.value_or(net::Protocol::HopByHop);
  filter.source_port = wanted.source_port.value_or(0);
  filter.destination_port = wanted.destination_port.value_or(0);
  filter.both_directions = request.both_directions;
  if (!wanted.zone.empty()) {
    const auto zone = zone_named(snapshot, wanted.zone);
    if (!zone) return tl::unexpected(zone.error());
    filter.zone = *zone;
  }
  if (!wanted.interface.empty()) {
    const auto interface = interface_named(snapshot, wanted.interface);
    if (!interface) return tl::unexpected(interface.error());
    filter.interface = *interface;
  }
  return filter;
}

TraceService::TraceService(control::EventLoop& loop, std::vector<TracedWorker> workers,
                           Quiescence& quiescence, std::function<uint64_t()> now_us,
                           std::function<const RunningConfiguration&()> running)
    : loop_(loop),
      workers_(std::move(workers)),
      quiescence_(quiescence),
      now_us_(std::move(now_us)),
      running_(std::move(running)) {}

TraceService::~TraceService() {
  for (const TracedWorker& worker : workers_) worker.channel->filter.store(nullptr);
  if (timer_ != 0) loop_.cancel(timer_);
}

Result<control::TraceId> TraceService::start(const control::TraceRequest& request,
                                             control::TraceListener listener) {
  if (trace_) return failure("trace", "another one runs; there can be one at a time");
  const auto filter = trace_filter(request, *running_().snapshot);
  if (!filter) return tl::unexpected(filter.error());
  (void)collect();  // what an earlier trace has left behind
  Trace trace;
  trace.id = next_id_++;
  trace.listener = std::move(listener);
  trace.packet_limit = request.packet_limit;
  trace.begun_us = now_us_();
  trace.numbering_epoch = running_().numbering_epoch;
  trace.by_zone = !request.filter.zone.empty();
  trace.lost = lost();
  trace_ = std::move(trace);
  filter_ = std::make_unique<const TraceFilter>(*filter);
  for (const TracedWorker& worker : workers_) {
    worker.channel->filter.store(filter_.get(), std::memory_order_release);
  }
  if (timer_ == 0) timer_ = loop_.call_every(kDrainPeriodMs, [this] { drain(); });
  return trace_->id;
}

void TraceService::stop(control::TraceId id) {
  if (!trace_ || trace_->id != id) return;
  withdraw_filter();
  trace_.reset();
}

void TraceService::withdraw_filter() {
  if (filter_ == nullptr) return;
  for (const TracedWorker& worker : workers_) {
    worker.channel->filter.store(nullptr, std::memory_order_release);
  }
  retired_.push_back({std::move(filter_), quiescence_.start()});
}

void TraceService::free_filters() {
  while (!retired_.empty() && quiescence_.passed(retired_.front().token)) {
    retired_.erase(retired_.begin());
  }
}

uint64_t TraceService::lost() const {
  uint64_t sum = 0;
  for (const TracedWorker& worker : workers_) sum += worker.lost->get();
  return sum;
}

std::vector<TraceService::Collected> TraceService::collect() {
  std::vector<Collected> collected;
  for (uint32_t worker = 0; worker < workers_.size(); ++worker) {
    TraceRecord record;
    while (workers_[worker].channel->ring.pop(record)) collected.push_back({worker, record});
  }
  // Packets may go from one worker to another; the order within a worker stays.
  std::stable_sort(collected.begin(), collected.end(), [](const auto& left, const auto& right) {
    return left.record.time_us < right.record.time_us;
  });
  return collected;
}

void TraceService::drain() {
  free_filters();
  if (!trace_) {
    if (retired_.empty()) {
      loop_.cancel(timer_);
      timer_ = 0;
    }
    return;
  }
  const control::TraceId id = trace_->id;
  std::vector<Collected> early = std::exchange(trace_->early, {});
  const std::vector<Collected> collected = collect();
  // The listener may stop the trace, and even start another one.
  for (size_t i = 0; i < collected.size() && trace_ && trace_->id == id; ++i) {
    if (collected[i].record.stage == StageId::Decode) {
      tell(collected[i], true);
      for (const Collected& waiting : early) {
        if (!trace_ || trace_->id != id) return;
        if (waiting.record.packet == collected[i].record.packet) tell(waiting, true);
      }
    } else {
      tell(collected[i], false);
    }
  }
  if (!trace_ || trace_->id != id) return;
  if (const auto why = reason_to_end()) end(*why);
}

void TraceService::tell(const Collected& collected, bool last_chance) {
  Trace& trace = *trace_;
  const TraceRecord& record = collected.record;
  const bool first = record.stage == StageId::Decode;
  if (first) {
    trace.numbers.erase(record.packet);  // names wrap
    if (trace.packets >= trace.packet_limit) return;
    trace.numbers[record.packet] = ++trace.packets;
    if (trace.packets == trace.packet_limit) {
      withdraw_filter();
      trace.ends_ms = loop_.now_ms() + kLastPacketsMs;
    }
  }
  const auto number = trace.numbers.find(record.packet);
  if (number == trace.numbers.end()) {
    if (!last_chance) trace.early.push_back(collected);
    return;
  }
  control::TraceLine line;
  line.packet = number->second;
  line.worker = collected.worker;
  line.time_us = record.time_us > trace.begun_us ? record.time_us - trace.begun_us : 0;
  line.stage = std::string(stage_name(record.stage));
  if (first) line.flow = record.key.to_string();
  line.decision = trace_text(record, running_());
  const uint64_t lost_now = lost();
  line.lost_before = lost_now - std::exchange(trace.lost, lost_now);
  const auto listener = trace.listener.line;  // a copy: it may stop the trace
  listener(line);
}

std::optional<std::string> TraceService::reason_to_end() const {
  if (trace_->ends_ms && loop_.now_ms() >= *trace_->ends_ms) return "packet limit reached";
  if (trace_->by_zone && running_().numbering_epoch != trace_->numbering_epoch) {
    return "the configuration was reloaded, and with it the zones";
  }
  return std::nullopt;
}

void TraceService::end(const std::string& why) {
  withdraw_filter();
  const auto ended = trace_->listener.ended;
  trace_.reset();
  ended(why);
}

}  // namespace masugata::dataplane
