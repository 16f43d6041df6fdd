// SPDX-License-Identifier: GPL-2.0-or-later
// Where Masugata means to differ from the kernel. docs/differential.md has the reasons.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tests/differential/outcome.h"

namespace masugata::test {

// One frame that both gateways have seen.
struct Comparison {
  const LogicalFrame& frame;
  const TrafficFlow& flow;
  const Outcome& masugata;
  const Outcome& kernel;
};

struct Intention {
  std::string_view name;  // as in docs/differential.md
  bool (*explains)(const Comparison&);
  // For those whose predicate cannot be sharp: more than this, and they hide a bug. 0 = any number.
  uint64_t most_per_100000_frames = 0;
};

[[nodiscard]] std::span<const Intention> intentions();

// The first intention that explains the difference, nullptr for none: then it is a bug.
[[nodiscard]] const Intention* explain(const Comparison& comparison);

}  // namespace masugata::test
