// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/gateway/state/session_questions.h"

#include <fmt/format.h>

#include <algorithm>

namespace masugata::dataplane {

SessionQuestions::SessionQuestions(control::EventLoop& loop, std::vector<SessionQuerySlot*> slots,
                                   std::function<const RunningConfiguration&()> running)
    : loop_(loop), slots_(std::move(slots)), running_(std::move(running)) {}

SessionQuestions::~SessionQuestions() {
  if (timer_ != 0) loop_.cancel(timer_);
}

void SessionQuestions::ask(Maker make, Callback done) {
  if (jobs_.size() >= kMaximumWaiting) {
    done(failure("sessions", "too many questions at once; try again"));
    return;
  }
  // A mistake in the question is told at once.
  if (const auto question = make(running_()); !question) {
    done(tl::unexpected(question.error()));
    return;
  }
  Job job;
  job.make = std::move(make);
  job.done = std::move(done);
  job.deadline_ms = loop_.now_ms() + kDeadlineMs;
  jobs_.push_back(std::move(job));
  if (timer_ == 0) timer_ = loop_.call_every(kPollPeriodMs, [this] { poll(); });
}

void SessionQuestions::poll() {
  free_abandoned();
  if (!jobs_.empty()) advance(jobs_.front());
  if (jobs_.empty() && abandoned_.empty() && timer_ != 0) {
    loop_.cancel(timer_);
    timer_ = 0;
  }
}

Status SessionQuestions::begin(Job& job) {
  const RunningConfiguration& configuration = running_();
  const Result<SessionQuestion> question = job.make(configuration);
  if (!question) return tl::unexpected(question.error());
  job.epoch = configuration.epoch;
  job.queries.clear();
  job.posted.assign(slots_.size(), false);
  for (size_t worker = 0; worker < slots_.size(); ++worker) {
    auto query = std::make_unique<SessionQuery>();
    query->filter = question->filter;
    query->translated = question->translated;
    query->found.reserve(question->copies);
    query->per_rule.assign(configuration.snapshot->rule_count(), 0);
    query->per_translated.assign(question->translated.size(), 0);
    job.queries.push_back(std::move(query));
  }
  return {};
}

bool SessionQuestions::is_complete(const Job& job) {
  return std::all_of(job.queries.begin(), job.queries.end(),
                     [](const auto& query) { return query->done.load(std::memory_order_acquire); });
}

void SessionQuestions::advance(Job& job) {
  if (job.queries.empty()) {
    if (Status begun = begin(job); !begun) {
      finish(tl::unexpected(begun.error()));
      return;
    }
  }
  // A slot may still be taken by a question whose time had passed.
  for (size_t worker = 0; worker < slots_.size(); ++worker) {
    if (!job.posted[worker]) job.posted[worker] = slots_[worker]->post(job.queries[worker].get());
  }
  if (is_complete(job)) {
    const RunningConfiguration& configuration = running_();
    if (configuration.epoch != job.epoch && job.repeats < kMaximumRepeats) {
      ++job.repeats;
      job.queries.clear();
      return;
    }
    if (configuration.epoch != job.epoch) {
      finish(failure("sessions", "the configuration changes all the time; try again"));
      return;
    }
    finish(SessionAnswer{std::move(job.queries), &configuration});
    return;
  }
  if (loop_.now_ms() >= job.deadline_ms) give_up(job);
}

void SessionQuestions::give_up(Job& job) {
  size_t late = 0;
  for (size_t worker = slots_.size(); worker-- > 0;) {
    if (!job.queries[worker]->done.load(std::memory_order_acquire)) late = worker;
  }
  // What a worker never got it will never touch; the others stay until it has let go.
  for (size_t worker = 0; worker < slots_.size(); ++worker) {
    if (job.posted[worker]) abandoned_.push_back(std::move(job.queries[worker]));
  }
  finish(failure(fmt::format("worker {}", late),
                 fmt::format("has not looked through its sessions within {} s; try again",
                             kDeadlineMs / 1000)));
}

void SessionQuestions::finish(Result<SessionAnswer> answer) {
  const Callback done = std::move(jobs_.front().done);
  jobs_.pop_front();
  done(std::move(answer));
}

void SessionQuestions::free_abandoned() {
  std::erase_if(abandoned_,
                [](const auto& query) { return query->done.load(std::memory_order_acquire); });
}

}  // namespace masugata::dataplane
