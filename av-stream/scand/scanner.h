// SPDX-License-Identifier: GPL-2.0-or-later
// One scanner: takes objects out of the regions, scans them, answers, until it is told to end.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "av-stream/exchange/scanner_region.h"
#include "av-stream/scand/clamav_engine.h"
#include "av-stream/scand/left_behind.h"
#include "av-stream/scand/scanner_board.h"

namespace masugata::av {

// How a scanner's process ends; anything else is a crash.
enum ScannerExit : int {
  kScannerEnded = 0,
  kScannerOutOfMemory = 12,
  kScannerNotConfined = 13,
};

// Waits longer the longer there is nothing to do: the packet path wakes nobody, so scanners look.
class IdleWait {
 public:
  static constexpr uint64_t kSpinUs = 10;  // about what it costs to sleep and wake
  static constexpr uint64_t kShortSleepUs = 100;
  static constexpr uint64_t kSleepUs = 250;
  static constexpr uint64_t kLongSleepUs = 1000;
  static constexpr uint64_t kSleepAfterUs = 2'000;          // idle for this long: kSleepUs
  static constexpr uint64_t kLongSleepAfterUs = 2'000'000;  // kLongSleepUs

  // How long to sleep, after `idle_us` without work; 0: look again at once.
  [[nodiscard]] static constexpr uint64_t sleep_us(uint64_t idle_us) noexcept {
    if (idle_us < kSpinUs) return 0;
    if (idle_us < kSleepAfterUs) return kShortSleepUs;
    return idle_us < kLongSleepAfterUs ? kSleepUs : kLongSleepUs;
  }
};

// Thread: the only one of its process.
class Scanner {
 public:
  // A process of this age makes room for a fresh one: whatever libclamav may leak is bounded.
  static constexpr uint64_t kObjectsPerProcess = 50'000;
  static constexpr size_t kKeptBufferBytes = 1 << 20;

  struct Context {
    ClamavEngine& engine;
    std::vector<ScannerRegion>& regions;
    ScannerBoard& board;
    ScannerSeat& seat;
    uint64_t signatures = 0;
    uint32_t hang_grace_ms = 0;
    std::string scratch_directory;
  };

  explicit Scanner(const Context& context);
  // Until the board's round changes, or until a fresh process is better: after many objects, after
  // one that its memory was too small for, or when scans have left files or descriptors. In the
  // middle of nothing; how the process is to end.
  [[nodiscard]] ScannerExit run();
  // Scans one object if one waits.
  bool serve_one();

 private:
  [[nodiscard]] ScanVerdict scan(const ScannerRegion& region, uint32_t slot);
  [[nodiscard]] std::span<uint8_t> buffer(uint64_t bytes);

  Context context_;
  uint32_t round_;
  uint32_t holder_;
  size_t next_region_ = 0;
  uint64_t served_ = 0;
  LeftBehind left_behind_;
  bool out_of_memory_ = false;
  std::unique_ptr<uint8_t[]> buffer_;
  size_t buffer_bytes_ = 0;
};

}  // namespace masugata::av
