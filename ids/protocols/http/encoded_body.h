// SPDX-License-Identifier: GPL-2.0-or-later
// Undoes Content-Encoding (RFC 9110, section 8.4) as the bytes arrive, whatever their pieces.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace masugata::ids {

// Layers that are undone; further ones are left as they are.
inline constexpr size_t kDecodingLayers = 3;
// A header that names more codings than this, "identity" included, is worth an event.
inline constexpr size_t kUsualCodings = 2;
// A layer that has grown to more than this and more than kBombRatio times the body as sent is a
// bomb.
inline constexpr uint64_t kBombBytes = 1024 * 1024;
inline constexpr uint64_t kBombRatio = 2048;

enum class ContentCoding : uint8_t { Deflate, Brotli, Zstd };  // Deflate: gzip and zlib, too

// What a Content-Encoding header asks for.
struct ContentCodings {
  std::vector<ContentCoding> layers;  // in the order of decoding, at most kDecodingLayers
  bool too_many = false;
  bool abnormal = false;   // a coding that is unknown or oddly written
  bool beyond_us = false;  // a coding that is not undone, or more than kDecodingLayers
};
// A coding counts wherever its name is found between commas or spaces: senders and receivers are
// sloppy, and a layer whose data is not encoded passes it on.
[[nodiscard]] ContentCodings read_content_codings(std::string_view header);

// Takes bytes in order. What is given points into a buffer that changes with the next call.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void take(std::span<const uint8_t> bytes) noexcept = 0;
  // No more bytes come.
  virtual void end() noexcept {}
  // What it holds on the heap; of layers: each its own.
  [[nodiscard]] virtual size_t memory_bytes() const noexcept { return 0; }
};

// What all layers of a body share.
struct DecodingState {
  uint64_t sent = 0;    // bytes of the body as sent
  bool broken = false;  // a layer's data was not of its coding; it was passed on as it was
  bool bomb = false;    // nothing further is decoded
  bool cut = false;     // broken behind decoded bytes: what was passed on is no content by itself
};

// Thread: the flow's worker. Memory: zlib's or brotli's window for each layer, and one block.
class EncodedBody final : public ByteSink {
 public:
  // What the body decodes to is given to `receiver`, which outlives it.
  EncodedBody(const std::vector<ContentCoding>& layers, ByteSink& receiver);

  void take(std::span<const uint8_t> bytes) noexcept override;
  void end() noexcept override;
  [[nodiscard]] size_t memory_bytes() const noexcept override;
  [[nodiscard]] const DecodingState& state() const noexcept { return state_; }

 private:
  DecodingState state_;
  std::vector<std::unique_ptr<ByteSink>> layers_;  // the last is the first to decode
  ByteSink* first_;
};

}  // namespace masugata::ids
