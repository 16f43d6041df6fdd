// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway's own log: where it goes, and a brake for messages that repeat. Never used on the
// packet path.
#pragma once

#include <spdlog/spdlog.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "result/result.h"

namespace masugata::dataplane::control {

enum class LogTarget : uint8_t {
  Stderr,  // one line each; systemd's journal adds time and name
  Syslog,  // LOG_DAEMON
};

struct LogSettings {
  LogTarget target = LogTarget::Stderr;
  spdlog::level::level_enum level = spdlog::level::info;
  std::string program = "masugatad";
  bool with_time = false;  // Stderr: a person reads it, not the journal
};

// "debug", "info", "warning", "error"; a fault lists them.
[[nodiscard]] Result<spdlog::level::level_enum> parse_log_level(std::string_view name);

// Makes spdlog's default logger (spdlog::info() and so on) the one of `settings`. Control
// characters in messages are escaped, so that nothing taken from the outside can forge a line.
// Once, at start-up, before other threads log.
void start_logging(const LogSettings& settings);

// Lets each kind of message through `burst` times at once and then once per `interval_ms`; what
// was held back is counted and said with the next one. Bound: kMaximumKinds, further kinds share
// one budget. Thread: one.
class LimitedLog {
 public:
  static constexpr size_t kMaximumKinds = 256;

  LimitedLog(std::shared_ptr<spdlog::logger> logger, uint32_t burst, uint64_t interval_ms)
      : logger_(std::move(logger)), burst_(burst), interval_ms_(interval_ms) {}

  // `kind` names the reason, not the details: "port lan0 link". True when it was written.
  bool write(spdlog::level::level_enum level, std::string_view kind, std::string_view message,
             uint64_t now_ms);

 private:
  struct Budget {
    uint64_t refilled_ms = 0;
    uint32_t left = 0;
    uint64_t held_back = 0;
  };

  std::shared_ptr<spdlog::logger> logger_;
  uint32_t burst_;
  uint64_t interval_ms_;
  std::unordered_map<std::string, Budget> budgets_;
};

// `text` with control characters and backslashes as \n, \x1b and so on.
[[nodiscard]] std::string escape_for_log(std::string_view text);

}  // namespace masugata::dataplane::control
