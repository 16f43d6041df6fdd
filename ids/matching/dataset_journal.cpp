// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/dataset_journal.h"

#include <algorithm>

namespace masugata::ids {

DatasetJournal::DatasetJournal() : cells_(std::make_unique<Cell[]>(kEntries)) {
  for (size_t place = 0; place < kEntries; ++place) {
    cells_[place].turn.store(place, std::memory_order_relaxed);
  }
}

bool DatasetJournal::note(bool added, std::span<const uint8_t> value) noexcept {
  uint64_t place = next_.load(std::memory_order_relaxed);
  Cell* cell = nullptr;
  while (value.size() <= DatasetChange::kValueBytes) {
    cell = &cells_[place % kEntries];
    const uint64_t turn = cell->turn.load(std::memory_order_acquire);
    if (turn == place) {
      if (next_.compare_exchange_weak(place, place + 1, std::memory_order_relaxed)) break;
      cell = nullptr;
      continue;
    }
    cell = nullptr;
    if (turn < place) break;  // not read yet: full
    place = next_.load(std::memory_order_relaxed);
  }
  if (cell == nullptr) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  cell->change.added = added;
  cell->change.bytes = static_cast<uint16_t>(value.size());
  std::copy(value.begin(), value.end(), cell->change.value.begin());
  cell->turn.store(place + 1, std::memory_order_release);
  return true;
}

bool DatasetJournal::take(DatasetChange& change) noexcept {
  Cell& cell = cells_[read_ % kEntries];
  if (cell.turn.load(std::memory_order_acquire) != read_ + 1) return false;
  change = cell.change;
  cell.turn.store(read_ + kEntries, std::memory_order_release);
  ++read_;
  return true;
}

}  // namespace masugata::ids
