// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/brotli_body.h"

namespace masugata::ids {
namespace {
constexpr size_t kBlockBytes = 16 * 1024;
}  // namespace

BrotliBody::BrotliBody() noexcept
    : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)),
      block_(std::make_unique<uint8_t[]>(kBlockBytes)) {}

std::span<const uint8_t> BrotliBody::next_block() noexcept {
  if (!state_ || ended_ || outcome_ != Outcome::Fine) {
    return {};
  }
  const uint8_t* next = input_.data();
  size_t available = input_.size();
  uint8_t* output = block_.get();
  size_t room = kBlockBytes;
  const BrotliDecoderResult result =
      BrotliDecoderDecompressStream(state_.get(), &available, &next, &room, &output, nullptr);
  taken_ += input_.size() - available;
  input_ = input_.last(available);
  const size_t produced = kBlockBytes - room;
  given_ += produced;
  if (result == BROTLI_DECODER_RESULT_ERROR) {
    outcome_ = Outcome::Broken;
  } else if (given_ > kBombBytes && given_ / kBombRatio > taken_) {
    outcome_ = Outcome::Bomb;
  } else if (result == BROTLI_DECODER_RESULT_SUCCESS) {
    ended_ = true;
  }
  return {block_.get(), produced};
}

}  // namespace masugata::ids
