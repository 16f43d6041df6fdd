// SPDX-License-Identifier: GPL-2.0-or-later
// One question to one protocol: do these first bytes of one side look like yours?
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace masugata::ids::detection {

enum class Likeness : uint8_t {
  No,
  Undecided,  // fits so far, more bytes would tell
  Yes,
};

// The first bytes of one side. Which part the side plays is an assumption that the detector makes:
// it asks the other way round when nobody recognises them.
struct Opening {
  std::span<const uint8_t> bytes;
  bool from_client = true;
  uint16_t server_port = 0;
  uint16_t client_port = 0;

  [[nodiscard]] bool on_port(uint16_t port) const noexcept {
    return server_port == port || client_port == port;
  }
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

// Pure; no allocation; any bytes.
using Probe = Likeness (*)(const Opening&) noexcept;

// Yes when `text` begins with `prefix`, Undecided when it could still.
[[nodiscard]] constexpr Likeness begins_with(std::string_view text,
                                             std::string_view prefix) noexcept {
  if (text.starts_with(prefix)) return Likeness::Yes;
  return prefix.starts_with(text) ? Likeness::Undecided : Likeness::No;
}
// As above for the letters of ASCII in either case; `prefix` is in upper case.
[[nodiscard]] constexpr Likeness begins_with_nocase(std::string_view text,
                                                    std::string_view prefix) noexcept {
  for (size_t index = 0; index < prefix.size(); ++index) {
    if (index == text.size()) return Likeness::Undecided;
    const char letter = text[index];
    const char upper =
        letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    if (upper != prefix[index]) return Likeness::No;
  }
  return Likeness::Yes;
}
[[nodiscard]] constexpr Likeness likelier(Likeness left, Likeness right) noexcept {
  return left > right ? left : right;
}

}  // namespace masugata::ids::detection
