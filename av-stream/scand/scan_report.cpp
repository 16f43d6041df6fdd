// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scan_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace masugata::av {
namespace {

constexpr uint64_t kDrawEveryMs = 200;
constexpr uint64_t kBarWidth = 30;

std::string shown(const std::string& path) {
  std::string result;
  for (const char character : path) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += character;
    }
  }
  return result;
}

std::string json_text(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

double megabytes(uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

}  // namespace

void ScanReport::clear_progress() {
  if (!drawn_) return;
  messages_ << "\r\x1b[K" << std::flush;
  drawn_ = false;
}

void ScanReport::result(ScannedFile& file, const ScanResult& result) {
  if (result.outcome == ScanOutcome::Clean) return;
  const std::string& path = file.path;
  clear_progress();
  if (style_.json) {
    findings_ << json_text({{"path", path},
                            {"outcome", outcome_name(result.outcome)},
                            {"signature", result.signature}})
              << '\n';
  } else if (result.outcome == ScanOutcome::Infected) {
    findings_ << fmt::format("{}: {} FOUND\n", shown(path), result.signature);
  } else {
    findings_ << fmt::format("{}: {}{}\n", shown(path), outcome_name(result.outcome),
                             result.signature.empty() ? "" : " (" + result.signature + ")");
  }
  findings_.flush();
}

void ScanReport::problem(const std::string& path, const std::string& what) {
  clear_progress();
  if (style_.json) {
    findings_ << json_text({{"path", path}, {"outcome", "failed"}, {"problem", what}}) << '\n';
  } else {
    messages_ << fmt::format("{}: {}\n", shown(path), what) << std::flush;
  }
}

void ScanReport::progress(const ScanSummary& so_far, uint64_t files, uint64_t now_ms) {
  if (!style_.progress || now_ms < next_draw_ms_) return;
  next_draw_ms_ = now_ms + kDrawEveryMs;
  const uint64_t done = std::min(files, so_far.files + so_far.unchanged + so_far.not_scanned);
  const uint64_t part = files == 0 ? 0 : done * kBarWidth / files;
  messages_ << fmt::format("\r\x1b[K[{:#<{}}{:.<{}}] {} of {} files, {:.1f} MB, {} found", "", part,
                           "", kBarWidth - part, done, files, megabytes(so_far.bytes),
                           so_far.infected + so_far.other_findings)
            << std::flush;
  drawn_ = true;
}

void ScanReport::summary(const ScanSummary& summary) {
  clear_progress();
  if (style_.json) {
    findings_ << json_text({{"summary",
                             {{"files", summary.files},
                              {"bytes", summary.bytes},
                              {"unchanged", summary.unchanged},
                              {"infected", summary.infected},
                              {"other_findings", summary.other_findings},
                              {"not_scanned", summary.not_scanned},
                              {"stopped", summary.stopped},
                              {"duration_ms", summary.duration_ms},
                              {"signatures", summary.signatures},
                              {"version", fmt::format("{:016x}", summary.version)}}}})
              << '\n';
    return;
  }
  if (style_.quiet) return;
  if (summary.stopped) findings_ << "\nStopped: what follows is of the files until then.";
  findings_ << fmt::format(
      "\nSignatures:      {}\nScanned files:   {} ({:.1f} MB)\nUnchanged files: {}\n"
      "Infected files:  {}\nOther findings:  {}\nNot scanned:     {}\nTime:            {:.1f} s\n",
      summary.signatures, summary.files, megabytes(summary.bytes), summary.unchanged,
      summary.infected, summary.other_findings, summary.not_scanned,
      static_cast<double>(summary.duration_ms) / 1000);
}

}  // namespace masugata::av
