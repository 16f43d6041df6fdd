// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/eve/json_writer.h"

#include <array>
#include <charconv>
#include <cstring>
#include <ctime>

namespace masugata::ids {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool is_printable(uint8_t byte) noexcept { return byte >= 0x20 && byte < 0x7f; }

// Bytes of the sequence that begins with `lead`, with the range of its second byte; 0: none does.
struct Sequence {
  size_t bytes;
  uint8_t second_low;
  uint8_t second_high;
};
Sequence sequence_of(uint8_t lead) noexcept {
  if (lead < 0x80) return {1, 0, 0};
  if (lead >= 0xc2 && lead <= 0xdf) return {2, 0x80, 0xbf};
  if (lead == 0xe0) return {3, 0xa0, 0xbf};
  if (lead == 0xed) return {3, 0x80, 0x9f};
  if (lead >= 0xe1 && lead <= 0xef) return {3, 0x80, 0xbf};
  if (lead == 0xf0) return {4, 0x90, 0xbf};
  if (lead >= 0xf1 && lead <= 0xf3) return {4, 0x80, 0xbf};
  if (lead == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

}  // namespace

bool is_utf8(std::span<const uint8_t> bytes) noexcept {
  size_t at = 0;
  while (at < bytes.size()) {
    const Sequence sequence = sequence_of(bytes[at]);
    if (sequence.bytes == 0 || at + sequence.bytes > bytes.size()) return false;
    if (sequence.bytes > 1) {
      if (bytes[at + 1] < sequence.second_low || bytes[at + 1] > sequence.second_high) return false;
      for (size_t rest = 2; rest < sequence.bytes; ++rest) {
        if ((bytes[at + rest] & 0xc0U) != 0x80) return false;
      }
    }
    at += sequence.bytes;
  }
  return true;
}

void JsonWriter::put(std::string_view text) noexcept {
  if (text.size() > buffer_.size() - length_) {
    overflowed_ = true;
    return;
  }
  std::memcpy(buffer_.data() + length_, text.data(), text.size());
  length_ += text.size();
}

void JsonWriter::put(char character) noexcept { put(std::string_view(&character, 1)); }

void JsonWriter::begin_value() noexcept {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if ((comma_ >> depth_ & 1U) != 0) put(',');
  comma_ |= 1U << depth_;
}

void JsonWriter::key(std::string_view name) noexcept {
  begin_value();
  put('"');
  put(name);
  put("\":");
  after_key_ = true;
}

void JsonWriter::open(char bracket) noexcept {
  begin_value();
  put(bracket);
  if (depth_ >= kMaximumDepth) {
    overflowed_ = true;
    return;
  }
  ++depth_;
  comma_ &= ~(1U << depth_);
}

void JsonWriter::close(char bracket) noexcept {
  put(bracket);
  if (depth_ > 0) --depth_;
}

void JsonWriter::put_escaped(std::string_view text) noexcept {
  size_t plain = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<uint8_t>(text[at]);
    if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f) continue;
    put(text.substr(plain, at - plain));
    plain = at + 1;
    switch (byte) {
      case '"':
        put("\\\"");
        break;
      case '\\':
        put("\\\\");
        break;
      case '\n':
        put("\\n");
        break;
      case '\r':
        put("\\r");
        break;
      case '\t':
        put("\\t");
        break;
      default:
        put("\\u00");
        put(kHexDigits[byte >> 4U]);
        put(kHexDigits[byte & 0xfU]);
    }
  }
  put(text.substr(plain));
}

void JsonWriter::value(std::string_view text) noexcept {
  value_bytes({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

void JsonWriter::value(uint64_t number) noexcept {
  begin_value();
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  put(std::string_view(digits.data(), static_cast<size_t>(end - digits.data())));
}

void JsonWriter::value_bytes(std::span<const uint8_t> bytes) noexcept {
  begin_value();
  put('"');
  if (is_utf8(bytes)) {
    put_escaped({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  } else {
    for (const uint8_t byte : bytes) {
      if (is_printable(byte)) {
        const char character = static_cast<char>(byte);
        put_escaped({&character, 1});
      } else {
        put("\\\\x");
        put(kHexDigits[byte >> 4U]);
        put(kHexDigits[byte & 0xfU]);
      }
    }
  }
  put('"');
}

void JsonWriter::member_base64(std::string_view name, std::span<const uint8_t> bytes) noexcept {
  key(name);
  begin_value();
  put('"');
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t left = bytes.size() - at;
    uint32_t word = static_cast<uint32_t>(bytes[at]) << 16U;
    if (left > 1) word |= static_cast<uint32_t>(bytes[at + 1]) << 8U;
    if (left > 2) word |= bytes[at + 2];
    const std::array<char, 4> digits{kBase64Digits[word >> 18U], kBase64Digits[word >> 12U & 63U],
                                     left > 1 ? kBase64Digits[word >> 6U & 63U] : '=',
                                     left > 2 ? kBase64Digits[word & 63U] : '='};
    put(std::string_view(digits.data(), digits.size()));
  }
  put('"');
}

void JsonWriter::member_hex(std::string_view name, std::span<const uint8_t> bytes,
                            char separator) noexcept {
  key(name);
  begin_value();
  put('"');
  for (size_t at = 0; at < bytes.size(); ++at) {
    if (at != 0 && separator != 0) put(separator);
    put(kHexDigits[bytes[at] >> 4U]);
    put(kHexDigits[bytes[at] & 0xfU]);
  }
  put('"');
}

void JsonWriter::member_printable(std::string_view name, std::span<const uint8_t> bytes) noexcept {
  key(name);
  begin_value();
  put('"');
  for (const uint8_t byte : bytes) {
    const bool shown = is_printable(byte) || byte == '\n' || byte == '\r';
    const char character = shown ? static_cast<char>(byte) : '.';
    put_escaped({&character, 1});
  }
  put('"');
}

void JsonWriter::member_time(std::string_view name, uint64_t time_us) noexcept {
  const auto seconds = static_cast<time_t>(time_us / 1'000'000U);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
  auto fraction = static_cast<uint32_t>(time_us % 1'000'000U);
  for (uint32_t unit = 100'000; unit > 0; unit /= 10) {
    text[length++] = static_cast<char>('0' + fraction / unit);
    fraction %= unit;
  }
  std::memcpy(text.data() + length, "+0000", 5);
  member(name, std::string_view(text.data(), length + 5));
}

}  // namespace masugata::ids
