// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/mime/transfer_decoder.h"

#include "ids/protocols/mime/line_reader.h"

namespace masugata::ids::mime {
namespace {

constexpr uint8_t kNoDigit = 0xff;

constexpr std::array<uint8_t, 256> kBase64Digits = [] {
  std::array<uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return digits;
}();

constexpr uint8_t hex_digit(uint8_t c) noexcept {
  if (c >= '0' && c <= '9') {
    return static_cast<uint8_t>(c - '0');
  }
  const char lower = to_lower(static_cast<char>(c));
  return lower >= 'a' && lower <= 'f' ? static_cast<uint8_t>(lower - 'a' + 10) : kNoDigit;
}

constexpr bool is_space(uint8_t c) noexcept {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

}  // namespace

TransferEncoding find_transfer_encoding(std::string_view value) noexcept {
  while (!value.empty() && is_space(static_cast<uint8_t>(value.front()))) {
    value.remove_prefix(1);
  }
  value = value.substr(0, value.find_first_of(" \t;\r\n"));
  if (equals(value, "base64")) {
    return TransferEncoding::Base64;
  }
  if (equals(value, "quoted-printable")) {
    return TransferEncoding::QuotedPrintable;
  }
  return TransferEncoding::Identity;
}

void TransferDecoder::start(TransferEncoding encoding) noexcept {
  encoding_ = encoding;
  invalid_ = false;
  held_ = 0;
  digits_ = 0;
}

void TransferDecoder::decode(std::span<const uint8_t> piece, std::vector<uint8_t>& out) noexcept {
  switch (encoding_) {
    case TransferEncoding::Identity:
      out.insert(out.end(), piece.begin(), piece.end());
      return;
    case TransferEncoding::Base64:
      decode_base64(piece, out);
      return;
    case TransferEncoding::QuotedPrintable:
      decode_quoted(piece, out);
      return;
  }
}

void TransferDecoder::end_group(std::vector<uint8_t>& out) noexcept {
  const uint32_t bits = digits_ << (6U * (4U - held_));
  if (held_ >= 2) {
    out.push_back(static_cast<uint8_t>(bits >> 16U));
  }
  if (held_ >= 3) {
    out.push_back(static_cast<uint8_t>(bits >> 8U));
  }
  if (held_ == 4) {
    out.push_back(static_cast<uint8_t>(bits));
  }
  held_ = 0;
  digits_ = 0;
}

void TransferDecoder::decode_base64(std::span<const uint8_t> piece,
                                    std::vector<uint8_t>& out) noexcept {
  for (const uint8_t c : piece) {
    const uint8_t digit = kBase64Digits[c];
    if (digit != kNoDigit) {
      digits_ = digits_ << 6U | digit;
      if (++held_ == 4) {
        end_group(out);
      }
    } else if (c == '=') {
      // The end of a group; another group may follow, as where two texts were joined.
      invalid_ = invalid_ || held_ == 1;
      if (held_ != 0) {
        end_group(out);
      }
    } else if (!is_space(c)) {
      invalid_ = true;
    }
  }
}

void TransferDecoder::end_quoted(uint8_t byte, std::vector<uint8_t>& out) noexcept {
  const uint8_t first = quoted_[0];
  held_ = 0;
  if (byte == '\n') {
    // "=" at the end of a line, spaces after it allowed: the line goes on.
    return;
  }
  const uint8_t high = hex_digit(first);
  const uint8_t low = hex_digit(byte);
  if (high != kNoDigit && low != kNoDigit) {
    out.push_back(static_cast<uint8_t>(high << 4U | low));
    return;
  }
  invalid_ = true;
  out.push_back('=');
  out.push_back(first);
  out.push_back(byte);
}

void TransferDecoder::decode_quoted(std::span<const uint8_t> piece,
                                    std::vector<uint8_t>& out) noexcept {
  for (const uint8_t c : piece) {
    if (held_ == 0) {
      if (c == '=') {
        held_ = 1;
      } else {
        out.push_back(c);
      }
    } else if (held_ == 1) {
      if (c == '\n') {
        held_ = 0;
      } else {
        quoted_[0] = c;
        held_ = 2;
      }
    } else if (is_space(quoted_[0]) && is_space(c) && c != '\n') {
      quoted_[0] = c;
    } else {
      end_quoted(c, out);
    }
  }
}

}  // namespace masugata::ids::mime
