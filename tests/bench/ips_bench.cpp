// SPDX-License-Identifier: GPL-2.0-or-later
// Mbit/s per CPU second of intrusion prevention on one core: decoding, flows, streams, protocol
// parsers and rules over captures in memory; with no rules, 1,000 and 40,000. Then what a rule set
// costs to make ready, and memory.
//
//   ips_bench [--quick] [--json FILE] [--rules FILE] [--only NAME] [--megabytes N] [--write DIR]
//   [--runs N] [--costs] [--traffic-only]
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "dataplane/replay/replay.h"
#include "ids/engine/engine_counters.h"
#include "ids/plan/detection_plan.h"
#include "ids/rules/rule_set.h"
#include "tests/bench/ips_rule_text.h"
#include "tests/bench/ips_traffic.h"
#include "tests/bench/spread.h"

namespace {

using namespace masugata;  // NOLINT: a program of one file
using bench::Capture;
using bench::Spread;
using PlanPointer = std::shared_ptr<const ids::DetectionPlan>;

struct Options {
  bool quick = false;
  bool costs = false;
  bool traffic_only = false;  // neither memory nor making ready, and only the largest rule set
  std::string json_file;
  std::string rule_file;
  std::string only;
  std::string write_folder;
  uint64_t megabytes = 30;
  size_t runs = 5;
};

// Takes alerts and looks at nothing else, as a gateway whose log is off.
class AlertsOnly final : public ids::EventSink {
 public:
  void alert(const ids::AlertEvent&) noexcept override { ++alerts; }
  void drop(const ids::PacketFacts&, const ids::EventFlow*, const ids::Rule*,
            std::string_view) noexcept override {}
  void transaction(ids::Transaction&, const ids::PacketFacts*, const ids::EventFlow&,
                   ids::Direction) noexcept override {
    ++transactions;
  }
  void file(const ids::TransferredFile&, ids::Transaction&,
            const ids::EventFlow&) noexcept override {}
  void anomaly(ids::EventKind, std::string_view, const ids::PacketFacts*,
               const ids::EventFlow*) noexcept override {
    ++anomalies;
  }
  void flow_ended(const ids::EventFlow&, std::string_view) noexcept override {}
  uint64_t alerts = 0;
  uint64_t transactions = 0;
  uint64_t anomalies = 0;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Cycles of the time stamp counter in a second, which `cpu_seconds` are turned into: the wall clock
// counts other people's work as well.
double cycles_per_second() {
  const auto clock = [] {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
  };
  const double begin = clock();
  const uint64_t from = __rdtsc();
  while (clock() < begin + 0.05) {
  }
  return static_cast<double>(__rdtsc() - from) / (clock() - begin);
}

struct RunResult {
  double seconds = 0;
  uint64_t alerts = 0;
  uint64_t transactions = 0;
};

// Which rules are looked at most, beside how much work the engine had.
void print_costs(const Capture& capture, const ids::DetectionPlan* plan,
                 const ids::InspectionEngine& engine) {
  const ids::EngineCounters& counters = engine.counters();
  std::printf("%s: %lu packets, %lu scans of %lu bytes, %lu candidates, %lu matched\n",
              capture.name.c_str(), static_cast<unsigned long>(counters.packets.get()),
              static_cast<unsigned long>(counters.scans.get()),
              static_cast<unsigned long>(counters.scanned_bytes.get()),
              static_cast<unsigned long>(counters.candidates.get()),
              static_cast<unsigned long>(counters.verified.get()));
  const std::span<const ids::RuleCost> costs = engine.rule_costs();
  std::vector<size_t> order;
  for (size_t i = 0; i < costs.size(); ++i) order.push_back(i);
  for (const auto& figure : {&ids::RuleCost::cycles, &ids::RuleCost::checks}) {
    std::sort(order.begin(), order.end(), [&](size_t left, size_t right) {
      return (costs[left].*figure).get() > (costs[right].*figure).get();
    });
    std::printf("the first by %s\n", figure == &ids::RuleCost::cycles ? "cycles" : "checks");
    for (size_t place = 0; place < std::min<size_t>(order.size(), 40); ++place) {
      const ids::RuleCost& cost = costs[order[place]];
      const ids::Rule& rule = ids::rule_of(*plan, order[place]);
      std::printf("%12lu cycles %9lu checks %7lu matched  %u %s\n",
                  static_cast<unsigned long>(cost.cycles.get()),
                  static_cast<unsigned long>(cost.checks.get()),
                  static_cast<unsigned long>(cost.checks_matched.get()), rule.sid,
                  rule.message.c_str());
    }
  }
}

RunResult run_once(const Capture& capture, const ids::DetectionPlan* plan, bool costs = false) {
  dataplane::ReplaySettings settings;
  settings.inline_mode = true;
  settings.maximum_flows = 262'144;
  AlertsOnly sink;
  dataplane::Replay replay(settings, plan, sink);
  replay.engine().set_profiling(costs);
  const double begin = cpu_seconds();
  uint64_t number = 0;
  for (const bench::TimedFrame& frame : capture.frames) {
    dataplane::CapturedFrame captured;
    captured.time_us = frame.time_us;
    captured.number = ++number;
    captured.wire_bytes = static_cast<uint32_t>(frame.bytes.size());
    captured.bytes = {reinterpret_cast<const uint8_t*>(frame.bytes.data()), frame.bytes.size()};
    replay.take(captured);
  }
  replay.finish();
  const double end = cpu_seconds();
  if (costs) print_costs(capture, plan, replay.engine());
  return {end - begin, sink.alerts, sink.transactions};
}

ids::RuleSet read_text(const std::string& text) {
  ids::RuleEnvironment environment = ids::RuleEnvironment::defaults();
  environment.address_variables["HOME_NET"] = "[10.0.0.0/8]";
  environment.address_variables["EXTERNAL_NET"] = "!$HOME_NET";
  return ids::read_rules({{"bench.rules", text}}, environment);
}

struct Preparation {
  double read_seconds = 0;     // text to rules; CPU
  double compile_seconds = 0;  // rules to plan; CPU
  PlanPointer plan;
};

Preparation prepare(const std::string& text, const std::string& cache_folder) {
  Preparation done;
  double begin = cpu_seconds();
  ids::RuleSet rules = read_text(text);
  done.read_seconds = cpu_seconds() - begin;
  ids::PlanOptions options;
  options.cache_folder = cache_folder;
  begin = cpu_seconds();
  auto plan = ids::compile_plan(std::move(rules), options);
  if (!plan) {
    std::fprintf(stderr, "ips_bench: %s\n", plan.error().message().c_str());
    std::exit(1);
  }
  done.compile_seconds = cpu_seconds() - begin;
  done.plan = std::move(*plan);
  return done;
}

long peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// In a process of its own, or memory of what was measured before would count.
long peak_in_child(const std::function<void()>& body) {
  int ends[2];
  if (pipe(ends) != 0) return 0;
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const long before = peak_kilobytes();
    body();
    const long added = peak_kilobytes() - before;
    const bool told = write(ends[1], &added, sizeof added) == sizeof added;
    _exit(told ? 0 : 1);
  }
  long added = 0;
  close(ends[1]);
  if (read(ends[0], &added, sizeof added) != sizeof added) added = 0;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return added;
}

struct RuleChoice {
  std::string name;
  std::string text;
};

nlohmann::json json_of(const Spread& spread) {
  return {{"median", spread.median}, {"lowest", spread.lowest}, {"highest", spread.highest}};
}

void measure_preparation(const RuleChoice& rules, const Options& options, nlohmann::json& report) {
  const std::string cache =
      (std::filesystem::temp_directory_path() / ("ips_bench." + std::to_string(getpid()))).string();
  std::filesystem::create_directories(cache);
  // Memory first: what others leave behind in the heap would be used again, and not be seen.
  const long ready = peak_in_child([&] { static_cast<void>(prepare(rules.text, cache)); });
  // A reload: the old plan stays in use until the new one is there.
  const long reload = peak_in_child([&] {
    const Preparation old = prepare(rules.text, cache);
    static_cast<void>(prepare(rules.text, cache));
  });
  std::vector<double> cold;
  std::vector<double> cached;
  Preparation last;
  for (size_t run = 0; run < std::min<size_t>(options.runs, 3); ++run) {
    std::filesystem::remove_all(cache);
    std::filesystem::create_directories(cache);
    last = prepare(rules.text, cache);
    cold.push_back(last.read_seconds + last.compile_seconds);
    last = prepare(rules.text, cache);
    cached.push_back(last.read_seconds + last.compile_seconds);
  }
  const ids::PlanFacts& facts = ids::facts_of(*last.plan);
  std::filesystem::remove_all(cache);
  const Spread cold_spread = bench::spread_of(cold);
  const Spread cached_spread = bench::spread_of(cached);
  std::printf(
      "%-12s %6zu rules  cold %5.2f s (%.2f-%.2f)  cached %5.2f s (%.2f-%.2f)  "
      "peak %ld MB, reload %ld MB\n",
      rules.name.c_str(), facts.rules, cold_spread.median, cold_spread.lowest, cold_spread.highest,
      cached_spread.median, cached_spread.lowest, cached_spread.highest, ready / 1024,
      reload / 1024);
  report["ready"][rules.name] = {{"rules", facts.rules},
                                 {"cold_seconds", json_of(cold_spread)},
                                 {"cached_seconds", json_of(cached_spread)},
                                 {"peak_kilobytes", ready},
                                 {"reload_peak_kilobytes", reload}};
}

void measure_captures(const std::vector<RuleChoice>& choices, const std::vector<Capture>& captures,
                      const Options& options, nlohmann::json& report) {
  const double frequency = cycles_per_second();
  std::vector<PlanPointer> plans;
  for (const RuleChoice& choice : choices) {
    plans.push_back(choice.text.empty() ? nullptr : prepare(choice.text, "").plan);
  }
  struct Series {
    std::vector<double> rates;
    RunResult last;
  };
  std::map<std::pair<size_t, size_t>, Series> all;
  // One after the other, several times over: what disturbs the machine disturbs all.
  for (size_t run = 0; run < options.runs; ++run) {
    for (size_t i = 0; i < captures.size(); ++i) {
      for (size_t j = 0; j < choices.size(); ++j) {
        Series& series = all[{i, j}];
        series.last = run_once(captures[i], plans[j].get());
        series.rates.push_back(static_cast<double>(captures[i].bytes) * 8 / 1e6 /
                               series.last.seconds);
      }
    }
  }
  for (const auto& [place, series] : all) {
    const Capture& capture = captures[place.first];
    const RuleChoice& choice = choices[place.second];
    const Spread rate = bench::spread_of(series.rates);
    const double cycles = frequency * 8 / 1e6 / rate.median;
    std::printf(
        "%-5s %-12s %7.0f Mbit/s (%.0f-%.0f)  %6.2f cycles/byte  %lu alerts, "
        "%lu transactions\n",
        capture.name.c_str(), choice.name.c_str(), rate.median, rate.lowest, rate.highest, cycles,
        static_cast<unsigned long>(series.last.alerts),
        static_cast<unsigned long>(series.last.transactions));
    report["captures"][capture.name][choice.name] = {{"mbit_per_second", json_of(rate)},
                                                     {"cycles_per_byte", cycles},
                                                     {"alerts", series.last.alerts},
                                                     {"transactions", series.last.transactions}};
  }
}

void measure_memory(const RuleChoice& rules, const std::vector<Capture>& captures,
                    nlohmann::json& report) {
  for (const Capture& capture : captures) {
    const long peak = peak_in_child([&] {
      const Preparation ready = prepare(rules.text, "");
      static_cast<void>(run_once(capture, ready.plan.get()));
    });
    std::printf("%-5s %-12s peak %ld MB with rules, streams and transactions\n",
                capture.name.c_str(), rules.name.c_str(), peak / 1024);
    report["captures"][capture.name][rules.name]["peak_kilobytes"] = peak;
  }
}

std::optional<Options> read_options(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const std::string value = i + 1 < count ? words[i + 1] : "";
    if (word == "--quick") {
      options.quick = true;
      options.runs = 1;
      options.megabytes = 10;
      continue;
    }
    if (word == "--costs") {
      options.costs = true;
      continue;
    }
    if (word == "--traffic-only") {
      options.traffic_only = true;
      continue;
    }
    if (value.empty()) return std::nullopt;
    ++i;
    if (word == "--json") {
      options.json_file = value;
    } else if (word == "--rules") {
      options.rule_file = value;
    } else if (word == "--only") {
      options.only = value;
    } else if (word == "--write") {
      options.write_folder = value;
    } else if (word == "--megabytes") {
      options.megabytes = std::strtoull(value.c_str(), nullptr, 10);
    } else if (word == "--runs") {
      options.runs = std::strtoull(value.c_str(), nullptr, 10);
    } else {
      return std::nullopt;
    }
  }
  return options;
}

std::vector<Capture> make_captures(const Options& options) {
  std::vector<Capture> captures;
  const uint64_t bytes = options.megabytes * 1'000'000;
  const auto wanted = [&](const char* name) {
    return options.only.empty() || options.only == name;
  };
  if (wanted("HTTP")) captures.push_back(bench::make_http_capture(bytes));
  if (wanted("DNS")) captures.push_back(bench::make_dns_capture(bytes / 2));
  if (wanted("mix")) captures.push_back(bench::make_mixed_capture(bytes));
  for (const Capture& capture : captures) {
    std::printf("%-5s %zu frames, %.1f MB, %lu flows\n", capture.name.c_str(),
                capture.frames.size(), static_cast<double>(capture.bytes) / 1e6,
                static_cast<unsigned long>(capture.flows));
    if (options.write_folder.empty()) continue;
    const Status written =
        bench::write_pcap(capture, options.write_folder + "/" + capture.name + ".pcap");
    if (!written) std::fprintf(stderr, "ips_bench: %s\n", written.error().message().c_str());
  }
  return captures;
}

std::vector<RuleChoice> make_choices(const Options& options) {
  std::vector<RuleChoice> choices{{"none", ""}};
  if (options.rule_file.empty()) {
    choices.push_back({"1,000", bench::make_rule_text(1000)});
    choices.push_back({"40,000", bench::make_rule_text(40'000)});
    return choices;
  }
  std::ifstream file(options.rule_file, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  choices.push_back({"file", text.str()});
  return choices;
}

}  // namespace

int main(int count, char** words) {
  const std::optional<Options> options = read_options(count, words);
  if (!options) {
    std::fprintf(stderr,
                 "usage: ips_bench [--quick] [--json FILE] [--rules FILE] [--only NAME] "
                 "[--megabytes N] [--runs N] [--write DIR] [--costs] "
                 "[--traffic-only]\n");
    return 2;
  }
  nlohmann::json report;
  const std::vector<Capture> captures = make_captures(*options);
  const std::vector<RuleChoice> choices = make_choices(*options);
  if (options->costs) {
    const PlanPointer plan = prepare(choices.back().text, "").plan;
    for (const Capture& capture : captures) {
      static_cast<void>(run_once(capture, plan.get(), true));
    }
    return 0;
  }
  if (options->traffic_only) {
    measure_captures({choices.back()}, captures, *options, report);
    return 0;
  }
  measure_memory(choices.back(), captures, report);
  // The largest first: heap that others left behind would hide what the next one takes.
  for (size_t i = choices.size(); i-- > 1;) measure_preparation(choices[i], *options, report);
  measure_captures(choices, captures, *options, report);
  if (!options->json_file.empty()) std::ofstream(options->json_file) << report.dump(2) << "\n";
  return 0;
}
