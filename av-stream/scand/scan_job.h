// SPDX-License-Identifier: GPL-2.0-or-later
// One run of a scan job: what masugatad says to the process that carries it out, and that process.
// Over a SEQPACKET socket, in this order:
//
//   to the job    {"type":"job", ...}                      once: ScanJobRequest
//   to masugatad  {"type":"found", "number", "path", "outcome", "signature", "bytes", "modified"},
//                 with a copy of the file in memory when files are handed over and it is not
//                 larger than kMaximumHandedOver
//   to the job    {"type":"kept", "number"}                the file may go
//                 {"type":"not-kept", "number"}            it stays
//   to masugatad  {"type":"removed", "number", "problem"}  empty: it is gone
//                 {"type":"problem", "path", "problem"}    could not be scanned
//                 {"type":"progress", ...}                 once a second: the counts so far
//                 {"type":"done", "problem", ...}          the last: the counts; empty: it ran
//   to the job    {"type":"stop"}                          at any time
//
// A job whose socket is closed ends. Counts: the fields of ScanSummary.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "av-stream/scand/message_socket.h"
#include "av-stream/scand/scand_settings.h"

namespace masugata::av {

struct ScanJobRequest {
  std::vector<std::string> paths;     // absolute
  std::vector<std::string> excluded;  // likewise
  ScandSettings settings;             // signatures, scanners, memory
  uint64_t file_bytes = 0;            // most of one file; 0: the default
  std::string state_file;             // absolute; empty: none
  bool hand_over = false;             // copies of infected files come, and the files may go
  std::vector<uint32_t> other_cores;  // not to be used, if there are others

  bool operator==(const ScanJobRequest&) const = default;
};

[[nodiscard]] nlohmann::json job_message(const ScanJobRequest& request);
// Everything is checked; the fault names the field.
[[nodiscard]] Result<ScanJobRequest> read_job(const nlohmann::json& body);

// Bounds of what one run tells; what is beyond is in the counts only.
inline constexpr uint64_t kMaximumToldFindings = 1000;
inline constexpr uint64_t kMaximumToldProblems = 200;
inline constexpr uint64_t kMaximumHandedOver = 64ULL << 20U;

}  // namespace masugata::av
