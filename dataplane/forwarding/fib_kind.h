// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace masugata::dataplane {

// Compact: a prefix tree, a few MB in all, lookups of some hundred cycles in large tables.
// Large: DIR-24-8 and a 24-8 trie, about 200 MB for both families and both copies, a few cycles.
enum class FibKind : uint8_t { Compact, Large };

}  // namespace masugata::dataplane
