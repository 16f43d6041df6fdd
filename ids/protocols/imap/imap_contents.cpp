// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/imap/imap_contents.h"

namespace masugata::ids {

void ImapContents::begin_fetched(ContentReceiver* receiver,
                                 const FetchedLiteral& literal) noexcept {
  const ImapContent& content = literal.content;
  const std::string key = std::string{literal.message} + " " + std::string{content.name};
  inside_ = true;
  is_piece_ = content.origin.has_value();
  last_piece_ = literal.last_piece;
  const bool goes_on = down_.is_open() && is_piece_ && key == piece_key_ &&
                       *content.origin == next_piece_ && next_piece_ != 0;
  if (goes_on) {
    next_piece_ += literal.bytes;
    down_.continues(literal.tag);
    return;
  }
  end_pieces();
  const bool is_message = content.section == ImapSection::Message;
  ContentFacts facts;
  facts.protocol = ApplicationProtocol::Imap;
  facts.direction = Direction::ToClient;
  facts.kind = is_message ? ContentKind::Message : ContentKind::File;
  facts.location = content.name;
  // Its coding was told by BODYSTRUCTURE or BODY[2.MIME], on this connection or any time before.
  if (content.section == ImapSection::Part) facts.reading = ContentReading::MailPart;
  facts.tag = literal.tag;
  facts.begins_with_packet = literal.first_byte != nullptr;
  facts.first_byte = literal.first_byte;
  if (is_piece_) {
    piece_key_ = key;
    next_piece_ = *content.origin + literal.bytes;
  }
  if (is_piece_ && (*content.origin != 0 || !last_piece_)) {
    facts.range_first = *content.origin;
  } else {
    facts.announced_bytes = literal.bytes;
    facts.useless_before_end = true;
  }
  down_.begin(receiver, facts);
}

void ImapContents::fetched(std::span<const uint8_t> bytes) noexcept {
  if (!inside_) {
    return;
  }
  down_.bytes(bytes);
}

void ImapContents::end_fetched() noexcept {
  if (!inside_) {
    return;
  }
  inside_ = false;
  if (!is_piece_ || last_piece_) {
    end_pieces();
  }
}

void ImapContents::end_pieces() noexcept {
  down_.end(ContentEnd::Whole);
  next_piece_ = 0;
}

void ImapContents::lose_fetched() noexcept {
  if (inside_) {
    inside_ = false;
    down_.end(ContentEnd::Broken);
  } else {
    end_pieces();
  }
  next_piece_ = 0;
}

void ImapContents::begin_appended(ContentReceiver* receiver, std::string_view tag,
                                  uint64_t bytes) noexcept {
  ContentFacts facts;
  facts.protocol = ApplicationProtocol::Imap;
  facts.direction = Direction::ToServer;
  facts.kind = ContentKind::Message;
  facts.tag = tag;
  facts.announced_bytes = bytes;
  facts.useless_before_end = true;
  up_.begin(receiver, facts);
}

}  // namespace masugata::ids
