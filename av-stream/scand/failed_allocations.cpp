// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/failed_allocations.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define MASUGATA_HAS_OTHER_ALLOCATOR 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MASUGATA_HAS_OTHER_ALLOCATOR 1
#endif

namespace {

std::atomic<uint64_t> g_failed{0};

#if !defined(MASUGATA_HAS_OTHER_ALLOCATOR)
void* noted(void* memory) noexcept {
  if (memory == nullptr) [[unlikely]]
    g_failed.fetch_add(1, std::memory_order_relaxed);
  return memory;
}
#endif

}  // namespace

namespace masugata::av {

uint64_t failed_allocations() noexcept { return g_failed.load(std::memory_order_relaxed); }

bool sees_failed_allocations() noexcept {
#if defined(MASUGATA_HAS_OTHER_ALLOCATOR)
  return false;
#else
  return true;
#endif
}

}  // namespace masugata::av

#if !defined(MASUGATA_HAS_OTHER_ALLOCATOR)

// The C library's own functions under the names by which they stay within reach; what frees memory
// is the library's.
extern "C" {
void* __libc_malloc(size_t size);                      // NOLINT: glibc's own name
void* __libc_calloc(size_t count, size_t size);        // NOLINT
void* __libc_realloc(void* memory, size_t size);       // NOLINT
void* __libc_memalign(size_t alignment, size_t size);  // NOLINT

void* malloc(size_t size) noexcept { return noted(__libc_malloc(size)); }

void* calloc(size_t count, size_t size) noexcept { return noted(__libc_calloc(count, size)); }

// Of size 0 it frees, and gives nothing.
void* realloc(void* memory, size_t size) noexcept {
  void* const moved = __libc_realloc(memory, size);
  return size == 0 ? moved : noted(moved);
}

void* reallocarray(void* memory, size_t count, size_t size) noexcept {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return noted(nullptr);
  }
  return realloc(memory, bytes);
}

void* memalign(size_t alignment, size_t size) noexcept {
  return noted(__libc_memalign(alignment, size));
}

void* aligned_alloc(size_t alignment, size_t size) noexcept { return memalign(alignment, size); }

int posix_memalign(void** memory, size_t alignment, size_t size) noexcept {
  const bool is_power = alignment != 0 && (alignment & (alignment - 1)) == 0;
  if (!is_power || alignment % sizeof(void*) != 0) return EINVAL;
  void* const made = memalign(alignment, size);
  if (made == nullptr) return ENOMEM;
  *memory = made;
  return 0;
}

void* mmap(void* address, size_t bytes, int access, int kind, int file, off_t offset) noexcept {
  const long mapped = syscall(SYS_mmap, address, bytes, access, kind, file, offset);
  if (mapped == -1 && errno == ENOMEM) [[unlikely]]
    static_cast<void>(noted(nullptr));
  return reinterpret_cast<void*>(mapped);
}
}

#endif
