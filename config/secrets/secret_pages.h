// SPDX-License-Identifier: GPL-2.0-or-later
// Memory for secrets: not in core dumps, not in children, wiped before it is given back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "result/result.h"

namespace masugata::config {

// Whole pages of zeros, excluded from core dumps (MADV_DONTDUMP) and from fork() (MADV_DONTFORK),
// and locked against swapping as far as the process may lock memory. Move-only; any thread.
class SecretPages {
 public:
  // At least `bytes`, rounded up to pages. Fails when there is no memory or the kernel does not
  // promise the exclusions.
  [[nodiscard]] static Result<SecretPages> create(size_t bytes);

  SecretPages(SecretPages&& other) noexcept
      : begin_(std::exchange(other.begin_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        locked_(other.locked_) {}
  SecretPages& operator=(SecretPages&&) = delete;
  ~SecretPages();

  [[nodiscard]] uint8_t* begin() const noexcept { return begin_; }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] bool locked() const noexcept { return locked_; }

 private:
  SecretPages(uint8_t* begin, size_t size, bool locked) noexcept
      : begin_(begin), size_(size), locked_(locked) {}

  uint8_t* begin_;
  size_t size_;
  bool locked_;
};

}  // namespace masugata::config
