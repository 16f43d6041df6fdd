// SPDX-License-Identifier: GPL-2.0-or-later
// zlib and gzip data to the bytes inside, for the transforms gunzip and zlib_deflate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace masugata::ids {

enum class DeflateFormat : uint8_t { Gzip, Zlib };  // RFC 1952, RFC 1950

// Thread: one per worker. Its memory (64 KiB) is allocated when it is made, none afterwards.
class Inflater {
 public:
  static constexpr size_t kMemoryBytes = 64U << 10U;

  Inflater();

  // How many bytes it wrote to `output`: what does not fit is left out, and data that end early
  // yield what they hold. 0 for data that are not in this format or are broken.
  [[nodiscard]] size_t inflate(DeflateFormat format, std::span<const uint8_t> input,
                               std::span<uint8_t> output) noexcept;

 private:
  static void* take(void* inflater, unsigned count, unsigned size) noexcept;

  std::unique_ptr<std::byte[]> memory_;
  size_t used_ = 0;
};

}  // namespace masugata::ids
