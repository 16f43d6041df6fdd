// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of masugata-scand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "av-stream/exchange/exchange_layout.h"
#include "result/result.h"

namespace masugata::av {

enum class ScandMode : uint8_t { Serve, Check, Scan, Job, Help, Version };

struct ScandOptions {
  ScandMode mode = ScandMode::Serve;
  std::string socket = "/run/masugata/scand.sock";
  std::string user = "masugata-scan";
  std::optional<uint32_t> scanners;
  bool syslog = false;

  // --check and --scan
  std::vector<std::string> paths;
  std::vector<std::string> signature_directories;  // not empty after parsing
  std::vector<std::string> own_signatures;
  // --scan
  bool quiet = false;
  bool json = false;
  std::string state_file;  // empty: everything is scanned
  std::vector<std::string> excluded;
  ScanLimits limits;
};

// `arguments` without the program's name. Faults name the argument.
[[nodiscard]] Result<ScandOptions> parse_scand_options(const std::vector<std::string>& arguments);
[[nodiscard]] std::string scand_usage();

}  // namespace masugata::av
