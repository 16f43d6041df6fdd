// SPDX-License-Identifier: GPL-2.0-or-later
// What `threshold`, `detection_filter` and the lines of threshold.config have in common:
// "type limit, track by_src, count 5, seconds 60".
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "ids/rules/keyword_outcome.h"
#include "ids/rules/rule.h"

namespace masugata::ids {

[[nodiscard]] std::optional<ThresholdTrack> find_threshold_track(std::string_view text) noexcept;
[[nodiscard]] std::optional<ThresholdKind> find_threshold_kind(std::string_view text) noexcept;

// Applies one option ("count 5") to `threshold`; false when it is none of type, track, count,
// seconds and multiplier. Errors: a value that does not fit.
[[nodiscard]] Read<bool> read_threshold_option(std::string_view option, Threshold& threshold);

// All options; then checks that what the kind needs is there. `kind` None: `type` is asked for.
[[nodiscard]] Read<Threshold> read_threshold(const std::vector<std::string_view>& options,
                                             ThresholdKind kind);

// "60", "1m", "2h", "1d", "1w" as seconds.
[[nodiscard]] std::optional<uint32_t> parse_seconds(std::string_view text) noexcept;

}  // namespace masugata::ids
