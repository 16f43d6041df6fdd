// SPDX-License-Identifier: GPL-2.0-or-later
// Scenario text -> Scenario.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "result/result.h"
#include "tests/scenarios/scenario.h"

namespace masugata::test {

// `folder` is where topologies/ stands. Fault: `where` is FILE:LINE.
[[nodiscard]] Result<Scenario> parse_scenario(std::string_view text, const std::string& file,
                                              const std::filesystem::path& folder);

// Every *.scenario file below `folder`, in the order of their names.
[[nodiscard]] Result<std::vector<Scenario>> load_scenarios(const std::filesystem::path& folder);

// "500ms", "30s", "5m", "2h", "1d" in milliseconds.
[[nodiscard]] std::optional<uint64_t> parse_duration(std::string_view text);

}  // namespace masugata::test
