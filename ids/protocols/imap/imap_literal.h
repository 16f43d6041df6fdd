// SPDX-License-Identifier: GPL-2.0-or-later
// Literals of IMAP (RFC 9051 section 4.3): how long they are and, in a FETCH response, what of a
// message they carry.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace masugata::ids {

struct ImapLiteral {
  uint64_t bytes = 0;
  bool without_consent = false;  // "{5+}": the client does not wait for the server's "+"
};
// The literal that the end of a line announces: "{310}", "{310+}", "~{310}" (RFC 3516, RFC 7888).
[[nodiscard]] std::optional<ImapLiteral> find_literal(std::string_view line_end) noexcept;

// What a literal of a FETCH response carries.
enum class ImapSection : uint8_t {
  Message,  // BODY[], RFC822, BINARY[]
  Part,     // BODY[2], BODY[1.2], BODY[TEXT], RFC822.TEXT: content, still in its encoding
  Decoded,  // BINARY[2]
  Other,    // header fields, envelopes, quoted strings
};
struct ImapContent {
  ImapSection section = ImapSection::Other;
  std::optional<uint64_t> origin;  // "<0>": a piece from that byte of the section on
  std::string_view name;           // "BODY[2]", where that is not longer than a line's tail
};
// By what stands before the literal: "* 12 FETCH (FLAGS () BODY[]<0> {310}".
[[nodiscard]] ImapContent find_content(std::string_view before) noexcept;

}  // namespace masugata::ids
