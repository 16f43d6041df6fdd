// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/inflater.h"

#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <limits>

namespace masugata::ids {
namespace {

constexpr int kLargestWindow = 15;
constexpr int kGzipWrapper = 16;  // added to the window's size

void give_back(void* /*inflater*/, void* /*memory*/) {}

unsigned clamped(size_t size) noexcept {
  return static_cast<unsigned>(std::min<size_t>(size, std::numeric_limits<unsigned>::max()));
}

}  // namespace

Inflater::Inflater() : memory_(new std::byte[kMemoryBytes]) {}

void* Inflater::take(void* inflater, unsigned count, unsigned size) noexcept {
  constexpr size_t kAlignment = alignof(std::max_align_t);
  auto& self = *static_cast<Inflater*>(inflater);
  const size_t rounded = (size_t{count} * size + kAlignment - 1) / kAlignment * kAlignment;
  if (rounded > kMemoryBytes - self.used_) return nullptr;
  void* memory = self.memory_.get() + self.used_;
  self.used_ += rounded;
  return memory;
}

size_t Inflater::inflate(DeflateFormat format, std::span<const uint8_t> input,
                         std::span<uint8_t> output) noexcept {
  used_ = 0;
  z_stream stream{};
  stream.zalloc = take;
  stream.zfree = give_back;
  stream.opaque = this;
  const int window = format == DeflateFormat::Gzip ? kLargestWindow + kGzipWrapper : kLargestWindow;
  if (inflateInit2(&stream, window) != Z_OK) return 0;
  stream.next_in = input.data();
  stream.avail_in = clamped(input.size());
  stream.next_out = output.data();
  stream.avail_out = clamped(output.size());
  const int outcome = ::inflate(&stream, Z_SYNC_FLUSH);
  const size_t written = output.size() - stream.avail_out;
  inflateEnd(&stream);
  // Z_BUF_ERROR: nothing more could be read or written, which is no fault of the data.
  const bool good = outcome == Z_OK || outcome == Z_STREAM_END || outcome == Z_BUF_ERROR;
  return good ? written : 0;
}

}  // namespace masugata::ids
