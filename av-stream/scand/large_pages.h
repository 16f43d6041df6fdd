// SPDX-License-Identifier: GPL-2.0-or-later
// An engine is some hundred MB that are read all over: with pages of 4 KiB up to half of a
// scan's time is looking up where they are.
#pragma once

#include <cstdint>

namespace masugata::av {

// Moves what this process has written of private memory into large pages (2 MiB), as far as the
// kernel (6.1 or later) has them. Contents and addresses stay; what is forked afterwards shares
// them like other pages. Takes as long as copying it. Thread: the only one of its process, after
// the engine was loaded and before anything is forked. Gives the bytes that are in large pages now;
// 0: none, which is no fault.
[[nodiscard]] uint64_t gather_in_large_pages();

}  // namespace masugata::av
