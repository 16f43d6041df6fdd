// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/encoded_body.h"

#include <algorithm>

#include "ids/protocols/http/content_disposition.h"
#include "ids/protocols/http/decoding_layers.h"
#include "ids/protocols/http/zstd_layer.h"

namespace masugata::ids {
namespace {

bool contains_ignoring_case(std::string_view text, std::string_view word) noexcept {
  for (size_t i = 0; i + word.size() <= text.size(); ++i) {
    if (equals_ignoring_case(text.substr(i, word.size()), word)) {
      return true;
    }
  }
  return false;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) noexcept {
  return std::any_of(words.begin(), words.end(),
                     [text](std::string_view word) { return equals_ignoring_case(text, word); });
}

}  // namespace

ContentCodings read_content_codings(std::string_view header) {
  ContentCodings codings;
  size_t named = 0;
  while (!header.empty()) {
    const size_t end = std::min(header.find_first_of(", "), header.size());
    const std::string_view token = trim_blanks(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    if (token.empty()) {
      continue;
    }
    codings.too_many = codings.too_many || ++named > kUsualCodings;
    const bool deflate =
        contains_ignoring_case(token, "gzip") || contains_ignoring_case(token, "deflate");
    const bool brotli = is_one_of(token, {"br"});
    const bool zstd = is_one_of(token, {"zstd"});
    if (deflate || brotli || zstd) {
      if (codings.layers.size() == kDecodingLayers) {
        codings.beyond_us = true;
        break;
      }
      codings.layers.push_back(brotli ? ContentCoding::Brotli
                               : zstd ? ContentCoding::Zstd
                                      : ContentCoding::Deflate);
    } else {
      codings.beyond_us = codings.beyond_us || !is_one_of(token, {"identity", "none"});
    }
    codings.abnormal =
        codings.abnormal || !is_one_of(token, {"gzip", "x-gzip", "deflate", "x-deflate", "br",
                                               "zstd", "lzma", "inflate", "identity", "none"});
  }
  std::reverse(codings.layers.begin(), codings.layers.end());
  return codings;
}

EncodedBody::EncodedBody(const std::vector<ContentCoding>& layers, ByteSink& receiver)
    : first_(&receiver) {
  for (size_t i = layers.size(); i-- > 0;) {
    if (layers[i] == ContentCoding::Brotli) {
      layers_.push_back(std::make_unique<BrotliLayer>(*first_, state_));
    } else if (layers[i] == ContentCoding::Zstd) {
      layers_.push_back(std::make_unique<ZstdLayer>(*first_, state_));
    } else {
      layers_.push_back(std::make_unique<InflateLayer>(*first_, state_));
    }
    first_ = layers_.back().get();
  }
}

void EncodedBody::take(std::span<const uint8_t> bytes) noexcept {
  state_.sent += bytes.size();
  if (!state_.bomb) {
    first_->take(bytes);
  }
}

size_t EncodedBody::memory_bytes() const noexcept {
  size_t bytes = sizeof(EncodedBody);
  for (const auto& layer : layers_) {
    bytes += layer->memory_bytes();
  }
  return bytes;
}

void EncodedBody::end() noexcept {
  if (!state_.bomb) {
    first_->end();
  }
}

}  // namespace masugata::ids
