// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scand_log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>
#include <utility>

namespace masugata::av {
namespace {

constexpr const char* kProgram = "masugata-scand";

class PrintableMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& destination) override {
    for (const char character : message.payload) {
      const auto byte = static_cast<unsigned char>(character);
      destination.push_back(byte < 0x20 || byte == 0x7f ? '?' : character);
    }
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<PrintableMessage>();
  }
};

}  // namespace

void start_scand_log(bool to_syslog, spdlog::level::level_enum level) {
  spdlog::sink_ptr sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  if (to_syslog) {
    sink = std::make_shared<spdlog::sinks::syslog_sink_mt>(kProgram, LOG_PID, LOG_DAEMON, true);
  }
  auto logger = std::make_shared<spdlog::logger>(kProgram, std::move(sink));
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<PrintableMessage>('*').set_pattern(to_syslog ? "%*" : "%n: %l: %*");
  logger->set_formatter(std::move(formatter));
  logger->set_level(level);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace masugata::av
