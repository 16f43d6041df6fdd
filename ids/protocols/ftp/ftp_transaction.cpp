// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/ftp/ftp_transaction.h"

#include "ids/protocols/mime/file_buffers.h"
#include "ids/protocols/mime/line_reader.h"

namespace masugata::ids {
namespace {

BufferBytes instance_of(const std::vector<std::string>& all, uint32_t instance,
                        bool finished) noexcept {
  if (instance < all.size()) {
    return {BufferState::Complete, mime::as_bytes(all[instance])};
  }
  return {finished ? BufferState::Absent : BufferState::NotYet};
}

}  // namespace

BufferBytes FtpTransaction::buffer(BufferId buffer, Direction direction,
                                   uint32_t instance) noexcept {
  if (direction == Direction::ToServer) {
    if (buffer == BufferId::FtpCommand && !command.empty()) {
      return {BufferState::Complete, mime::as_bytes(command)};
    }
    if (buffer == BufferId::FtpCommandData && !command_data.empty()) {
      return {BufferState::Complete, mime::as_bytes(command_data)};
    }
    return {};
  }
  const bool settled = finished[index_of(Direction::ToClient)];
  if (buffer == BufferId::FtpReply) {
    return instance_of(replies, instance, settled);
  }
  if (buffer == BufferId::FtpCompletionCode) {
    return instance_of(completion_codes, instance, settled);
  }
  return {};
}

bool FtpTransaction::number(NumberField field, Direction /*direction*/, uint64_t& value) noexcept {
  if (field == NumberField::FtpDynamicPort) {
    value = dynamic_port;
    return dynamic_port != 0;
  }
  if (field == NumberField::FtpMode) {
    value = static_cast<uint64_t>(mode);
    return mode != FtpMode::Unknown;
  }
  if (field != NumberField::FtpReplyReceived) {
    return false;
  }
  value = reply_received ? 1 : 0;
  return reply_received || complete();
}

BufferBytes FtpDataTransaction::buffer(BufferId buffer, Direction direction,
                                       uint32_t instance) noexcept {
  return mime::file_buffer(files_, buffer, direction, instance, finished[index_of(direction)]);
}

std::optional<bool> FtpDataTransaction::holds(const Condition& condition, Direction /*direction*/,
                                              uint64_t /*time_us*/) noexcept {
  const auto* match = std::get_if<FtpDataCommandMatch>(&condition);
  if (match == nullptr) {
    return std::nullopt;
  }
  return upload.has_value() && *upload == (match->command == FtpDataCommandMatch::Command::Stor);
}

}  // namespace masugata::ids
