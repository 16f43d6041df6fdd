// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/secrets/secret_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace masugata::config {

Result<SecretPages> SecretPages::create(size_t bytes) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t size = (bytes + page - 1) / page * page;
  void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (mapped == MAP_FAILED) return failure("memory for secrets", std::strerror(errno));
  SecretPages memory(static_cast<uint8_t*>(mapped), size, false);
  if (madvise(mapped, size, MADV_DONTDUMP) != 0 || madvise(mapped, size, MADV_DONTFORK) != 0) {
    return failure("memory for secrets", std::strerror(errno));
  }
  memory.locked_ = mlock(mapped, size) == 0;
  return memory;
}

SecretPages::~SecretPages() {
  if (begin_ == nullptr) return;
  explicit_bzero(begin_, size_);
  munmap(begin_, size_);
}

}  // namespace masugata::config
