// SPDX-License-Identifier: GPL-2.0-or-later
// What the control socket asks of antivirus.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "result/result.h"

namespace masugata::dataplane::control {

using NamedCounts = std::vector<std::pair<std::string, uint64_t>>;

struct AvSignatureFile {
  std::string path;
  uint64_t version = 0;
  uint64_t signatures = 0;
  uint64_t bytes = 0;
  int64_t built_s = 0;  // since 1970; 0: not known
  bool own = false;
};

struct AvScanner {
  uint64_t process = 0;
  uint64_t busy_ms = 0;
  uint64_t objects = 0;
};

struct AvScannerStatus {
  bool connected = false;
  uint64_t connections = 0;
  std::string engine = "none";  // none, loading, ready
  bool loading = false;
  std::string version;
  uint64_t signatures = 0;
  int64_t built_s = 0;
  std::optional<uint64_t> age_days;
  uint64_t maximum_age_days = 0;
  bool old = false;
  std::string refusal;  // of the signatures tried last; empty: they are in use
  std::vector<AvSignatureFile> files;
  std::vector<AvScanner> scanners;
  NamedCounts restarts;
};

struct AvQuarantineUse {
  uint64_t objects = 0;
  uint64_t bytes = 0;
  uint64_t maximum_bytes = 0;
  uint64_t not_kept = 0;
  std::string problem;
};

struct AvStatus {
  bool active = false;  // there is or was a profile
  std::vector<std::string> profiles;
  AvScannerStatus scanner;
  uint64_t memory_bytes = 0;  // for objects on their way
  uint64_t memory_used_bytes = 0;
  // Sums of all workers.
  NamedCounts now;
  NamedCounts counters;  // since the start
  NamedCounts passed;    // unscanned or not wholly scanned, by reason; only those that happened
  NamedCounts refused;   // likewise
  NamedCounts notices;
  std::string notice_problem;
  uint64_t blocked_urls = 0;
  AvQuarantineUse quarantine;
};

struct AvBlockedUrl {
  std::string host;
  std::string location;
  std::string signature;
  uint64_t reference = 0;
  uint64_t seconds_left = 0;
  uint64_t location_bytes = 0;  // of the whole, when `location` is only its beginning
};
struct AvBlockedUrlList {
  std::vector<AvBlockedUrl> urls;
  uint64_t total = 0;
};

struct AvKeptObject {
  uint64_t reference = 0;
  int64_t time_s = 0;
  uint64_t bytes = 0;
  bool complete = false;
  std::string sha256;
  std::string signature;
  std::string reason;
  std::string profile;
  std::string protocol;
  std::string client;
  std::string server;
  std::string name;
  std::string url;
  std::string sender;
  std::string recipients;
};
struct AvKeptList {
  std::vector<AvKeptObject> objects;
  uint64_t total = 0;
};

struct AvScanJob {
  std::string name;
  std::string state;      // idle, waiting, running, stopping
  int64_t started_s = 0;  // of the run under way; 0: none
  NamedCounts so_far;     // likewise
  int64_t next_s = 0;
  uint64_t skipped = 0;  // due while the run before was not over
  bool ran = false;      // what follows is of the last run that ended
  int64_t last_started_s = 0;
  int64_t last_ended_s = 0;
  std::string result;  // clean, found, incomplete, stopped, failed
  std::string problem;
  NamedCounts counts;
};

// Thread: as GatewayState. Lists have at most `limit` entries and say how many there are.
class AntivirusState {
 public:
  // Of one answer about an object's bytes.
  static constexpr size_t kPartBytes = 256 * 1024;

  AntivirusState() = default;
  AntivirusState(const AntivirusState&) = delete;
  AntivirusState& operator=(const AntivirusState&) = delete;
  virtual ~AntivirusState() = default;

  [[nodiscard]] virtual AvStatus status() = 0;
  [[nodiscard]] virtual AvBlockedUrlList blocked_urls(uint32_t limit) = 0;
  // Those that contain `text`, all when it is empty; how many went.
  virtual uint64_t clear_blocked_urls(std::string_view text) = 0;
  // The newest first.
  [[nodiscard]] virtual AvKeptList kept(uint32_t limit) = 0;
  // At most kPartBytes from `offset`; none behind the end. Faults: unknown, unreadable.
  [[nodiscard]] virtual Result<std::vector<uint8_t>> read_kept(uint64_t reference,
                                                               uint64_t offset) = 0;
  [[nodiscard]] virtual Status remove_kept(uint64_t reference) = 0;
  // In the order of the configuration.
  [[nodiscard]] virtual std::vector<AvScanJob> scan_jobs() = 0;
  // Faults: unknown, or it is not so that it can be started or stopped.
  [[nodiscard]] virtual Status start_scan_job(const std::string& name) = 0;
  [[nodiscard]] virtual Status stop_scan_job(const std::string& name) = 0;
  // Signatures are looked at again. Fault: no scanner is there.
  [[nodiscard]] virtual Status reload() = 0;
};

}  // namespace masugata::dataplane::control
