// SPDX-License-Identifier: GPL-2.0-or-later
// `pcre:"/pattern/flags, captures";` to its parts.
#pragma once

#include <optional>
#include <string_view>

#include "ids/buffers/buffer_id.h"
#include "ids/rules/keyword_outcome.h"
#include "ids/rules/payload_match.h"

namespace masugata::ids {

struct PcreText {
  PcreMatch match;
  std::optional<BufferId> buffer;  // by an older flag: U I P Q H D M C S Y V W Z
};

// The pattern itself is compiled by the plan, not here.
[[nodiscard]] Read<PcreText> read_pcre(std::string_view text);

}  // namespace masugata::ids
