// SPDX-License-Identifier: GPL-2.0-or-later
// Memory for tables of a short run: pages that nobody touches cost nothing.
#pragma once

#include "dataplane/session/memory_source.h"

namespace masugata::dataplane {

// Each block is a mapping of its own, zeroed by the kernel when touched, 64-byte aligned.
class MappedMemory final : public MemorySource {
 public:
  [[nodiscard]] void* allocate(size_t bytes, size_t alignment,
                               const char* purpose) noexcept override;
  void release(void* block) noexcept override;
};

}  // namespace masugata::dataplane
