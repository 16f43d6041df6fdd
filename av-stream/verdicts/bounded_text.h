// SPDX-License-Identifier: GPL-2.0-or-later
// Text into a room of fixed size; what does not fit is cut.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace masugata::av {

class BoundedText {
 public:
  explicit BoundedText(std::span<char> room) noexcept : room_(room) {}

  void add(std::string_view text) noexcept {
    const size_t count = std::min(text.size(), room_.size() - size_);
    std::memcpy(room_.data() + size_, text.data(), count);
    size_ += count;
  }
  void add_number(uint64_t number) noexcept {
    std::array<char, 20> digits;
    const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    add({digits.data(), static_cast<size_t>(result.ptr - digits.data())});
  }
  // For HTML text and attributes in quotes; control characters become blanks, other bytes stay.
  void add_html(std::string_view text) noexcept {
    for (const char c : text) {
      switch (c) {
        case '<':
          add("&lt;");
          break;
        case '>':
          add("&gt;");
          break;
        case '&':
          add("&amp;");
          break;
        case '"':
          add("&quot;");
          break;
        case '\'':
          add("&#39;");
          break;
        default:
          add_character(static_cast<uint8_t>(c) < 0x20 || c == 0x7f ? ' ' : c);
      }
    }
  }
  // Visible ASCII and blanks; every other byte becomes '?': for protocols of lines.
  void add_printable(std::string_view text) noexcept {
    for (const char c : text) add_character(c >= 0x20 && c < 0x7f ? c : '?');
  }

  [[nodiscard]] size_t size() const noexcept { return size_; }

 private:
  void add_character(char c) noexcept { add({&c, 1}); }

  std::span<char> room_;
  size_t size_ = 0;
};

}  // namespace masugata::av
