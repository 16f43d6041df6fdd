// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/scand/scanner_board.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <ctime>

namespace masugata::av {

template <class Content>
Result<SharedWithForks<Content>> SharedWithForks<Content>::create() {
  void* memory =
      mmap(nullptr, sizeof(Content), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return failure("shared memory", std::strerror(errno));
  return SharedWithForks(static_cast<Content*>(memory));
}

template <class Content>
void SharedWithForks<Content>::Unmap::operator()(Content* content) const noexcept {
  munmap(content, sizeof(Content));
}

template class SharedWithForks<ScannerBoard>;
template class SharedWithForks<HolderNumbers>;

uint64_t monotonic_ms() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace masugata::av
