// SPDX-License-Identifier: GPL-2.0-or-later
// What workers changed in a dataset, on its way to the control side that writes it down.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

namespace masugata::ids {

struct DatasetChange {
  static constexpr size_t kValueBytes = 256;
  bool added = false;  // else removed
  uint16_t bytes = 0;
  std::array<uint8_t, kValueBytes> value{};
  [[nodiscard]] std::span<const uint8_t> view() const noexcept { return {value.data(), bytes}; }
};

// A ring of kEntries changes. Any number of workers write without waiting, one thread reads. At the
// bound, and for values longer than DatasetChange::kValueBytes, the change is lost here (not in the
// set) and counted.
class DatasetJournal {
 public:
  static constexpr size_t kEntries = 2048;

  DatasetJournal();
  // Worker. False when the change is lost.
  bool note(bool added, std::span<const uint8_t> value) noexcept;
  // The reader. False when there is none.
  [[nodiscard]] bool take(DatasetChange& change) noexcept;
  [[nodiscard]] uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

 private:
  struct Cell {
    // Whose turn it is: place + 0 = a writer's, place + 1 = the reader's; grows by kEntries.
    std::atomic<uint64_t> turn;
    DatasetChange change;
  };
  std::unique_ptr<Cell[]> cells_;
  std::atomic<uint64_t> next_{0};
  uint64_t read_ = 0;
  std::atomic<uint64_t> lost_{0};
};

}  // namespace masugata::ids
