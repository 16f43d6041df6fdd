// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scan_result.h"

#include <clamav.h>

#include <algorithm>
#include <array>

namespace masugata::av {
namespace {

constexpr std::array<std::string_view, static_cast<size_t>(ScanOutcome::Count)> kOutcomes = {
    "none",        "clean",      "infected",  "limit-size", "limit-recursion",
    "limit-files", "limit-time", "encrypted", "macros",     "failed"};
constexpr std::array<std::string_view, static_cast<size_t>(ScanFailure::Count)> kFailures = {
    "none", "no-engine", "crash", "hang", "out-of-memory", "unreadable", "bad-request"};

std::string printable(std::string_view text) {
  std::string result(text.substr(0, kSignatureNameBytes - 1));
  std::replace_if(
      result.begin(), result.end(),
      [](char character) { return character < ' ' || character > '~'; }, '?');
  return result;
}

ScanOutcome exceeded_limit(std::string_view which) {
  if (which.starts_with("MaxRecursion")) return ScanOutcome::LimitRecursion;
  if (which.starts_with("MaxFiles"))
    return which.starts_with("MaxFileSize") ? ScanOutcome::LimitSize : ScanOutcome::LimitFiles;
  if (which.starts_with("MaxScanTime")) return ScanOutcome::LimitTime;
  if (which.starts_with("EmailMIMEPartsPerMessage")) return ScanOutcome::LimitFiles;
  return ScanOutcome::LimitSize;
}

ScanResult met_limit(ScanOutcome limit, std::string_view signature, const ScanLimits& limits) {
  if (limits.report_limits == 0) return {ScanOutcome::Clean, ScanFailure::None, {}};
  return {limit, ScanFailure::None, printable(signature)};
}

ScanResult found(std::string_view signature, const ScanLimits& limits) {
  constexpr std::string_view kLimits = "Heuristics.Limits.Exceeded.";
  // A file above the limit as a whole is a finding without a name.
  if (signature.empty()) return met_limit(ScanOutcome::LimitSize, {}, limits);
  if (signature.starts_with(kLimits)) {
    return met_limit(exceeded_limit(signature.substr(kLimits.size())), signature, limits);
  }
  ScanOutcome outcome = ScanOutcome::Infected;
  if (signature.starts_with("Heuristics.Encrypted.")) outcome = ScanOutcome::Encrypted;
  if (signature.starts_with("Heuristics.OLE2.ContainsMacros")) outcome = ScanOutcome::Macros;
  return {outcome, ScanFailure::None, printable(signature)};
}

}  // namespace

ScanResult read_result(int code, std::string_view signature, const ScanLimits& limits) {
  switch (code) {
    case CL_CLEAN:
    case CL_VERIFIED:
      return {ScanOutcome::Clean, ScanFailure::None, {}};
    case CL_VIRUS:
      return found(signature, limits);
    case CL_ETIMEOUT:
      return met_limit(ScanOutcome::LimitTime, {}, limits);
    case CL_EMAXREC:
      return met_limit(ScanOutcome::LimitRecursion, {}, limits);
    case CL_EMAXSIZE:
      return met_limit(ScanOutcome::LimitSize, {}, limits);
    case CL_EMAXFILES:
      return met_limit(ScanOutcome::LimitFiles, {}, limits);
    case CL_EMEM:
      return {ScanOutcome::Failed, ScanFailure::OutOfMemory, {}};
    default:
      return {ScanOutcome::Failed, ScanFailure::Unreadable, {}};
  }
}

std::string_view outcome_name(ScanOutcome outcome) noexcept {
  return outcome < ScanOutcome::Count ? kOutcomes[static_cast<size_t>(outcome)] : "unknown";
}

std::string_view failure_name(ScanFailure failure) noexcept {
  return failure < ScanFailure::Count ? kFailures[static_cast<size_t>(failure)] : "unknown";
}

}  // namespace masugata::av
