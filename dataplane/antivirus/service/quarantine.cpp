// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/quarantine.h"

#include <fmt/format.h>

#include <utility>

namespace masugata::dataplane {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;

}  // namespace

Quarantine::Quarantine(WallClock wall_clock)
    : wall_clock_(std::move(wall_clock)), writer_([this] { write_waiting(); }) {}

Quarantine::~Quarantine() {
  {
    const std::lock_guard guard(lock_);
    stop_ = true;
  }
  changed_.notify_all();
  writer_.join();
}

Status Quarantine::configure(const std::string& folder, const QuarantineLimits& limits) {
  if (folder != path_) {
    auto opened = QuarantineFolder::open(folder);
    if (!opened) return tl::unexpected(opened.error());
    wait_until_written();
    take_written();
    folder_ = std::make_shared<const QuarantineFolder>(std::move(*opened));
    path_ = folder;
    entries_.clear();
    by_age_.clear();
    bytes_ = 0;
    for (QuarantineEntry& entry : folder_->load()) {
      bytes_ += entry.bytes;
      by_age_.emplace(std::pair(entry.time_s, entry.reference), entry.bytes);
      entries_.emplace(entry.reference, std::move(entry));
    }
  }
  limits_ = limits;
  make_room(0);
  return {};
}

bool Quarantine::add(QuarantineEntry entry, std::vector<uint8_t> object) {
  entry.bytes = object.size();
  std::unique_lock guard(lock_);
  if (folder_ == nullptr || object.size() > limits_.bytes || limits_.objects == 0 ||
      waiting_.size() >= kWaitingObjects || waiting_bytes_ + object.size() > kWaitingBytes) {
    ++not_kept_;
    return false;
  }
  waiting_bytes_ += object.size();
  waiting_.push_back({std::move(entry), std::move(object), folder_});
  guard.unlock();
  changed_.notify_all();
  return true;
}

void Quarantine::write_waiting() {
  std::unique_lock guard(lock_);
  while (true) {
    changed_.wait(guard, [this] { return stop_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Work work = std::move(waiting_.front());
    waiting_.pop_front();
    at_work_ = true;
    guard.unlock();
    work.outcome = work.folder->write(work.entry, work.object);
    const uint64_t bytes = work.object.size();
    work.object = {};
    guard.lock();
    waiting_bytes_ -= bytes;
    written_.push_back(std::move(work));
    at_work_ = false;
    changed_.notify_all();
  }
}

void Quarantine::wait_until_written() {
  std::unique_lock guard(lock_);
  changed_.wait(guard, [this] { return waiting_.empty() && !at_work_; });
}

void Quarantine::take_written() {
  std::vector<Work> written;
  {
    const std::lock_guard guard(lock_);
    written.swap(written_);
  }
  for (Work& work : written) {
    if (work.folder != folder_) continue;
    if (!work.outcome) {
      ++not_kept_;
      problem_ = work.outcome.error().message();
      continue;
    }
    forget(work.entry.reference);
    bytes_ += work.entry.bytes;
    by_age_.emplace(std::pair(work.entry.time_s, work.entry.reference), work.entry.bytes);
    entries_.emplace(work.entry.reference, std::move(work.entry));
  }
}

void Quarantine::make_room(uint64_t bytes) {
  while (!by_age_.empty() &&
         (bytes_ + bytes > limits_.bytes || entries_.size() > limits_.objects)) {
    (void)remove(by_age_.begin()->first.second);
  }
}

void Quarantine::tick() {
  take_written();
  make_room(0);
  const int64_t oldest_s = now_s() - int64_t{limits_.age_days} * kSecondsPerDay;
  while (!by_age_.empty() && by_age_.begin()->first.first < oldest_s) {
    (void)remove(by_age_.begin()->first.second);
  }
}

std::vector<QuarantineEntry> Quarantine::list() const {
  std::vector<QuarantineEntry> entries;
  for (auto next = by_age_.rbegin(); next != by_age_.rend(); ++next) {
    entries.push_back(entries_.at(next->first.second));
  }
  return entries;
}

std::optional<QuarantineEntry> Quarantine::find(uint64_t reference) const {
  const auto found = entries_.find(reference);
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::vector<uint8_t>> Quarantine::read(uint64_t reference, uint64_t offset,
                                              size_t maximum) const {
  if (!entries_.contains(reference)) {
    return failure("quarantine", fmt::format("has nothing with the reference {}", reference));
  }
  return folder_->read(reference, offset, maximum);
}

void Quarantine::forget(uint64_t reference) {
  const auto found = entries_.find(reference);
  if (found == entries_.end()) return;
  bytes_ -= found->second.bytes;
  by_age_.erase(std::pair(found->second.time_s, reference));
  entries_.erase(found);
}

Status Quarantine::remove(uint64_t reference) {
  if (!entries_.contains(reference)) {
    return failure("quarantine", fmt::format("has nothing with the reference {}", reference));
  }
  folder_->remove(reference);
  forget(reference);
  return {};
}

}  // namespace masugata::dataplane
