// SPDX-License-Identifier: GPL-2.0-or-later
// Where a message ends by what it announces (RFC 9112 section 6). libhtp takes for a part of its
// body what stands behind it and looks like no other message.
#pragma once

#include <htp/htp.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "ids/direction.h"

namespace masugata::ids {

// Of one message.
struct MessageEnd {
  uint64_t body_bytes = 0;   // of its body that came, gaps counted
  bool has_trailer = false;  // of a chunked body: its end came, with the trailer
};

// Whether nothing of the message is to come. Never of one that ends with its connection.
[[nodiscard]] bool is_message_over(const htp_tx_t& source, const MessageEnd& end,
                                   Direction direction) noexcept;

[[nodiscard]] bool is_in_chunks(const htp_tx_t& source, Direction direction) noexcept;

// Of `size` bytes that libhtp takes for the message's body: how many are. Counts them.
[[nodiscard]] size_t take_own_bytes(const htp_tx_t& source, MessageEnd& end, Direction direction,
                                    size_t size) noexcept;

// A response whose body begins without a status line (HTTP/0.9), or of which nothing is known yet.
[[nodiscard]] inline bool is_without_line(const htp_tx_t& source) noexcept {
  return source.response_progress == HTP_RESPONSE_LINE;
}

enum class LineKind : uint8_t {
  Undecided,  // too short
  Status,
  Body,
};
// What may stand behind a response: another one. Blank lines between them count for nothing.
[[nodiscard]] LineKind kind_of_next_line(std::string_view beginning) noexcept;

[[nodiscard]] bool is_line_ends_only(std::span<const uint8_t> bytes) noexcept;

}  // namespace masugata::ids
