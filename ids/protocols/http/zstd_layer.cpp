// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/zstd_layer.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "ids/protocols/http/decoding_layers.h"

namespace masugata::ids {
namespace {

std::span<const uint8_t> as_bytes(const std::string& text) noexcept {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// RFC 8878 section 3.1: a frame, or one that is to be skipped.
bool is_zstd(const std::string& text) noexcept {
  constexpr std::string_view kFrame = "\x28\xb5\x2f\xfd";
  constexpr std::string_view kSkipped = "\x2a\x4d\x18";
  return text.starts_with(kFrame) ||
         (text.size() > kSkipped.size() && (static_cast<uint8_t>(text[0]) & 0xF0U) == 0x50U &&
          text.compare(1, kSkipped.size(), kSkipped) == 0);
}

}  // namespace

ZstdLayer::ZstdLayer(ByteSink& next, DecodingState& state) noexcept
    : next_(&next), state_(&state), stream_(ZSTD_createDStream()) {
  const bool bounded = stream_ && ZSTD_isError(ZSTD_DCtx_setParameter(
                                      stream_.get(), ZSTD_d_windowLogMax, kZstdWindowBits)) == 0;
  passing_ = !bounded;
}

void ZstdLayer::take(std::span<const uint8_t> bytes) noexcept {
  if (passing_) {
    next_->take(bytes);
    return;
  }
  std::array<uint8_t, kDecodedBlockBytes> block;
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  bool full = true;  // there may be more to come out than the block took
  while (input.pos < input.size || full) {
    const size_t before = input.pos;
    ZSTD_outBuffer output{block.data(), block.size(), 0};
    const size_t result = ZSTD_decompressStream(stream_.get(), &output, &input);
    if (ZSTD_isError(result) != 0) {
      fail(bytes, bytes.subspan(before));
      return;
    }
    given_ += output.pos;
    if (is_bomb(given_, *state_)) {
      state_->bomb = true;
      return;
    }
    if (output.pos != 0) {
      kept_.clear();
      next_->take({block.data(), output.pos});
    }
    frame_seen_ = frame_seen_ || result == 0;
    full = output.pos == output.size;
    if (input.pos == before && output.pos == 0) {
      break;
    }
  }
  if (given_ == 0 && !frame_seen_) {
    kept_.append(reinterpret_cast<const char*>(bytes.data()),
                 std::min(bytes.size(), kKeptInputBytes - kept_.size()));
  }
}

void ZstdLayer::fail(std::span<const uint8_t> whole_input, std::span<const uint8_t> rest) noexcept {
  passing_ = true;
  state_->broken = true;
  if (given_ != 0 || frame_seen_) {
    state_->cut = true;
    next_->take(rest);
    return;
  }
  kept_.append(reinterpret_cast<const char*>(whole_input.data()), whole_input.size());
  // A receiver that allows more memory may make something of it.
  state_->cut = state_->cut || is_zstd(kept_);
  next_->take(as_bytes(std::exchange(kept_, {})));
}

void ZstdLayer::end() noexcept {
  if (!passing_ && given_ == 0 && !frame_seen_ && !kept_.empty()) {
    next_->take(as_bytes(std::exchange(kept_, {})));
  }
  passing_ = true;
  next_->end();
}

size_t ZstdLayer::memory_bytes() const noexcept {
  return (stream_ ? ZSTD_sizeof_DStream(stream_.get()) : 0) + kept_.capacity();
}

}  // namespace masugata::ids
