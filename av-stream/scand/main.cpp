// SPDX-License-Identifier: GPL-2.0-or-later
// masugata-scand: scans objects for masugatad, and files on demand.
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "av-stream/scand/end_signals.h"
#include "av-stream/scand/on_demand_scan.h"
#include "av-stream/scand/scan_job_run.h"
#include "av-stream/scand/scand_log.h"
#include "av-stream/scand/scand_options.h"
#include "av-stream/scand/supervisor.h"

namespace {

using namespace masugata;  // NOLINT: the program's own file
using av::ScandOptions;

constexpr int kUsage = 2;
constexpr int kProblem = 2;  // as clamscan says it

av::SupervisorRequests g_requests;

int complain(const Fault& fault, int status) {
  fmt::print(stderr, "masugata-scand: {}\n", fault.message());
  return status;
}

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = [](int number) {
    if (number == SIGHUP) {
      g_requests.reload = true;
    } else {
      g_requests.stop = true;
    }
  };
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaction(number, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

Result<av::ServiceOptions> service_options(const ScandOptions& options, bool required) {
  av::ServiceOptions result{{}, required, options.scanners};
  if (geteuid() != 0) return result;
  auto user = av::find_sandbox_user(options.user);
  // Files are scanned on machines where the service was never set up.
  if (!user && !required && options.user == ScandOptions().user) {
    user = av::find_sandbox_user("nobody");
  }
  if (!user) return tl::unexpected(user.error());
  result.user = *user;
  return result;
}

av::ScandSettings file_settings(const ScandOptions& options) {
  av::ScandSettings settings;
  settings.signature_directories = options.signature_directories;
  settings.own_signatures = options.own_signatures;
  settings.check_interval_ms = 3'600'000;  // one engine for all files
  return settings;
}

int serve(const ScandOptions& options) {
  av::start_scand_log(options.syslog, spdlog::level::info);
  watch_signals();
  auto chosen = service_options(options, true);
  if (!chosen) return complain(chosen.error(), kProblem);
  auto service = av::ScanService::create(*chosen);
  if (!service) return complain(service.error(), kProblem);
  av::Supervisor supervisor(options.socket, std::move(*service));
  supervisor.run(g_requests);
  spdlog::info("stopping");
  return 0;
}

Result<av::ScanService> service_for_files(const ScandOptions& options) {
  av::start_scand_log(options.syslog, spdlog::level::critical);
  auto chosen = service_options(options, false);
  if (!chosen) return tl::unexpected(chosen.error());
  auto service = av::ScanService::create(*chosen);
  if (service) service->configure(file_settings(options));
  return service;
}

int scan(const ScandOptions& options) {
  auto service = service_for_files(options);
  if (!service) return complain(service.error(), kProblem);
  const bool progress = !options.quiet && !options.json && isatty(STDERR_FILENO) == 1;
  av::ScanReport report(std::cout, std::cerr,
                        {options.json, options.quiet, progress, av::end_was_asked});
  const auto scanners = options.scanners.value_or(
      static_cast<uint32_t>(std::max<long>(1, sysconf(_SC_NPROCESSORS_ONLN))));
  av::OnDemandRequest request;
  request.paths = options.paths;
  request.excluded = options.excluded;
  request.limits = options.limits;
  request.state_file = options.state_file;
  request.scans_at_a_time = std::min(scanners * 4, av::kScanSlots);
  request.count_first = progress;
  av::OnDemandScan scan(*service, std::move(request), report);
  const auto summary = scan.run();
  if (!summary) return complain(summary.error(), kProblem);
  if (service->current() != nullptr && !options.quiet) {
    for (const std::string& warning : service->current()->facts().warnings) {
      fmt::print(stderr, "warning: {}\n", warning);
    }
  }
  report.summary(*summary);
  return summary->exit_status();
}

// Standard input is the socket; nothing that is started from here shall have it.
int job(const ScandOptions& options) {
  av::start_scand_log(options.syslog, spdlog::level::warn);
  signal(SIGPIPE, SIG_IGN);
  av::Descriptor socket(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  const av::Descriptor nothing(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!socket || !nothing || dup2(nothing.get(), STDIN_FILENO) < 0 ||
      dup2(nothing.get(), STDOUT_FILENO) < 0) {
    return complain({"standard input", std::strerror(errno)}, kProblem);
  }
  auto chosen = service_options(options, true);
  if (!chosen) return complain(chosen.error(), kProblem);
  return av::run_scan_job(std::move(socket), *chosen);
}

int check(const ScandOptions& given) {
  ScandOptions options = given;
  if (!options.paths.empty()) options.signature_directories = options.paths;
  for (std::string& path : options.signature_directories) {
    path = std::filesystem::absolute(path).string();
  }
  options.scanners = 1;
  const auto set =
      av::examine_signatures({options.signature_directories, options.own_signatures, {}, {}});
  if (!set) return complain(set.error(), kProblem);
  for (const av::SignatureFile& file : set->files) {
    fmt::print("{}  {} bytes", file.path, file.bytes);
    if (file.database_version) {
      fmt::print(", version {}, {} signatures, built {:%Y-%m-%d %H:%M} UTC", *file.database_version,
                 file.signatures.value_or(0), fmt::gmtime(file.built.value_or(0)));
    }
    fmt::print("\n");
  }
  auto service = service_for_files(options);
  if (!service) return complain(service.error(), kProblem);
  if (auto status = av::wait_for_engine(*service, av::end_was_asked); !status) {
    return complain(status.error(), kProblem);
  }
  const av::GenerationFacts& facts = service->current()->facts();
  for (const std::string& warning : facts.warnings) fmt::print("warning: {}\n", warning);
  fmt::print("{} signatures, version {:016x}; the engine works (loaded in {} ms)\n",
             facts.signatures, facts.version, facts.load_ms);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const auto options = av::parse_scand_options({words + 1, words + count});
  if (!options) return complain(options.error(), kUsage);
  switch (options->mode) {
    case av::ScandMode::Help:
      fmt::print("{}", av::scand_usage());
      return 0;
    case av::ScandMode::Version:
      fmt::print("masugata-scand {}\n", MASUGATA_VERSION);
      return 0;
    case av::ScandMode::Check:
      av::note_end_signals();
      return av::end_as_asked(check(*options));
    case av::ScandMode::Scan:
      av::note_end_signals();
      return av::end_as_asked(scan(*options));
    case av::ScandMode::Job:
      return job(*options);
    case av::ScandMode::Serve:
      break;
  }
  return serve(*options);
}
