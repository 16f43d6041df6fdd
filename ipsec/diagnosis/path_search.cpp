// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/diagnosis/path_search.h"

#include <algorithm>

namespace masugata::ipsec {
namespace {

constexpr uint64_t kReachTimeout_ms = 1000;
constexpr uint64_t kShortestTimeout_ms = 300;
constexpr uint64_t kLongestTimeout_ms = 1500;
// Errors are rationed, by Linux to one a second.
constexpr uint64_t kErrorPeriod_ms = 1050;

}  // namespace

PathSearch::PathSearch(const Limits& limits, uint64_t now_ms)
    : limits_(limits), begun_ms_(now_ms), next_at_ms_(now_ms) {
  limits_.largest = std::max(limits_.largest, limits_.smallest);
  limits_.usual = std::clamp(limits_.usual, limits_.smallest, limits_.largest);
  limits_.step = std::max<uint16_t>(limits_.step, 1);
  limits_.reflectors = std::min(limits_.reflectors, kMaximumReflectors);
}

PathQuestion PathSearch::note(uint16_t bytes, uint16_t reflector, uint64_t now_ms) {
  const PathQuestion question{++finding_.packets, bytes, reflector};
  asked_.push_back({question, now_ms});
  return question;
}

void PathSearch::finish(uint64_t now_ms) {
  stage_ = Stage::Done;
  finding_.took_ms = now_ms - begun_ms_;
}

std::vector<PathQuestion> PathSearch::next(uint64_t now_ms) {
  if (done()) return {};
  const bool over = now_ms - begun_ms_ >= kMaximumTime_ms;
  const uint16_t wanted = stage_ == Stage::Reach ? limits_.reflectors : uint16_t{1};
  if (over || finding_.packets + wanted > kMaximumPackets) {
    finish(now_ms);
    return {};
  }
  if (now_ms < next_at_ms_) return {};
  return stage_ == Stage::Reach ? ask_everybody(now_ms) : ask(now_ms);
}

std::vector<PathQuestion> PathSearch::ask_everybody(uint64_t now_ms) {
  if (beyond_) {
    // A second for echoes is over.
    choose(beyond_->reflector, PathAnswer::Beyond, beyond_took_ms_);
    next_at_ms_ = now_ms;
    return done() ? std::vector<PathQuestion>{} : ask(now_ms);
  }
  if (tries_ == kTries || limits_.reflectors == 0) {
    finish(now_ms);
    return {};
  }
  ++tries_;
  next_at_ms_ = now_ms + kReachTimeout_ms;
  std::vector<PathQuestion> questions;
  for (uint16_t i = 0; i < limits_.reflectors; ++i) {
    questions.push_back(note(limits_.smallest, i, now_ms));
  }
  return questions;
}

std::vector<PathQuestion> PathSearch::ask(uint64_t now_ms) {
  if (tries_ == kTries) give_up_size();
  if (done()) {
    finish(now_ms);
    return {};
  }
  ++tries_;
  next_at_ms_ = now_ms + timeout_ms_;
  return {note(size_, finding_.reflector, now_ms)};
}

void PathSearch::choose(uint16_t reflector, PathAnswer kind, uint64_t took_ms) {
  finding_.answered = true;
  finding_.reflector = reflector;
  finding_.kind = kind;
  finding_.passes_bytes = limits_.smallest;
  timeout_ms_ = std::clamp(4 * took_ms, kShortestTimeout_ms, kLongestTimeout_ms);
  if (kind == PathAnswer::Beyond) {
    timeout_ms_ = std::max(timeout_ms_, kErrorPeriod_ms);
    pause_ms_ = kErrorPeriod_ms;
  }
  stage_ = Stage::Compare;
  choose_size();
}

// Between what passes and what does not.
void PathSearch::choose_size() {
  tries_ = 0;
  const uint16_t low = finding_.passes_bytes;
  const uint16_t high = finding_.fails_bytes;
  if (high == 0) {
    // Nothing has failed: what is usual, then the largest.
    if (low < limits_.usual) {
      size_ = limits_.usual;
    } else if (low < limits_.largest) {
      size_ = limits_.largest;
    } else {
      stage_ = Stage::Done;
    }
    return;
  }
  const auto steps = static_cast<uint16_t>((high - low) / limits_.step);
  if (steps <= 1) {
    // That it still answers is what tells a limit from a tunnel that went down.
    size_ = low;
    stage_ = Stage::Confirm;
    return;
  }
  size_ = static_cast<uint16_t>(high - (steps + 1) / 2 * limits_.step);
}

void PathSearch::give_up_size() {
  if (stage_ == Stage::Confirm) {
    finding_.steady = false;
    stage_ = Stage::Done;
    return;
  }
  finding_.fails_bytes = size_;
  choose_size();
}

void PathSearch::lower(uint16_t largest, uint64_t now_ms) {
  limits_.largest = std::max(largest, limits_.smallest);
  limits_.usual = std::min(limits_.usual, limits_.largest);
  if (finding_.fails_bytes > limits_.largest) finding_.fails_bytes = 0;
  if (stage_ != Stage::Compare) return;
  choose_size();
  next_at_ms_ = now_ms;
  if (done()) finish(now_ms);
}

void PathSearch::take(uint16_t sequence, PathAnswer kind, uint64_t now_ms) {
  const auto asked = std::find_if(asked_.begin(), asked_.end(), [sequence](const Asked& each) {
    return each.question.sequence == sequence;
  });
  if (asked == asked_.end() || done()) return;
  const PathQuestion question = asked->question;
  const uint64_t took_ms = now_ms - asked->at_ms;
  asked_.erase(asked);
  if (stage_ == Stage::Reach) {
    if (kind == PathAnswer::Echo) {
      choose(question.reflector, kind, took_ms);
      next_at_ms_ = now_ms;
      if (done()) finish(now_ms);
    } else if (!beyond_) {
      beyond_ = question;
      beyond_took_ms_ = took_ms;
    }
    return;
  }
  if (stage_ == Stage::Confirm) {
    if (question.inner_bytes < size_) return;
    finding_.passes_bytes = std::max(finding_.passes_bytes, question.inner_bytes);
    finish(now_ms);
    return;
  }
  if (question.inner_bytes <= finding_.passes_bytes) return;
  finding_.passes_bytes = question.inner_bytes;
  // A late answer to what was given up.
  if (finding_.fails_bytes != 0 && finding_.fails_bytes <= question.inner_bytes) {
    finding_.fails_bytes = 0;
  }
  choose_size();
  next_at_ms_ = now_ms + pause_ms_;
  if (done()) finish(now_ms);
}

}  // namespace masugata::ipsec
