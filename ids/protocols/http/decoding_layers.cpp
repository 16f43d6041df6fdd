// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/decoding_layers.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

namespace masugata::ids {
namespace {

using Block = std::array<uint8_t, kDecodedBlockBytes>;

std::span<const uint8_t> as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
std::string_view as_text(std::span<const uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
uint8_t byte_at(std::string_view text, size_t at) noexcept {
  return static_cast<uint8_t>(text[at]);
}

// RFC 1952, section 2.3. The length of the gzip header that `text` begins with; nullopt: there is
// more of it to come.
std::optional<size_t> gzip_header_bytes(std::string_view text) noexcept {
  constexpr size_t kFixedBytes = 10;
  constexpr unsigned kHeaderChecksum = 2;
  constexpr unsigned kExtra = 4;
  constexpr unsigned kName = 8;
  constexpr unsigned kComment = 16;
  if (text.size() < kFixedBytes) {
    return std::nullopt;
  }
  const unsigned flags = byte_at(text, 3);
  size_t at = kFixedBytes;
  if ((flags & kExtra) != 0) {
    if (text.size() < at + 2) {
      return std::nullopt;
    }
    at += 2U + byte_at(text, at) + (size_t{byte_at(text, at + 1)} << 8U);
  }
  for (const unsigned flag : {kName, kComment}) {
    if ((flags & flag) == 0) {
      continue;
    }
    const size_t end = at < text.size() ? text.find('\0', at) : std::string_view::npos;
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    at = end + 1;
  }
  at += (flags & kHeaderChecksum) != 0 ? 2 : 0;
  return at <= text.size() ? std::optional{at} : std::nullopt;
}

bool is_gzip(std::string_view text) noexcept {
  return text.size() >= 2 && byte_at(text, 0) == 0x1F && byte_at(text, 1) == 0x8B;
}
// RFC 1950, section 2.2: deflate, and the check of the two bytes.
bool is_zlib(std::string_view text) noexcept {
  return text.size() >= 2 && (byte_at(text, 0) & 0x0FU) == 8 && byte_at(text, 0) < 0x80 &&
         (byte_at(text, 0) * 256U + byte_at(text, 1)) % 31 == 0;
}

}  // namespace

InflateLayer::InflateLayer(ByteSink& next, DecodingState& state) noexcept
    : next_(&next), state_(&state) {}

InflateLayer::~InflateLayer() {
  if (stream_open_) {
    inflateEnd(&stream_);
  }
}

void InflateLayer::take(std::span<const uint8_t> bytes) noexcept {
  std::string joined = std::exchange(pending_, {});
  std::span<const uint8_t> input = bytes;
  if (!joined.empty()) {
    joined.append(as_text(bytes));
    input = as_bytes(joined);
  }
  while (!input.empty() && !state_->bomb && step(input)) {
    if (again_) {
      again_ = false;
      joined = std::exchange(kept_, {});
      input = as_bytes(joined);
    }
  }
  pending_.assign(as_text(input));
}

bool InflateLayer::step(std::span<const uint8_t>& input) noexcept {
  switch (phase_) {
    case Phase::Header:
      return read_header(input);
    case Phase::Data:
      inflate_bytes(input);
      return true;
    case Phase::Trailer:
      return read_trailer(input);
    case Phase::Passing:
      break;
  }
  pass(std::exchange(input, {}));
  return true;
}

bool InflateLayer::read_header(std::span<const uint8_t>& input) noexcept {
  if (input.size() < 2) {
    return false;
  }
  const std::string_view text = as_text(input);
  is_gzip_ = is_gzip(text);
  wrapped_ = is_gzip_ || is_zlib(text);
  size_t header = wrapped_ ? 2 : 0;
  if (is_gzip_) {
    const std::optional<size_t> found = gzip_header_bytes(text.substr(0, kKeptInputBytes));
    if (!found && text.size() < kKeptInputBytes) {
      return false;
    }
    if (!found) {
      // Receivers have no such bound: what they decode is not known here.
      state_->broken = state_->cut = true;
      phase_ = Phase::Passing;
      return true;
    }
    header = *found;
  }
  retried_ = false;
  kept_.assign(text.substr(0, std::min(header, kKeptInputBytes)));
  input = input.subspan(header);
  start();
  return true;
}

void InflateLayer::start() noexcept {
  member_given_ = false;
  guessing_ = !wrapped_;
  phase_ = Phase::Data;
  if (stream_open_) {
    inflateReset(&stream_);
  } else {
    stream_open_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK;
  }
  if (!stream_open_) {
    phase_ = Phase::Passing;
  }
}

void InflateLayer::inflate_bytes(std::span<const uint8_t>& input) noexcept {
  const std::span<const uint8_t> whole_input = input;
  // What is not believed yet is decoded up to where it is, however much came at once.
  const size_t believed = guessing_ ? kGuessedBytes : kKeptInputBytes;
  const size_t size =
      member_given_ ? input.size() : std::min(input.size(), believed - kept_.size());
  Block block;
  stream_.next_in = const_cast<Bytef*>(input.data());
  stream_.avail_in = static_cast<uInt>(size);
  int result = Z_OK;
  do {
    stream_.next_out = block.data();
    stream_.avail_out = static_cast<uInt>(block.size());
    result = inflate(&stream_, Z_NO_FLUSH);
    give({block.data(), block.size() - stream_.avail_out});
  } while (result == Z_OK && !state_->bomb && (stream_.avail_in != 0 || stream_.avail_out == 0));
  input = input.subspan(size - stream_.avail_in);
  if (result == Z_STREAM_END) {
    phase_ = Phase::Trailer;
    release();
  } else if (result != Z_OK && result != Z_BUF_ERROR) {
    fail(whole_input);
  } else if (!member_given_) {
    kept_.append(as_text(whole_input).substr(0, size));
    if (kept_.size() >= believed) {
      release();
      member_given_ = true;
      kept_.clear();
    }
  }
}

void InflateLayer::give(std::span<const uint8_t> block) noexcept {
  given_ += block.size();
  if (is_bomb(given_, *state_)) {
    state_->bomb = true;
  } else if (guessing_) {
    held_.append(as_text(block));
    if (held_.size() > kHeldBytes) {
      release();
    }
  } else if (!block.empty()) {
    member_given_ = true;
    kept_.clear();
    next_->take(block);
  }
}

// The guess that this is raw deflate was right.
void InflateLayer::release() noexcept {
  if (guessing_) {
    guessing_ = false;
    member_given_ = true;
    kept_.clear();
    next_->take(as_bytes(std::exchange(held_, {})));
  }
}

// After the checksum comes the next gzip member, or something that is shown as it is.
bool InflateLayer::read_trailer(std::span<const uint8_t>& input) noexcept {
  const size_t trailer = is_gzip_ ? 8 : wrapped_ ? 4 : 0;
  if (input.size() < trailer + 2) {
    return false;
  }
  input = input.subspan(trailer);
  phase_ = is_gzip(as_text(input)) ? Phase::Header : Phase::Passing;
  return true;
}

// Not what it seemed: once more as raw deflate, else as it is.
void InflateLayer::fail(std::span<const uint8_t> whole_input) noexcept {
  held_.clear();
  if (!member_given_) {
    again_ = true;
    kept_.append(as_text(whole_input));
    if (wrapped_ && !std::exchange(retried_, true)) {
      wrapped_ = false;
      is_gzip_ = false;
      start();
      return;
    }
  }
  state_->broken = true;
  state_->cut = state_->cut || member_given_;
  phase_ = Phase::Passing;
}

void InflateLayer::pass(std::span<const uint8_t> bytes) noexcept {
  given_ += bytes.size();
  if (!bytes.empty()) {
    next_->take(bytes);
  }
}

void InflateLayer::end() noexcept {
  if (phase_ == Phase::Header) {
    pass(as_bytes(pending_));
  } else if (phase_ == Phase::Data && !member_given_) {
    pass(as_bytes(kept_));
    pass(as_bytes(held_));
  }
  pending_.clear();
  held_.clear();
  kept_.clear();
  phase_ = Phase::Passing;
  next_->end();
}

BrotliLayer::BrotliLayer(ByteSink& next, DecodingState& state) noexcept
    : next_(&next),
      state_(&state),
      decoder_(BrotliDecoderCreateInstance(&allot, &give_back, &taken_bytes_)) {}

void* BrotliLayer::allot(void* taken_bytes, size_t size) noexcept {
  void* memory = std::malloc(size);
  *static_cast<size_t*>(taken_bytes) += malloc_usable_size(memory);
  return memory;
}

void BrotliLayer::give_back(void* taken_bytes, void* memory) noexcept {
  *static_cast<size_t*>(taken_bytes) -= malloc_usable_size(memory);
  std::free(memory);
}

size_t BrotliLayer::memory_bytes() const noexcept { return taken_bytes_ + kept_.capacity(); }

size_t InflateLayer::memory_bytes() const noexcept {
  // zlib's documentation: a window of 32 KiB and about 7 KB beside it.
  constexpr size_t kInflateBytes = 40 * 1024;
  return (stream_open_ ? kInflateBytes : 0) + held_.capacity() + pending_.capacity() +
         kept_.capacity();
}

void BrotliLayer::take(std::span<const uint8_t> bytes) noexcept {
  if (ended_ || !decoder_) {
    next_->take(bytes);
    return;
  }
  Block block;
  const uint8_t* input = bytes.data();
  size_t available = bytes.size();
  BrotliDecoderResult result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
  while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
    uint8_t* output = block.data();
    size_t room = block.size();
    result =
        BrotliDecoderDecompressStream(decoder_.get(), &available, &input, &room, &output, nullptr);
    const size_t produced = block.size() - room;
    given_ += produced;
    if (is_bomb(given_, *state_)) {
      state_->bomb = true;
      return;
    }
    if (produced != 0) {
      kept_.clear();
      next_->take({block.data(), produced});
    }
  }
  if (result != BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) {
    finish(result == BROTLI_DECODER_RESULT_ERROR, bytes, bytes.last(available));
  } else if (given_ == 0) {
    kept_.append(as_text(bytes).substr(0, kKeptInputBytes - kept_.size()));
  }
}

// What comes after the end, or of no brotli at all, passes as it is.
void BrotliLayer::finish(bool broken, std::span<const uint8_t> whole_input,
                         std::span<const uint8_t> rest) noexcept {
  ended_ = true;
  state_->broken = state_->broken || broken;
  // No more is kept: some bytes would be missing in between.
  const bool beyond = kept_.size() >= kKeptInputBytes;
  state_->cut = state_->cut || (broken && (given_ != 0 || beyond));
  if (broken && given_ == 0) {
    kept_.append(as_text(whole_input));
    next_->take(as_bytes(std::exchange(kept_, {})));
  } else if (!rest.empty()) {
    next_->take(rest);
  }
}

void BrotliLayer::end() noexcept {
  if (!ended_ && given_ == 0 && !kept_.empty()) {
    next_->take(as_bytes(std::exchange(kept_, {})));
  }
  ended_ = true;
  next_->end();
}

}  // namespace masugata::ids
