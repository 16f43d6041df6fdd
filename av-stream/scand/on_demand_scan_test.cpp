// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/on_demand_scan.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

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
    OnDemandRequest request{{files}, limits, state, 4, false};
    OnDemandScan on_demand(*bench.service, request, report);
    const auto summary = on_demand.run();
    EXPECT_TRUE(summary) << summary.error().message();
    if (summary) report.summary(*summary);
    return summary.value_or(ScanSummary());
  }

  ServiceBench bench{2};
  std::string files;
  ScanLimits limits{.file_bytes = 4'000'000};
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

TEST(ScanState, IgnoresWhatIsNotItsOwn) {
  const TestDirectory directory;
  const std::string file = directory.write("state", "something else\n1 2 /a\n");
  EXPECT_FALSE(ScanState::load(file, "key")->was_clean("/a", {1, 2}));
  auto state = ScanState::load(directory.path() + "/none", "key").value();
  state.remember_clean("/a", {1, 2});
  ASSERT_TRUE(state.save(file));
  EXPECT_TRUE(ScanState::load(file, "key")->was_clean("/a", {1, 2}));
  EXPECT_FALSE(ScanState::load(file, "key")->was_clean("/a", {1, 3}));
  EXPECT_FALSE(ScanState::load(file, "other")->was_clean("/a", {1, 2}));
  EXPECT_FALSE(state.save("/proc/none/state"));
}

TEST(ScandOptions, AreRead) {
  EXPECT_EQ(parse_scand_options({})->mode, ScandMode::Serve);
  EXPECT_EQ(parse_scand_options({"--socket", "/a", "--scanners", "3"})->scanners, 3U);
  const auto scan = parse_scand_options(
      {"--scan", "--jobs", "2", "--file-mb", "5", "--signatures", "/s", "a", "--", "-b"});
  ASSERT_TRUE(scan);
  EXPECT_EQ(scan->paths, (std::vector<std::string>{"a", "-b"}));
  EXPECT_EQ(scan->limits.file_bytes, 5U << 20U);
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
