// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/control/policy_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

#include "dataplane/control/records_json.h"

namespace masugata::dataplane::control {
namespace {

using nlohmann::json;

const char* event_name(PolicyLogEvent event) {
  switch (event) {
    case PolicyLogEvent::SessionOpened:
      return "open";
    case PolicyLogEvent::SessionRefused:
      return "refuse";
    case PolicyLogEvent::SessionEnded:
      return "end";
  }
  return "open";
}

// RFC 3339, UTC, milliseconds.
std::string format_time(int64_t unix_us) {
  const int64_t seconds = unix_us / 1000000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<time_t>(seconds)),
                     (unix_us % 1000000) / 1000);
}

std::string endpoint(const net::IpAddress& address, net::Be16 port) {
  return address.is_v4() ? fmt::format("{}:{}", address.to_string(), port.host())
                         : fmt::format("[{}]:{}", address.to_string(), port.host());
}

std::string format_text(const PolicyLogRecord& record, uint32_t worker,
                        const PolicyLogNames& names) {
  std::string line = fmt::format(
      "{} {} {} rule \"{}\"", format_time(names.wall_clock_us(record.time_us)),
      event_name(record.event), record.original.to_string(), names.rule(record.rule, record.epoch));
  const std::string ingress = names.interface(record.ingress_interface);
  const std::string egress = names.interface(record.egress_interface);
  if (!ingress.empty()) line += " in " + ingress;
  if (!egress.empty()) line += " out " + egress;
  if (!(record.translated == record.original)) {
    line += fmt::format(
        " as {} > {}", endpoint(record.translated.source, record.translated.source_port),
        endpoint(record.translated.destination, record.translated.destination_port));
  }
  if (record.event == PolicyLogEvent::SessionRefused) {
    line += fmt::format(" reason {}", drop_reason_name(record.reason));
  }
  if (record.event == PolicyLogEvent::SessionEnded) {
    line += fmt::format(" after {}.{:03}s {} packets {}/{} bytes {}/{}", record.duration_ms / 1000,
                        record.duration_ms % 1000, names.end_reason(record.end_reason),
                        record.packets[0], record.packets[1], record.bytes[0], record.bytes[1]);
  }
  return line + fmt::format(" worker {}", worker);
}

json endpoint_json(const net::IpAddress& address, net::Be16 port) {
  return {{"address", address.to_string()}, {"port", port.host()}};
}

std::string format_json(const PolicyLogRecord& record, uint32_t worker,
                        const PolicyLogNames& names) {
  json line = {
      {"time", format_time(names.wall_clock_us(record.time_us))},
      {"event", event_name(record.event)},
      {"protocol", protocol_name(record.original.protocol)},
      {"source", endpoint_json(record.original.source, record.original.source_port)},
      {"destination", endpoint_json(record.original.destination, record.original.destination_port)},
      {"translated_source", endpoint_json(record.translated.source, record.translated.source_port)},
      {"translated_destination",
       endpoint_json(record.translated.destination, record.translated.destination_port)},
      {"rule", names.rule(record.rule, record.epoch)},
      {"ingress_interface", names.interface(record.ingress_interface)},
      {"egress_interface", names.interface(record.egress_interface)},
      {"worker", worker}};
  if (record.event == PolicyLogEvent::SessionRefused) {
    line["reason"] = std::string(drop_reason_name(record.reason));
  }
  if (record.event == PolicyLogEvent::SessionEnded) {
    line["end_reason"] = names.end_reason(record.end_reason);
    line["duration_ms"] = record.duration_ms;
    line["packets_original"] = record.packets[0];
    line["packets_reply"] = record.packets[1];
    line["bytes_original"] = record.bytes[0];
    line["bytes_reply"] = record.bytes[1];
  }
  return line.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string format_policy_log(const PolicyLogRecord& record, uint32_t worker,
                              const PolicyLogNames& names, PolicyLogFormat format) {
  return format == PolicyLogFormat::JsonLines ? format_json(record, worker, names)
                                              : format_text(record, worker, names);
}

PolicyLog::PolicyLog(std::vector<PolicyLogSource> sources, PolicyLogNames names,
                     PolicyLogFormat format, std::function<void(const std::string& line)> write)
    : names_(std::move(names)), format_(format), write_(std::move(write)) {
  for (PolicyLogSource& source : sources) {
    const uint64_t lost = source.lost();
    sources_.push_back({std::move(source), lost});
  }
}

uint32_t PolicyLog::write_waiting() {
  uint32_t written = 0;
  for (Source& source : sources_) {
    PolicyLogRecord record;
    for (uint32_t count = 0; count < kRecordsPerRound && source.source.pop(record); ++count) {
      write_(format_policy_log(record, source.source.worker, names_, format_));
      ++written;
    }
    report_lost(source);
  }
  return written;
}

void PolicyLog::report_lost(Source& source) {
  const uint64_t lost = source.source.lost();
  const uint64_t more = lost - source.lost_before;
  source.lost_before = lost;
  // Smaller than before: the counters were cleared.
  if (more == 0 || more > lost) return;
  if (format_ == PolicyLogFormat::JsonLines) {
    write_(json{{"event", "lost"}, {"records", more}, {"worker", source.source.worker}}.dump());
  } else {
    write_(
        fmt::format("lost {} records of worker {}: its ring was full", more, source.source.worker));
  }
}

}  // namespace masugata::dataplane::control
