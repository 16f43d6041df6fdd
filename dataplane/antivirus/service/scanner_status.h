// SPDX-License-Identifier: GPL-2.0-or-later
// What masugata-scand says of itself, as masugatad remembers it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace masugata::dataplane {

struct SignatureFileStatus {
  std::string path;
  uint64_t bytes = 0;
  uint64_t version = 0;     // of the database; 0: it has none
  uint64_t signatures = 0;  // 0: its header does not say
  uint64_t built_s = 0;     // since 1970; 0: not known
  bool own = false;
};

struct ScannerProcessStatus {
  uint64_t process = 0;
  uint64_t busy_ms = 0;  // with the object it has; 0: none
  uint64_t objects = 0;
};

struct ScannerStatus {
  std::string engine = "none";  // none, loading, ready
  bool loading = false;         // signatures, perhaps beside others that are in use
  std::string version;          // of the signatures in use, 16 hexadecimal digits
  uint64_t signatures = 0;
  uint64_t built_s = 0;  // since 1970, the newest of them; 0: not known
  uint64_t ready_at_s = 0;
  uint64_t load_ms = 0;
  std::string refusal;  // why the signatures tried last are not in use; empty: they are
  uint64_t refused_at_s = 0;
  std::vector<SignatureFileStatus> files;
  std::vector<ScannerProcessStatus> scanners;
  uint64_t crashes = 0;
  uint64_t hangs = 0;
  uint64_t memory_shortages = 0;
  uint64_t engines_died = 0;
  uint64_t loads = 0;
};

// From a `status` message. Nothing of it is believed to be there or of its kind: what is not keeps
// its default; lists and texts are cut.
[[nodiscard]] ScannerStatus read_scanner_status(const nlohmann::json& body);

// Whole days since the signatures were built; 0 when that is not known or lies ahead.
[[nodiscard]] uint64_t signature_age_days(const ScannerStatus& status, int64_t now_s);

}  // namespace masugata::dataplane
