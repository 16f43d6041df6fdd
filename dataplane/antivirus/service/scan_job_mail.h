// SPDX-License-Identifier: GPL-2.0-or-later
// The report of a run of a scan job, for people.
#pragma once

#include <string>
#include <vector>

#include "dataplane/antivirus/service/scan_job_run.h"

namespace masugata::dataplane {

// Everything that a report says. Lists are as long as the job told; the counts have all.
struct ScanJobReport {
  std::string job;
  ScanJobRun run;
  std::vector<FoundFile> found;
  std::vector<UnreadFile> unread;
};

// ASCII, one line.
[[nodiscard]] std::string subject_of(const ScanJobReport& report);
// UTF-8, lines end in LF. No line begins with a text of strangers.
[[nodiscard]] std::string body_of(const ScanJobReport& report);

}  // namespace masugata::dataplane
