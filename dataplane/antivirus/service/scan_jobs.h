// SPDX-License-Identifier: GPL-2.0-or-later
// Scan jobs of the configuration: begins their runs when they are due, one at a time, and takes
// what they find to quarantine, events and people. What carries a run out is another process
// (av-stream/scand/scan_job.h).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "av-stream/scand/scan_job.h"
#include "config/antivirus_settings.h"
#include "dataplane/antivirus/service/quarantine.h"
#include "dataplane/antivirus/service/scan_job_mail.h"
#include "dataplane/antivirus/service/scan_job_memory.h"
#include "dataplane/control/event_loop.h"
#include "dataplane/wall_clock.h"

namespace masugata::dataplane {

// Everything outlives the jobs.
struct ScanJobsTargets {
  control::EventLoop* loop = nullptr;
  Quarantine* quarantine = nullptr;
  WallClock wall_clock = system_wall_time;
  // A new process for a run.
  std::function<Result<av::MessageSocket>()> connect;
  std::function<void(bool problem, const std::string& text)> log;
  std::function<void(const std::string& line)> write_event;
  std::function<void(const config::AvJob& job, const ScanJobReport& report)> send_report;
  std::string folder;                 // of the states; made when it is needed
  std::vector<uint32_t> other_cores;  // that packet workers have
};

enum class ScanJobState : uint8_t { Idle, Waiting, Running, Stopping };
[[nodiscard]] const char* name_of(ScanJobState state) noexcept;

struct ScanJobStatus {
  std::string name;
  ScanJobState state = ScanJobState::Idle;
  ScanJobCounts so_far;   // of the run under way
  int64_t started_s = 0;  // likewise
  int64_t next_s = 0;     // since 1970
  uint64_t skipped = 0;  // times that it was due while its run before was not over, since the start
  std::optional<ScanJobRun> last;
};

// Control thread. Never waits for a job.
//
// A run that was due while the gateway was off, or that ended with it, is made up for once, when it
// starts. A run that is
// due while the one before goes on is left out. A job that the configuration has no more ends.
class ScanJobs {
 public:
  static constexpr uint64_t kSilenceMs = 60'000;  // of a run that has its engine
  static constexpr uint64_t kLoadingMs = 20 * 60'000;
  static constexpr uint64_t kStoppingMs = 30'000;  // then it is given up
  static constexpr uint64_t kKeepingMs = 30'000;   // until a file is in quarantine

  explicit ScanJobs(ScanJobsTargets targets);
  ~ScanJobs();
  ScanJobs(const ScanJobs&) = delete;
  ScanJobs& operator=(const ScanJobs&) = delete;

  // `settings`: signatures and memory of the scanners.
  void configure(const std::vector<config::AvJob>& jobs, const av::ScandSettings& settings);
  // About once a second.
  void tick();

  // Now, whenever it is due. Faults: there is no such job, or it runs or waits already.
  Status start(const std::string& name);
  // Faults: there is no such job, or it neither runs nor waits.
  Status stop(const std::string& name);

  // In the order of the configuration.
  [[nodiscard]] std::vector<ScanJobStatus> list() const;

 private:
  struct Keeping {
    size_t found = 0;  // index in the report
    uint64_t reference = 0;
    uint64_t until_ms = 0;
  };
  // The run under way.
  struct Run {
    config::AvJob job;
    ScanJobReport report;
    std::optional<av::MessageSocket> link;
    std::map<uint64_t, size_t> found;     // its number: index in the report
    std::map<uint64_t, Keeping> keeping;  // by its number
    uint64_t heard_ms = 0;
    uint64_t asked_to_stop_ms = 0;  // 0: not
    bool began = false;             // its engine is there
    std::string stopped_by = {};    // why, when it was not asked by a person
  };

  void look_at_schedule();
  void begin(const config::AvJob& job);
  void hear();
  void obey(av::Message message);
  void note_found(const nlohmann::json& body, std::vector<av::Descriptor> descriptors);
  void note_removed(const nlohmann::json& body);
  [[nodiscard]] bool keep(uint64_t number, size_t index, const nlohmann::json& body,
                          const av::Descriptor& copy);
  void look_after_kept();
  void watch_run();
  void send(const nlohmann::json& body);
  void ask_to_stop();
  void end(ScanJobResult result, const std::string& problem);
  void save();
  [[nodiscard]] const config::AvJob* find(const std::string& name) const;
  [[nodiscard]] bool waits(const std::string& name) const;
  [[nodiscard]] int64_t now_s() const { return seconds_of(targets_.wall_clock()); }

  ScanJobsTargets targets_;
  av::ScandSettings settings_;
  std::vector<config::AvJob> jobs_;
  ScanJobMemories memories_;
  bool loaded_ = false;
  std::deque<std::string> waiting_;
  std::map<std::string, uint64_t> skipped_;
  std::unique_ptr<Run> run_;
  uint64_t references_ = 0;
};

}  // namespace masugata::dataplane
