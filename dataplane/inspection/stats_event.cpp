// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/inspection/stats_event.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "ids/engine/engine_counters.h"
#include "ids/eve/json_writer.h"

namespace masugata::dataplane {
namespace {

using ids::JsonWriter;

constexpr size_t kLineBytes = 16 * 1024;

void add_engine(const ids::EngineCounters& engine, StatsFigures& figures) {
  figures.bytes += engine.packet_bytes.get();
  figures.memory_bytes += engine.memory_bytes.get();
  figures.drops += engine.drops.get();
  figures.alerts += engine.alerts.get();
  figures.alerts_discarded += engine.alerts_discarded.get();
  figures.alerts_suppressed += engine.alerts_suppressed.get();
  figures.parsers_failed += engine.parsers_failed.get();
  for (size_t i = 0; i < StatsFigures::kProtocols; ++i) {
    figures.protocol_flows[i] += engine.protocol_flows[i].get();
    figures.protocol_transactions[i] += engine.protocol_transactions[i].get();
  }
}

void add_inspector(const Inspector& inspector, StatsFigures& figures) {
  const InspectionCounters& counters = inspector.counters();
  figures.packets += counters.packets.get();
  figures.flows += counters.sessions.get();
  figures.flows_now += counters.sessions_now.get();
  figures.segments_rewritten += counters.segments_rewritten.get();
  figures.segments_refused += counters.segments_refused.get();
  figures.passed_midstream += counters.passed_midstream.get();
  figures.memory_full += counters.passed_memory.get();
  figures.overload += counters.passed_overload.get();
  if (inspector.event_ring() != nullptr) figures.events_lost += inspector.event_ring()->lost();
}

void write_traffic(const StatsFigures& figures, JsonWriter& json) {
  json.open_object("capture");
  json.member("kernel_packets", figures.received_packets);
  json.close_object();
  json.open_object("decoder");
  json.member("pkts", figures.packets);
  json.member("bytes", figures.bytes);
  json.close_object();
  json.open_object("flow");
  json.member("total", figures.flows);
  json.member("active", figures.flows_now);
  json.member("memuse", figures.memory_bytes);
  json.close_object();
  json.open_object("tcp");
  json.member("midstream_pickups", figures.passed_midstream);
  json.member("overlap_diff_data", figures.segments_rewritten);
  json.member("segments_refused", figures.segments_refused);
  json.member("segment_memcap_drop", figures.memory_full);
  json.close_object();
  json.open_object("ips");
  json.member("accepted", figures.packets - std::min(figures.drops, figures.packets));
  json.member("blocked", figures.drops);
  json.member("sessions_passed_by_overload", figures.overload);
  json.member("events_lost", figures.events_lost);
  json.close_object();
}

void write_detection(const StatsFigures& figures, JsonWriter& json) {
  json.open_object("detect");
  json.open_array("engines");
  for (size_t i = 0; i < figures.engines.size(); ++i) {
    json.open_object();
    json.member("id", uint64_t{i});
    json.member("profile", std::string_view(figures.engines[i].profile));
    if (figures.rules_loaded_at_s > 0) {
      json.member_time("last_reload", static_cast<uint64_t>(figures.rules_loaded_at_s) * 1'000'000);
    }
    json.member("rules_loaded", figures.engines[i].rules_loaded);
    json.member("rules_failed", figures.rules_failed);
    json.close_object();
  }
  json.close_array();
  json.member("alert", figures.alerts);
  json.member("alert_queue_overflow", figures.alerts_discarded);
  json.member("alerts_suppressed", figures.alerts_suppressed);
  json.close_object();
}

void write_protocols(std::string_view name,
                     const std::array<uint64_t, StatsFigures::kProtocols>& of, JsonWriter& json) {
  json.open_object(name);
  for (size_t i = 0; i < of.size(); ++i) {
    const auto protocol = static_cast<ids::ApplicationProtocol>(i);
    if (of[i] != 0) json.member(ids::protocol_name(protocol), of[i]);
  }
  json.close_object();
}

void write_counts(const StatsFigures::Antivirus::Counts& counts, JsonWriter& json) {
  for (const auto& [name, count] : counts) json.member(name, count);
}

void write_antivirus(const StatsFigures::Antivirus& antivirus, JsonWriter& json) {
  json.open_object("antivirus");
  write_counts(antivirus.counters, json);
  json.open_object("passed");
  write_counts(antivirus.passed, json);
  json.close_object();
  json.open_object("refused");
  write_counts(antivirus.refused, json);
  json.close_object();
  json.close_object();
}

}  // namespace

StatsFigures gather_stats(const InspectionManager& manager) {
  StatsFigures figures;
  const InspectionSet* running = manager.running();
  for (const Inspector* inspector : manager.inspectors()) {
    add_inspector(*inspector, figures);
    const size_t slots = running == nullptr ? 0 : running->slots.size();
    for (size_t slot = 0; slot < slots; ++slot) {
      const auto* engine = inspector->engine(static_cast<InspectionSlotIndex>(slot));
      if (engine != nullptr) add_engine(engine->counters(), figures);
    }
  }
  if (running != nullptr) {
    for (const InspectionSlot& slot : running->slots) {
      figures.engines.push_back(
          {slot.name, slot.plan == nullptr ? 0 : ids::number_of_rules(*slot.plan)});
    }
  }
  figures.rules_failed = manager.report().loaded.problems.size();
  figures.rules_loaded_at_s = manager.report().at_s;
  return figures;
}

std::string stats_event(const StatsFigures& figures, uint64_t time_us) {
  std::vector<char> buffer(kLineBytes);
  JsonWriter json(buffer);
  json.open_object();
  json.member_time("timestamp", time_us);
  json.member("event_type", std::string_view("stats"));
  json.open_object("stats");
  json.member("uptime", figures.uptime_s);
  write_traffic(figures, json);
  write_detection(figures, json);
  json.open_object("app_layer");
  write_protocols("flow", figures.protocol_flows, json);
  write_protocols("tx", figures.protocol_transactions, json);
  json.open_object("error");
  json.member("parser", figures.parsers_failed);
  json.close_object();
  json.close_object();
  if (figures.antivirus) write_antivirus(*figures.antivirus, json);
  json.close_object();
  json.close_object();
  return json.overflowed() ? std::string() : std::string(json.text());
}

bool wants_stats(const config::IpsLog& log) {
  return log.events.empty() ||
         std::find(log.events.begin(), log.events.end(), "stats") != log.events.end();
}

}  // namespace masugata::dataplane
