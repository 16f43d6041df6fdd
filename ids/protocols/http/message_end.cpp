// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/message_end.h"

#include <algorithm>

namespace masugata::ids {
namespace {

struct Announced {
  htp_transfer_coding_t coding;
  int64_t bytes;
};

Announced announced_by(const htp_tx_t& source, Direction direction) noexcept {
  if (direction == Direction::ToServer) {
    return {source.request_transfer_coding, source.request_content_length};
  }
  return {source.response_transfer_coding, source.response_content_length};
}

bool is_line_end(char byte) noexcept { return byte == '\r' || byte == '\n'; }

}  // namespace

bool is_message_over(const htp_tx_t& source, const MessageEnd& end, Direction direction) noexcept {
  const Announced announced = announced_by(source, direction);
  switch (announced.coding) {
    case HTP_CODING_NO_BODY:
      return true;
    case HTP_CODING_CHUNKED:
      return end.has_trailer;
    case HTP_CODING_IDENTITY:
      return announced.bytes >= 0 && end.body_bytes >= static_cast<uint64_t>(announced.bytes);
    default:
      return false;
  }
}

bool is_in_chunks(const htp_tx_t& source, Direction direction) noexcept {
  return announced_by(source, direction).coding == HTP_CODING_CHUNKED;
}

size_t take_own_bytes(const htp_tx_t& source, MessageEnd& end, Direction direction,
                      size_t size) noexcept {
  const Announced announced = announced_by(source, direction);
  size_t own = size;
  if (is_message_over(source, end, direction)) {
    own = 0;
  } else if (announced.coding == HTP_CODING_IDENTITY && announced.bytes >= 0) {
    own = static_cast<size_t>(
        std::min<uint64_t>(size, static_cast<uint64_t>(announced.bytes) - end.body_bytes));
  }
  end.body_bytes += own;
  return own;
}

LineKind kind_of_next_line(std::string_view beginning) noexcept {
  constexpr std::string_view kName = "HTTP/";
  while (!beginning.empty() && is_line_end(beginning.front())) beginning.remove_prefix(1);
  const std::string_view name = beginning.substr(0, kName.size());
  if (!kName.starts_with(name)) return LineKind::Body;
  return name.size() == kName.size() ? LineKind::Status : LineKind::Undecided;
}

bool is_line_ends_only(std::span<const uint8_t> bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](uint8_t byte) { return is_line_end(static_cast<char>(byte)); });
}

}  // namespace masugata::ids
