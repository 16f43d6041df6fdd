// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/diagnosis/path_report.h"

namespace masugata::ipsec {

const PathReport* black_hole_of(const std::vector<PathReport>& reports) {
  const PathReport* worst = nullptr;
  for (const PathReport& report : reports) {
    if (!report.black_hole()) continue;
    if (worst == nullptr || report.finding.passes_bytes < worst->finding.passes_bytes) {
      worst = &report;
    }
  }
  return worst;
}

Failure failure_of(const PathReport& report, int64_t now) {
  Failure failure;
  failure.kind = FailureKind::PathMtu;
  failure.site = report.site;
  failure.peer = report.peer;
  failure.number = report.finding.passes_bytes;
  failure.other_number = report.lets_in_bytes;
  failure.first = failure.last = now;
  return failure;
}

}  // namespace masugata::ipsec
