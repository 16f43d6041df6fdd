// SPDX-License-Identifier: GPL-2.0-or-later
// Mail messages out of any bytes: the bounds hold, and the pieces in which a message arrives make
// no difference.
#include "ids/protocols/mime/message_parser.h"

#include <cstdlib>

namespace {

using namespace masugata::ids;  // NOLINT: a program of one file

void require(bool holds) {
  if (!holds) std::abort();
}

std::string read(std::span<const uint8_t> input, size_t piece_bytes) {
  const ParserDemands demands{.md5 = true};
  FileCollection files{demands};
  mime::MessageParser message{files, Direction::ToServer, true};
  for (size_t at = 0; at < input.size(); at += piece_bytes) {
    const auto piece = input.subspan(at, std::min(piece_bytes, input.size() - at));
    const std::vector<uint8_t> copy(piece.begin(), piece.end());
    message.feed(copy);
    files.begin_input();
  }
  message.end(false);
  require(message.fields().size() <= mime::kMaximumHeaderFields);
  require(message.findings().urls.size() <= mime::kMaximumUrls);
  require(message.findings().attachments.size() <= mime::kMaximumAttachments);
  std::string story = std::to_string(message.findings().anomalies) + "\n";
  for (const auto& field : message.fields()) story += field.name + ": " + field.value + "\n";
  for (const auto& url : message.findings().urls) story += url + "\n";
  for (const auto& name : message.findings().attachments) story += name + "\n";
  for (const TransferredFile& file : files.files()) {
    require(file.complete);
    story += file.name + " " + std::to_string(file.size) + " " + file.md5 + "\n";
  }
  return story;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> input{data, size};
  const std::string whole = read(input, 1 << 20);
  require(read(input, 1) == whole);
  require(read(input, 5) == whole);
  return 0;
}
