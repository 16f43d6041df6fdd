// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/scan_jobs.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "dataplane/antivirus/service/antivirus_events.h"
#include "dataplane/antivirus/service/scan_schedule.h"

namespace masugata::dataplane {
namespace {

constexpr size_t kLongestText = 4096;
constexpr int kMessagesPerRound = 32;

// Beside those of workers, which are 64 times a number and the worker's: the last one is ours.
constexpr uint64_t kReferenceStep = 64;
constexpr uint64_t kReferencesPerSecond = 1000;

std::string text_of(const nlohmann::json& body, const char* name) {
  const auto field = body.find(name);
  if (field == body.end() || !field->is_string()) return {};
  return field->get_ref<const std::string&>().substr(0, kLongestText);
}

uint64_t number_of(const nlohmann::json& body, const char* name) {
  const auto field = body.find(name);
  return field != body.end() && field->is_number_unsigned() ? field->get<uint64_t>() : 0;
}

std::optional<std::vector<uint8_t>> bytes_of(int copy) {
  struct stat status {};
  if (fstat(copy, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  if (static_cast<uint64_t>(status.st_size) > av::kMaximumHandedOver) return std::nullopt;
  std::vector<uint8_t> bytes(static_cast<size_t>(status.st_size));
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count =
        pread(copy, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (count <= 0) return std::nullopt;
    done += static_cast<size_t>(count);
  }
  return bytes;
}

}  // namespace

const char* name_of(ScanJobState state) noexcept {
  switch (state) {
    case ScanJobState::Idle:
      return "idle";
    case ScanJobState::Waiting:
      return "waiting";
    case ScanJobState::Running:
      return "running";
    case ScanJobState::Stopping:
      break;
  }
  return "stopping";
}

ScanJobs::ScanJobs(ScanJobsTargets targets) : targets_(std::move(targets)) {}

// The process ends with its socket; the run begins again at the next start.
ScanJobs::~ScanJobs() {
  if (run_ && run_->link) targets_.loop->forget(run_->link->descriptor());
}

const config::AvJob* ScanJobs::find(const std::string& name) const {
  const auto found = std::find_if(jobs_.begin(), jobs_.end(),
                                  [&](const config::AvJob& job) { return job.name == name; });
  return found == jobs_.end() ? nullptr : &*found;
}

bool ScanJobs::waits(const std::string& name) const {
  return std::find(waiting_.begin(), waiting_.end(), name) != waiting_.end();
}

void ScanJobs::configure(const std::vector<config::AvJob>& jobs,
                         const av::ScandSettings& settings) {
  settings_ = settings;
  jobs_ = jobs;
  if (!jobs_.empty() && !loaded_) {
    memories_ = load_memories(targets_.folder + "/jobs.json");
    loaded_ = true;
    for (const config::AvJob& job : jobs_) {
      const auto memory = memories_.find(job.name);
      if (memory != memories_.end() && memory->second.unfinished) waiting_.push_back(job.name);
    }
  }
  std::erase_if(waiting_, [this](const std::string& name) { return find(name) == nullptr; });
  if (run_ && find(run_->job.name) == nullptr && run_->asked_to_stop_ms == 0) {
    run_->stopped_by = "the configuration does not have the job any more";
    ask_to_stop();
  }
}

void ScanJobs::look_at_schedule() {
  bool changed = false;
  for (const config::AvJob& job : jobs_) {
    ScanJobMemory& memory = memories_[job.name];
    if (memory.settled_s == 0 || memory.settled_s > now_s()) {
      memory.settled_s = now_s();  // new, or the clock was set back
      changed = true;
    }
    if (latest_run_s(job, now_s()) <= memory.settled_s) continue;
    memory.settled_s = now_s();
    changed = true;
    if (waits(job.name)) continue;
    memory.unfinished = true;
    if (run_ && run_->job.name == job.name) {
      ++skipped_[job.name];
      targets_.log(true, fmt::format("scan job {} is due, and its run before is not over: left out",
                                     job.name));
      continue;
    }
    waiting_.push_back(job.name);
  }
  if (changed) save();
}

void ScanJobs::tick() {
  look_at_schedule();
  if (run_) {
    look_after_kept();
    watch_run();
  }
  if (run_ || waiting_.empty()) return;
  const std::string name = waiting_.front();
  waiting_.pop_front();
  if (const config::AvJob* job = find(name)) begin(*job);
}

void ScanJobs::begin(const config::AvJob& job) {
  run_ = std::make_unique<Run>();
  run_->job = job;
  run_->report.job = job.name;
  run_->report.run.started_s = now_s();
  run_->heard_ms = targets_.loop->now_ms();
  memories_[job.name].unfinished = true;
  save();
  targets_.log(false, fmt::format("scan job {} begins", job.name));
  auto link = targets_.connect();
  if (!link) {
    end(ScanJobResult::Failed, "nothing carries out scan jobs: " + link.error().message());
    return;
  }
  run_->link.emplace(std::move(*link));
  av::ScanJobRequest request;
  request.paths = job.paths;
  request.excluded = job.excluded;
  request.settings = settings_;
  request.settings.scanners = job.scanners;
  request.file_bytes = job.file_bytes;
  request.state_file = targets_.folder + "/" + job.name + ".state";
  request.hand_over = job.quarantine;
  request.other_cores = targets_.other_cores;
  std::error_code ignored;
  std::filesystem::create_directories(targets_.folder, ignored);
  Status asked = run_->link->send(av::job_message(request));
  if (asked) {
    asked = targets_.loop->watch(run_->link->descriptor(), control::kReadable,
                                 [this](uint32_t) { hear(); });
  }
  if (!asked) end(ScanJobResult::Failed, asked.error().message());
}

void ScanJobs::hear() {
  for (int count = 0; run_ && run_->link && count < kMessagesPerRound; ++count) {
    auto message = run_->link->receive();
    if (!message) {
      end(run_->asked_to_stop_ms != 0 ? ScanJobResult::Stopped : ScanJobResult::Failed,
          "its process ended: " + message.error().message());
      return;
    }
    if (!*message) return;
    run_->heard_ms = targets_.loop->now_ms();
    obey(std::move(**message));
  }
}

void ScanJobs::obey(av::Message message) {
  const std::string type = message.type();
  const nlohmann::json& body = message.body;
  ScanJobReport& report = run_->report;
  if (type == "progress") {
    run_->began = true;
    report.run.counts = read_counts(body);
  } else if (type == "found") {
    note_found(body, std::move(message.descriptors));
  } else if (type == "removed") {
    note_removed(body);
  } else if (type == "problem") {
    if (report.unread.size() < av::kMaximumToldProblems) {
      report.unread.push_back({text_of(body, "path"), text_of(body, "problem")});
    }
  } else if (type == "done") {
    report.run.counts = read_counts(body);
    const std::string problem = text_of(body, "problem");
    const ScanJobCounts& counts = report.run.counts;
    ScanJobResult result = ScanJobResult::Clean;
    if (counts.not_scanned != 0) result = ScanJobResult::Incomplete;
    if (counts.infected + counts.other_findings != 0) result = ScanJobResult::Found;
    if (body.contains("stopped") && body["stopped"] == true) result = ScanJobResult::Stopped;
    if (!problem.empty()) result = ScanJobResult::Failed;
    end(result, problem);
  }
}

void ScanJobs::note_found(const nlohmann::json& body, std::vector<av::Descriptor> descriptors) {
  std::vector<FoundFile>& found = run_->report.found;
  if (found.size() >= av::kMaximumToldFindings) return;
  const uint64_t number = number_of(body, "number");
  FoundFile file;
  file.path = text_of(body, "path");
  file.signature = text_of(body, "signature");
  if (file.signature.empty()) file.signature = text_of(body, "outcome");
  const bool infected = text_of(body, "outcome") == "infected";
  found.push_back(file);
  const size_t index = found.size() - 1;
  run_->found[number] = index;
  if (infected && run_->job.quarantine) {
    if (descriptors.empty()) {
      found[index].problem = "too large for quarantine, or not readable any more";
    } else if (!keep(number, index, body, descriptors.front())) {
      found[index].problem = "there is no room in quarantine";
      send({{"type", "not-kept"}, {"number", number}});
    }
  }
  if (!infected) return;
  FileEvent event;
  event.path = file.path;
  event.signature = file.signature;
  event.job = run_->job.name;
  event.bytes = number_of(body, "bytes");
  event.reference = found[index].reference;
  event.time_us = static_cast<uint64_t>(microseconds_of(targets_.wall_clock()));
  targets_.write_event(found_file_alert(event));
}

bool ScanJobs::keep(uint64_t number, size_t index, const nlohmann::json& body,
                    const av::Descriptor& copy) {
  auto bytes = bytes_of(copy.get());
  if (!bytes) return false;
  FoundFile& file = run_->report.found[index];
  QuarantineEntry entry;
  entry.time_s = now_s();
  references_ = std::max(
      references_ + 1, static_cast<uint64_t>(std::max<int64_t>(now_s(), 0)) * kReferencesPerSecond);
  entry.reference = references_ * kReferenceStep + kReferenceStep - 1;
  entry.complete = bytes->size() == number_of(body, "bytes");
  entry.signature = file.signature;
  entry.reason = "infected";
  entry.profile = "scan job " + run_->job.name;
  entry.protocol = "file";
  entry.name = file.path;
  file.reference = entry.reference;
  if (!targets_.quarantine->add(std::move(entry), std::move(*bytes))) {
    file.reference = 0;
    return false;
  }
  run_->keeping[number] = {index, file.reference, targets_.loop->now_ms() + kKeepingMs};
  return true;
}

void ScanJobs::look_after_kept() {
  for (auto next = run_->keeping.begin(); next != run_->keeping.end();) {
    const auto [number, keeping] = *next;
    const bool kept = targets_.quarantine->find(keeping.reference).has_value();
    if (!kept && targets_.loop->now_ms() < keeping.until_ms) {
      ++next;
      continue;
    }
    next = run_->keeping.erase(next);
    FoundFile& file = run_->report.found[keeping.found];
    if (kept) {
      file.state = FoundFileState::CopyInQuarantine;
      file.problem = "was not removed";
    } else {
      file.reference = 0;
      file.problem = "could not be written into quarantine";
    }
    send({{"type", kept ? "kept" : "not-kept"}, {"number", number}});
  }
}

void ScanJobs::note_removed(const nlohmann::json& body) {
  const auto found = run_->found.find(number_of(body, "number"));
  if (found == run_->found.end()) return;
  FoundFile& file = run_->report.found[found->second];
  if (file.state != FoundFileState::CopyInQuarantine) return;
  file.problem = text_of(body, "problem");
  if (file.problem.empty()) file.state = FoundFileState::InQuarantine;
}

void ScanJobs::watch_run() {
  const uint64_t now_ms = targets_.loop->now_ms();
  if (run_->asked_to_stop_ms != 0) {
    if (now_ms >= run_->asked_to_stop_ms + kStoppingMs) {
      end(ScanJobResult::Stopped, "its process did not end by itself");
    }
    return;
  }
  const uint64_t patience_ms = run_->began ? kSilenceMs : kLoadingMs;
  if (now_ms >= run_->heard_ms + patience_ms) {
    end(ScanJobResult::Failed, "its process does not answer");
  }
}

void ScanJobs::send(const nlohmann::json& body) {
  // A process that is gone is noticed when it is heard of next.
  if (run_ && run_->link) static_cast<void>(run_->link->send(body));
}

void ScanJobs::ask_to_stop() {
  run_->asked_to_stop_ms = std::max<uint64_t>(targets_.loop->now_ms(), 1);
  send({{"type", "stop"}});
}

void ScanJobs::end(ScanJobResult result, const std::string& problem) {
  if (run_->link) targets_.loop->forget(run_->link->descriptor());
  const std::unique_ptr<Run> ended = std::move(run_);
  ScanJobRun& run = ended->report.run;
  run.ended_s = now_s();
  run.result = result;
  run.problem = result == ScanJobResult::Stopped ? ended->stopped_by : problem;
  memories_[ended->job.name].last = run;
  memories_[ended->job.name].unfinished = false;
  save();
  targets_.log(result == ScanJobResult::Failed || result == ScanJobResult::Found,
               fmt::format("scan job {} {}: {} files scanned, {} unchanged, {} infected, {} not "
                           "scanned{}{}",
                           ended->job.name, name_of(result), run.counts.files, run.counts.unchanged,
                           run.counts.infected, run.counts.not_scanned,
                           run.problem.empty() ? "" : "; ", run.problem));
  targets_.send_report(ended->job, ended->report);
}

void ScanJobs::save() {
  if (const Status saved = save_memories(targets_.folder + "/jobs.json", memories_); !saved) {
    targets_.log(true, "scan jobs: " + saved.error().message());
  }
}

Status ScanJobs::start(const std::string& name) {
  if (find(name) == nullptr) return failure("scan job " + name, "is not in the configuration");
  if (run_ && run_->job.name == name) return failure("scan job " + name, "runs already");
  if (waits(name)) return failure("scan job " + name, "waits already for another to end");
  waiting_.push_back(name);
  tick();
  return {};
}

Status ScanJobs::stop(const std::string& name) {
  if (std::erase(waiting_, name) != 0) {
    memories_[name].unfinished = false;
    save();
    return {};
  }
  if (!run_ || run_->job.name != name) {
    return failure("scan job " + name,
                   find(name) == nullptr ? "is not in the configuration" : "does not run");
  }
  if (run_->asked_to_stop_ms == 0) ask_to_stop();
  return {};
}

std::vector<ScanJobStatus> ScanJobs::list() const {
  std::vector<ScanJobStatus> result;
  for (const config::AvJob& job : jobs_) {
    ScanJobStatus status;
    status.name = job.name;
    status.next_s = next_run_s(job, now_s());
    if (waits(job.name)) status.state = ScanJobState::Waiting;
    if (run_ && run_->job.name == job.name) {
      status.state = run_->asked_to_stop_ms != 0 ? ScanJobState::Stopping : ScanJobState::Running;
      status.so_far = run_->report.run.counts;
      status.started_s = run_->report.run.started_s;
    }
    if (const auto memory = memories_.find(job.name); memory != memories_.end()) {
      status.last = memory->second.last;
    }
    if (const auto skipped = skipped_.find(job.name); skipped != skipped_.end()) {
      status.skipped = skipped->second;
    }
    result.push_back(std::move(status));
  }
  return result;
}

}  // namespace masugata::dataplane
