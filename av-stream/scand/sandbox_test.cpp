// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

namespace masugata::av {
namespace {

constexpr int kNotConfined = 99;

// Runs `attempt` as a confined scanner; its exit status, or minus the signal that ended it.
int confined(const std::function<int(const std::string& scratch)>& attempt) {
  const pid_t process = fork();
  if (process == 0) {
    SandboxPlan plan{.scratch_bytes = 1 << 20, .memory_bytes = 64 << 20};
    if (geteuid() == 0) plan.user = find_sandbox_user("nobody").value();
    const auto sandbox = Sandbox::enter(plan);
    if (!sandbox) _exit(kNotConfined);
    const auto scratch = sandbox->confine(0);
    if (!scratch) _exit(kNotConfined);
    _exit(attempt(*scratch));
  }
  int status = 0;
  waitpid(process, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int opens(const char* path) {
  const int file = open(path, O_RDONLY);
  return file >= 0 ? 1 : 0;
}

class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (confined([](const std::string&) { return 0; }) == kNotConfined) {
      GTEST_SKIP() << "neither root nor allowed to make user namespaces";
    }
  }
};

TEST_F(SandboxTest, HasNoFilesButItsOwn) {
  for (const char* path : {"/etc/passwd", "/proc/self/status", "/../etc/passwd", "/dev/null"}) {
    EXPECT_EQ(confined([&](const std::string&) { return opens(path); }), 0) << path;
  }
  EXPECT_EQ(confined([](const std::string& scratch) {
              return open((scratch + "/a").c_str(), O_CREAT | O_RDWR, 0600) >= 0 ? 0 : errno;
            }),
            0);
}

TEST_F(SandboxTest, HasNoDescriptorsLeft) {
  const int file = open("/etc/passwd", O_RDONLY);
  EXPECT_EQ(confined([&](const std::string&) { return fcntl(file, F_GETFD) == -1 ? 0 : 1; }), 0);
  close(file);
}

TEST_F(SandboxTest, BoundsItsFiles) {
  EXPECT_EQ(confined([](const std::string& scratch) {
              signal(SIGXFSZ, SIG_IGN);
              const int file = open((scratch + "/a").c_str(), O_CREAT | O_RDWR, 0600);
              const std::vector<char> bytes(3 << 20);
              return write(file, bytes.data(), bytes.size()) <= (1 << 20) ? 0 : 1;
            }),
            0);
}

TEST_F(SandboxTest, BoundsItsMemory) {
  const auto takes = [](size_t bytes) {
    return [bytes](const std::string&) {
      return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                     MAP_FAILED
                 ? 1
                 : 0;
    };
  };
  EXPECT_EQ(confined(takes(32 << 20)), 0);
  EXPECT_EQ(confined(takes(128 << 20)), 1);
}

TEST_F(SandboxTest, DiesOfWhatScannersNeverDo) {
  EXPECT_EQ(confined([](const std::string&) { return socket(AF_INET, SOCK_STREAM, 0); }), -SIGSYS);
  EXPECT_EQ(confined([](const std::string&) { return socket(AF_UNIX, SOCK_STREAM, 0); }), -SIGSYS);
  EXPECT_EQ(confined([](const std::string&) { return fork(); }), -SIGSYS);
  EXPECT_EQ(confined([](const std::string&) { return execl("/a", "a", nullptr); }), -SIGSYS);
  EXPECT_EQ(confined([](const std::string&) { return kill(1, SIGKILL); }), -SIGSYS);
  EXPECT_EQ(confined([](const std::string&) {
              mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return 0;
            }),
            -SIGSYS);
}

TEST_F(SandboxTest, HasNoThreads) {
  EXPECT_EQ(confined([](const std::string&) {
              pthread_t thread{};
              return pthread_create(
                  &thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
            }),
            ENOSYS);
}

TEST_F(SandboxTest, HasNoRights) {
  EXPECT_EQ(confined([](const std::string&) { return geteuid() == 0 ? 1 : 0; }), 0);
  EXPECT_EQ(confined([](const std::string&) {
              return prctl(PR_SET_DUMPABLE, 1) == -1 && errno == EPERM ? 0 : 1;
            }),
            0);
}

TEST(SandboxUser, MustExistAndNotBeRoot) {
  EXPECT_FALSE(find_sandbox_user("root"));
  EXPECT_FALSE(find_sandbox_user("there is no such user"));
  EXPECT_TRUE(find_sandbox_user("nobody"));
}

}  // namespace
}  // namespace masugata::av
