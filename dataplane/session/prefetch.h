// SPDX-License-Identifier: GPL-2.0-or-later
// Starting to load a cache line that is needed soon.
#pragma once

namespace masugata::dataplane {

// Starts loading the line at `address` into all cache levels; any address is allowed. Written as
// assembly because g++ 12 takes a function that does nothing but __builtin_prefetch for one without
// effect and removes the calls to it.
inline void prefetch_line(const void* address) noexcept {
  asm volatile("prefetcht0 %0" : : "m"(*static_cast<const char*>(address)));
}

}  // namespace masugata::dataplane
