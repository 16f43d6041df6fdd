// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/on_demand_scan.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "av-stream/scand/scan_limits.h"

namespace masugata::av {
namespace {

constexpr size_t kReadBytes = 256 * 1024;
constexpr uint64_t kSmallFilesBytes = 64ULL << 20;
constexpr uint64_t kTickMs = 20;
constexpr auto kPause = std::chrono::microseconds(200);

int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

std::optional<FileStamp> stamp_of(int file) {
  struct stat status {};
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FileStamp{static_cast<uint64_t>(status.st_size), nanoseconds(status.st_mtim),
                   nanoseconds(status.st_ctim)};
}

}  // namespace

int64_t system_time_ns() noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds(now);
}

Status wait_for_engine(ScanService& service, const std::function<bool()>& wants_end) {
  do {
    service.tick();
    if (service.ready()) return {};
    if (wants_end()) return failure("", "stopped before the signatures were loaded");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  } while (service.loading() || service.refusal().empty());
  return failure("", service.refusal());
}

Status OnDemandScan::prepare() {
  if (auto status = wait_for_engine(service_, [this] { return listener_.wants_end(); }); !status)
    return status;
  const GenerationFacts& facts = service_.current()->facts();
  summary_.version = facts.version;
  summary_.signatures = facts.signatures;
  request_.limits = bounded_limits(request_.limits);
  const uint64_t blocks = (request_.limits.file_bytes + kSmallFilesBytes) / kBlockBytes;
  auto region =
      WorkerRegion::create(static_cast<uint32_t>(std::min<uint64_t>(blocks, kMaximumBlocks)));
  if (!region) return tl::unexpected(region.error());
  std::vector<Descriptor> descriptors;
  descriptors.emplace_back(dup(region->descriptor()));
  if (auto status = service_.take_regions(std::move(descriptors)); !status) return status;
  region_.emplace(std::move(*region));
  buffer_.resize(kReadBytes);
  if (request_.state_file.empty()) return {};
  const ScanLimits& limits = request_.limits;
  auto state = ScanState::load(
      request_.state_file,
      fmt::format("{:016x}-{}-{}-{}{}{}", facts.version, limits.file_bytes, limits.scan_bytes,
                  limits.report_encrypted, limits.report_macros, limits.report_limits));
  if (!state) return tl::unexpected(state.error());
  state_.emplace(std::move(*state));
  return {};
}

uint64_t OnDemandScan::count_files() {
  uint64_t files = 0;
  FileWalk walk(request_.paths, request_.excluded, [](const std::string&, const std::string&) {});
  while (!listener_.wants_end() && walk.next()) ++files;
  return files;
}

void OnDemandScan::fail(const std::string& path, const std::string& what) {
  ++summary_.not_scanned;
  listener_.problem(path, what);
}

bool OnDemandScan::open_next(FileWalk& walk) {
  while (const auto found = walk.next()) {
    Descriptor file = walk.open_file(*found);
    if (!file) {
      fail(found->path, std::strerror(errno));
      continue;
    }
    const auto stamp = stamp_of(file.get());
    if (!stamp) continue;
    if (state_ && state_->was_clean(found->path, *stamp)) {
      state_->remember_clean(found->path, *stamp);
      ++summary_.unchanged;
      return true;
    }
    Descriptor folder(fcntl(walk.folder(), F_DUPFD_CLOEXEC, 0));
    file_.emplace(
        OpenFile{{found->path, found->name, std::move(file), std::move(folder), *stamp}, {}});
    return true;
  }
  return false;
}

bool OnDemandScan::feed() {
  if (!file_ || pending_.size() >= request_.scans_at_a_time) return false;
  // One byte more than is scanned says that there was more.
  const uint64_t wanted = request_.limits.file_bytes + 1 - file_->object.bytes;
  const auto position = static_cast<off_t>(file_->object.bytes);
  const ssize_t count = pread(file_->facts.file.get(), buffer_.data(),
                              std::min<uint64_t>(wanted, kReadBytes), position);
  if (count < 0) {
    fail(file_->facts.path, std::strerror(errno));
    region_->release(file_->object);
    file_.reset();
    return true;
  }
  if (count > 0) {
    // No room: answers make some.
    return region_->append(file_->object, std::span(buffer_).first(static_cast<size_t>(count)));
  }
  return submit();
}

bool OnDemandScan::submit() {
  const uint64_t bytes = file_->object.bytes;
  const auto ticket = region_->submit(file_->object, request_.limits, file_->facts.name);
  if (!ticket) return false;
  summary_.bytes += bytes;
  pending_.insert_or_assign(ticket->serial, std::move(file_->facts));
  file_.reset();
  return true;
}

bool OnDemandScan::is_at_rest(const ScannedFile& file) const {
  const int64_t latest_ns = std::max(file.stamp.modified_ns, file.stamp.changed_ns);
  return stamp_of(file.file.get()) == file.stamp &&
         latest_ns + kJustChangedNs <= request_.clock_ns();
}

void OnDemandScan::settle(ScannedFile& file, const ScanAnswer& answer) {
  if (answer.outcome == ScanOutcome::Failed) {
    fail(file.path, fmt::format("not scanned: {}", failure_name(answer.failure)));
    return;
  }
  ++summary_.files;
  if (answer.outcome == ScanOutcome::Infected) {
    ++summary_.infected;
  } else if (answer.outcome != ScanOutcome::Clean) {
    ++summary_.other_findings;
  } else if (state_ && answer.signatures == summary_.version && is_at_rest(file)) {
    state_->remember_clean(file.path, file.stamp);
  }
  listener_.result(file, {answer.outcome, answer.failure, answer.signature});
}

bool OnDemandScan::take_answers() {
  bool any = false;
  while (auto answer = region_->take_answer()) {
    any = true;
    region_->release(answer->object);
    const auto found = pending_.find(answer->serial);
    if (found == pending_.end()) continue;
    ScannedFile file = std::move(found->second);
    pending_.erase(found);
    settle(file, *answer);
  }
  return any;
}

void OnDemandScan::scan_files(uint64_t files) {
  FileWalk walk(request_.paths, request_.excluded,
                [this](const std::string& path, const std::string& what) { fail(path, what); });
  bool more = true;
  uint64_t next_tick_ms = 0;
  uint64_t next_save_ms = monotonic_ms() + kSavePeriodMs;
  while (more || file_ || !pending_.empty() || listener_.is_busy()) {
    if (listener_.wants_end()) {
      summary_.stopped = true;
      return;
    }
    const bool may_open = more && !file_ && !listener_.is_busy();
    if (may_open) more = open_next(walk);
    bool worked = feed();
    worked = take_answers() || worked;
    const uint64_t now_ms = monotonic_ms();
    if (now_ms >= next_tick_ms) {
      service_.tick();
      listener_.progress(summary_, files, now_ms);
      next_tick_ms = now_ms + kTickMs;
    }
    if (state_ && now_ms >= next_save_ms) {
      // What goes wrong here goes wrong at the end, too, and is said there.
      (void)state_->save(request_.state_file, true);
      next_save_ms = now_ms + kSavePeriodMs;
    }
    if (!worked && !may_open) std::this_thread::sleep_for(kPause);
  }
}

Result<ScanSummary> OnDemandScan::run() {
  const uint64_t begin_ms = monotonic_ms();
  if (auto status = prepare(); !status) {
    if (!listener_.wants_end()) return tl::unexpected(status.error());
    summary_.stopped = true;
    return summary_;
  }
  scan_files(request_.count_first ? count_files() : 0);
  service_.drop_regions();
  summary_.duration_ms = monotonic_ms() - begin_ms;
  if (state_) {
    if (auto status = state_->save(request_.state_file, summary_.stopped); !status) {
      return tl::unexpected(status.error());
    }
  }
  return summary_;
}

}  // namespace masugata::av
