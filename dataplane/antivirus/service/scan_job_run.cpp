// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/scan_job_run.h"

namespace masugata::dataplane {

ScanJobCounts read_counts(const nlohmann::json& body) {
  const auto number = [&body](const char* name) -> uint64_t {
    const auto field = body.find(name);
    return field != body.end() && field->is_number_unsigned() ? field->get<uint64_t>() : 0;
  };
  ScanJobCounts counts;
  counts.files = number("files");
  counts.bytes = number("bytes");
  counts.unchanged = number("unchanged");
  counts.infected = number("infected");
  counts.other_findings = number("other_findings");
  counts.not_scanned = number("not_scanned");
  counts.duration_ms = number("duration_ms");
  counts.signatures = number("signatures");
  return counts;
}

const char* name_of(ScanJobResult result) noexcept {
  switch (result) {
    case ScanJobResult::Clean:
      return "clean";
    case ScanJobResult::Found:
      return "found";
    case ScanJobResult::Incomplete:
      return "incomplete";
    case ScanJobResult::Stopped:
      return "stopped";
    case ScanJobResult::Failed:
      break;
  }
  return "failed";
}

}  // namespace masugata::dataplane
