// SPDX-License-Identifier: GPL-2.0-or-later
// The machine side: system, interfaces, routes, neighbours, drops.
#include <fmt/format.h>

#include <algorithm>

#include "mgmt-cli/output/render.h"
#include "mgmt-cli/output/table.h"
#include "mgmt-cli/output/units.h"

namespace masugata::cli {
namespace {

std::string per(uint64_t sum, uint64_t count) {
  if (count == 0) return "-";
  return fmt::format("{:.1f}", static_cast<double>(sum) / static_cast<double>(count));
}

std::string last_reload(const Json& answer) {
  const std::string outcome = text_of(answer, "last_reload");
  if (outcome == "never" || outcome.empty()) return "none since the start";
  std::string text = fmt::format("{} {} ago", outcome,
                                 format_duration(number_of(answer, "last_reload_seconds_ago")));
  const std::string message = text_of(answer, "last_reload_message");
  return message.empty() ? text : text + ": " + message;
}

std::string link_of(const Json& interface) {
  if (!flag_of(interface, "enabled")) return "disabled";
  if (!flag_of(interface, "link_up")) return "down";
  const std::string speed = format_speed(number_of(interface, "speed_mbps"));
  return speed.empty() ? "up" : "up " + speed;
}

void add_counters(Table& table, const std::string& name, const char* direction,
                  const Json& counters) {
  table.add_row({name, direction, format_count(number_of(counters, "packets")),
                 format_bytes(number_of(counters, "bytes")),
                 format_count(number_of(counters, "errors")),
                 format_count(number_of(counters, "missed"))});
}

std::string shown_of_total(size_t shown, uint64_t total, std::string_view singular) {
  if (shown >= total) return format_number_of(total, singular) + "\n";
  return fmt::format("showing {} of {}: 'limit COUNT' shows more\n", format_count(shown),
                     format_number_of(total, singular));
}

}  // namespace

std::string render_system(const Json& answer) {
  std::string text;
  const auto line = [&text](const char* name, const std::string& value) {
    text += fmt::format("{:<16} {}\n", name, printable(value));
  };
  line("host name", text_of(answer, "host_name"));
  line("version", text_of(answer, "version"));
  line("up for", format_duration(number_of(answer, "uptime_seconds")));
  line("configuration", fmt::format("{}, generation {}", text_of(answer, "configuration_file"),
                                    number_of(answer, "snapshot_generation")));
  line("last reload", last_reload(answer));
  line("hw profile",
       fmt::format("{}, {} hugepages, idle workers: {}", text_of(answer, "hw_profile"),
                   flag_of(answer, "hugepages") ? "with" : "without",
                   text_of(answer, "idle_policy")));

  Table memory({{"MEMORY"}, {"IN USE"}, {"RESERVED", Align::Right}});
  for (const Json& table : list_of(answer, "memory")) {
    memory.add_row({text_of(table, "name"),
                    format_usage(number_of(table, "in_use"), number_of(table, "bound")),
                    number_of(table, "bytes") == 0 ? "" : format_bytes(number_of(table, "bytes"))});
  }
  if (!memory.is_empty()) text += "\n" + memory.to_string();

  for (const Json& worker : list_of(answer, "workers")) {
    text += fmt::format("\nworker {} on core {}: {} busy, {}\n", number_of(worker, "index"),
                        number_of(worker, "core"), format_percent(real_of(worker, "busy_percent")),
                        format_number_of(number_of(worker, "packets"), "packet"));
    Table stages({{"STAGE"},
                  {"PACKETS", Align::Right},
                  {"PACKETS/CALL", Align::Right},
                  {"CYCLES/PACKET", Align::Right}});
    for (const Json& stage : list_of(worker, "stages")) {
      const uint64_t packets = number_of(stage, "packets");
      stages.add_row({text_of(stage, "name"), format_count(packets),
                      per(packets, number_of(stage, "calls")),
                      per(number_of(stage, "cycles"), packets)});
    }
    text += stages.to_string("  ");
  }
  return text;
}

std::string render_interfaces(const Json& answer) {
  Table overview({{"INTERFACE"},
                  {"ZONE"},
                  {"LINK"},
                  {"MTU", Align::Right},
                  {"MAC"},
                  {"ADDRESSES"},
                  {"VLAN", Align::Right},
                  {"DEVICE"},
                  {"DRIVER"},
                  {"KERNEL TWIN"},
                  {"OFFLOADS"}});
  Table counters({{"INTERFACE"},
                  {"DIRECTION"},
                  {"PACKETS", Align::Right},
                  {"BYTES", Align::Right},
                  {"ERRORS", Align::Right},
                  {"MISSED", Align::Right}});
  for (const Json& interface : list_of(answer, "interfaces")) {
    const uint64_t vlan = number_of(interface, "vlan");
    const std::string name = text_of(interface, "name");
    overview.add_row({name, text_of(interface, "zone"), link_of(interface),
                      std::to_string(number_of(interface, "mtu")), text_of(interface, "mac"),
                      joined_of(interface, "addresses"), vlan == 0 ? "" : std::to_string(vlan),
                      text_of(interface, "device"), text_of(interface, "driver"),
                      text_of(interface, "tap"), joined_of(interface, "offloads")});
    add_counters(counters, name, "received", member(interface, "received"));
    add_counters(counters, name, "sent", member(interface, "sent"));
    if (text_of(interface, "tap").empty()) continue;
    add_counters(counters, name, "to kernel", member(interface, "to_kernel"));
    add_counters(counters, name, "from kernel", member(interface, "from_kernel"));
  }
  if (overview.is_empty()) return "no interfaces are configured\n";
  return overview.to_string() + "\n" + counters.to_string();
}

std::string render_routes(const Json& answer) {
  Table table({{"DESTINATION"}, {"KIND"}, {"VIA"}, {"INTERFACE"}, {"ORIGIN"}});
  for (const Json& route : list_of(answer, "routes")) {
    table.add_row({text_of(route, "destination"), text_of(route, "kind"), text_of(route, "via"),
                   text_of(route, "interface"),
                   flag_of(route, "configured") ? "configuration" : "kernel"});
  }
  return table.to_string() +
         shown_of_total(list_of(answer, "routes").size(), number_of(answer, "total"), "route");
}

std::string render_neighbours(const Json& answer) {
  Table table({{"ADDRESS"}, {"INTERFACE"}, {"MAC"}, {"STATE"}});
  for (const Json& neighbour : list_of(answer, "neighbours")) {
    table.add_row({text_of(neighbour, "address"), text_of(neighbour, "interface"),
                   text_of(neighbour, "mac"), text_of(neighbour, "state")});
  }
  return table.to_string() + shown_of_total(list_of(answer, "neighbours").size(),
                                            number_of(answer, "total"), "neighbour");
}

std::string render_drops(const Json& answer) {
  std::vector<Json> drops = list_of(answer, "drops").get<std::vector<Json>>();
  std::stable_sort(drops.begin(), drops.end(), [](const Json& left, const Json& right) {
    return number_of(left, "total") > number_of(right, "total");
  });
  Table table({{"PACKETS", Align::Right},
               {"PER SECOND", Align::Right},
               {"REASON"},
               {"INTERFACES"},
               {"MEANING"}});
  uint64_t sum = 0;
  for (const Json& drop : drops) {
    std::string interfaces;
    for (const auto& [name, count] : member(drop, "by_interface").items()) {
      if (!interfaces.empty()) interfaces += ", ";
      interfaces += name + " " +
                    format_count(count.is_number_unsigned() ? count.get<uint64_t>() : uint64_t{0});
    }
    sum += number_of(drop, "total");
    table.add_row({format_count(number_of(drop, "total")), format_rate(real_of(drop, "per_second")),
                   text_of(drop, "reason"), interfaces, text_of(drop, "explanation")});
  }
  return table.to_string() + fmt::format("{} dropped, {} received; rates over the last {:.0f} s\n",
                                         format_count(sum),
                                         format_count(number_of(answer, "received_packets")),
                                         real_of(answer, "interval_seconds"));
}

std::string render_trace_line(const Json& line) {
  std::string text;
  if (const uint64_t lost = number_of(line, "lost_before"); lost > 0) {
    text = fmt::format("({} did not fit and are lost)\n", format_number_of(lost, "line"));
  }
  const uint64_t time_us = number_of(line, "time_us");
  const std::string flow = text_of(line, "flow");
  text += fmt::format("#{} worker {} {}.{:06}s {:<10} {}{}\n", number_of(line, "packet"),
                      number_of(line, "worker"), time_us / 1000000, time_us % 1000000,
                      printable(text_of(line, "stage")), flow.empty() ? "" : printable(flow) + ": ",
                      printable(text_of(line, "decision")));
  return text;
}

}  // namespace masugata::cli
