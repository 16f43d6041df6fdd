// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/scan_job_mail.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "dataplane/antivirus/service/notices.h"

namespace masugata::dataplane {
namespace {

std::string time_text(int64_t seconds) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<time_t>(seconds)));
}

std::string headline(const ScanJobReport& report) {
  switch (report.run.result) {
    case ScanJobResult::Clean:
      return "nothing found";
    case ScanJobResult::Found:
      return fmt::format("{} found", report.run.counts.infected + report.run.counts.other_findings);
    case ScanJobResult::Incomplete:
      return fmt::format("nothing found, {} not scanned", report.run.counts.not_scanned);
    case ScanJobResult::Stopped:
      return "stopped";
    case ScanJobResult::Failed:
      break;
  }
  return "failed";
}

std::string fate_of(const FoundFile& file) {
  switch (file.state) {
    case FoundFileState::InQuarantine:
      return fmt::format("in quarantine / 隔離済, reference {}", file.reference);
    case FoundFileState::CopyInQuarantine:
      return fmt::format("still there, a copy in quarantine / 残存・複製を隔離, reference {}: {}",
                         file.reference, notice_text(file.problem));
    case FoundFileState::Stays:
      break;
  }
  if (file.problem.empty()) return "still there / 残存";
  return "still there / 残存: " + notice_text(file.problem);
}

std::string beyond(uint64_t all, size_t told) {
  if (all <= told) return {};
  return fmt::format("  ... {} more / ほか{}件\n", all - told, all - told);
}

std::string totals(const ScanJobReport& report) {
  const ScanJobCounts& counts = report.run.counts;
  return fmt::format(
      "  Scanned / 検査済:         {} files, {:.1f} MB\n"
      "  Unchanged / 変更なし:     {}\n"
      "  Infected / 感染:          {}\n"
      "  Other findings / その他:  {}\n"
      "  Not scanned / 検査不能:   {}\n"
      "  Signatures / 定義数:      {}\n"
      "  Started / 開始:           {}\n"
      "  Duration / 所要時間:      {} s\n",
      counts.files, static_cast<double>(counts.bytes) / 1e6, counts.unchanged, counts.infected,
      counts.other_findings, counts.not_scanned, counts.signatures, time_text(report.run.started_s),
      report.run.ended_s - report.run.started_s);
}

}  // namespace

std::string subject_of(const ScanJobReport& report) {
  return fmt::format("Antivirus scan {}: {}", report.job, headline(report));
}

std::string body_of(const ScanJobReport& report) {
  std::string body = fmt::format("Scan job / 検査ジョブ {}: {}\n", report.job, headline(report));
  if (!report.run.problem.empty()) {
    body += fmt::format("  {}\n", notice_text(report.run.problem));
  }
  body += "\n" + totals(report);
  const ScanJobCounts& counts = report.run.counts;
  if (!report.found.empty()) body += "\nFound / 検出:\n";
  for (const FoundFile& file : report.found) {
    body += fmt::format("  {}\n    {}, {}\n", notice_text(file.path), notice_text(file.signature),
                        fate_of(file));
  }
  body += beyond(counts.infected + counts.other_findings, report.found.size());
  if (!report.unread.empty()) body += "\nNot scanned / 検査不能:\n";
  for (const UnreadFile& file : report.unread) {
    body += fmt::format("  {}\n    {}\n", notice_text(file.path), notice_text(file.problem));
  }
  return body + beyond(counts.not_scanned, report.unread.size());
}

}  // namespace masugata::dataplane
