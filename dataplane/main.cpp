// SPDX-License-Identifier: GPL-2.0-or-later
// masugatad: the gateway process.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstdio>

#include "config/load.h"
#include "dataplane/control/logging.h"
#include "dataplane/gateway/gateway.h"
#include "dataplane/gateway/stage_graph.h"
#include "dataplane/gateway/version.h"

namespace {

using namespace masugata;

constexpr int kProblem = 1;
constexpr int kUsage = 2;

int complain(const Fault& fault, int status) {
  fmt::print(stderr, "masugatad: {}\n", fault.message());
  return status;
}

// Prints every problem; the model is there when none of them is an error.
config::Loaded load_configuration(const std::string& file) {
  config::Loaded loaded = config::load_file(file);
  for (const config::Problem& problem : loaded.problems) {
    fmt::print(stderr, "{}\n", config::format_problem(problem, file));
  }
  return loaded;
}

}  // namespace

int main(int count, char** arguments) {
  const auto options = dataplane::parse_gateway_options(count, arguments);
  if (!options) return complain(options.error(), kUsage);
  if (options->help) {
    fmt::print("{}", dataplane::gateway_usage());
    return 0;
  }
  if (options->version) {
    fmt::print("masugatad {}\n", dataplane::kVersion);
    return 0;
  }
  if (options->print_graph) {
    fmt::print("{}", dataplane::stage_graph_text());
    return 0;
  }
  config::Loaded loaded = load_configuration(options->configuration);
  if (!loaded.model) {
    return complain({options->configuration, "has errors, nothing was started"}, kProblem);
  }
  if (geteuid() != 0) {
    return complain({"privileges",
                     "masugatad must be started as root: it opens ports, memory and TAP devices "
                     "(`masugata check FILE` needs no privileges)"},
                    kProblem);
  }
  dataplane::control::start_logging({});
  auto gateway = dataplane::Gateway::start(*options, std::move(*loaded.model));
  if (!gateway) return complain(gateway.error(), kProblem);
  fmt::print("masugatad ready\n");
  std::fflush(stdout);
  sd_notify(0, "READY=1");
  (*gateway)->run();
  sd_notify(0, "STOPPING=1");
  spdlog::info("stopping");
  gateway->reset();
  return 0;
}
