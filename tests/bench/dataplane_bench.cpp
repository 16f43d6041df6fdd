// SPDX-License-Identifier: GPL-2.0-or-later
// Cycles per packet of the whole packet path, in memory. docs/benchmarks.md describes the method.
//   dataplane_bench [--json FILE] [--quick] [--only CASE]
#include <fmt/format.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <sched.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dataplane/platform/eal.h"
#include "tests/bench/measurement.h"
#include "tests/bench/spread.h"

namespace {

using namespace masugata;         // NOLINT: a program of one file
using namespace masugata::bench;  // NOLINT
using nlohmann::json;

constexpr uint32_t kMemoryMb = 640;
constexpr uint32_t kMillion = 1'000'000;

struct Options {
  std::string json_file;
  bool quick = false;
  std::string only;  // a case's name; empty for all
};

struct Series {
  Case chosen;
  std::vector<RunResult> runs;

  [[nodiscard]] Spread spread(double RunResult::*value) const {
    std::vector<double> values;
    for (const RunResult& run : runs) values.push_back(run.*value);
    return spread_of(values);
  }
  [[nodiscard]] double stage(size_t number) const {
    std::vector<double> values;
    for (const RunResult& run : runs) values.push_back(run.stages[number]);
    return spread_of(values).median;
  }
};

Case established(const char* name, uint32_t sessions, bool source_nat) {
  Case chosen;
  chosen.name = name;
  chosen.sessions = sessions;
  chosen.shape.source_nat = source_nat;
  if (sessions > chosen.shape.session_capacity) chosen.shape.session_capacity = 1U << 20U;
  return chosen;
}

Case opening(const char* name, Traffic traffic, uint32_t rules, bool source_nat) {
  Case chosen;
  chosen.name = name;
  chosen.traffic = traffic;
  chosen.shape.policy_rules = rules;
  chosen.shape.source_nat = source_nat;
  if (traffic == Traffic::Evicting) chosen.shape.session_capacity = 16'384;
  return chosen;
}

std::vector<Case> all_cases(bool quick) {
  std::vector<Case> cases{
      established("plain-1k", 1'000, false),
      established("nat-1k", 1'000, true),
      established("plain-100k", 100'000, false),
      established("nat-100k", 100'000, true),
  };
  if (!quick) {
    cases.push_back(established("plain-1m", kMillion, false));
    cases.push_back(established("nat-1m", kMillion, true));
    cases.push_back(established("nat-100k-10k-rules", 100'000, true));
    cases.back().shape.policy_rules = 10'000;
  }
  cases.push_back(established("nat-1k-checked-by-port", 1'000, true));
  cases.back().checksums_checked = true;
  cases.push_back(established("nat-1k-whole-turn", 1'000, true));
  cases.back().whole_turn = true;
  cases.push_back(opening("new-plain", Traffic::Opening, 10, false));
  cases.push_back(opening("new-nat", Traffic::Opening, 10, true));
  cases.push_back(opening("new-nat-evicting", Traffic::Evicting, 10, true));
  if (!quick) {
    cases.push_back(opening("new-plain-10k-rules", Traffic::Opening, 10'000, false));
    cases.push_back(opening("new-nat-10k-rules", Traffic::Opening, 10'000, true));
  }
  return cases;
}

// Chunks of new sessions are small, and the evicting ones begin with a full table.
RunLength length_of(const Case& chosen, bool quick) {
  RunLength length;
  if (chosen.traffic == Traffic::Opening) length = {100, 800};
  if (chosen.traffic == Traffic::Evicting) length = {200, 800};
  if (quick) length.chunks /= 4;
  return length;
}

double megahertz() { return static_cast<double>(rte_get_tsc_hz()) / 1e6; }

json json_of(const Spread& spread) {
  return {{"median", spread.median}, {"lowest", spread.lowest}, {"highest", spread.highest}};
}

json json_of(const Series& series) {
  json entry{{"name", series.chosen.name},
             {"sessions", series.chosen.sessions},
             {"session_capacity", series.chosen.shape.session_capacity},
             {"policy_rules", series.chosen.shape.policy_rules},
             {"source_nat", series.chosen.shape.source_nat},
             {"opens_sessions", series.chosen.traffic != Traffic::Established},
             {"cycles_p5", json_of(series.spread(&RunResult::p5))},
             {"cycles_p50", json_of(series.spread(&RunResult::p50))}};
  entry["million_per_second"] = megahertz() / series.spread(&RunResult::p50).median;
  for (size_t stage = 0; stage < dataplane::kStageCount; ++stage) {
    entry["stage_cycles"][std::string(dataplane::kStageNames[stage])] = series.stage(stage);
  }
  return entry;
}

const Series* find(const std::vector<Series>& all, const std::string& name) {
  for (const Series& series : all) {
    if (series.chosen.name == name) return &series;
  }
  return nullptr;
}

// Ratios of medians are steadier than cycles: a noisy machine slows both sides.
json ratios_of(const std::vector<Series>& all) {
  json ratios;
  const auto add = [&](const char* name, const char* above, const char* below) {
    const Series* first = find(all, above);
    const Series* second = find(all, below);
    if (first == nullptr || second == nullptr) return;
    ratios[name] = first->spread(&RunResult::p50).median / second->spread(&RunResult::p50).median;
  };
  add("nat / plain at 1k", "nat-1k", "plain-1k");
  add("nat / plain at 100k", "nat-100k", "plain-100k");
  add("nat / plain at 1m", "nat-1m", "plain-1m");
  add("100k / 1k with nat", "nat-100k", "nat-1k");
  add("1m / 1k with nat", "nat-1m", "nat-1k");
  add("10,000 / 10 rules, established", "nat-100k-10k-rules", "nat-100k");
  add("10,000 / 10 rules, new", "new-nat-10k-rules", "new-nat");
  return ratios;
}

json memory_per_session() {
  dataplane::SessionTableSettings settings;
  settings.capacity = kMillion;
  const auto total = static_cast<double>(dataplane::SessionTable::memory_bytes(settings));
  const auto index = static_cast<double>(dataplane::SessionIndex::memory_bytes(2 * kMillion));
  return {{"session_bytes", sizeof(dataplane::Session)},
          {"index_bytes", index / kMillion},
          {"total_bytes", total / kMillion}};
}

void print(const Series& series) {
  const Spread p5 = series.spread(&RunResult::p5);
  const Spread p50 = series.spread(&RunResult::p50);
  fmt::print("{:<24} {:>7.0f} {:>7.0f} ({:.0f}-{:.0f})  {:>6.2f}  ", series.chosen.name, p5.median,
             p50.median, p50.lowest, p50.highest, megahertz() / p50.median);
  for (size_t stage = 0; stage < dataplane::kStageCount; ++stage) {
    if (series.stage(stage) < 0.5) continue;
    fmt::print(" {} {:.0f}", dataplane::kStageNames[stage], series.stage(stage));
  }
  fmt::print("\n");
}

bool read_options(int count, char** arguments, Options& options) {
  for (int i = 1; i < count; ++i) {
    const std::string word = arguments[i];
    if (word == "--quick") {
      options.quick = true;
    } else if (word == "--json" && i + 1 < count) {
      options.json_file = arguments[++i];
    } else if (word == "--only" && i + 1 < count) {
      options.only = arguments[++i];
    } else {
      return false;
    }
  }
  return true;
}

// All cases one after the other, and that several times: what disturbs the machine disturbs all.
bool run_all(std::vector<Series>& all, BenchPorts& ports, bool quick) {
  const uint32_t runs = quick ? 3 : 5;
  for (uint32_t run = 0; run < runs; ++run) {
    for (Series& series : all) {
      auto result = run_case(series.chosen, ports, length_of(series.chosen, quick));
      if (!result) {
        fmt::print(stderr, "{}: {}\n", series.chosen.name, result.error().message());
        return false;
      }
      series.runs.push_back(*result);
    }
  }
  return true;
}

int measure(const Options& options, bool hugepages) {
  auto ports = BenchPorts::create();
  if (!ports) {
    fmt::print(stderr, "{}\n", ports.error().message());
    return 1;
  }
  std::vector<Series> all;
  for (Case& chosen : all_cases(options.quick)) {
    if (!options.only.empty() && options.only != chosen.name) continue;
    all.push_back({std::move(chosen), {}});
  }
  if (!run_all(all, **ports, options.quick)) return 1;

  fmt::print("cycles per 64-byte packet, one core of {:.0f} MHz, {}, built for {}\n", megahertz(),
             hugepages ? "hugepages" : "no hugepages", MASUGATA_MACHINE);
  fmt::print("{:<24} {:>7} {:>7} (runs)     {:>6}   cycles per packet inside the stages, p50\n", "",
             "p5", "p50", "M/s");
  json results = json::array();
  for (const Series& series : all) {
    print(series);
    results.push_back(json_of(series));
  }
  const json memory = memory_per_session();
  const json ratios = ratios_of(all);
  for (const auto& [name, ratio] : ratios.items()) {
    fmt::print("{:<32} {:.2f}\n", name, ratio.get<double>());
  }
  fmt::print("{:<32} {:.0f} bytes\n", "memory per session", memory["total_bytes"].get<double>());
  if (options.json_file.empty()) return 0;
  std::ofstream file(options.json_file);
  file << json{{"tsc_mhz", megahertz()}, {"hugepages", hugepages}, {"machine", MASUGATA_MACHINE},
               {"results", results},     {"ratios", ratios},       {"memory", memory},
               {"quick", options.quick}}
              .dump(2)
       << "\n";
  return file.good() ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  if (!read_options(count, arguments, options)) {
    fmt::print(stderr, "usage: dataplane_bench [--json FILE] [--quick] [--only CASE]\n");
    return 2;
  }
  dataplane::EalSettings settings;
  settings.control_core = dataplane::available_cores().back();
  settings.memory_mb = kMemoryMb;
  auto eal = dataplane::start_eal(settings);
  if (!eal) {
    fmt::print(stderr, "{}\n", eal.error().message());
    return 1;
  }
  const int status = measure(options, eal->hugepages);
  rte_eal_cleanup();
  return status;
}
