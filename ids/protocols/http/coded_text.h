// SPDX-License-Identifier: GPL-2.0-or-later
// For tests: texts in content codings.
#pragma once

#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <string_view>

namespace masugata::ids {

inline constexpr int kGzipWindow = 31;
inline constexpr int kZlibWindow = 15;
inline constexpr int kRawWindow = -15;

// `window_bits` as zlib says. With `flush` Z_FULL_FLUSH the text has no end.
inline std::string deflate_text(std::string_view text, int window_bits = kGzipWindow,
                                gz_header* header = nullptr, int flush = Z_FINISH) {
  constexpr size_t kHeaderRoom = 4096;
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 9, Z_DEFAULT_STRATEGY), Z_OK);
  if (header != nullptr) deflateSetHeader(&stream, header);
  std::string packed(deflateBound(&stream, text.size()) + kHeaderRoom, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, flush), flush == Z_FINISH ? Z_STREAM_END : Z_OK);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline std::string brotli_text(std::string_view text) {
  size_t size = BrotliEncoderMaxCompressedSize(text.size());
  std::string packed(size, '\0');
  EXPECT_EQ(BrotliEncoderCompress(9, 22, BROTLI_MODE_GENERIC, text.size(),
                                  reinterpret_cast<const uint8_t*>(text.data()), &size,
                                  reinterpret_cast<uint8_t*>(packed.data())),
            BROTLI_TRUE);
  packed.resize(size);
  return packed;
}

}  // namespace masugata::ids
