// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/logging.h"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>

#include <algorithm>
#include <utility>

namespace masugata::dataplane::control {
namespace {

// Stands in for the message (%v) of a pattern.
class EscapedMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& destination) override {
    const std::string text =
        escape_for_log(std::string_view(message.payload.data(), message.payload.size()));
    destination.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<EscapedMessage>();
  }
};

std::unique_ptr<spdlog::formatter> formatter(const std::string& pattern) {
  auto result = std::make_unique<spdlog::pattern_formatter>();
  result->add_flag<EscapedMessage>('*').set_pattern(pattern);
  return result;
}

}  // namespace

std::string escape_for_log(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (character == '\n') {
      result += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned>(byte));
    } else {
      result += character;
    }
  }
  return result;
}

Result<spdlog::level::level_enum> parse_log_level(std::string_view name) {
  if (name == "debug") return spdlog::level::debug;
  if (name == "info") return spdlog::level::info;
  if (name == "warning") return spdlog::level::warn;
  if (name == "error") return spdlog::level::err;
  return failure("log level", fmt::format("{} is not one of debug, info, warning, error", name));
}

void start_logging(const LogSettings& settings) {
  std::shared_ptr<spdlog::logger> logger;
  if (settings.target == LogTarget::Syslog) {
    logger = std::make_shared<spdlog::logger>(
        settings.program, std::make_shared<spdlog::sinks::syslog_sink_mt>(
                              settings.program, LOG_PID, LOG_DAEMON, /*enable_formatting=*/true));
    logger->set_formatter(formatter("%*"));
  } else {
    logger = std::make_shared<spdlog::logger>(settings.program,
                                              std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_formatter(
        formatter(settings.with_time ? "%Y-%m-%d %H:%M:%S.%e %l: %*" : "%n: %l: %*"));
  }
  logger->set_level(settings.level);
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

bool LimitedLog::write(spdlog::level::level_enum level, std::string_view kind,
                       std::string_view message, uint64_t now_ms) {
  std::string key(kind);
  if (budgets_.count(key) == 0 && budgets_.size() >= kMaximumKinds) key.clear();
  const auto [found, is_new] = budgets_.try_emplace(std::move(key));
  Budget& budget = found->second;
  if (is_new) {
    budget = {now_ms, burst_, 0};
  } else if (now_ms - budget.refilled_ms >= interval_ms_) {
    const uint64_t refill = (now_ms - budget.refilled_ms) / std::max<uint64_t>(interval_ms_, 1);
    budget.left = static_cast<uint32_t>(std::min<uint64_t>(burst_, budget.left + refill));
    budget.refilled_ms = now_ms;
  }
  if (budget.left == 0) {
    ++budget.held_back;
    return false;
  }
  --budget.left;
  if (const uint64_t held_back = std::exchange(budget.held_back, 0); held_back > 0) {
    logger_->log(level, "{} ({} similar messages held back)", message, held_back);
  } else {
    logger_->log(level, "{}", message);
  }
  return true;
}

}  // namespace masugata::dataplane::control
