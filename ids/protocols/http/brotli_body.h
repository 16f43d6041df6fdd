// SPDX-License-Identifier: GPL-2.0-or-later
// Decoding of bodies with "Content-Encoding: br" (RFC 7932), which libhtp leaves alone.
#pragma once

#include <brotli/decode.h>

#include <cstdint>
#include <memory>
#include <span>

namespace masugata::ids {

// A body that has grown to more than this and more than kBombRatio times its input is a bomb.
inline constexpr uint64_t kBombBytes = 1024 * 1024;
inline constexpr uint64_t kBombRatio = 2048;

// Thread: the flow's worker. Memory: the decoder's window, at most 16 MiB by the format and
// usually far less, and one output block.
class BrotliBody {
 public:
  enum class Outcome : uint8_t { Fine, Broken, Bomb };

  BrotliBody() noexcept;

  // Gives what `bytes` decode to, block by block, to `receiver` (void(span<const uint8_t>)).
  // After Broken or Bomb everything further is ignored.
  template <class Receiver>
  Outcome decode(std::span<const uint8_t> bytes, Receiver&& receiver) noexcept {
    input_ = bytes;
    for (std::span<const uint8_t> block = next_block(); !block.empty(); block = next_block()) {
      receiver(block);
    }
    return outcome_;
  }

 private:
  // The next decoded block; empty when the input is used up.
  std::span<const uint8_t> next_block() noexcept;

  struct Destroy {
    void operator()(BrotliDecoderState* state) const noexcept {
      BrotliDecoderDestroyInstance(state);
    }
  };
  std::unique_ptr<BrotliDecoderState, Destroy> state_;
  std::unique_ptr<uint8_t[]> block_;
  std::span<const uint8_t> input_;
  uint64_t taken_ = 0;
  uint64_t given_ = 0;
  Outcome outcome_ = Outcome::Fine;
  bool ended_ = false;
};

}  // namespace masugata::ids
