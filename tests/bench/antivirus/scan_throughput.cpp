// SPDX-License-Identifier: GPL-2.0-or-later
// Does the scanner service scan as fast as libclamav called directly? Same objects, same
// signatures, as many processes, in turn, in one run.
#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <thread>

#include "av-stream/exchange/worker_region.h"
#include "av-stream/scand/scan_service.h"
#include "av-stream/scand/test_archives.h"
#include "tests/bench/antivirus/direct_scanners.h"
#include "tests/bench/antivirus/made_objects.h"
#include "tests/bench/spread.h"

namespace masugata::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kBlocks = 8192;
constexpr uint32_t kUnderWay = 64;

struct Options {
  std::string folder;
  std::string json;
  std::string only;  // the work of this name
  uint32_t processes = 2;
  uint32_t rounds = 5;
};

struct Work {
  std::string name;
  std::vector<std::string> objects;
  [[nodiscard]] double megabytes() const {
    double bytes = 0;
    for (const std::string& object : objects) bytes += static_cast<double>(object.size());
    return bytes / 1e6;
  }
};

// Of one pass over a list.
struct Pass {
  double wall_s = 0;
  double processor_s = 0;
};

Work make_work(std::string name, size_t bytes, std::vector<ObjectKind> kinds, size_t count) {
  Work work{std::move(name), {}};
  for (size_t i = 0; i < count; ++i) {
    work.objects.push_back(made_object(kinds[i % kinds.size()], bytes, i + 1));
  }
  return work;
}

// ZIP archives of a thousand members each: what is done for every member counts.
Work make_archives(std::string name, size_t member_bytes, size_t count) {
  using enum ObjectKind;
  constexpr std::array kKinds = {Page, Text, Noise};
  constexpr size_t kMembers = 1000;
  Work work{std::move(name), {}};
  for (size_t archive = 0; archive < count; ++archive) {
    std::map<std::string, std::string> members;
    for (size_t i = 0; i < kMembers; ++i) {
      members[fmt::format("member{}.txt", i)] =
          made_object(kKinds[i % kKinds.size()], member_bytes, archive * kMembers + i + 1);
    }
    work.objects.push_back(av::archived({ARCHIVE_FORMAT_ZIP}, members));
  }
  return work;
}

std::vector<Work> all_work() {
  using enum ObjectKind;
  return {make_work("1 KB, mix", 1000, {Page, Text, Noise}, 300),
          make_work("1 KB, noise", 1000, {Noise}, 300),
          make_work("10 KB, mix", 10'000, {Page, Text, Noise}, 150),
          make_work("100 KB, pages", 100'000, {Page}, 20),
          make_work("100 KB, text", 100'000, {Text}, 20),
          make_work("100 KB, noise", 100'000, {Noise}, 40),
          make_work("10 MB, noise", 10'000'000, {Noise}, 4),
          make_archives("ZIP of 1,000", 500, 4)};
}

double processor_time_of(const std::vector<pid_t>& processes) {
  double sum = 0;
  for (const pid_t process : processes) sum += processor_time_s(process);
  return sum;
}

class Service {
 public:
  static Result<Service> start(const Options& options) {
    av::ServiceOptions service_options;
    if (geteuid() == 0) {
      auto user = av::find_sandbox_user("nobody");
      if (!user) return tl::unexpected(user.error());
      service_options.user = *user;
    } else {
      service_options.sandbox_required = false;
    }
    auto service = av::ScanService::create(service_options);
    if (!service) return tl::unexpected(service.error());
    auto worker = av::WorkerRegion::create(kBlocks);
    if (!worker) return tl::unexpected(worker.error());
    Service made(std::move(*service), std::move(*worker));
    if (auto status = made.load(options); !status) return tl::unexpected(status.error());
    return made;
  }

  [[nodiscard]] std::vector<pid_t> processes() const {
    std::vector<pid_t> found;
    for (const av::ScannerSeat& seat : service_.current()->board().seats) {
      if (seat.holder.load() != 0) found.push_back(seat.process.load());
    }
    return found;
  }

  // How many were not found clean.
  int64_t scan(const Work& work) {
    av::ScanLimits limits;
    limits.report_encrypted = 1;
    limits.report_limits = 1;
    int64_t not_clean = 0;
    size_t asked = 0;
    for (size_t answered = 0; answered < work.objects.size();) {
      while (asked < work.objects.size() && asked - answered < kUnderWay &&
             ask(work.objects[asked], limits)) {
        ++asked;
      }
      auto answer = worker_.take_answer();
      if (!answer) {
        service_.tick();
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        continue;
      }
      if (answer->outcome != av::ScanOutcome::Clean) ++not_clean;
      worker_.release(answer->object);
      ++answered;
    }
    return not_clean;
  }

 private:
  Service(av::ScanService service, av::WorkerRegion worker)
      : service_(std::move(service)), worker_(std::move(worker)) {}

  Status load(const Options& options) {
    av::ScandSettings settings;
    settings.signature_directories = {options.folder};
    settings.scanners = options.processes;
    service_.configure(settings);
    std::vector<av::Descriptor> descriptors;
    descriptors.emplace_back(dup(worker_.descriptor()));
    if (auto status = service_.take_regions(std::move(descriptors)); !status) return status;
    while (!service_.ready() || processes().size() < options.processes) {
      if (!service_.refusal().empty()) return failure(options.folder, service_.refusal());
      service_.tick();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return {};
  }

  bool ask(const std::string& object, const av::ScanLimits& limits) {
    av::StoredObject stored;
    const std::span bytes(reinterpret_cast<const uint8_t*>(object.data()), object.size());
    if (!worker_.append(stored, bytes)) return false;
    if (worker_.submit(stored, limits, {})) return true;
    worker_.release(stored);
    return false;
  }

  av::ScanService service_;
  av::WorkerRegion worker_;
};

template <class Scan>
Pass measure(const std::vector<pid_t>& processes, Scan scan) {
  const double processor = processor_time_of(processes);
  const auto begin = Clock::now();
  if (const int64_t not_clean = scan(); not_clean != 0) {
    fmt::print(stderr, "scan_throughput: {} objects were not found clean\n", not_clean);
    std::exit(1);
  }
  const std::chrono::duration<double> wall = Clock::now() - begin;
  return {wall.count(), processor_time_of(processes) - processor};
}

void print_row(const Work& work, const std::vector<Pass>& direct, const std::vector<Pass>& service,
               nlohmann::json& report) {
  std::vector<double> direct_speed, service_speed, processor_ratios, wall_ratios;
  for (size_t i = 0; i < direct.size(); ++i) {
    direct_speed.push_back(work.megabytes() / direct[i].processor_s);
    service_speed.push_back(work.megabytes() / service[i].processor_s);
    processor_ratios.push_back(direct[i].processor_s / service[i].processor_s);
    wall_ratios.push_back(direct[i].wall_s / service[i].wall_s);
  }
  const double each_us = 1e6 / static_cast<double>(work.objects.size());
  std::vector<double> direct_us, service_us;
  for (const Pass& pass : direct) direct_us.push_back(pass.processor_s * each_us);
  for (const Pass& pass : service) service_us.push_back(pass.processor_s * each_us);
  const Spread ratio = spread_of(processor_ratios);
  const Spread wall = spread_of(wall_ratios);
  fmt::print(
      "{:16}{:10.1f}{:10.1f}{:12.1f}{:12.1f}   {:.3f} ({:.3f}-{:.3f})   {:.3f} ({:.3f}-{:.3f})\n",
      work.name, quantile(direct_us, 0.5), quantile(service_us, 0.5), quantile(direct_speed, 0.5),
      quantile(service_speed, 0.5), ratio.median, ratio.lowest, ratio.highest, wall.median,
      wall.lowest, wall.highest);
  report.push_back({{"objects", work.name},
                    {"direct_us", direct_us},
                    {"service_us", service_us},
                    {"processor_ratios", processor_ratios},
                    {"wall_ratios", wall_ratios}});
}

int run(const Options& options) {
  const std::vector<Work> work = all_work();
  std::vector<std::vector<std::string>> lists;
  for (const Work& each : work) lists.push_back(each.objects);
  auto direct = DirectScanners::start(options.folder, options.processes, lists);
  if (!direct) {
    fmt::print(stderr, "{}: {}\n", direct.error().where, direct.error().what);
    return 1;
  }
  auto service = Service::start(options);
  if (!service) {
    fmt::print(stderr, "{}: {}\n", service.error().where, service.error().what);
    return 1;
  }
  fmt::print(
      "{} processes; processor time; ratio above 1: the service is "
      "faster\n{:16}{:>10}{:>10}{:>12}{:>12}   {:22}{}\n",
      options.processes, "objects", "direct us", "scand us", "direct MB/s", "scand MB/s",
      "ratio (runs)", "ratio of wall time (runs)");
  nlohmann::json report = nlohmann::json::array();
  for (uint32_t list = 0; list < work.size(); ++list) {
    if (!options.only.empty() && work[list].name != options.only) continue;
    std::vector<Pass> direct_passes, service_passes;
    for (uint32_t round = 0; round <= options.rounds; ++round) {
      const Pass one = measure(direct->processes(), [&] { return direct->scan(list); });
      const Pass other = measure(service->processes(), [&] { return service->scan(work[list]); });
      if (round == 0) continue;  // until memory is warm
      direct_passes.push_back(one);
      service_passes.push_back(other);
    }
    print_row(work[list], direct_passes, service_passes, report);
    std::fflush(stdout);
  }
  if (!options.json.empty()) std::ofstream(options.json) << report.dump(1);
  return 0;
}

constexpr const char* kUsage =
    "usage: scan_throughput FOLDER [--processes N] [--rounds N] [--only NAME] [--json FILE]\n"
    "FOLDER holds signatures, for example those of made_signatures.py.\n";

}  // namespace
}  // namespace masugata::bench

int main(int count, char** words) {
  masugata::bench::Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const bool has_value = i + 1 < count;
    if (word == "--processes" && has_value) {
      options.processes = static_cast<uint32_t>(std::atoi(words[++i]));
    } else if (word == "--rounds" && has_value) {
      options.rounds = static_cast<uint32_t>(std::atoi(words[++i]));
    } else if (word == "--json" && has_value) {
      options.json = words[++i];
    } else if (word == "--only" && has_value) {
      options.only = words[++i];
    } else if (options.folder.empty() && !word.starts_with("-")) {
      options.folder = word;
    } else {
      fmt::print(stderr, "{}", masugata::bench::kUsage);
      return 2;
    }
  }
  if (options.folder.empty() || options.processes == 0 || options.rounds == 0) {
    fmt::print(stderr, "{}", masugata::bench::kUsage);
    return 2;
  }
  return masugata::bench::run(options);
}
