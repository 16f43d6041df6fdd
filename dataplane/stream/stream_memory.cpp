// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stream/stream_memory.h"

#include <algorithm>

namespace masugata::dataplane {

bool StreamMemory::allocate(MemorySource& source, size_t bytes) noexcept {
  const size_t blocks = std::clamp<size_t>(bytes / kStreamBlockBytes, 1, kNoStreamBlock - 1);
  if (!bytes_.allocate(source, blocks * kStreamBlockBytes, "stream bytes")) return false;
  if (!free_.allocate(source, blocks, "stream blocks")) return false;
  // The lowest blocks are taken first: a gateway with few streams touches few pages.
  for (size_t index = 0; index < blocks; ++index) {
    free_[index] = static_cast<uint32_t>(blocks - 1 - index);
  }
  free_count_ = blocks;
  return true;
}

}  // namespace masugata::dataplane
