// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/event_loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace masugata::dataplane::control {
namespace {

class EventLoopTest : public testing::Test {
 protected:
  void SetUp() override {
    auto created = EventLoop::create([this] { return now_ms_; });
    ASSERT_TRUE(created) << created.error().message();
    loop_ = std::move(*created);
    ASSERT_EQ(pipe(pipe_), 0);
  }
  void TearDown() override {
    close(pipe_[0]);
    close(pipe_[1]);
  }
  void fill_pipe() { ASSERT_EQ(write(pipe_[1], "x", 1), 1); }

  uint64_t now_ms_ = 1000;
  std::unique_ptr<EventLoop> loop_;
  int pipe_[2] = {-1, -1};
};

TEST_F(EventLoopTest, CallsBackWhenADescriptorIsReadable) {
  int calls = 0;
  ASSERT_TRUE(loop_->watch(pipe_[0], kReadable, [&](uint32_t readiness) {
    EXPECT_EQ(readiness, kReadable);
    ++calls;
  }));
  EXPECT_EQ(loop_->run_once(0), 0);
  fill_pipe();
  EXPECT_EQ(loop_->run_once(0), 1);
  EXPECT_EQ(loop_->run_once(0), 1);  // level triggered: nobody has read it
  EXPECT_EQ(calls, 2);
}

TEST_F(EventLoopTest, PausedInterestIsNotReported) {
  ASSERT_TRUE(loop_->watch(pipe_[0], kReadable, [](uint32_t) {}));
  fill_pipe();
  ASSERT_TRUE(loop_->change_interest(pipe_[0], 0));
  EXPECT_EQ(loop_->run_once(0), 0);
  ASSERT_TRUE(loop_->change_interest(pipe_[0], kReadable));
  EXPECT_EQ(loop_->run_once(0), 1);
  EXPECT_FALSE(loop_->change_interest(pipe_[1], kReadable));
}

TEST_F(EventLoopTest, ACallbackMayForgetItselfAndOthersOfTheSameRound) {
  int other[2];
  ASSERT_EQ(pipe(other), 0);
  ASSERT_EQ(write(other[1], "x", 1), 1);
  fill_pipe();
  int calls = 0;
  const auto forget_both = [&](uint32_t) {
    ++calls;
    loop_->forget(pipe_[0]);
    loop_->forget(other[0]);
  };
  ASSERT_TRUE(loop_->watch(pipe_[0], kReadable, forget_both));
  ASSERT_TRUE(loop_->watch(other[0], kReadable, forget_both));
  EXPECT_EQ(loop_->run_once(0), 1);
  EXPECT_EQ(loop_->run_once(0), 0);
  EXPECT_EQ(calls, 1);
  close(other[0]);
  close(other[1]);
}

TEST_F(EventLoopTest, TimersFireInTheOrderOfTheirTime) {
  std::string order;
  loop_->call_after(20, [&] { order += 'b'; });
  loop_->call_after(10, [&] { order += 'a'; });
  const auto cancelled = loop_->call_after(15, [&] { order += 'x'; });
  loop_->cancel(cancelled);
  EXPECT_EQ(loop_->run_once(0), 0);
  now_ms_ += 30;
  EXPECT_EQ(loop_->run_once(0), 2);
  EXPECT_EQ(order, "ab");
}

TEST_F(EventLoopTest, ARepeatingTimerDoesNotCatchUpAfterAStall) {
  int calls = 0;
  const auto timer = loop_->call_every(10, [&] { ++calls; });
  now_ms_ += 1000;
  loop_->run_once(0);
  loop_->run_once(0);
  EXPECT_EQ(calls, 1);
  now_ms_ += 10;
  loop_->run_once(0);
  EXPECT_EQ(calls, 2);
  loop_->cancel(timer);
  now_ms_ += 100;
  loop_->run_once(0);
  EXPECT_EQ(calls, 2);
}

TEST_F(EventLoopTest, ARoundServesABoundedNumberOfTimers) {
  int calls = 0;
  for (int index = 0; index < EventLoop::kTimersPerRound + 5; ++index) {
    loop_->call_after(1, [&] { ++calls; });
  }
  now_ms_ += 1;
  EXPECT_EQ(loop_->run_once(0), EventLoop::kTimersPerRound);
  EXPECT_EQ(loop_->run_once(0), 5);
}

TEST_F(EventLoopTest, PostsAreBoundedAndRunOnTheLoop) {
  std::thread other([&] {
    for (size_t index = 0; index < EventLoop::kMaximumPosts; ++index) {
      ASSERT_TRUE(loop_->post([] {}));
    }
    EXPECT_FALSE(loop_->post([] {}));
  });
  other.join();
  EXPECT_EQ(loop_->run_once(0), EventLoop::kPostsPerRound);
  EXPECT_TRUE(loop_->post([] {}));
}

TEST_F(EventLoopTest, DeliversSignals) {
  int received = 0;
  ASSERT_TRUE(loop_->watch_signals({SIGUSR1}, [&](int signal) { received = signal; }));
  pthread_kill(pthread_self(), SIGUSR1);
  EXPECT_EQ(loop_->run_once(0), 1);
  EXPECT_EQ(received, SIGUSR1);
  EXPECT_FALSE(loop_->watch_signals({SIGUSR2}, [](int) {}));
}

TEST(EventLoopInRealTime, StopsFromAnotherThread) {
  auto loop = EventLoop::create();
  ASSERT_TRUE(loop);
  std::thread other([&] { (*loop)->stop(); });
  (*loop)->run();
  other.join();
}

}  // namespace
}  // namespace masugata::dataplane::control
