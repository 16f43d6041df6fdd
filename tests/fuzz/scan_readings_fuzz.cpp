// SPDX-License-Identifier: GPL-2.0-or-later
// An object of any bytes in every reading. Input: which one, the outcome of each scan, the object.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <numeric>

#include "av-stream/scand/readings.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace masugata::av;  // NOLINT: a program of one file
  if (size < 2) return 0;
  const auto reading = static_cast<ScanReading>(data[0] & 3U);
  const uint8_t not_clean = data[1];
  data += 2;
  size -= 2;
  // Exactly as large as the object and the room before it: a byte beyond them is a finding.
  const auto room = std::make_unique<uint8_t[]>(kHeaderRoom + size);
  std::copy_n(data, size, room.get() + kHeaderRoom);
  size_t scans = 0;
  bool infected = false;
  const ScanResult result =
      scan_readings({room.get(), kHeaderRoom + size}, reading, [&](std::span<const uint8_t> bytes) {
        volatile unsigned sum = std::accumulate(bytes.begin(), bytes.end(), 0U);
        (void)sum;
        if (bytes.size() > kHeaderRoom + size) std::abort();
        // The first scan is of the object as it came.
        if (scans == 0 && !std::equal(bytes.begin(), bytes.end(), data, data + size)) std::abort();
        const bool finds = ++scans == not_clean;
        infected = infected || finds;
        return ScanResult{
            finds ? ScanOutcome::Infected : ScanOutcome::Clean, ScanFailure::None, {}};
      });
  const bool in_bounds = scans >= 1 && scans <= 3 + kMaximumBoundaries;
  if (!in_bounds || (result.outcome == ScanOutcome::Infected) != infected) std::abort();
  return 0;
}
