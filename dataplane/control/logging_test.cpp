// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/logging.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>

namespace masugata::dataplane::control {
namespace {

class LimitedLogTest : public testing::Test {
 protected:
  LimitedLogTest()
      : logger_(std::make_shared<spdlog::logger>(
            "test", std::make_shared<spdlog::sinks::ostream_sink_st>(text_))),
        log_(logger_, 2, 1000) {
    logger_->set_pattern("%v");
  }
  bool write(const char* kind, uint64_t now_ms) {
    return log_.write(spdlog::level::info, kind, "message", now_ms);
  }

  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> logger_;
  LimitedLog log_;
};

TEST_F(LimitedLogTest, HoldsBackAndSaysHowMany) {
  EXPECT_TRUE(write("a", 0));
  EXPECT_TRUE(write("a", 1));
  EXPECT_FALSE(write("a", 2));
  EXPECT_FALSE(write("a", 999));
  EXPECT_TRUE(write("b", 999));
  EXPECT_TRUE(write("a", 1000));
  EXPECT_FALSE(write("a", 1001));
  EXPECT_EQ(text_.str(), "message\nmessage\nmessage\nmessage (2 similar messages held back)\n");
}

TEST_F(LimitedLogTest, RefillsNoFurtherThanItsBurst) {
  EXPECT_TRUE(write("a", 0));
  EXPECT_TRUE(write("a", 100000));
  EXPECT_TRUE(write("a", 100000));
  EXPECT_FALSE(write("a", 100000));
}

TEST_F(LimitedLogTest, KindsBeyondTheBoundShareOneBudget) {
  for (size_t kind = 0; kind < LimitedLog::kMaximumKinds; ++kind) {
    EXPECT_TRUE(write(std::to_string(kind).c_str(), 0));
  }
  EXPECT_TRUE(write("x", 0));
  EXPECT_TRUE(write("y", 0));
  EXPECT_FALSE(write("z", 0));
}

TEST(Logging, EscapesControlCharacters) {
  EXPECT_EQ(escape_for_log("a\nb\x1b[0m\tc"), "a\\nb\\x1b[0m\\x09c");
  EXPECT_EQ(escape_for_log("plain \xc3\xa4"), "plain \xc3\xa4");
}

TEST(Logging, WritesEscapedLinesToStderr) {
  const auto before = spdlog::default_logger();
  testing::internal::CaptureStderr();
  start_logging({LogTarget::Stderr, spdlog::level::warn, "masugatad", false});
  spdlog::info("not this one");
  spdlog::warn("port {}\nforged: line", "lan0");
  spdlog::set_default_logger(before);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "masugatad: warning: port lan0\\nforged: line\n");
}

TEST(Logging, ReadsLevels) {
  EXPECT_EQ(parse_log_level("warning").value(), spdlog::level::warn);
  EXPECT_EQ(parse_log_level("loud").error().message(),
            "log level: loud is not one of debug, info, warning, error");
}

}  // namespace
}  // namespace masugata::dataplane::control
