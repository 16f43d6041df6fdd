// SPDX-License-Identifier: GPL-2.0-or-later
// What a generation and its scanners write down for those who watch over them: memory that they
// share with the supervisor. A scanner that was taken over can write anything here: numbers are
// shown and compared, nothing is believed further.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "result/result.h"

namespace masugata::av {

inline constexpr uint32_t kMaximumScanners = 64;

struct alignas(64) ScannerSeat {
  std::atomic<uint32_t> holder;  // its number in the slots of regions; 0: nobody sits here
  std::atomic<int32_t> process;
  std::atomic<uint64_t> seen_ms;        // when it last looked for work
  std::atomic<uint64_t> busy_since_ms;  // 0: it has no object
  std::atomic<uint32_t> allowed_ms;     // for the object that it has
  // Since the generation began, of all scanners that sat here.
  std::atomic<uint64_t> objects;
  std::atomic<uint64_t> bytes;
  std::atomic<uint64_t> found;
  std::atomic<uint64_t> failed;
  std::atomic<uint64_t> scan_us;
};

struct ScannerBoard {
  std::atomic<uint32_t> round;    // scanners of an earlier round end after their object
  std::atomic<uint64_t> seen_ms;  // when the generation last looked after its scanners
  std::atomic<uint64_t> crashes;
  std::atomic<uint64_t> hangs;
  std::atomic<uint64_t> memory_shortages;
  std::array<ScannerSeat, kMaximumScanners> seats;
};

// Numbers for ScannerSeat::holder: none is given twice while the supervisor lives.
struct HolderNumbers {
  std::atomic<uint32_t> last;
  [[nodiscard]] uint32_t next() noexcept {
    uint32_t number = 0;
    // 0 and the worker's own number are nobody's.
    do {
      number = last.fetch_add(1) + 1;
    } while (number == 0 || number == 0xffffffffU);
    return number;
  }
};

// Zeroed memory that this process shares with those that it forks; undone with the object.
template <class Content>
class SharedWithForks {
 public:
  static Result<SharedWithForks> create();
  [[nodiscard]] Content& operator*() const noexcept { return *content_; }
  [[nodiscard]] Content* operator->() const noexcept { return content_.get(); }

 private:
  struct Unmap {
    void operator()(Content* content) const noexcept;
  };
  explicit SharedWithForks(Content* content) : content_(content) {}
  std::unique_ptr<Content, Unmap> content_;
};

extern template class SharedWithForks<ScannerBoard>;
extern template class SharedWithForks<HolderNumbers>;

// Milliseconds of a clock that only goes forward, the same in all processes.
[[nodiscard]] uint64_t monotonic_ms() noexcept;

}  // namespace masugata::av
