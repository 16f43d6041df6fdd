// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes that no core dump may hold: shared secrets, private keys, texts in which one may stand.
#pragma once

#include <cstddef>
#include <string_view>

#include "result/result.h"

namespace masugata::config {

// A buffer that grows, all of it in SecretPages: not in core dumps, not in children, locked where
// the process may lock memory; what it leaves behind, also when it grows, is overwritten. Never
// printable: no output operator, and fmt refuses it. Several threads may use it, each its own. Off
// the packet path. Throws std::bad_alloc when there is no such memory: a secret never goes
// elsewhere. Memory: a power of two from 32 bytes; what is freed is kept for the next secret up to
// 16 KiB a piece, and given back to the kernel beyond.
class SecretBytes {
 public:
  SecretBytes() noexcept = default;
  explicit SecretBytes(std::string_view bytes) { append(bytes); }
  SecretBytes(const SecretBytes& other) { append(other.view()); }
  SecretBytes(SecretBytes&& other) noexcept { swap(other); }
  SecretBytes& operator=(const SecretBytes& other) {
    if (this != &other) SecretBytes(other).swap(*this);
    return *this;
  }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    SecretBytes(static_cast<SecretBytes&&>(other)).swap(*this);
    return *this;
  }
  ~SecretBytes();

  void append(std::string_view bytes);
  void push_back(char byte) { append({&byte, 1}); }
  // Room for so many bytes in all: what has room does not move.
  void reserve(size_t bytes);
  // New bytes are zeros; bytes cut off are overwritten.
  void resize(size_t bytes);
  // Empty, and nothing is left behind.
  void clear() noexcept { SecretBytes().swap(*this); }
  void swap(SecretBytes& other) noexcept;

  [[nodiscard]] char* data() noexcept { return data_; }  // nullptr as long as it was never filled
  [[nodiscard]] const char* data() const noexcept { return data_; }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  // Valid until this object changes.
  [[nodiscard]] std::string_view view() const noexcept { return {data_, size_}; }
  operator std::string_view() const noexcept { return view(); }
  friend bool operator==(const SecretBytes& left, std::string_view right) {
    return left.view() == right;
  }
  friend bool operator==(const SecretBytes& left, const SecretBytes& right) {
    return left.view() == right.view();
  }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// From `descriptor` to its end, at most `bound` bytes: what is beyond stays unread. Bytes go
// nowhere else on their way. Fault: it cannot be read.
[[nodiscard]] Result<SecretBytes> read_secret_bytes(int descriptor, size_t bound);

}  // namespace masugata::config
