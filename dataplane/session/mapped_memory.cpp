// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/mapped_memory.h"

#include <sys/mman.h>

#include <cstdint>

namespace masugata::dataplane {
namespace {

// The size of the mapping stands before the block.
constexpr size_t kBefore = 64;

}  // namespace

void* MappedMemory::allocate(size_t bytes, size_t alignment, const char* /*purpose*/) noexcept {
  if (alignment > kBefore || bytes > SIZE_MAX - kBefore) return nullptr;
  const size_t length = bytes + kBefore;
  void* mapping = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  std::memcpy(mapping, &length, sizeof length);
  return static_cast<uint8_t*>(mapping) + kBefore;
}

void MappedMemory::release(void* block) noexcept {
  if (block == nullptr) return;
  void* mapping = static_cast<uint8_t*>(block) - kBefore;
  size_t length = 0;
  std::memcpy(&length, mapping, sizeof length);
  munmap(mapping, length);
}

}  // namespace masugata::dataplane
