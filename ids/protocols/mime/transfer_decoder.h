// SPDX-License-Identifier: GPL-2.0-or-later
// Content-Transfer-Encoding (RFC 2045 section 6) undone piece by piece.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace masugata::ids::mime {

enum class TransferEncoding : uint8_t { Identity, Base64, QuotedPrintable };

// By the header's value; unknown ones are Identity.
[[nodiscard]] TransferEncoding find_transfer_encoding(std::string_view value) noexcept;

// Thread: the flow's worker. Broken input is decoded as mail programs do: characters that are not
// of the alphabet are passed over, a broken =XX stays as it is. Both are remembered.
class TransferDecoder {
 public:
  void start(TransferEncoding encoding) noexcept;
  // Appends what `piece` means to `out`; at most three bytes more than the piece has.
  void decode(std::span<const uint8_t> piece, std::vector<uint8_t>& out) noexcept;
  [[nodiscard]] TransferEncoding encoding() const noexcept { return encoding_; }
  [[nodiscard]] bool saw_invalid() const noexcept { return invalid_; }

 private:
  void decode_base64(std::span<const uint8_t> piece, std::vector<uint8_t>& out) noexcept;
  void decode_quoted(std::span<const uint8_t> piece, std::vector<uint8_t>& out) noexcept;
  void end_group(std::vector<uint8_t>& out) noexcept;
  void end_quoted(uint8_t byte, std::vector<uint8_t>& out) noexcept;

  TransferEncoding encoding_ = TransferEncoding::Identity;
  bool invalid_ = false;
  uint8_t held_ = 0;                 // base64: digits; quoted-printable: bytes after and with '='
  uint32_t digits_ = 0;              // base64: of the group at hand
  std::array<uint8_t, 2> quoted_{};  // quoted-printable: what followed '='
};

}  // namespace masugata::ids::mime
