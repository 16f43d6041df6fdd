// SPDX-License-Identifier: GPL-2.0-or-later
// Content-Range (RFC 9110, section 14.4).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace masugata::ids {

struct ContentRange {
  std::optional<uint64_t> first;  // nullopt: "*", the answer to a range that cannot be had
  uint64_t last = 0;
  std::optional<uint64_t> size;  // of the whole; nullopt: "*"
  [[nodiscard]] bool is_whole() const noexcept {
    return first == 0U && size.has_value() && last + 1 == *size;
  }
};

// "bytes 0-9/100", "bytes 0-9/*", "bytes */100"; nullopt for anything else.
[[nodiscard]] std::optional<ContentRange> read_content_range(std::string_view text) noexcept;

}  // namespace masugata::ids
