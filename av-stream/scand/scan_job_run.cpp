// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scan_job_run.h"

#include <fcntl.h>
#include <linux/ioprio.h>
#include <poll.h>
#include <sched.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace masugata::av {
namespace {

constexpr int kRequestPatienceMs = 10'000;
constexpr int kLowestPriority = 19;

bool may_ask(int socket) {
  ucred peer{};
  socklen_t bytes = sizeof peer;
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
         (peer.uid == 0 || peer.uid == geteuid());
}

nlohmann::json counts_of(const ScanSummary& summary) {
  return {{"files", summary.files},
          {"bytes", summary.bytes},
          {"unchanged", summary.unchanged},
          {"infected", summary.infected},
          {"other_findings", summary.other_findings},
          {"not_scanned", summary.not_scanned},
          {"duration_ms", summary.duration_ms},
          {"signatures", summary.signatures},
          {"stopped", summary.stopped}};
}

void take_lowest_priority() {
  // Nothing depends on it: who has no disk scheduler has no classes.
  if (setpriority(PRIO_PROCESS, 0, kLowestPriority) != 0 ||
      syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)) !=
          0) {
    spdlog::info("priority: {}", std::strerror(errno));
  }
}

// Packet workers keep their cores to themselves, when there is another.
void leave_cores(const std::vector<uint32_t>& cores) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  for (const uint32_t core : cores) {
    if (core < CPU_SETSIZE) CPU_CLR(core, &allowed);
  }
  if (CPU_COUNT(&allowed) > 0) static_cast<void>(sched_setaffinity(0, sizeof allowed, &allowed));
}

// In memory, so that masugatad waits for no disk; nothing when that is not possible.
Descriptor copy_of(int file) {
  struct stat status {};
  if (fstat(file, &status) != 0 || static_cast<uint64_t>(status.st_size) > kMaximumHandedOver) {
    return {};
  }
  Descriptor copy(memfd_create("found", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy) return {};
  off_t position = 0;
  while (position < status.st_size) {
    const ssize_t count =
        sendfile(copy.get(), file, &position, static_cast<size_t>(status.st_size - position));
    if (count == 0) break;  // shorter by now
    if (count < 0) return {};
  }
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (fcntl(copy.get(), F_ADD_SEALS, kSeals) != 0) return {};
  return copy;
}

Result<ScanJobRequest> take_request(MessageSocket& link) {
  if (!may_ask(link.descriptor())) return failure("job", "comes from another user");
  pollfd ready{link.descriptor(), POLLIN, 0};
  if (poll(&ready, 1, kRequestPatienceMs) != 1) return failure("job", "nobody says what to do");
  auto message = link.receive();
  if (!message) return tl::unexpected(message.error());
  if (!*message || (*message)->type() != "job") return failure("job", "is not a job");
  return read_job((*message)->body);
}

Result<ScanSummary> carry_out(const ScanJobRequest& request, const ServiceOptions& options,
                              ScanJobReport& report) {
  take_lowest_priority();
  leave_cores(request.other_cores);
  auto service = ScanService::create(options);
  if (!service) return tl::unexpected(service.error());
  ScandSettings settings = request.settings;
  settings.check_interval_ms = 3'600'000;  // one engine for all files
  service->configure(settings);
  OnDemandRequest scan;
  scan.paths = request.paths;
  scan.excluded = request.excluded;
  scan.limits.file_bytes = request.file_bytes;
  scan.state_file = request.state_file;
  scan.scans_at_a_time = std::min(std::max(settings.scanners, 1U) * 4, kScanSlots);
  return OnDemandScan(*service, std::move(scan), report).run();
}

}  // namespace

std::string remove_scanned(const ScannedFile& file) {
  struct stat scanned {};
  struct stat now {};
  if (fstat(file.file.get(), &scanned) != 0 ||
      fstatat(file.folder.get(), file.name.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0) {
    return std::strerror(errno);
  }
  if (scanned.st_dev != now.st_dev || scanned.st_ino != now.st_ino) {
    return "is another file by now";
  }
  if (unlinkat(file.folder.get(), file.name.c_str(), 0) != 0) return std::strerror(errno);
  return {};
}

void ScanJobReport::send(const nlohmann::json& body, const std::vector<int>& descriptors) {
  if (ends_ && body.at("type") != "done") return;
  pollfd ready{link_.descriptor(), POLLOUT, 0};
  if (poll(&ready, 1, kPatienceMs) != 1 || !link_.send(body, descriptors)) ends_ = true;
}

void ScanJobReport::result(ScannedFile& file, const ScanResult& result) {
  if (result.outcome == ScanOutcome::Clean || findings_ == kMaximumToldFindings) return;
  const uint64_t number = ++findings_;
  Descriptor copy;
  if (hand_over_ && result.outcome == ScanOutcome::Infected) copy = copy_of(file.file.get());
  std::vector<int> descriptors;
  if (copy) descriptors.push_back(copy.get());
  send({{"type", "found"},
        {"number", number},
        {"path", file.path},
        {"outcome", outcome_name(result.outcome)},
        {"signature", result.signature},
        {"bytes", file.stamp.bytes},
        {"modified", file.stamp.modified_ns / 1'000'000'000}},
       descriptors);
  if (copy) waiting_.insert_or_assign(number, std::move(file));
}

void ScanJobReport::problem(const std::string& path, const std::string& what) {
  if (problems_ == kMaximumToldProblems) return;
  ++problems_;
  send({{"type", "problem"}, {"path", path}, {"problem", what}});
}

void ScanJobReport::progress(const ScanSummary& so_far, uint64_t, uint64_t now_ms) {
  hear();
  if (now_ms < next_progress_ms_) return;
  next_progress_ms_ = now_ms + kProgressPeriodMs;
  nlohmann::json body = counts_of(so_far);
  body["type"] = "progress";
  send(body);
}

void ScanJobReport::settle(uint64_t number, bool kept) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return;
  const ScannedFile file = std::move(found->second);
  waiting_.erase(found);
  if (!kept) return;
  send({{"type", "removed"}, {"number", number}, {"problem", remove_scanned(file)}});
}

void ScanJobReport::hear() {
  while (!ends_) {
    const auto message = link_.receive();
    if (!message) ends_ = true;
    if (!message || !*message) return;
    const std::string type = (*message)->type();
    const auto number = (*message)->body.find("number");
    if (type == "stop") {
      ends_ = true;
    } else if (number != (*message)->body.end() && number->is_number_unsigned()) {
      settle(number->get<uint64_t>(), type == "kept");
    }
  }
}

void ScanJobReport::done(const Result<ScanSummary>& summary) {
  nlohmann::json body = counts_of(summary.value_or(ScanSummary()));
  body["type"] = "done";
  body["problem"] = summary ? std::string() : summary.error().message();
  send(body);
}

int run_scan_job(Descriptor socket, const ServiceOptions& options) {
  MessageSocket link(std::move(socket));
  const auto request = take_request(link);
  ScanJobReport report(link, request && request->hand_over);
  if (!request) {
    spdlog::error("{}", request.error().message());
    report.done(tl::unexpected(request.error()));
    return 2;
  }
  const auto summary = carry_out(*request, options, report);
  report.done(summary);
  return summary ? summary->exit_status() : 2;
}

}  // namespace masugata::av
