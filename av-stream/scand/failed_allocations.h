// SPDX-License-Identifier: GPL-2.0-or-later
// Sees every allocation that fails. Unpackers of libclamav that get no memory mostly tell nobody
// and call what they could not unpack clean, so what they ask of the C library is watched instead
// of what they say: a program that links this has malloc() and mmap() of its own, which go on to
// the library's.
#pragma once

#include <cstdint>

namespace masugata::av {

// Of this process since it began, by malloc(), its kin and mmap(), those of its libraries included.
// Thread: any.
[[nodiscard]] uint64_t failed_allocations() noexcept;

// False where a sanitizer brings its own malloc(): there the number stays 0.
[[nodiscard]] bool sees_failed_allocations() noexcept;

}  // namespace masugata::av
