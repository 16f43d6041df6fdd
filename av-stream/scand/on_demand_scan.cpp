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
#include <system_error>
#include <thread>
#include <utility>

#include "av-stream/scand/scan_limits.h"

namespace masugata::av {
namespace {

constexpr size_t kReadBytes = 256 * 1024;
constexpr uint64_t kSmallFilesBytes = 64ULL << 20;
constexpr uint64_t kTickMs = 20;
constexpr auto kPause = std::chrono::microseconds(200);

}  // namespace

Status wait_for_engine(ScanService& service) {
  do {
    service.tick();
    if (service.ready()) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  } while (service.loading() || service.refusal().empty());
  return failure("", service.refusal());
}

FileWalk::FileWalk(std::vector<std::string> paths, Problem problem)
    : paths_(std::move(paths)), problem_(std::move(problem)) {}

bool FileWalk::open_next_path() {
  if (next_path_ == paths_.size()) return false;
  const std::string& path = paths_[next_path_++];
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    problem_(path, error ? error.message() : "No such file or directory");
  } else if (std::filesystem::is_directory(status)) {
    entries_ = std::filesystem::recursive_directory_iterator(path, error);
    if (error) problem_(path, error.message());
  } else if (std::filesystem::is_regular_file(status)) {
    single_ = path;
  } else {
    problem_(path, "is neither a file nor a directory");
  }
  return true;
}

std::optional<std::string> FileWalk::next() {
  while (true) {
    if (single_) return std::exchange(single_, std::nullopt);
    if (entries_ == std::filesystem::recursive_directory_iterator()) {
      if (!open_next_path()) return std::nullopt;
      continue;
    }
    const std::filesystem::directory_entry entry = *entries_;
    std::error_code error;
    const bool plain = std::filesystem::is_regular_file(entry.symlink_status(error));
    if (!error && entry.is_directory(error) && !entry.is_symlink(error) &&
        access(entry.path().c_str(), R_OK | X_OK) != 0) {
      problem_(entry.path().string(), std::strerror(errno));
      entries_.disable_recursion_pending();
    }
    std::error_code step_error;
    entries_.increment(step_error);
    if (step_error) problem_(entry.path().string(), step_error.message());
    if (plain) return entry.path().string();
  }
}

Status OnDemandScan::prepare() {
  if (auto status = wait_for_engine(service_); !status) return status;
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

uint64_t OnDemandScan::count_files() const {
  uint64_t files = 0;
  FileWalk walk(request_.paths, [](const std::string&, const std::string&) {});
  while (walk.next()) ++files;
  return files;
}

void OnDemandScan::fail(const std::string& path, const std::string& what) {
  ++summary_.not_scanned;
  report_.problem(path, what);
}

bool OnDemandScan::open_next(FileWalk& walk) {
  while (const auto path = walk.next()) {
    Descriptor descriptor(
        open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
    struct stat status {};
    if (!descriptor || fstat(descriptor.get(), &status) != 0) {
      fail(*path, std::strerror(errno));
      continue;
    }
    if (!S_ISREG(status.st_mode)) continue;
    const FileStamp stamp{static_cast<uint64_t>(status.st_size),
                          status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
    if (state_ && state_->was_clean(*path, stamp)) {
      state_->remember_clean(*path, stamp);
      ++summary_.unchanged;
      continue;
    }
    file_.emplace(OpenFile{*path, std::move(descriptor), stamp, {}});
    return true;
  }
  return false;
}

bool OnDemandScan::feed() {
  if (!file_ || pending_.size() >= request_.scans_at_a_time) return false;
  // One byte more than is scanned says that there was more.
  const uint64_t wanted = request_.limits.file_bytes + 1 - file_->object.bytes;
  const auto position = static_cast<off_t>(file_->object.bytes);
  const ssize_t count = pread(file_->descriptor.get(), buffer_.data(),
                              std::min<uint64_t>(wanted, kReadBytes), position);
  if (count < 0) {
    fail(file_->path, std::strerror(errno));
    region_->release(file_->object);
    file_.reset();
    return true;
  }
  if (count > 0) {
    // No room: answers make some.
    return region_->append(file_->object, std::span(buffer_).first(static_cast<size_t>(count)));
  }
  const std::string name = std::filesystem::path(file_->path).filename().string();
  const uint64_t bytes = file_->object.bytes;
  const auto ticket = region_->submit(file_->object, request_.limits, name);
  if (!ticket) return false;
  summary_.bytes += bytes;
  pending_[ticket->serial] = {std::move(file_->path), file_->stamp};
  file_.reset();
  return true;
}

bool OnDemandScan::take_answers() {
  bool any = false;
  while (auto answer = region_->take_answer()) {
    any = true;
    region_->release(answer->object);
    const auto found = pending_.find(answer->serial);
    if (found == pending_.end()) continue;
    const Pending pending = std::move(found->second);
    pending_.erase(found);
    report_.result(pending.path, {answer->outcome, answer->failure, answer->signature});
    if (answer->outcome == ScanOutcome::Failed) {
      ++summary_.not_scanned;
      continue;
    }
    ++summary_.files;
    if (answer->outcome == ScanOutcome::Infected)
      ++summary_.infected;
    else if (answer->outcome != ScanOutcome::Clean)
      ++summary_.other_findings;
    else if (state_ && answer->signatures == summary_.version) {
      state_->remember_clean(pending.path, pending.stamp);
    }
  }
  return any;
}

Result<ScanSummary> OnDemandScan::run() {
  const uint64_t begin_ms = monotonic_ms();
  if (auto status = prepare(); !status) return tl::unexpected(status.error());
  const uint64_t files = request_.count_first ? count_files() : 0;
  FileWalk walk(request_.paths,
                [this](const std::string& path, const std::string& what) { fail(path, what); });
  bool more = true;
  uint64_t next_tick_ms = 0;
  while (more || file_ || !pending_.empty()) {
    if (more && !file_) more = open_next(walk);
    bool worked = feed();
    worked = take_answers() || worked;
    const uint64_t now_ms = monotonic_ms();
    if (now_ms >= next_tick_ms) {
      service_.tick();
      report_.progress(summary_, files, now_ms);
      next_tick_ms = now_ms + kTickMs;
    }
    if (!worked && !(more && !file_)) std::this_thread::sleep_for(kPause);
  }
  service_.drop_regions();
  summary_.duration_ms = monotonic_ms() - begin_ms;
  if (state_) {
    if (auto status = state_->save(request_.state_file); !status) {
      return tl::unexpected(status.error());
    }
  }
  return summary_;
}

}  // namespace masugata::av
