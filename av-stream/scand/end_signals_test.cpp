// SPDX-License-Identifier: GPL-2.0-or-later
// The real program, stopped by a signal: it ends soon, by that signal, and leaves nothing behind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

#include "av-stream/scand/test_bench.h"

namespace masugata::av {
namespace {

constexpr int kNotPossible = 99;
constexpr uint64_t kGenerousMs = 30'000;  // for what takes a moment on an idle machine

std::string program() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "masugata-scand";
}

// At a terminal of its own, in a session of its own.
class ScanAtTerminal {
 public:
  ScanAtTerminal(const TestDirectory& directory, bool namespaces) {
    const std::vector<std::string> words = {program(),
                                            "--scan",
                                            "--jobs",
                                            "1",
                                            "--signatures",
                                            directory.path() + "/signatures",
                                            directory.path() + "/files"};
    process_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (process_ != 0) return;
    setenv("TMPDIR", (directory.path() + "/scratch").c_str(), 1);
    if (!namespaces && !give_up_namespaces()) _exit(kNotPossible);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(98);
  }
  ~ScanAtTerminal() {
    if (process_ > 0 && !ended_) {
      kill(process_, SIGKILL);
      waitpid(process_, nullptr, 0);
    }
    close(terminal_);
  }
  ScanAtTerminal(const ScanAtTerminal&) = delete;
  ScanAtTerminal& operator=(const ScanAtTerminal&) = delete;

  // Until it draws its bar, or ends.
  bool shows(const std::string& text) {
    return reads_until([&] { return output_.find(text) != std::string::npos; });
  }
  bool has_a_child() {
    const std::string number = std::to_string(process_);
    return reads_until([&] {
      std::ifstream children("/proc/" + number + "/task/" + number + "/children");
      pid_t child = 0;
      return static_cast<bool>(children >> child);
    });
  }
  [[nodiscard]] bool was_not_possible() const {
    return ended_ && WIFEXITED(status_) && WEXITSTATUS(status_) == kNotPossible;
  }
  void type(char key) const { ASSERT_EQ(write(terminal_, &key, 1), 1); }
  void send(int number) const { kill(process_, number); }
  [[nodiscard]] int end() {
    EXPECT_TRUE(reads_until([&] { return ended_; }));
    return status_;
  }
  [[nodiscard]] const std::string& output() const { return output_; }

 private:
  // A user that has no number in its own namespace can make no further ones.
  static bool give_up_namespaces() {
    return setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0 &&
           unshare(CLONE_NEWUSER) == 0;
  }

  bool reads_until(const std::function<bool()>& holds) {
    fcntl(terminal_, F_SETFL, O_NONBLOCK);
    const uint64_t until_ms = monotonic_ms() + kGenerousMs;
    while (!holds()) {
      if (ended_ || monotonic_ms() > until_ms) return holds();
      ended_ = waitpid(process_, &status_, WNOHANG) == process_;
      std::array<char, 4096> bytes{};
      for (ssize_t count = 0; (count = read(terminal_, bytes.data(), bytes.size())) > 0;) {
        output_.append(bytes.data(), static_cast<size_t>(count));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }

  pid_t process_ = 0;
  int terminal_ = -1;
  bool ended_ = false;
  int status_ = 0;
  std::string output_;
};

// With files that keep a scanner busy for long.
class EndSignals : public ::testing::TestWithParam<bool> {
 protected:
  EndSignals() {
    std::filesystem::permissions(directory.path(), std::filesystem::perms(0777));
    std::filesystem::create_directory(directory.path() + "/scratch");
    std::filesystem::permissions(directory.path() + "/scratch", std::filesystem::perms(0777));
    directory.write("signatures/test.ndb", body_signature("Test.Evil", kEvil));
    const std::string slow = slow_object(12'000'000);
    for (int number = 0; number < 8; ++number) {
      directory.write("files/" + std::to_string(number), slow);
    }
    bury_dead_children();  // of other tests
    // Whom its children are left to: us.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  ~EndSignals() override { prctl(PR_SET_CHILD_SUBREAPER, 0); }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root becomes another user";
  }
  [[nodiscard]] bool nothing_is_left() const {
    return std::filesystem::is_empty(directory.path() + "/scratch");
  }

  TestDirectory directory;
};

TEST_P(EndSignals, AKeyEndsAScanAndItsBar) {
  ScanAtTerminal scan(directory, GetParam());
  const bool begun = scan.shows("of 8 files");
  if (scan.was_not_possible()) GTEST_SKIP() << "no user namespaces here to give up";
  ASSERT_TRUE(begun) << scan.output();
  const uint64_t begin_ms = monotonic_ms();
  scan.type('\x03');
  const int status = scan.end();
  EXPECT_LT(monotonic_ms() - begin_ms, 10'000U);  // well below a second on an idle machine
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << status;
  EXPECT_TRUE(nothing_is_left());
  EXPECT_EQ(bury_dead_children(), 0);
  EXPECT_NE(scan.output().find("Stopped:"), std::string::npos) << scan.output();
  EXPECT_TRUE(scan.output().ends_with('\n')) << scan.output();
}

TEST_P(EndSignals, ARequestEndsItWhileItLoads) {
  std::string many;
  for (int number = 0; number < 40'000; ++number) {
    many += body_signature("Test.N" + std::to_string(number),
                           "signature number " + std::to_string(number) + " of very many");
  }
  directory.write("signatures/many.ndb", many);
  ScanAtTerminal scan(directory, GetParam());
  const bool begun = scan.has_a_child();
  if (scan.was_not_possible()) GTEST_SKIP() << "no user namespaces here to give up";
  ASSERT_TRUE(begun);
  scan.send(SIGTERM);
  const int status = scan.end();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
  EXPECT_TRUE(nothing_is_left());
  EXPECT_EQ(bury_dead_children(), 0);
}

INSTANTIATE_TEST_SUITE_P(Namespaces, EndSignals, ::testing::Values(true, false),
                         [](const auto& made) { return made.param ? "Made" : "Forbidden"; });

}  // namespace
}  // namespace masugata::av
