// SPDX-License-Identifier: GPL-2.0-or-later
// Which positions behind a gap have come: separate pieces in order of position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/stream/stream_memory.h"

namespace masugata::dataplane {

struct Piece {
  uint64_t begin = 0;
  uint64_t end = 0;
};

inline constexpr size_t kMaximumPiecesAhead = 250;

// Thread: the worker's; packet path. Lives in one block, taken with the first piece and given back
// with the last.
class PiecesAhead {
 public:
  explicit PiecesAhead(StreamMemory& memory) noexcept : memory_(memory) {}
  PiecesAhead(const PiecesAhead&) = delete;
  PiecesAhead& operator=(const PiecesAhead&) = delete;
  ~PiecesAhead() { clear(); }

  // In order, apart from each other by at least one position.
  [[nodiscard]] std::span<const Piece> all() const noexcept;
  // The first piece that ends behind `position`, as an index into all(); its size if there is none.
  [[nodiscard]] size_t find(uint64_t position) const noexcept;
  // Whether add() would succeed; takes the block when there is none yet.
  [[nodiscard]] bool prepare(uint64_t begin, uint64_t end, size_t maximum) noexcept;
  // Adds positions and joins them with what they touch. After prepare() of the same.
  void add(uint64_t begin, uint64_t end) noexcept;
  // Forgets all positions before `position`.
  void remove_before(uint64_t position) noexcept;
  void clear() noexcept;
  [[nodiscard]] bool is_empty() const noexcept { return count_ == 0; }

 private:
  [[nodiscard]] Piece* pieces() const noexcept;

  StreamMemory& memory_;
  uint32_t block_ = kNoStreamBlock;
  uint32_t count_ = 0;
};
static_assert(kMaximumPiecesAhead * sizeof(Piece) <= kStreamBlockBytes);

}  // namespace masugata::dataplane
