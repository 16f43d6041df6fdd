// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/on_demand_scan.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <set>
#include <sstream>

#include "av-stream/scand/scand_options.h"
#include "av-stream/scand/test_bench.h"

namespace masugata::av {
namespace {

class OnDemand : public ::testing::Test {
 protected:
  OnDemand() {
    bench.settings.check_interval_ms = 3'600'000;
    bench.service->configure(bench.settings);
    files = bench.directory.path() + "/files";
    bench.directory.write("files/clean.txt", "harmless");
    bench.directory.write("files/deep/er/clean.txt", "harmless too");
  }
  ScanSummary scan(bool json = false, const std::string& state = "") {
    findings.str("");
    messages.str("");
    ScanReport report(findings, messages, {json, false, false});
    OnDemandRequest request;
    request.paths = {files};
    request.limits = limits;
    request.state_file = state;
    request.scans_at_a_time = 4;
    request.clock_ns = [this] { return system_time_ns() + clock_ahead_ns; };
    OnDemandScan on_demand(*bench.service, request, report);
    const auto summary = on_demand.run();
    EXPECT_TRUE(summary) << summary.error().message();
    if (summary) report.summary(*summary);
    return summary.value_or(ScanSummary());
  }

  ServiceBench bench{2};
  std::string files;
  ScanLimits limits{.file_bytes = 4'000'000};
  int64_t clock_ahead_ns = 10'000'000'000;  // no file has changed a moment ago
  std::ostringstream findings;
  std::ostringstream messages;
};

TEST_F(OnDemand, SaysWhatItFoundWhere) {
  EXPECT_EQ(scan().exit_status(), 0);
  EXPECT_EQ(messages.str(), "");
  const std::string evil = bench.directory.write("files/deep/evil\n.txt", kEvil);
  const ScanSummary summary = scan();
  EXPECT_EQ(summary.exit_status(), 1);
  EXPECT_EQ(summary.files, 3U);
  EXPECT_EQ(summary.infected, 1U);
  EXPECT_NE(findings.str().find(files + "/deep/evil\\x0a.txt: Test.Evil.UNOFFICIAL FOUND\n"),
            std::string::npos);
  scan(true);
  std::istringstream lines(findings.str());
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(nlohmann::json::parse(line)["path"], evil);
  std::getline(lines, line);
  EXPECT_EQ(nlohmann::json::parse(line)["summary"]["infected"], 1);
}

// Where namespaces are forbidden scanners have folders on a disk.
TEST(OnDemandWithoutNamespaces, LeavesNothingBehind) {
  if (geteuid() != 0) GTEST_SKIP() << "only root becomes another user";
  TestDirectory scratch;
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0777));
  scratch.write("files/evil", kEvil);
  scratch.write("signatures/test.ndb", body_signature("Test.Evil", kEvil));
  const pid_t process = fork();
  if (process == 0) {
    // A user that has no number in its own namespace can make no further ones.
    if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0 ||
        unshare(CLONE_NEWUSER) != 0 || setenv("TMPDIR", scratch.path().c_str(), 1) != 0) {
      _exit(99);
    }
    {
      ServiceOptions options;
      options.sandbox_required = false;
      ScanService service = ScanService::create(options).value();
      ScandSettings settings;
      settings.signature_directories = {scratch.path() + "/signatures"};
      settings.scanners = 1;
      service.configure(settings);
      std::ostringstream out;
      ScanReport report(out, out, {});
      OnDemandRequest request;
      request.paths = {scratch.path() + "/files"};
      OnDemandScan on_demand(service, request, report);
      const auto summary = on_demand.run();
      if (!summary || summary->infected != 1) _exit(1);
      if (service.current()->facts().warnings.empty()) _exit(2);  // it says how it was confined
    }
    _exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(process, &status, 0), process);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 99) GTEST_SKIP() << "no user namespaces here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path())) {
    left.insert(entry.path().filename());
  }
  EXPECT_EQ(left, (std::set<std::string>{"files", "signatures"}));
}

TEST_F(OnDemand, CountsWhatItCannotRead) {
  bench.directory.write("files/locked", "a");
  files += "/not-there";
  EXPECT_EQ(scan().exit_status(), 2);
  EXPECT_NE(messages.str().find("not-there: No such file"), std::string::npos);
}

TEST_F(OnDemand, FollowsNoLinksAndOpensNoPipes) {
  bench.directory.write("evil.txt", kEvil);
  std::filesystem::create_symlink(bench.directory.path() + "/evil.txt", files + "/link");
  std::filesystem::create_directory_symlink(bench.directory.path(), files + "/circle");
  ASSERT_EQ(mkfifo((files + "/pipe").c_str(), 0600), 0);
  const ScanSummary summary = scan();
  EXPECT_EQ(summary.files, 2U);
  EXPECT_EQ(summary.infected, 0U);
}

TEST_F(OnDemand, ScansTheBeginningOfLargeFiles) {
  limits.report_limits = 1;
  bench.directory.write("files/large", std::string(5'000'000, 'a'));
  const ScanSummary summary = scan();
  EXPECT_EQ(summary.other_findings, 1U);
  EXPECT_NE(findings.str().find("/large: limit-size"), std::string::npos);
}

TEST_F(OnDemand, ScansManyFilesThroughFewBlocks) {
  for (int number = 0; number < 300; ++number) {
    bench.directory.write("files/many/" + std::to_string(number), std::string(30'000, 'a'));
  }
  EXPECT_EQ(scan().files, 302U);
}

TEST_F(OnDemand, SkipsWhatIsUnchangedSinceItWasClean) {
  const std::string state = bench.directory.path() + "/state";
  bench.directory.write("files/line\nfeed\\.txt", "odd name");
  bench.directory.write("files/evil.txt", kEvil);
  EXPECT_EQ(scan(false, state).files, 4U);
  ScanSummary summary = scan(false, state);
  EXPECT_EQ(summary.unchanged, 3U);
  EXPECT_EQ(summary.infected, 1U);  // never skipped
  bench.directory.write("files/clean.txt", "harmless, but longer");
  summary = scan(false, state);
  EXPECT_EQ(summary.unchanged, 2U);
  EXPECT_EQ(summary.files, 2U);
  // Other signatures, everything again.
  bench.directory.write("signatures/more.ndb", body_signature("Test.New", "new"));
  const uint64_t before = bench.service->current()->facts().version;
  bench.service->reload();
  ASSERT_TRUE(bench.until([&] {
    return bench.service->current() != nullptr &&
           bench.service->current()->facts().version != before;
  }));
  EXPECT_EQ(scan(false, state).unchanged, 0U);
}

TEST_F(OnDemand, ScansAgainWhatChangedAMomentBefore) {
  const std::string state = bench.directory.path() + "/state";
  clock_ahead_ns = 0;
  scan(false, state);
  clock_ahead_ns = 10'000'000'000;
  EXPECT_EQ(scan(false, state).unchanged, 0U);
  EXPECT_EQ(scan(false, state).unchanged, 2U);
}

TEST_F(OnDemand, TimesThatWereSetBackDoNotHideAChange) {
  const std::string state = bench.directory.path() + "/state";
  scan(false, state);
  const auto time = std::filesystem::last_write_time(files + "/clean.txt");
  bench.directory.write("files/clean.txt", std::string("harmless").replace(0, 1, "H"));
  std::filesystem::last_write_time(files + "/clean.txt", time);
  const ScanSummary summary = scan(false, state);
  EXPECT_EQ(summary.unchanged, 1U);
  EXPECT_EQ(summary.files, 1U);
}

// Appends to the file that is scanned, once it is read.
class Meddler final : public ScanListener {
 public:
  explicit Meddler(std::string path) : path_(std::move(path)) {}
  void result(ScannedFile&, const ScanResult&) override {}
  void problem(const std::string&, const std::string&) override {}
  void progress(const ScanSummary& so_far, uint64_t, uint64_t) override {
    if (so_far.bytes == 0 && !done_) std::ofstream(path_, std::ios::app) << "more";
    done_ = true;
  }

 private:
  std::string path_;
  bool done_ = false;
};

TEST_F(OnDemand, DoesNotRememberWhatChangedWhileItWasRead) {
  // Larger than is read before the first progress.
  const std::string file = bench.directory.write("large", std::string(3'000'000, 'a'));
  Meddler meddler(file);
  OnDemandRequest request;
  request.paths = {file};
  request.limits = limits;
  request.state_file = bench.directory.path() + "/state";
  request.clock_ns = [] { return system_time_ns() + 10'000'000'000; };
  EXPECT_EQ(OnDemandScan(*bench.service, request, meddler).run()->files, 1U);
  EXPECT_EQ(OnDemandScan(*bench.service, request, meddler).run()->unchanged, 0U);
  EXPECT_EQ(OnDemandScan(*bench.service, request, meddler).run()->unchanged, 1U);
}

// Ends the scan after the first file.
class Stopper final : public ScanListener {
 public:
  void result(ScannedFile&, const ScanResult&) override { stop_ = true; }
  void problem(const std::string&, const std::string&) override {}
  void progress(const ScanSummary&, uint64_t, uint64_t) override {}
  bool wants_end() override { return stop_; }

 private:
  bool stop_ = false;
};

TEST_F(OnDemand, AScanThatIsStoppedKeepsWhatWasKnown) {
  const std::string state = bench.directory.path() + "/state";
  scan(false, state);
  for (int number = 0; number < 50; ++number) {
    bench.directory.write("files/more/" + std::to_string(number), std::to_string(number));
  }
  Stopper stopper;
  OnDemandRequest request;
  request.paths = {files + "/more"};
  request.limits = limits;
  request.state_file = state;
  const auto summary = OnDemandScan(*bench.service, request, stopper).run();
  ASSERT_TRUE(summary);
  EXPECT_TRUE(summary->stopped);
  EXPECT_LT(summary->files, 50U);
  EXPECT_EQ(scan(false, state).unchanged, 2U);
}

TEST_F(OnDemand, DrawsABarOnATerminal) {
  std::ostringstream drawn;
  ScanReport report(findings, drawn, {false, false, true});
  ScanSummary half;
  half.files = 1;
  half.unchanged = 1;
  half.bytes = 1'500'000;
  report.progress(half, 4, 1000);
  EXPECT_EQ(drawn.str(), "\r\x1b[K[###############...............] 2 of 4 files, 1.5 MB, 0 found");
  report.progress(half, 4, 1100);  // not more often than five times a second
  EXPECT_EQ(drawn.str().find("0 found\r"), std::string::npos);
  report.summary(half);
  EXPECT_TRUE(drawn.str().ends_with("\r\x1b[K"));
}

TEST(ScandOptions, AreRead) {
  EXPECT_EQ(parse_scand_options({})->mode, ScandMode::Serve);
  EXPECT_EQ(parse_scand_options({"--socket", "/a", "--scanners", "3"})->scanners, 3U);
  const auto scan = parse_scand_options({"--scan", "--jobs", "2", "--file-mb", "5", "--exclude",
                                         "/a/./b", "--signatures", "/s", "a", "--", "-b"});
  ASSERT_TRUE(scan);
  EXPECT_EQ(scan->paths, (std::vector<std::string>{"a", "-b"}));
  EXPECT_EQ(scan->limits.file_bytes, 5U << 20U);
  EXPECT_EQ(scan->excluded, std::vector<std::string>{"/a/b"});
  EXPECT_EQ(scan->signature_directories, std::vector<std::string>{"/s"});
  EXPECT_EQ(parse_scand_options({"--check"})->signature_directories,
            std::vector<std::string>{"/var/lib/clamav"});
}

TEST(ScandOptions, AreChecked) {
  EXPECT_FALSE(parse_scand_options({"--scan"}));
  EXPECT_FALSE(parse_scand_options({"--scanners", "0"}));
  EXPECT_FALSE(parse_scand_options({"--scanners", "65"}));
  EXPECT_FALSE(parse_scand_options({"--scanners", "2x"}));
  EXPECT_FALSE(parse_scand_options({"--scanners"}));
  EXPECT_FALSE(parse_scand_options({"--dance"}));
  EXPECT_FALSE(parse_scand_options({"path"}));
  EXPECT_FALSE(parse_scand_options({"--check", "a", "b"}));
}

}  // namespace
}  // namespace masugata::av
