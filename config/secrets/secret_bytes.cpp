// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/secrets/secret_bytes.h"

#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "config/secrets/secret_pages.h"

namespace masugata::config {
namespace {

constexpr size_t kSmallestBlock = 32;
constexpr size_t kLargestPooled = size_t{16} * 1024;
constexpr size_t kArenaBytes = size_t{64} * 1024;
constexpr size_t kClasses =
    static_cast<size_t>(std::countr_zero(kLargestPooled / kSmallestBlock)) + 1;

size_t block_bytes(size_t bytes) { return std::bit_ceil(std::max(bytes, kSmallestBlock)); }

// Blocks of powers of two, cut from arenas that stay; large ones are pages of their own. What is
// free is listed outside of the pages.
class SecretPool {
 public:
  // Never destroyed: a secret may be the last thing that goes.
  static SecretPool& instance() {
    static SecretPool* pool = new SecretPool;
    return *pool;
  }

  char* take(size_t bytes) {
    const std::lock_guard guard(lock_);
    if (bytes > kLargestPooled) {
      SecretPages pages = made(bytes);
      char* begin = reinterpret_cast<char*>(pages.begin());
      large_.emplace(begin, std::move(pages));
      return begin;
    }
    std::vector<char*>& free = free_[class_of(bytes)];
    if (free.empty()) refill(free, bytes);
    char* block = free.back();
    free.pop_back();
    return block;
  }

  // All of the block is overwritten.
  void give_back(char* block, size_t bytes) noexcept {
    const std::lock_guard guard(lock_);
    if (bytes > kLargestPooled) {
      large_.erase(block);
    } else {
      explicit_bzero(block, bytes);
      // Has room: refill() reserved a place for each block that there is.
      free_[class_of(bytes)].push_back(block);
    }
  }

 private:
  static size_t class_of(size_t bytes) {
    return static_cast<size_t>(std::countr_zero(bytes / kSmallestBlock));
  }
  static SecretPages made(size_t bytes) {
    Result<SecretPages> pages = SecretPages::create(bytes);
    if (!pages) throw std::bad_alloc();
    return std::move(*pages);
  }
  void refill(std::vector<char*>& free, size_t bytes) {
    arenas_.push_back(made(kArenaBytes));
    blocks_[class_of(bytes)] += kArenaBytes / bytes;
    free.reserve(blocks_[class_of(bytes)]);
    char* begin = reinterpret_cast<char*>(arenas_.back().begin());
    for (size_t offset = 0; offset < kArenaBytes; offset += bytes) free.push_back(begin + offset);
  }

  std::mutex lock_;
  std::vector<SecretPages> arenas_;
  std::array<std::vector<char*>, kClasses> free_;
  std::array<size_t, kClasses> blocks_{};
  std::map<char*, SecretPages> large_;
};

}  // namespace

SecretBytes::~SecretBytes() {
  if (data_ != nullptr) SecretPool::instance().give_back(data_, capacity_);
}

void SecretBytes::swap(SecretBytes& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
}

void SecretBytes::reserve(size_t bytes) {
  if (bytes <= capacity_) return;
  const size_t capacity = block_bytes(bytes);
  char* block = SecretPool::instance().take(capacity);
  if (size_ != 0) std::memcpy(block, data_, size_);
  if (data_ != nullptr) SecretPool::instance().give_back(data_, capacity_);
  data_ = block;
  capacity_ = capacity;
}

void SecretBytes::append(std::string_view bytes) {
  if (bytes.empty()) return;
  reserve(size_ + bytes.size());
  std::memcpy(data_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void SecretBytes::resize(size_t bytes) {
  reserve(bytes);
  if (bytes < size_) explicit_bzero(data_ + bytes, size_ - bytes);
  // Beyond its size a block holds zeros.
  size_ = bytes;
}

Result<SecretBytes> read_secret_bytes(int descriptor, size_t bound) {
  constexpr size_t kFirstBytes = 4096;
  struct stat about {};
  const bool known = ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
  SecretBytes bytes;
  // One more than the file has, to see its end.
  bytes.resize(std::min(bound, known ? static_cast<size_t>(about.st_size) + 1 : kFirstBytes));
  size_t filled = 0;
  while (filled < bound) {
    if (filled == bytes.size()) bytes.resize(std::min(bound, 2 * filled));
    const ssize_t count = ::read(descriptor, bytes.data() + filled, bytes.size() - filled);
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure("file", std::strerror(errno));
    filled += static_cast<size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace masugata::config
