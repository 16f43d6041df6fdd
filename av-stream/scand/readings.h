// SPDX-License-Identifier: GPL-2.0-or-later
// What an object may become at its receiver, where nobody can say for certain: each of these is
// scanned, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "av-stream/exchange/exchange_layout.h"
#include "av-stream/scand/scan_result.h"

namespace masugata::av {

// Before the object, for the header of a mail that is made of it.
inline constexpr size_t kHeaderRoom = 256;
// Lines of a part of a mail that may be its boundary; those behind are not tried. The boundary of
// what the part is comes before those of what is in it.
inline constexpr size_t kMaximumBoundaries = 8;

using ScanOnce = std::function<ScanResult(std::span<const uint8_t> object)>;

// Scans the object that stands in `room` behind kHeaderRoom bytes as it is and then in its other
// readings, until something is infected or could not be scanned; else the first outcome that is not
// Clean. An unknown `reading` has no others. `room` is changed.
//   LineEnds  with LF in the place of CR LF (RFC 959 section 3.1.1.1), if there is any
//   MailPart  as the body of a mail in base64; in quoted-printable, if it has a "="; as a multipart
//             one, of every boundary that it may have
[[nodiscard]] ScanResult scan_readings(std::span<uint8_t> room, ScanReading reading,
                                       const ScanOnce& scan);

}  // namespace masugata::av
