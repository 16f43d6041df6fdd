// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/scan_jobs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace masugata::dataplane {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMidnight_s = 1'600'041'600;  // 2020-09-14, a Monday
constexpr int64_t kHour_s = 3600;
constexpr int64_t kDay_s = 86'400;

class ScanJobsTest : public testing::Test {
 protected:
  ScanJobsTest() : quarantine_([this] { return wall_time(); }) {
    setenv("TZ", "UTC0", 1);
    tzset();
    std::string pattern = testing::TempDir() + "scan-jobs-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    loop_ = std::move(control::EventLoop::create([this] { return now_ms_; }).value());
    nightly_.name = "nightly";
    nightly_.paths = {"/srv/mail"};
    nightly_.at_minute = 2 * 60;
    nightly_.report_to = {"admin@example.com"};
    other_ = nightly_;
    other_.name = "other";
  }
  ~ScanJobsTest() override {
    jobs_.reset();
    std::filesystem::remove_all(folder_);
    unsetenv("TZ");
    tzset();
  }
  [[nodiscard]] WallTime wall_time() const { return WallTime(std::chrono::seconds(now_s_)); }

  // As the gateway starts.
  void start(std::vector<config::AvJob> configured) {
    jobs_.reset();
    ScanJobsTargets targets;
    targets.loop = loop_.get();
    targets.quarantine = &quarantine_;
    targets.wall_clock = [this] { return wall_time(); };
    targets.connect = [this]() -> Result<av::MessageSocket> {
      if (!reachable_) return failure("/run/none", "No such file or directory");
      auto ends = av::MessageSocket::create_pair().value();
      process_.emplace(std::move(ends.second));
      ++begun_;
      return std::move(ends.first);
    };
    targets.log = [](bool, const std::string&) {};
    targets.write_event = [this](const std::string& line) { events_.push_back(Json::parse(line)); };
    targets.send_report = [this](const config::AvJob&, const ScanJobReport& report) {
      reports_.push_back(report);
    };
    targets.folder = folder_ + "/jobs";
    targets.other_cores = {3};
    jobs_ = std::make_unique<ScanJobs>(std::move(targets));
    jobs_->configure(configured, settings_);
    jobs_->tick();
  }
  void advance(int64_t seconds) {
    now_s_ += seconds;
    now_ms_ += static_cast<uint64_t>(seconds) * 1000;
    serve();
    jobs_->tick();
    quarantine_.tick();
  }
  void serve() {
    while (loop_->run_once(0) != 0) {
    }
  }
  // What the process of the run says.
  void say(const Json& body, const std::vector<int>& descriptors = {}) {
    ASSERT_TRUE(process_->send(body, descriptors));
    serve();
  }
  void say_done(uint64_t files = 5, const std::string& problem = "") {
    say({{"type", "done"}, {"problem", problem}, {"files", files}, {"stopped", false}});
  }
  // What it is told next; "none" when nothing.
  Json told() {
    auto message = process_->receive();
    if (!message) return {{"type", "gone"}};
    return *message ? (*message)->body : Json{{"type", "none"}};
  }
  [[nodiscard]] ScanJobStatus status(size_t index = 0) const { return jobs_->list().at(index); }
  static int copy_of(const std::string& content) {
    const int copy = memfd_create("copy", MFD_CLOEXEC);
    EXPECT_EQ(write(copy, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    return copy;
  }

  int64_t now_s_ = kMidnight_s;
  uint64_t now_ms_ = 1'000'000;
  std::string folder_;
  std::unique_ptr<control::EventLoop> loop_;
  Quarantine quarantine_;
  config::AvJob nightly_;
  config::AvJob other_;
  av::ScandSettings settings_;
  bool reachable_ = true;
  int begun_ = 0;
  std::optional<av::MessageSocket> process_;
  std::vector<Json> events_;
  std::vector<ScanJobReport> reports_;
  std::unique_ptr<ScanJobs> jobs_;
};

TEST_F(ScanJobsTest, RunsWhenItIsDue) {
  nightly_.excluded = {"/srv/mail/tmp"};
  nightly_.scanners = 2;
  nightly_.file_bytes = 1000;
  start({nightly_});
  EXPECT_EQ(status().next_s, kMidnight_s + 2 * kHour_s);
  advance(2 * kHour_s - 1);
  EXPECT_EQ(begun_, 0);
  advance(1);
  ASSERT_EQ(begun_, 1);
  const auto request = av::read_job(told());
  ASSERT_TRUE(request) << request.error().message();
  EXPECT_EQ(request->paths, nightly_.paths);
  EXPECT_EQ(request->excluded, nightly_.excluded);
  EXPECT_EQ(request->settings.scanners, 2U);
  EXPECT_EQ(request->file_bytes, 1000U);
  EXPECT_EQ(request->state_file, folder_ + "/jobs/nightly.state");
  EXPECT_FALSE(request->hand_over);
  EXPECT_EQ(request->other_cores, std::vector<uint32_t>{3});
  EXPECT_EQ(status().state, ScanJobState::Running);
  say({{"type", "progress"}, {"files", 3}});
  EXPECT_EQ(status().so_far.files, 3U);
  now_s_ += 10;
  say_done();
  EXPECT_EQ(status().state, ScanJobState::Idle);
  EXPECT_EQ(status().last->result, ScanJobResult::Clean);
  EXPECT_EQ(status().last->ended_s - status().last->started_s, 10);
  EXPECT_EQ(status().next_s, kMidnight_s + kDay_s + 2 * kHour_s);
  ASSERT_EQ(reports_.size(), 1U);
  advance(60);
  EXPECT_EQ(begun_, 1);
}

TEST_F(ScanJobsTest, MakesUpOnceForWhatWasDueWhileTheGatewayWasOff) {
  start({nightly_});
  now_s_ += 5 * kDay_s;
  start({nightly_});
  EXPECT_EQ(begun_, 1);
  say_done();
  advance(60);
  EXPECT_EQ(begun_, 1);
  start({nightly_});
  EXPECT_EQ(begun_, 1);
}

TEST_F(ScanJobsTest, MakesUpForNothingThatWasNeverConfigured) {
  now_s_ += 3 * kHour_s;
  start({nightly_});
  EXPECT_EQ(begun_, 0);
}

TEST_F(ScanJobsTest, BeginsAgainWhatEndedWithTheGateway) {
  start({nightly_, other_});
  advance(2 * kHour_s);
  EXPECT_EQ(begun_, 1);
  start({nightly_, other_});  // neither the run nor the one that waited is over
  EXPECT_EQ(begun_, 2);
  say_done();
  advance(1);
  EXPECT_EQ(begun_, 3);
  say_done();
  start({nightly_, other_});
  EXPECT_EQ(begun_, 3);
}

TEST_F(ScanJobsTest, TheClockMayBeSet) {
  start({nightly_});
  advance(2 * kHour_s);
  say_done();
  now_s_ -= 30 * kDay_s;
  advance(1);
  EXPECT_EQ(begun_, 1);
  advance(kDay_s);
  EXPECT_EQ(begun_, 2);
}

TEST_F(ScanJobsTest, NeverTwoRunsOfOneJob) {
  start({nightly_});
  advance(2 * kHour_s);
  say({{"type", "progress"}});
  for (int64_t passed = 0; passed < kDay_s; passed += 30) {
    say({{"type", "progress"}});
    advance(30);
  }
  EXPECT_EQ(begun_, 1);
  EXPECT_EQ(status().skipped, 1U);
  EXPECT_FALSE(jobs_->start("nightly"));
  say_done();
  advance(60);
  EXPECT_EQ(begun_, 1);
}

TEST_F(ScanJobsTest, OneRunAtATime) {
  start({nightly_, other_});
  advance(2 * kHour_s);
  EXPECT_EQ(begun_, 1);
  EXPECT_EQ(status(1).state, ScanJobState::Waiting);
  EXPECT_FALSE(jobs_->start("other"));
  say_done();
  advance(1);
  EXPECT_EQ(begun_, 2);
  EXPECT_EQ(status(1).state, ScanJobState::Running);
}

TEST_F(ScanJobsTest, StartsAndStopsWhenAsked) {
  start({nightly_, other_});
  EXPECT_FALSE(jobs_->start("none"));
  EXPECT_FALSE(jobs_->stop("nightly"));
  ASSERT_TRUE(jobs_->start("nightly"));
  ASSERT_TRUE(jobs_->start("other"));
  EXPECT_EQ(begun_, 1);
  ASSERT_TRUE(jobs_->stop("other"));  // waits
  EXPECT_EQ(status(1).state, ScanJobState::Idle);
  ASSERT_TRUE(jobs_->stop("nightly"));
  EXPECT_EQ(status().state, ScanJobState::Stopping);
  EXPECT_EQ(told()["type"], "job");
  EXPECT_EQ(told()["type"], "stop");
  say({{"type", "done"}, {"problem", ""}, {"files", 7}, {"stopped", true}});
  EXPECT_EQ(status().last->result, ScanJobResult::Stopped);
  EXPECT_EQ(status().last->counts.files, 7U);
}

TEST_F(ScanJobsTest, AProcessThatDoesNotStopIsGivenUp) {
  start({nightly_});
  ASSERT_TRUE(jobs_->start("nightly"));
  ASSERT_TRUE(jobs_->stop("nightly"));
  advance(29);
  EXPECT_EQ(status().state, ScanJobState::Stopping);
  advance(1);
  EXPECT_EQ(status().last->result, ScanJobResult::Stopped);
}

TEST_F(ScanJobsTest, SaysWhyARunFailed) {
  reachable_ = false;
  start({nightly_});
  ASSERT_TRUE(jobs_->start("nightly"));
  EXPECT_EQ(status().last->result, ScanJobResult::Failed);
  EXPECT_NE(status().last->problem.find("/run/none"), std::string::npos);
  reachable_ = true;
  ASSERT_TRUE(jobs_->start("nightly"));
  say_done(0, "holds no signature files");
  EXPECT_EQ(status().last->problem, "holds no signature files");
  ASSERT_TRUE(jobs_->start("nightly"));
  process_.reset();
  serve();
  EXPECT_EQ(status().last->result, ScanJobResult::Failed);
  ASSERT_TRUE(jobs_->start("nightly"));
  say({{"type", "progress"}});
  advance(60);
  EXPECT_EQ(status().last->problem, "its process does not answer");
  EXPECT_EQ(reports_.size(), 4U);
}

TEST_F(ScanJobsTest, WaitsLongerWhileTheEngineIsLoaded) {
  start({nightly_});
  ASSERT_TRUE(jobs_->start("nightly"));
  advance(19 * 60);
  EXPECT_EQ(status().state, ScanJobState::Running);
  advance(60);
  EXPECT_EQ(status().last->result, ScanJobResult::Failed);
}

TEST_F(ScanJobsTest, ReportsWhatWasFoundAndWhatWasNotRead) {
  start({nightly_});
  ASSERT_TRUE(jobs_->start("nightly"));
  say({{"type", "found"},
       {"number", 1},
       {"path", "/srv/mail/a"},
       {"outcome", "infected"},
       {"signature", "Eicar"},
       {"bytes", 68}});
  say({{"type", "found"},
       {"number", 2},
       {"path", "/srv/mail/b"},
       {"outcome", "encrypted"},
       {"signature", ""}});
  say({{"type", "problem"}, {"path", "/srv/mail/c"}, {"problem", "Permission denied"}});
  say({{"type", "done"},
       {"problem", ""},
       {"files", 9},
       {"infected", 1},
       {"other_findings", 1},
       {"not_scanned", 1}});
  ASSERT_EQ(reports_.size(), 1U);
  const ScanJobReport& report = reports_.front();
  EXPECT_EQ(report.run.result, ScanJobResult::Found);
  ASSERT_EQ(report.found.size(), 2U);
  EXPECT_EQ(report.found[0].path, "/srv/mail/a");
  EXPECT_EQ(report.found[0].state, FoundFileState::Stays);
  EXPECT_EQ(report.found[1].signature, "encrypted");
  ASSERT_EQ(report.unread.size(), 1U);
  EXPECT_EQ(report.unread[0].problem, "Permission denied");
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0]["alert"]["signature"], "Eicar");
  EXPECT_EQ(events_[0]["alert"]["metadata"]["job"], Json({"nightly"}));
  EXPECT_EQ(events_[0]["files"][0]["filename"], "/srv/mail/a");
}

TEST_F(ScanJobsTest, MovesIntoQuarantine) {
  ASSERT_TRUE(quarantine_.configure(folder_ + "/quarantine", {}));
  nightly_.quarantine = true;
  start({nightly_});
  ASSERT_TRUE(jobs_->start("nightly"));
  EXPECT_TRUE(told()["hand_over"]);
  const av::Descriptor copy(copy_of("infected content"));
  const Json found = {{"type", "found"},       {"number", 1},          {"path", "/srv/mail/a"},
                      {"outcome", "infected"}, {"signature", "Eicar"}, {"bytes", 16}};
  say(found, {copy.get()});
  EXPECT_EQ(told()["type"], "none");  // not before it is written
  quarantine_.wait_until_written();
  advance(1);
  advance(1);
  EXPECT_EQ(told(), Json({{"type", "kept"}, {"number", 1}}));
  say({{"type", "removed"}, {"number", 1}, {"problem", ""}});
  // The second one cannot be removed.
  Json second = found;
  second["number"] = 2;
  second["path"] = "/srv/mail/b";
  say(second, {copy.get()});
  quarantine_.wait_until_written();
  advance(1);
  advance(1);
  EXPECT_EQ(told()["number"], 2);
  say({{"type", "removed"}, {"number", 2}, {"problem", "Read-only file system"}});
  // The third one is too large to be handed over.
  second["number"] = 3;
  say(second);
  say({{"type", "done"}, {"problem", ""}, {"infected", 3}});
  const std::vector<FoundFile>& files = reports_.at(0).found;
  EXPECT_EQ(files[0].state, FoundFileState::InQuarantine);
  EXPECT_EQ(files[1].state, FoundFileState::CopyInQuarantine);
  EXPECT_EQ(files[1].problem, "Read-only file system");
  EXPECT_EQ(files[2].state, FoundFileState::Stays);
  EXPECT_NE(files[0].reference, files[1].reference);
  const auto entry = quarantine_.find(files[0].reference);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->name, "/srv/mail/a");
  const auto bytes = quarantine_.read(files[0].reference, 0, 100).value();
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "infected content");
}

TEST_F(ScanJobsTest, WhatQuarantineDoesNotTakeStays) {
  nightly_.quarantine = true;  // and no folder
  start({nightly_});
  ASSERT_TRUE(jobs_->start("nightly"));
  told();
  const av::Descriptor copy(copy_of("infected"));
  say({{"type", "found"}, {"number", 1}, {"path", "/a"}, {"outcome", "infected"}, {"bytes", 8}},
      {copy.get()});
  EXPECT_EQ(told(), Json({{"type", "not-kept"}, {"number", 1}}));
  say_done();
  EXPECT_EQ(reports_.at(0).found[0].state, FoundFileState::Stays);
}

TEST_F(ScanJobsTest, AJobThatIsTakenOutEnds) {
  start({nightly_, other_});
  ASSERT_TRUE(jobs_->start("nightly"));
  ASSERT_TRUE(jobs_->start("other"));
  jobs_->configure({}, settings_);
  told();
  EXPECT_EQ(told()["type"], "stop");
  say({{"type", "done"}, {"problem", ""}, {"stopped", true}});
  EXPECT_EQ(reports_.at(0).run.result, ScanJobResult::Stopped);
  EXPECT_NE(reports_.at(0).run.problem, "");
  advance(1);
  EXPECT_EQ(begun_, 1);
}

TEST_F(ScanJobsTest, RemembersOverRestartsAndBelievesNothingDamaged) {
  start({nightly_});
  advance(2 * kHour_s);
  say_done(42);
  start({nightly_});
  EXPECT_EQ(status().last->counts.files, 42U);
  const std::string file = folder_ + "/jobs/jobs.json";
  for (const char* content :
       {"", "{", "[]", "{\"nightly\": 1}", "{\"nightly\": {\"settled\": \"x\"}}",
        "{\"nightly\": {\"last\": {\"result\": 7}}}"}) {
    std::ofstream(file) << content;
    start({nightly_});
    EXPECT_EQ(begun_, 1) << content;
  }
}

TEST_F(ScanJobsTest, StrangeMessagesDoNoHarm) {
  start({nightly_});
  ASSERT_TRUE(jobs_->start("nightly"));
  for (const char* type : {"found", "removed", "problem", "progress", "nothing"}) {
    say({{"type", type}, {"number", "x"}, {"path", 7}, {"files", -1}, {"outcome", Json::array()}});
  }
  EXPECT_EQ(status().state, ScanJobState::Running);
  say({{"type", "done"}, {"problem", 5}, {"stopped", "yes"}});
  EXPECT_EQ(status().state, ScanJobState::Idle);
}

}  // namespace
}  // namespace masugata::dataplane
