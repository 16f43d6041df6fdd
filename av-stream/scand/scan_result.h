// SPDX-License-Identifier: GPL-2.0-or-later
// What libclamav says about an object, as an outcome of ours.
#pragma once

#include <string>
#include <string_view>

#include "av-stream/exchange/exchange_layout.h"

namespace masugata::av {

struct ScanResult {
  ScanOutcome outcome = ScanOutcome::Failed;
  ScanFailure failure = ScanFailure::None;
  std::string signature = {};  // printable; empty unless something was found
};

// `code` is a cl_error_t, `signature` what was found (may be empty). Findings that mean a limit,
// encryption or macros are outcomes of their own, everything else that is found is an infection.
// A limit that was met counts as Clean unless `limits` asks for it.
[[nodiscard]] ScanResult read_result(int code, std::string_view signature,
                                     const ScanLimits& limits);

// "clean", "infected", "limit-size" and so on; for people and JSON.
[[nodiscard]] std::string_view outcome_name(ScanOutcome outcome) noexcept;
[[nodiscard]] std::string_view failure_name(ScanFailure failure) noexcept;

}  // namespace masugata::av
