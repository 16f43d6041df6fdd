// SPDX-License-Identifier: GPL-2.0-or-later
// What a scanner of the gateway has for the files that it unpacks; nobody configures it.
#pragma once

#include <cstdint>

namespace masugata::config {

// In memory, taken while an object is scanned. It holds an unpacked file and, from archives in
// archives, those around it; without room nothing is unpacked and the object is not scanned.
inline constexpr uint32_t kScannerScratchMegabytes = 512;

}  // namespace masugata::config
