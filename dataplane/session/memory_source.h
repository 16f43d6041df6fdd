// SPDX-License-Identifier: GPL-2.0-or-later
// Where tables get their memory: huge pages in the gateway, plain memory in tests.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace masugata::dataplane {

// Hands out zeroed blocks at start-up; never called on the packet path. The gateway implements it
// with rte_malloc on the worker's NUMA node; HeapMemory below serves tests and tools.
class MemorySource {
 public:
  MemorySource() = default;
  MemorySource(const MemorySource&) = delete;
  MemorySource& operator=(const MemorySource&) = delete;
  virtual ~MemorySource() = default;

  // A zeroed block of `bytes` at a multiple of `alignment` (a power of two), or nullptr when there
  // is none. `purpose` names the block in memory reports and must outlive the source.
  [[nodiscard]] virtual void* allocate(size_t bytes, size_t alignment,
                                       const char* purpose) noexcept = 0;
  // Takes back a block of allocate(); nullptr is ignored.
  virtual void release(void* block) noexcept = 0;
};

// The plain heap; every block is 64-byte aligned at least.
class HeapMemory final : public MemorySource {
 public:
  [[nodiscard]] void* allocate(size_t bytes, size_t alignment,
                               const char* /*purpose*/) noexcept override {
    if (alignment > kAlignment) return nullptr;
    void* block = ::operator new(bytes, std::align_val_t{kAlignment}, std::nothrow);
    if (block != nullptr) std::memset(block, 0, bytes);
    return block;
  }
  void release(void* block) noexcept override {
    ::operator delete(block, std::align_val_t{kAlignment});
  }

 private:
  static constexpr size_t kAlignment = 64;
};

// A fixed array of trivial elements in memory of a source; empty until filled. Elements start as
// zero bytes. Access is unchecked: an index comes from the owner of the array, never from a packet.
template <class T>
class SourcedArray {
 public:
  SourcedArray() = default;
  SourcedArray(const SourcedArray&) = delete;
  SourcedArray& operator=(const SourcedArray&) = delete;
  SourcedArray(SourcedArray&& other) noexcept { swap(other); }
  SourcedArray& operator=(SourcedArray&& other) noexcept {
    SourcedArray(std::move(other)).swap(*this);
    return *this;
  }
  ~SourcedArray() {
    if (source_ != nullptr) source_->release(elements_);
  }

  // Takes memory for `count` elements; false when the source has none. `source` must outlive this.
  [[nodiscard]] bool allocate(MemorySource& source, size_t count, const char* purpose) noexcept {
    static_assert(std::is_trivially_destructible_v<T>);
    constexpr size_t kCacheLine = 64;
    const size_t alignment = alignof(T) > kCacheLine ? alignof(T) : kCacheLine;
    if (count > static_cast<size_t>(-1) / sizeof(T)) return false;
    void* block = source.allocate(count * sizeof(T), alignment, purpose);
    if (block == nullptr) return false;
    SourcedArray fresh;
    fresh.source_ = &source;
    fresh.elements_ = static_cast<T*>(block);
    fresh.count_ = count;
    swap(fresh);
    return true;
  }

  [[nodiscard]] T& operator[](size_t index) noexcept { return elements_[index]; }
  [[nodiscard]] const T& operator[](size_t index) const noexcept { return elements_[index]; }
  [[nodiscard]] T* data() noexcept { return elements_; }
  [[nodiscard]] const T* data() const noexcept { return elements_; }
  [[nodiscard]] size_t size() const noexcept { return count_; }
  [[nodiscard]] size_t bytes() const noexcept { return count_ * sizeof(T); }

 private:
  void swap(SourcedArray& other) noexcept {
    std::swap(source_, other.source_);
    std::swap(elements_, other.elements_);
    std::swap(count_, other.count_);
  }

  MemorySource* source_ = nullptr;
  T* elements_ = nullptr;
  size_t count_ = 0;
};

}  // namespace masugata::dataplane
