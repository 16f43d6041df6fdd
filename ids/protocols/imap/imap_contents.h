// SPDX-License-Identifier: GPL-2.0-or-later
// The messages and parts of one IMAP flow on their way to a ContentReceiver: literals of FETCH
// responses and of APPEND.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ids/protocols/content_feed.h"
#include "ids/protocols/imap/imap_literal.h"

namespace masugata::ids {

// A literal of a FETCH response.
struct FetchedLiteral {
  ImapContent content;
  std::string_view message;  // its number, "12"
  std::string_view tag;      // of the command; empty when nobody asked
  uint64_t bytes = 0;
  bool last_piece = false;  // fewer bytes than the client asked for
  // Of the response, when nothing of it was in packets before; else null.
  const uint8_t* first_byte = nullptr;
};

// Thread: the flow's worker. Memory: a short text.
class ImapContents {
 public:
  // To the client. A piece that continues the one before (the same section of the same message)
  // continues its content.
  void begin_fetched(ContentReceiver* receiver, const FetchedLiteral& literal) noexcept;
  void fetched(std::span<const uint8_t> bytes) noexcept;
  void end_fetched() noexcept;
  void lose_fetched() noexcept;
  // No further pieces will come.
  void end_pieces() noexcept;

  // To the server.
  void begin_appended(ContentReceiver* receiver, std::string_view tag, uint64_t bytes) noexcept;
  void appended(std::span<const uint8_t> bytes) noexcept { up_.bytes(bytes); }
  void end_appended(ContentEnd how) noexcept { up_.end(how); }

 private:
  ContentFeed up_;
  ContentFeed down_;
  bool inside_ = false;  // a literal to the client
  bool is_piece_ = false;
  bool last_piece_ = false;
  std::string piece_key_;  // "12 BODY[2]"
  uint64_t next_piece_ = 0;
};

}  // namespace masugata::ids
