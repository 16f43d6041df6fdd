// SPDX-License-Identifier: GPL-2.0-or-later
// Objects that were refused, kept sealed for those who want to look at them. Bounded by size, age
// and number; the oldest gives way.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "dataplane/antivirus/service/quarantine_folder.h"
#include "dataplane/wall_clock.h"
#include "result/result.h"

namespace masugata::dataplane {

struct QuarantineLimits {
  uint64_t bytes = 1ULL << 30U;  // of objects, all together
  uint32_t age_days = 30;
  size_t objects = 10'000;
};

// Control thread; files are written by a thread of its own.
class Quarantine {
 public:
  // Objects that wait to be written; beyond, they are not kept.
  static constexpr uint64_t kWaitingBytes = 64ULL << 20U;
  static constexpr size_t kWaitingObjects = 256;

  explicit Quarantine(WallClock wall_clock);
  // Writes what waits.
  ~Quarantine();
  Quarantine(const Quarantine&) = delete;
  Quarantine& operator=(const Quarantine&) = delete;

  // Again with other settings: what lies in the former folder stays there. A fault leaves
  // everything as it was; without a folder nothing is kept.
  Status configure(const std::string& folder, const QuarantineLimits& limits);

  // False, and counted: no folder, larger than all that may be kept, or too much waits to be
  // written. What has the same reference is replaced.
  bool add(QuarantineEntry entry, std::vector<uint8_t> object);
  // Takes note of what was written, ends what is too old. About once a second.
  void tick();
  // Until everything that was added is written, or has failed.
  void wait_until_written();

  // The newest first; those that wait to be written are not among them.
  [[nodiscard]] std::vector<QuarantineEntry> list() const;
  [[nodiscard]] std::optional<QuarantineEntry> find(uint64_t reference) const;
  // At most `maximum` bytes from `offset`; none behind the end. Faults: unknown, unreadable.
  [[nodiscard]] Result<std::vector<uint8_t>> read(uint64_t reference, uint64_t offset,
                                                  size_t maximum) const;
  // A fault: unknown.
  Status remove(uint64_t reference);

  [[nodiscard]] uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] size_t objects() const noexcept { return entries_.size(); }
  [[nodiscard]] const QuarantineLimits& limits() const noexcept { return limits_; }
  // Since the start: refused by add(), and those that the disk did not take.
  [[nodiscard]] uint64_t not_kept() const noexcept { return not_kept_; }
  // Of the last one that the disk did not take; empty: none.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  struct Work {
    QuarantineEntry entry;
    std::vector<uint8_t> object;
    std::shared_ptr<const QuarantineFolder> folder;
    Status outcome = {};
  };
  void write_waiting();
  void take_written();
  void make_room(uint64_t bytes);
  void forget(uint64_t reference);
  [[nodiscard]] int64_t now_s() const { return seconds_of(wall_clock_()); }

  WallClock wall_clock_;
  QuarantineLimits limits_;
  std::string path_;
  std::shared_ptr<const QuarantineFolder> folder_;
  std::map<uint64_t, QuarantineEntry> entries_;              // by reference
  std::map<std::pair<int64_t, uint64_t>, uint64_t> by_age_;  // time and reference to bytes
  uint64_t bytes_ = 0;
  uint64_t not_kept_ = 0;
  std::string problem_;

  std::mutex lock_;  // of what follows
  std::condition_variable changed_;
  std::deque<Work> waiting_;
  std::vector<Work> written_;
  uint64_t waiting_bytes_ = 0;
  bool at_work_ = false;
  bool stop_ = false;
  std::thread writer_;
};

}  // namespace masugata::dataplane
