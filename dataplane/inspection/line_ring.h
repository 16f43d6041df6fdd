// SPDX-License-Identifier: GPL-2.0-or-later
// Lines of text from one worker to the control thread: the event log's way out.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "ids/eve/line_sink.h"

namespace masugata::dataplane {

// One producer, one consumer, wait-free. Each line is its length in four bytes and its text. A line
// that does not fit into what is free is lost and counted.
class LineRing final : public ids::LineSink {
 public:
  // `bytes` is a power of two.
  explicit LineRing(uint32_t bytes)
      : bytes_(std::make_unique_for_overwrite<char[]>(bytes)), mask_(bytes - 1) {}

  // The worker.
  void line(std::string_view text) noexcept override {
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    const uint64_t used = tail - head_.load(std::memory_order_acquire);
    const uint64_t needed = kLengthBytes + text.size();
    if (needed > mask_ + uint64_t{1} - used) {
      lost_.store(lost_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      return;
    }
    const auto length = static_cast<uint32_t>(text.size());
    write(tail, reinterpret_cast<const char*>(&length), kLengthBytes);
    write(tail + kLengthBytes, text.data(), text.size());
    tail_.store(tail + needed, std::memory_order_release);
  }

  // The control thread. False when there is none; `text` is replaced.
  bool pop(std::string& text) {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    uint32_t length = 0;
    read(head, reinterpret_cast<char*>(&length), kLengthBytes);
    text.resize(length);
    read(head + kLengthBytes, text.data(), length);
    head_.store(head + kLengthBytes + length, std::memory_order_release);
    return true;
  }

  [[nodiscard]] uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint32_t kLengthBytes = 4;

  void write(uint64_t at, const char* from, size_t count) noexcept {
    const size_t begin = at & mask_;
    const size_t first = std::min(count, mask_ + size_t{1} - begin);
    std::memcpy(bytes_.get() + begin, from, first);
    std::memcpy(bytes_.get(), from + first, count - first);
  }
  void read(uint64_t at, char* to, size_t count) const noexcept {
    const size_t begin = at & mask_;
    const size_t first = std::min(count, mask_ + size_t{1} - begin);
    std::memcpy(to, bytes_.get() + begin, first);
    std::memcpy(to + first, bytes_.get(), count - first);
  }

  alignas(64) std::atomic<uint64_t> tail_{0};
  std::atomic<uint64_t> lost_{0};
  alignas(64) std::atomic<uint64_t> head_{0};
  std::unique_ptr<char[]> bytes_;
  uint32_t mask_;
};

}  // namespace masugata::dataplane
