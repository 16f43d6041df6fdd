// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/mime/mailbox_transaction.h"

#include "ids/protocols/mime/file_buffers.h"

namespace masugata::ids::mime {

BufferBytes MailboxTransaction::buffer(BufferId buffer, Direction direction,
                                       uint32_t instance) noexcept {
  return file_buffer(files_, buffer, direction, instance, finished[index_of(direction)]);
}

void MailboxTransaction::begin_message(Direction direction) noexcept {
  end(true);
  direction_ = direction;
  message_ = std::make_unique<MessageParser>(files_, direction, text_as_files_);
  shown_ = message_.get();
  last_.reset();
}

void MailboxTransaction::begin_part(Direction direction, bool decode_base64) noexcept {
  end(true);
  direction_ = direction;
  part_ = files_.open(direction, {});
  decoder_.start(decode_base64 ? TransferEncoding::Base64 : TransferEncoding::Identity);
}

void MailboxTransaction::feed(std::span<const uint8_t> bytes) noexcept {
  if (message_ != nullptr) {
    message_->feed(bytes);
  } else if (part_) {
    decoded_.clear();
    const bool clear = decoder_.encoding() == TransferEncoding::Identity;
    if (!clear) {
      decoder_.decode(bytes, decoded_);
    }
    (void)files_.append(*part_, clear ? bytes : std::span<const uint8_t>{decoded_});
  }
  touch(direction_);
}

void MailboxTransaction::end(bool broken) noexcept {
  if (message_ != nullptr) {
    message_->end(broken);
    last_ = std::move(message_);
  }
  if (part_) {
    files_.close(*part_, broken);
    part_.reset();
  }
  touch(direction_);
}

void MailboxTransaction::finish(Direction direction) noexcept {
  if (finished[index_of(direction)]) {
    return;
  }
  if (direction == direction_) {
    end(true);
  }
  finished[index_of(direction)] = true;
  progress[index_of(direction)] = 1;
  touch(direction);
}

}  // namespace masugata::ids::mime
