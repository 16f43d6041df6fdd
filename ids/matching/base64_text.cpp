// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/base64_text.h"

#include <array>

namespace masugata::ids {
namespace {

constexpr uint8_t kNotBase64 = 255;

constexpr std::array<uint8_t, 256> make_values() {
  std::array<uint8_t, 256> values{};
  values.fill(kNotBase64);
  for (uint8_t index = 0; index < 26; ++index) {
    values['A' + index] = index;
    values['a' + index] = static_cast<uint8_t>(26 + index);
  }
  for (uint8_t index = 0; index < 10; ++index) {
    values['0' + index] = static_cast<uint8_t>(52 + index);
  }
  values['+'] = 62;
  values['/'] = 63;
  return values;
}
constexpr std::array<uint8_t, 256> kValues = make_values();

// Collects six bits at a time and writes whole bytes.
class BitWriter {
 public:
  explicit BitWriter(std::span<uint8_t> out) noexcept : out_(out) {}
  // False when there was no room for a byte.
  bool add(uint8_t six_bits) noexcept {
    bits_ = bits_ << 6U | six_bits;
    count_ += 6;
    if (count_ < 8) return true;
    if (written_ == out_.size()) return false;
    count_ -= 8;
    out_[written_++] = static_cast<uint8_t>(bits_ >> count_);
    bits_ &= (1U << count_) - 1;
    return true;
  }
  [[nodiscard]] size_t written() const noexcept { return written_; }

 private:
  std::span<uint8_t> out_;
  size_t written_ = 0;
  uint32_t bits_ = 0;
  uint32_t count_ = 0;
};

bool is_strict(std::span<const uint8_t> in) noexcept {
  if (in.size() % 4 != 0) return false;
  size_t digits = in.size();
  for (int padding = 0; padding < 2 && digits > 0 && in[digits - 1] == '='; ++padding) --digits;
  for (const uint8_t byte : in.first(digits)) {
    if (kValues[byte] == kNotBase64) return false;
  }
  return true;
}

}  // namespace

Base64Result decode_base64(std::span<const uint8_t> in, std::span<uint8_t> out,
                           Base64Mode mode) noexcept {
  Base64Result result;
  if (mode == Base64Mode::Strict && !is_strict(in)) {
    result.invalid = true;
    return result;
  }
  BitWriter writer(out);
  for (const uint8_t byte : in) {
    const uint8_t value = kValues[byte];
    if (value == kNotBase64) {
      if (byte == '=') break;
      result.invalid = true;
      if (mode == Base64Mode::Rfc2045) continue;
      break;
    }
    if (!writer.add(value)) {
      result.cut = true;
      break;
    }
  }
  result.written = writer.written();
  return result;
}

}  // namespace masugata::ids
