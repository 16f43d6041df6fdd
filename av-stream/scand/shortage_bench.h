// SPDX-License-Identifier: GPL-2.0-or-later
// For tests: what an engine says that has too little of something.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <optional>

#include "av-stream/scand/clamav_engine.h"
#include "av-stream/scand/scan_limits.h"
#include "av-stream/scand/test_bench.h"

namespace masugata::av {

class ShortageBench : public ::testing::Test {
 protected:
  static constexpr int kNotPossible = 99;
  static constexpr int kEnded = 98;  // by a signal
  // Gives the folder for scratch files; empty: the process cannot be bounded so.
  using Bound = std::function<std::string()>;

  // With signatures for kEvil, and what else is in `more`, a file of hash signatures.
  void load(const std::string& more = {}) {
    EngineSources sources;
    sources.directories = {directory.path() + "/signatures"};
    sources.scratch_directory = directory.path();
    std::string page = body_signature("Test.Page", kEvil);
    page.replace(page.find(":0:"), 3, ":3:");
    directory.write("signatures/test.ndb", body_signature("Test.Evil", kEvil) + page);
    if (!more.empty()) directory.write("signatures/more.hsb", more);
    engine.emplace(ClamavEngine::load(sources).value());
  }

  // What a process of its own says of `object` once it has made itself short by `bound`.
  int outcome(const std::string& object, const Bound& bound) {
    const pid_t process = fork();
    if (process == 0) {
      close_range(3, ~0U, 0);
      // The C library and others tell of their trouble there.
      const int nowhere = open("/dev/null", O_WRONLY);
      dup2(nowhere, STDERR_FILENO);
      close(nowhere);
      const rlimit no_core{0, 0};
      setrlimit(RLIMIT_CORE, &no_core);
      const std::string folder = bound();
      if (folder.empty()) _exit(kNotPossible);
      engine->set_scratch_directory(folder);
      const ScanResult result = engine->scan(bytes_of(object), {}, bounded_limits({}));
      _exit(static_cast<int>(result.outcome));
    }
    int status = 0;
    waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : kEnded;
  }

  // Each of `objects`, which are infected, is tried with `bound(n)`, n of something, from none to
  // so many that it is found.
  void never_clean(const std::map<std::string, std::string>& objects,
                   const std::function<std::string(int)>& bound, int most) {
    bool was_short = false;
    for (const auto& [what, object] : objects) {
      int result = 0;
      for (int count = 0; count <= most; ++count) {
        result = outcome(object, [&] { return bound(count); });
        if (result == kNotPossible) GTEST_SKIP() << "not allowed here";
        EXPECT_NE(result, static_cast<int>(ScanOutcome::Clean)) << what << " with " << count;
        if (result == static_cast<int>(ScanOutcome::Infected)) break;
        was_short = true;
      }
      EXPECT_EQ(result, static_cast<int>(ScanOutcome::Infected)) << what;
    }
    EXPECT_TRUE(was_short) << "everything is found without";
  }

  TestDirectory directory;
  std::optional<ClamavEngine> engine;
};

}  // namespace masugata::av
