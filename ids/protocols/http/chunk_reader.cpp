// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/chunk_reader.h"

#include <algorithm>
#include <optional>

namespace masugata::ids {
namespace {

// More than anybody sends; the sizes of programs that count in fewer bits wrap around later.
constexpr uint8_t kMostDigits = 8;
constexpr uint64_t kLargestChunk = 0x7fffffff;

std::optional<uint64_t> hexadecimal(uint8_t byte) noexcept {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return std::nullopt;
}

}  // namespace

ChunkReader::State ChunkReader::begin_data() noexcept {
  if (left_ == 0) return State::TrailerLine;
  return left_ > kLargestChunk ? State::Broken : State::Data;
}

ChunkReader::State ChunkReader::next(uint8_t byte) noexcept {
  switch (state_) {
    case State::Size:
      if (const auto digit = hexadecimal(byte)) {
        if (left_ != 0) ++digits_;  // zeros in front do not count
        left_ = left_ << 4U | *digit;
        digits_ = std::max<uint8_t>(digits_, 1);
        return digits_ > kMostDigits ? State::Broken : State::Size;
      }
      if (digits_ == 0) return State::Broken;
      [[fallthrough]];
    case State::Blank:
      if (byte == ' ' || byte == '\t') return State::Blank;
      if (byte == ';') return State::Extension;
      if (byte == '\r') return State::SizeEnd;
      return byte == '\n' ? begin_data() : State::Broken;
    case State::Extension:
      if (byte == '\r') return State::SizeEnd;
      return byte == '\n' ? begin_data() : State::Extension;
    case State::SizeEnd:
      return byte == '\n' ? begin_data() : State::Broken;
    case State::DataEnd:
      if (byte == '\r') return State::DataReturn;
      [[fallthrough]];
    case State::DataReturn:
      digits_ = 0;
      return byte == '\n' ? State::Size : State::Broken;
    case State::TrailerLine:
      if (byte == '\r') return State::TrailerReturn;
      if (byte == '\n') return State::Over;
      // A folded line, or one that some take for it.
      return byte > ' ' && byte < 0x7f ? State::Trailer : State::Broken;
    case State::Trailer:
      if (byte == '\r') return State::TrailerLineReturn;
      return byte == '\n' ? State::TrailerLine : State::Trailer;
    case State::TrailerLineReturn:
      return byte == '\n' ? State::TrailerLine : State::Broken;
    case State::TrailerReturn:
      return byte == '\n' ? State::Over : State::Broken;
    default:
      return state_;
  }
}

bool ChunkReader::read(std::span<const uint8_t> bytes) noexcept {
  while (!bytes.empty() && state_ != State::Over && state_ != State::Broken) {
    if (state_ == State::Data) {
      const size_t run = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
      left_ -= run;
      bytes = bytes.subspan(run);
      if (left_ == 0) state_ = State::DataEnd;
      continue;
    }
    state_ = next(bytes[0]);
    bytes = bytes.subspan(1);
  }
  return state_ != State::Broken;
}

bool ChunkReader::skip(uint64_t bytes) noexcept {
  if (state_ == State::Over) return true;
  if (state_ != State::Data || bytes > left_) {
    state_ = State::Broken;
    return false;
  }
  left_ -= bytes;
  if (left_ == 0) state_ = State::DataEnd;
  return true;
}

}  // namespace masugata::ids
