// SPDX-License-Identifier: GPL-2.0-or-later
// Writes one JSON document into a buffer of the caller. No allocation; when the buffer is full the
// rest is left out and overflowed() says so: such a document is not to be used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace masugata::ids {

// Thread: one at a time. Keys are ASCII literals and not escaped.
class JsonWriter {
 public:
  explicit JsonWriter(std::span<char> buffer) noexcept : buffer_(buffer) {}

  void reset() noexcept {
    length_ = 0;
    depth_ = 0;
    comma_ = 0;
    overflowed_ = false;
  }
  [[nodiscard]] std::string_view text() const noexcept { return {buffer_.data(), length_}; }
  [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

  void open_object() noexcept { open('{'); }
  void open_object(std::string_view name) noexcept { key(name), open('{'); }
  void close_object() noexcept { close('}'); }
  void open_array(std::string_view name) noexcept { key(name), open('['); }
  void close_array() noexcept { close(']'); }

  // Members of an object.
  void member(std::string_view name, std::string_view text) noexcept { key(name), value(text); }
  void member(std::string_view name, uint64_t number) noexcept { key(name), value(number); }
  void member_flag(std::string_view name, bool flag) noexcept {
    key(name), begin_value(), put(flag ? std::string_view("true") : "false");
  }
  void member_bytes(std::string_view name, std::span<const uint8_t> bytes) noexcept {
    key(name), value_bytes(bytes);
  }
  void member_base64(std::string_view name, std::span<const uint8_t> bytes) noexcept;
  // Lower-case hexadecimal digits, with `separator` between bytes unless it is 0.
  void member_hex(std::string_view name, std::span<const uint8_t> bytes, char separator) noexcept;
  // Printable ASCII and line ends as they are, everything else as dots.
  void member_printable(std::string_view name, std::span<const uint8_t> bytes) noexcept;
  // "2010-09-01T12:00:00.000001+0000" from microseconds since 1970.
  void member_time(std::string_view name, uint64_t time_us) noexcept;

  // Elements of an array.
  void value(std::string_view text) noexcept;
  void value(uint64_t number) noexcept;
  // Bytes of a protocol: text when they are valid UTF-8 (RFC 3629), else printable ASCII with every
  // other byte as \xNN.
  void value_bytes(std::span<const uint8_t> bytes) noexcept;

 private:
  static constexpr unsigned kMaximumDepth = 31;

  void put(std::string_view text) noexcept;
  void put(char character) noexcept;
  void put_escaped(std::string_view text) noexcept;
  void begin_value() noexcept;
  void key(std::string_view name) noexcept;
  void open(char bracket) noexcept;
  void close(char bracket) noexcept;

  std::span<char> buffer_;
  size_t length_ = 0;
  unsigned depth_ = 0;
  uint32_t comma_ = 0;  // bit per depth: something stands there already
  bool after_key_ = false;
  bool overflowed_ = false;
};

// Whether the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
[[nodiscard]] bool is_utf8(std::span<const uint8_t> bytes) noexcept;

}  // namespace masugata::ids
