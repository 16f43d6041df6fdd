// SPDX-License-Identifier: GPL-2.0-or-later
// The pipeline in words, from the stages' own declarations.
#pragma once

#include <string>

namespace masugata::dataplane {

// One line per stage in the order in which a worker runs them: "decode -> track defragment punt
// transmit". ARCHITECTURE.md shows the same text; a test compares them.
[[nodiscard]] std::string stage_graph_text();

}  // namespace masugata::dataplane
