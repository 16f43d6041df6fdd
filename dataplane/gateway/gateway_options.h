// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of masugatad.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "result/result.h"

namespace masugata::dataplane {

struct GatewayOptions {
  std::string configuration = "/etc/masugata/gateway.conf";
  std::string control_socket = "/run/masugata/control.sock";
  std::string sa_socket;   // empty: sa.sock beside the control socket
  std::string charon_log;  // of charon, besides the journal; empty: none
  std::string pki_folder = "/var/lib/masugata/pki";
  std::string scanner_socket;  // empty: scand.sock beside the control socket
  std::string scan_job_socket = "/run/masugata-scan-job.sock";
  std::string state_folder = "/var/lib/masugata";
  std::string hw_profiles;                // folder; empty: beside the sources or installed
  std::optional<std::string> hw_profile;  // instead of the configuration's
  std::optional<uint32_t> memory_mb;      // instead of the profile's
  bool no_huge = false;
  bool print_graph = false;
  bool version = false;
  bool help = false;
};

// Faults name the argument and what it takes.
[[nodiscard]] Result<GatewayOptions> parse_gateway_options(int count, char** arguments);

[[nodiscard]] std::string gateway_usage();

}  // namespace masugata::dataplane
