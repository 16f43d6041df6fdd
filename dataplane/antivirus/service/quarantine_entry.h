// SPDX-License-Identifier: GPL-2.0-or-later
// What is known of an object in quarantine.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace masugata::dataplane {

// Texts may be hostile; none is part of a path.
struct QuarantineEntry {
  uint64_t reference = 0;  // as log and block page have it
  int64_t time_s = 0;      // since 1970
  uint64_t bytes = 0;      // as they are kept
  bool complete = false;   // else the object's beginning
  std::string sha256;      // hexadecimal; empty when not complete
  std::string signature;
  std::string reason;
  std::string profile;
  std::string protocol;
  std::string client;  // address
  std::string server;
  std::string name;
  std::string url;
  std::string sender;
  std::string recipients;

  bool operator==(const QuarantineEntry&) const = default;
};

// As it stands beside the object.
[[nodiscard]] nlohmann::json to_metadata(const QuarantineEntry& entry);
// Nothing when it is none of ours.
[[nodiscard]] std::optional<QuarantineEntry> from_metadata(const std::string& text);

}  // namespace masugata::dataplane
