// SPDX-License-Identifier: GPL-2.0-or-later
// One layer of a content coding each: decodes what it takes and gives it to the next.
#pragma once

#include <brotli/decode.h>
#include <zlib.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "ids/protocols/http/encoded_body.h"

namespace masugata::ids {

inline constexpr size_t kDecodedBlockBytes = 16 * 1024;
// First bytes that a layer keeps until it knows that they are of its coding; also the longest
// gzip header with a name and a comment.
inline constexpr size_t kKeptInputBytes = 4096;
// Almost any bytes begin like raw deflate: so many must inflate without an error, or the whole
// member, before what came out (kHeldBytes at most) is believed.
inline constexpr size_t kGuessedBytes = 1024;
inline constexpr size_t kHeldBytes = 64 * 1024;

[[nodiscard]] inline bool is_bomb(uint64_t given, const DecodingState& state) noexcept {
  return given > kBombBytes && given / kBombRatio > state.sent;
}

// gzip (RFC 1952), zlib (RFC 1950) and raw deflate (RFC 1951), told apart by their first bytes.
// Checksums and lengths at the end are not looked at, nor is nonsense in a header: receivers are
// lenient. Several gzip members make one body. What is none of these passes as it is.
class InflateLayer final : public ByteSink {
 public:
  InflateLayer(ByteSink& next, DecodingState& state) noexcept;
  InflateLayer(const InflateLayer&) = delete;
  InflateLayer& operator=(const InflateLayer&) = delete;
  ~InflateLayer() override;

  void take(std::span<const uint8_t> bytes) noexcept override;
  void end() noexcept override;
  [[nodiscard]] size_t memory_bytes() const noexcept override;

 private:
  enum class Phase : uint8_t { Header, Data, Trailer, Passing };

  // Each takes what it can off the front of `input`; false: more bytes are needed.
  bool step(std::span<const uint8_t>& input) noexcept;
  bool read_header(std::span<const uint8_t>& input) noexcept;
  bool read_trailer(std::span<const uint8_t>& input) noexcept;
  void inflate_bytes(std::span<const uint8_t>& input) noexcept;
  void start() noexcept;
  void fail(std::span<const uint8_t> whole_input) noexcept;
  void release() noexcept;
  void give(std::span<const uint8_t> block) noexcept;
  void pass(std::span<const uint8_t> bytes) noexcept;

  ByteSink* next_;
  DecodingState* state_;
  z_stream stream_{};
  bool stream_open_ = false;
  Phase phase_ = Phase::Header;
  bool wrapped_ = false;  // gzip or zlib
  bool is_gzip_ = false;
  bool retried_ = false;       // as raw deflate
  bool again_ = false;         // go on with what is kept
  bool member_given_ = false;  // something came out of the member at hand
  uint64_t given_ = 0;         // by this layer in all
  bool guessing_ = false;      // that it is raw deflate
  std::string held_;           // what came out while guessing
  std::string pending_;        // of a header or trailer that has not come to its end
  std::string kept_;           // the member's first bytes, until something came out of it
};

// Brotli (RFC 7932). Broken data passes as it is from there on.
class BrotliLayer final : public ByteSink {
 public:
  BrotliLayer(ByteSink& next, DecodingState& state) noexcept;

  void take(std::span<const uint8_t> bytes) noexcept override;
  void end() noexcept override;
  [[nodiscard]] size_t memory_bytes() const noexcept override;

 private:
  // The window is as large as the data says (up to 16 MB): what is taken is counted.
  static void* allot(void* taken_bytes, size_t size) noexcept;
  static void give_back(void* taken_bytes, void* memory) noexcept;
  struct Destroy {
    void operator()(BrotliDecoderState* decoder) const noexcept {
      BrotliDecoderDestroyInstance(decoder);
    }
  };

  void finish(bool broken, std::span<const uint8_t> whole_input,
              std::span<const uint8_t> rest) noexcept;

  ByteSink* next_;
  DecodingState* state_;
  size_t taken_bytes_ = 0;  // by the decoder; before it, as it outlives the decoder
  std::unique_ptr<BrotliDecoderState, Destroy> decoder_;
  std::string kept_;  // the first bytes, until something came out
  uint64_t given_ = 0;
  bool ended_ = false;
};

}  // namespace masugata::ids
