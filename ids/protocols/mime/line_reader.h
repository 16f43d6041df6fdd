// SPDX-License-Identifier: GPL-2.0-or-later
// Cuts a stream of bytes into lines, over any segmentation. Of a line longer than the limit only
// its beginning is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace masugata::ids::mime {

inline constexpr size_t kLineTail = 64;

struct Line {
  std::string_view text;     // without CRLF or LF; at most the reader's limit
  std::string_view tail;     // its last bytes, at most kLineTail
  uint64_t length = 0;       // as sent, without its ending
  uint8_t ending_bytes = 0;  // 2: CRLF, 1: LF
  [[nodiscard]] bool truncated() const noexcept { return length > text.size(); }
};

// Thread: the flow's worker. Memory: `limit` and 2 * kLineTail bytes.
class LineReader {
 public:
  explicit LineReader(size_t limit) noexcept : limit_(limit) {}

  // Takes bytes from the front of `bytes`, to the next LF at most. True: `line` is one whole line,
  // valid until the next call or as long as `bytes`. False: `bytes` is used up.
  [[nodiscard]] bool next(std::span<const uint8_t>& bytes, Line& line) noexcept;
  // The beginning of a line that has no end yet; cut at the limit.
  [[nodiscard]] std::string_view unfinished() const noexcept {
    return delivered_ ? std::string_view{} : std::string_view{held_};
  }
  // Bytes of the unfinished line, also those that were not kept.
  [[nodiscard]] uint64_t unfinished_length() const noexcept { return delivered_ ? 0 : length_; }
  void reset() noexcept;
  [[nodiscard]] size_t memory_bytes() const noexcept { return held_.capacity() + tail_.capacity(); }

 private:
  void hold(std::string_view piece) noexcept;

  size_t limit_;
  std::string held_;
  std::string tail_;     // the last bytes of what went beyond the limit
  uint64_t length_ = 0;  // of the unfinished line, what was not kept included
  char last_ = 0;
  bool delivered_ = false;  // held_ was handed out and is free to go
};

[[nodiscard]] inline std::string_view as_text(std::span<const uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline std::span<const uint8_t> as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// ASCII letters only.
[[nodiscard]] constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] constexpr char to_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
// Whether `text` begins with `prefix`, which is lower-case.
[[nodiscard]] constexpr bool begins_with(std::string_view text, std::string_view prefix) noexcept {
  if (text.size() < prefix.size()) {
    return false;
  }
  for (size_t i = 0; i < prefix.size(); ++i) {
    if (to_lower(text[i]) != prefix[i]) {
      return false;
    }
  }
  return true;
}
[[nodiscard]] constexpr bool equals(std::string_view text, std::string_view lower_case) noexcept {
  return text.size() == lower_case.size() && begins_with(text, lower_case);
}

}  // namespace masugata::ids::mime
