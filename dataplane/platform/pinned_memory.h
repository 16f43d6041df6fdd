// SPDX-License-Identifier: GPL-2.0-or-later
// Table memory from DPDK: hugepages where there are any.
#pragma once

#include <rte_malloc.h>

#include "dataplane/session/memory_source.h"

namespace masugata::dataplane {

// Needs a running EAL, which outlives it. Control thread, at start-up and shutdown.
class PinnedMemory final : public MemorySource {
 public:
  explicit PinnedMemory(int node = -1) noexcept : node_(node) {}
  [[nodiscard]] void* allocate(size_t bytes, size_t alignment,
                               const char* purpose) noexcept override {
    return rte_zmalloc_socket(purpose, bytes, static_cast<unsigned>(alignment), node_);
  }
  void release(void* block) noexcept override { rte_free(block); }

 private:
  int node_;
};

}  // namespace masugata::dataplane
