// SPDX-License-Identifier: GPL-2.0-or-later
// Sees that a scan has too little left to unpack into. What libclamav could not write, for want of
// files, descriptors or room, it leaves out, and of pages it does not even say so.
#pragma once

#include <cstdint>
#include <string>

namespace masugata::av {

// To be left when anything is looked into. Of a page libclamav writes four files at most that are
// as large as it and have names of ours, and one for each file in it, which is looked into in turn.
inline constexpr uint64_t kSpareFiles = 64;
inline constexpr int kSpareDescriptors = 32;
inline constexpr uint64_t kSpareBytes = 1 << 20;
inline constexpr uint64_t kCopies = 4;
inline constexpr uint64_t kLargestPageBytes = 10 << 20;  // libclamav writes no larger one

// Whether that is not there for `bytes` that are about to be looked into, of the file system of
// `directory` and of this process; or nobody can say. Thread: any. Five system calls, which
// scanners may make.
[[nodiscard]] bool is_short(const std::string& directory, uint64_t bytes) noexcept;

}  // namespace masugata::av
