// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/mime/line_reader.h"

#include <algorithm>
#include <cstring>

namespace masugata::ids::mime {
namespace {

constexpr size_t kTailHeld = kLineTail + 1;  // with the CR of the line's end

std::string_view last_of(std::string_view text) noexcept {
  return text.substr(text.size() - std::min(text.size(), kLineTail));
}

}  // namespace

void LineReader::reset() noexcept {
  held_.clear();
  tail_.clear();
  length_ = 0;
  last_ = 0;
  delivered_ = false;
}

void LineReader::hold(std::string_view piece) noexcept {
  if (piece.empty()) {
    return;
  }
  if (held_.size() < limit_) {
    held_.append(piece.substr(0, limit_ - held_.size()));
  }
  if (length_ + piece.size() > limit_) {
    const std::string_view last = piece.substr(piece.size() - std::min(piece.size(), kTailHeld));
    tail_.append(last);
    tail_.erase(0, tail_.size() - std::min(tail_.size(), kTailHeld));
  }
  length_ += piece.size();
  last_ = piece.back();
}

bool LineReader::next(std::span<const uint8_t>& bytes, Line& line) noexcept {
  if (delivered_) {
    reset();
  }
  if (bytes.empty()) {
    return false;
  }
  const auto* feed = static_cast<const uint8_t*>(std::memchr(bytes.data(), '\n', bytes.size()));
  if (feed == nullptr) {
    hold(as_text(bytes));
    bytes = {};
    return false;
  }
  const auto before = static_cast<size_t>(feed - bytes.data());
  const std::string_view piece = as_text(bytes.first(before));
  bytes = bytes.subspan(before + 1);
  if (length_ == 0) {
    const bool carriage = !piece.empty() && piece.back() == '\r';
    line.length = piece.size() - (carriage ? 1 : 0);
    line.text = piece.substr(0, std::min<size_t>(limit_, line.length));
    line.tail = last_of(piece.substr(0, line.length));
    line.ending_bytes = carriage ? 2 : 1;
    return true;
  }
  hold(piece);
  const bool carriage = last_ == '\r';
  line.length = length_ - (carriage ? 1 : 0);
  line.text = std::string_view{held_}.substr(0, std::min<uint64_t>(held_.size(), line.length));
  if (length_ > limit_) {
    line.tail = last_of(std::string_view{tail_}.substr(0, tail_.size() - (carriage ? 1 : 0)));
  } else {
    line.tail = last_of(line.text);
  }
  line.ending_bytes = carriage ? 2 : 1;
  delivered_ = true;
  return true;
}

}  // namespace masugata::ids::mime
