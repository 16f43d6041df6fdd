// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stream/pieces_ahead.h"

#include <algorithm>

namespace masugata::dataplane {

Piece* PiecesAhead::pieces() const noexcept {
  return reinterpret_cast<Piece*>(memory_.data(block_));  // blocks are aligned to cache lines
}

std::span<const Piece> PiecesAhead::all() const noexcept {
  if (count_ == 0) return {};
  return {pieces(), count_};
}

size_t PiecesAhead::find(uint64_t position) const noexcept {
  const std::span<const Piece> known = all();
  const auto behind = [](uint64_t value, const Piece& piece) { return value < piece.end; };
  const auto found = std::upper_bound(known.begin(), known.end(), position, behind);
  return static_cast<size_t>(found - known.begin());
}

bool PiecesAhead::prepare(uint64_t begin, uint64_t end, size_t maximum) noexcept {
  if (block_ == kNoStreamBlock) {
    block_ = memory_.take();
    if (block_ == kNoStreamBlock) return false;
  }
  if (count_ < std::min(maximum, kMaximumPiecesAhead)) return true;
  const size_t index = begin == 0 ? 0 : find(begin - 1);
  return index < count_ && pieces()[index].begin <= end;  // joins one that exists
}

void PiecesAhead::add(uint64_t begin, uint64_t end) noexcept {
  Piece* known = pieces();
  // Touching counts as joined: the piece that ends exactly at `begin` is included.
  const size_t first = begin == 0 ? 0 : find(begin - 1);
  size_t last = first;
  while (last < count_ && known[last].begin <= end) {
    begin = std::min(begin, known[last].begin);
    end = std::max(end, known[last].end);
    ++last;
  }
  if (last == first) {
    std::copy_backward(known + first, known + count_, known + count_ + 1);
    ++count_;
  } else {
    std::copy(known + last, known + count_, known + first + 1);
    count_ -= static_cast<uint32_t>(last - first - 1);
  }
  known[first] = {begin, end};
}

void PiecesAhead::remove_before(uint64_t position) noexcept {
  if (count_ == 0) return;
  Piece* known = pieces();
  const size_t first = find(position);
  std::copy(known + first, known + count_, known);
  count_ -= static_cast<uint32_t>(first);
  if (count_ == 0) {
    clear();
  } else {
    known[0].begin = std::max(known[0].begin, position);
  }
}

void PiecesAhead::clear() noexcept {
  if (block_ != kNoStreamBlock) memory_.give_back(block_);
  block_ = kNoStreamBlock;
  count_ = 0;
}

}  // namespace masugata::dataplane
