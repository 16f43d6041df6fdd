// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/clamav_engine.h"

#include <gtest/gtest.h>

#include "av-stream/scand/macro_document.h"
#include "av-stream/scand/scan_limits.h"
#include "av-stream/scand/test_archives.h"
#include "av-stream/scand/test_bench.h"

namespace masugata::av {
namespace {

class Engine : public ::testing::Test {
 protected:
  Engine() {
    sources.directories = {directory.path() + "/signatures"};
    sources.scratch_directory = directory.path();
    directory.write("signatures/test.ndb", body_signature("Test.Evil", kEvil));
  }
  ScanResult scan(std::string_view object, ScanLimits limits = {}) {
    if (!engine) engine.emplace(ClamavEngine::load(sources).value());
    return engine->scan(bytes_of(object), "a.bin", bounded_limits(limits));
  }
  Fault refusal() {
    const auto loaded = ClamavEngine::load(sources);
    return loaded ? Fault{} : loaded.error();
  }

  TestDirectory directory;
  EngineSources sources;
  std::optional<ClamavEngine> engine;
};

TEST_F(Engine, FindsWhatItMust) {
  EXPECT_EQ(scan(kEvil).outcome, ScanOutcome::Infected);
  EXPECT_EQ(scan(kEvil).signature, "Test.Evil.UNOFFICIAL");
  EXPECT_EQ(scan(zipped(std::string(kEvil))).outcome, ScanOutcome::Infected);
  EXPECT_EQ(scan(eicar_test_file()).outcome, ScanOutcome::Infected);
  EXPECT_EQ(scan(eicar_test_file() + "\r\n").outcome, ScanOutcome::Infected);
  EXPECT_EQ(scan(zipped(zipped(eicar_test_file()))).outcome, ScanOutcome::Infected);
  EXPECT_EQ(scan("harmless").outcome, ScanOutcome::Clean);
  EXPECT_EQ(scan("").outcome, ScanOutcome::Clean);
  EXPECT_EQ(engine->signatures(), 1U);
  EXPECT_TRUE(engine->verify());
}

TEST_F(Engine, SaysWhichFileAndLineIsBroken) {
  directory.write("signatures/test.ndb", body_signature("Test.Evil", kEvil) + "Test.Cut:0:*:616");
  const Fault fault = refusal();
  EXPECT_EQ(fault.where, directory.path() + "/signatures");
  EXPECT_NE(fault.what.find("line 2"), std::string::npos) << fault.what;
  EXPECT_NE(fault.what.find("test.ndb"), std::string::npos) << fault.what;
}

TEST_F(Engine, RefusesADatabaseThatIsCut) {
  directory.write("signatures/main.cvd", "ClamAV-VDB:01 Jan 2026 00-00 +0000:60:5:60:X:X:a:17");
  EXPECT_NE(refusal().what.find("main.cvd"), std::string::npos);
}

TEST_F(Engine, RefusesOwnRulesOfWhichAPartIsSkipped) {
  sources.own_signatures = {directory.write("own.yara", "rule a { strings: $a = \"abc\" }")};
  EXPECT_EQ(refusal().where, sources.own_signatures[0]);
  EXPECT_NE(refusal().what.find("line 1"), std::string::npos) << refusal().what;
}

TEST_F(Engine, LoadsOwnSignaturesOfSeveralKinds) {
  sources.directories.clear();
  sources.own_signatures = {
      directory.write("own.yara", "rule Marked { strings: $a = \"marked by yara\" condition: $a }"),
      directory.write("own.ndb", body_signature("Test.Own", "marked by ndb"))};
  EXPECT_EQ(scan("it is marked by yara").signature, "YARA.Marked.UNOFFICIAL");
  EXPECT_EQ(scan("it is marked by ndb").signature, "Test.Own.UNOFFICIAL");
}

TEST_F(Engine, RefusesToWorkWithNothing) {
  sources.directories.clear();
  EXPECT_FALSE(refusal().what.empty());
}

TEST_F(Engine, NeverFindsWhatIsAllowed) {
  const std::string object = "allowed although " + std::string(kEvil);
  EXPECT_EQ(scan(object).outcome, ScanOutcome::Infected);
  engine.reset();
  sources.allowed_sha256 = {sha256_text(object)};
  EXPECT_EQ(scan(object).outcome, ScanOutcome::Clean);
  EXPECT_EQ(scan(zipped(object)).outcome, ScanOutcome::Clean);
  EXPECT_EQ(scan(kEvil).outcome, ScanOutcome::Infected);
  EXPECT_TRUE(engine->verify());
}

TEST_F(Engine, ReportsLimitsOnlyWhenAsked) {
  std::string deep = "harmless";
  for (int level = 0; level < 10; ++level) deep = zipped(deep);
  ScanLimits limits{.recursion = 5};
  EXPECT_EQ(scan(deep, limits).outcome, ScanOutcome::Clean);
  limits.report_limits = 1;
  EXPECT_EQ(scan(deep, limits).outcome, ScanOutcome::LimitRecursion);
  EXPECT_EQ(scan(deep, {.report_limits = 1}).outcome, ScanOutcome::Clean);
}

TEST_F(Engine, SaysWhenAFileInAnArchiveIsCut) {
  const std::string large = zipped(std::string(3'000'000, 'a'));
  ScanLimits limits{.file_bytes = 1'000'000, .report_limits = 1};
  EXPECT_EQ(scan(large, limits).outcome, ScanOutcome::LimitSize);
  limits.report_limits = 0;
  EXPECT_EQ(scan(large, limits).outcome, ScanOutcome::Clean);
}

TEST_F(Engine, ScansTheBeginningOfWhatIsTooLarge) {
  const std::string tail(2'000'000, 'a');
  ScanLimits limits{.file_bytes = 1'000'000, .report_limits = 1};
  EXPECT_EQ(scan(std::string(kEvil) + tail, limits).outcome, ScanOutcome::Infected);
  EXPECT_EQ(scan(tail + std::string(kEvil), limits).outcome, ScanOutcome::LimitSize);
  limits.report_limits = 0;
  EXPECT_EQ(scan(tail + std::string(kEvil), limits).outcome, ScanOutcome::Clean);
}

TEST_F(Engine, FindsAVirusAfterAnEncryptedFileToo) {
  const std::string closed = zipped("secret", 1);
  EXPECT_EQ(scan(closed).outcome, ScanOutcome::Clean);
  EXPECT_EQ(scan(closed, {.report_encrypted = 1}).outcome, ScanOutcome::Encrypted);
  EXPECT_EQ(scan(closed + std::string(kEvil), {.report_encrypted = 1}).outcome,
            ScanOutcome::Infected);
}

TEST_F(Engine, OpensAsManyArchivesInArchivesAsAreAllowed) {
  std::string object(kEvil);
  for (int level = 0; level < 90; ++level) object = zipped(object);
  EXPECT_EQ(scan(object, {.recursion = 100, .report_limits = 1}).outcome, ScanOutcome::Infected);
  EXPECT_EQ(scan(object, {.recursion = 80, .report_limits = 1}).outcome,
            ScanOutcome::LimitRecursion);
}

TEST_F(Engine, ReportsMacrosOnlyWhenAsked) {
  const ScanLimits limits{.report_macros = 1};
  EXPECT_EQ(scan(document(true)).outcome, ScanOutcome::Clean);
  EXPECT_EQ(scan(document(true), limits).outcome, ScanOutcome::Macros);
  EXPECT_EQ(scan(zipped(document(true)), limits).outcome, ScanOutcome::Macros);
  EXPECT_EQ(scan(document(false), limits).outcome, ScanOutcome::Clean);
}

TEST_F(Engine, SaysWhichArchivesItCannotOpen) {
  if (std::filesystem::exists("/usr/lib/x86_64-linux-gnu/libclamunrar_iface.so")) {
    GTEST_SKIP() << "libclamav opens RAR here";
  }
  const std::string archive = rar("harmless");
  EXPECT_EQ(scan(archive).outcome, ScanOutcome::Clean);
  const ScanLimits limits{.report_encrypted = 1};
  EXPECT_EQ(scan(archive, limits).outcome, ScanOutcome::Encrypted);
  EXPECT_EQ(scan(archive, limits).signature, "Unopened.RAR");
  EXPECT_EQ(scan(zipped(archive), limits).outcome, ScanOutcome::Encrypted);
  EXPECT_EQ(scan(archive + std::string(kEvil), limits).outcome, ScanOutcome::Infected);
  EXPECT_EQ(scan("harmless", limits).outcome, ScanOutcome::Clean);
}

TEST_F(Engine, SaysWhich7zArchivesItCannotOpen) {
  const ScanLimits limits{.report_encrypted = 1};
  const std::string evil(kEvil);
  const auto made = [](const std::string& method, const std::string& content) {
    return archived({ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, "compression=" + method},
                    {{"a.txt", content}});
  };
  for (const char* method : {"lzma1", "lzma2", "ppmd", "store"}) {
    SCOPED_TRACE(method);
    EXPECT_EQ(scan(made(method, evil), limits).outcome, ScanOutcome::Infected);
    EXPECT_EQ(scan(made(method, "harmless"), limits).outcome, ScanOutcome::Clean);
  }
  for (const char* method : {"bzip2", "deflate"}) {
    SCOPED_TRACE(method);
    EXPECT_EQ(scan(made(method, evil), limits).signature, "Unopened.7Z");
    EXPECT_EQ(scan(made(method, evil), limits).outcome, ScanOutcome::Encrypted);
    EXPECT_EQ(scan(zipped(made(method, evil)) + "behind", limits).outcome, ScanOutcome::Encrypted);
    EXPECT_EQ(scan(made(method, evil)).outcome, ScanOutcome::Clean) << "not asked for";
  }
  EXPECT_EQ(scan(archived({ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE}, {}), limits).outcome,
            ScanOutcome::Clean)
      << "there is nothing in it";
}

// libclamav calls such scans clean.
TEST_F(Engine, BelievesNoScanThatNeverBegan) {
  EXPECT_EQ(scan(kEvil).outcome, ScanOutcome::Infected);
  engine->set_scratch_directory(directory.path() + "/none");
  for (const std::string& object : {std::string(kEvil), zipped("harmless"), std::string(6, 'a')}) {
    const ScanResult result = scan(object);
    EXPECT_EQ(result.outcome, ScanOutcome::Failed);
    EXPECT_EQ(result.failure, ScanFailure::OutOfMemory);
  }
  engine->set_scratch_directory(directory.path());
  // There is nothing to look for in so few bytes: libclamav does not begin.
  EXPECT_EQ(scan("12345").outcome, ScanOutcome::Clean);
  EXPECT_EQ(scan("harmless").outcome, ScanOutcome::Clean);
}

TEST(ScanResult, TellsFindingsApart) {
  const ScanLimits all{.report_limits = 1};
  const auto outcome = [&](const char* name) { return read_result(1, name, all).outcome; };
  EXPECT_EQ(outcome("Win.Trojan-1"), ScanOutcome::Infected);
  EXPECT_EQ(outcome("Heuristics.Phishing.Email.SpoofedDomain"), ScanOutcome::Infected);
  EXPECT_EQ(outcome("Heuristics.Encrypted.PDF"), ScanOutcome::Encrypted);
  EXPECT_EQ(outcome("Heuristics.OLE2.ContainsMacros.VBA"), ScanOutcome::Macros);
  EXPECT_EQ(outcome("Heuristics.Limits.Exceeded.MaxFileSize"), ScanOutcome::LimitSize);
  EXPECT_EQ(outcome("Heuristics.Limits.Exceeded.MaxScanSize"), ScanOutcome::LimitSize);
  EXPECT_EQ(outcome("Heuristics.Limits.Exceeded.MaxFiles"), ScanOutcome::LimitFiles);
  EXPECT_EQ(outcome("Heuristics.Limits.Exceeded.MaxRecursion"), ScanOutcome::LimitRecursion);
  EXPECT_EQ(outcome("Heuristics.Limits.Exceeded.MaxScanTime"), ScanOutcome::LimitTime);
  EXPECT_EQ(outcome("Heuristics.Limits.Exceeded.EmailHeaders"), ScanOutcome::LimitSize);
  EXPECT_EQ(read_result(1, "a\nb", all).signature, "a?b");
}

}  // namespace
}  // namespace masugata::av
