// SPDX-License-Identifier: GPL-2.0-or-later
// What masugatad's configuration says to the scanner.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "result/result.h"

namespace masugata::av {

// What `shortage` wants to be left before it lets anything be looked into, and as much again.
inline constexpr uint32_t kLeastScratchMb = 96;

struct ScandSettings {
  std::vector<std::string> signature_directories = {"/var/lib/clamav"};
  std::vector<std::string> own_signatures;
  std::vector<std::string> allowed_sha256;  // lower case
  uint32_t scanners = 0;                    // 0: as many as processors
  uint32_t scanner_memory_mb = 1024;        // besides the engine, which they share
  uint32_t scratch_mb = 512;                // for unpacked files of one object
  uint32_t hang_grace_ms = 5000;            // beyond an object's time limit
  uint32_t check_interval_ms = 10'000;      // how often signature files are looked at

  bool operator==(const ScandSettings&) const = default;
};

// From the settings message: fields as above, what is not said keeps its default. Everything is
// checked; the fault names the field.
[[nodiscard]] Result<ScandSettings> read_settings(const nlohmann::json& body);
[[nodiscard]] nlohmann::json settings_message(const ScandSettings& settings);

}  // namespace masugata::av
