// SPDX-License-Identifier: GPL-2.0-or-later
// The zstd content coding (RFC 8878) as one layer of an EncodedBody.
#pragma once

#include <zstd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "ids/protocols/http/encoded_body.h"

namespace masugata::ids {

// The largest window that a frame may ask for, as a power of two: 8 MiB, RFC 9659 section 3.
inline constexpr int kZstdWindowBits = 23;

// Several frames make one body. Broken data, data that asks for a larger window, and whatever is
// behind the last frame pass as they are.
class ZstdLayer final : public ByteSink {
 public:
  ZstdLayer(ByteSink& next, DecodingState& state) noexcept;

  void take(std::span<const uint8_t> bytes) noexcept override;
  void end() noexcept override;
  [[nodiscard]] size_t memory_bytes() const noexcept override;

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const noexcept { ZSTD_freeDStream(stream); }
  };

  void fail(std::span<const uint8_t> whole_input, std::span<const uint8_t> rest) noexcept;

  ByteSink* next_;
  DecodingState* state_;
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  std::string kept_;  // the first bytes, until something came out
  uint64_t given_ = 0;
  bool frame_seen_ = false;  // a whole one
  bool passing_ = false;
};

}  // namespace masugata::ids
