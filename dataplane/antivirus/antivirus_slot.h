// SPDX-License-Identifier: GPL-2.0-or-later
// Antivirus profiles as the packet path names them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace masugata::dataplane {

// A profile keeps its slot for as long as the gateway runs, whatever its place in the
// configuration.
using AntivirusSlotIndex = uint8_t;
inline constexpr size_t kMaximumAntivirusSlots = 32;
inline constexpr AntivirusSlotIndex kNoAntivirusSlot = 0xff;

}  // namespace masugata::dataplane
