// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/engine/stream_window.h"

#include <algorithm>
#include <new>

namespace masugata::ids {

bool StreamWindow::append(std::span<const uint8_t> bytes, size_t limit) noexcept {
  if (bytes.size() > limit) {
    skip(bytes.size() - limit);
    bytes = bytes.last(limit);
  }
  if (bytes_.size() + bytes.size() > limit) {
    const size_t kept = std::min(limit / 2, limit - bytes.size());
    const size_t gone = bytes_.size() - std::min(kept, bytes_.size());
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(gone));
    first_ += gone;
  }
  try {
    if (bytes_.capacity() < bytes_.size() + bytes.size()) {
      bytes_.reserve(
          std::min(limit, std::max(bytes_.capacity() * 2, bytes_.size() + bytes.size())));
    }
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  } catch (const std::bad_alloc&) {
    skip(bytes.size());
    return false;
  }
  return true;
}

void StreamWindow::skip(uint64_t count) noexcept {
  first_ = end() + count;
  bytes_.clear();
}

void StreamWindow::release() noexcept {
  first_ = end();
  std::vector<uint8_t>().swap(bytes_);  // assigning {} would keep the memory
}

}  // namespace masugata::ids
