// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/ssh/ssh_parser.h"

#include <algorithm>
#include <string_view>

#include "ids/protocols/byte_reader.h"
#include "ids/protocols/event_names.h"
#include "ids/protocols/tls/digest_text.h"

namespace masugata::ids {
namespace {

constexpr uint8_t kKeyExchangeInit = 20;
constexpr uint8_t kNewKeys = 21;
constexpr size_t kPacketHeaderBytes = 6;  // length, padding length, message number
constexpr uint8_t kInvalidRecord = event_number(kSshEventNames, "invalid_record");

std::string_view text_of(std::span<const uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

BufferBytes text_or(const std::string& text, bool known) noexcept {
  if (!known) return {BufferState::NotYet, {}, 0};
  if (text.empty()) return {};
  return {BufferState::Complete, {reinterpret_cast<const uint8_t*>(text.data()), text.size()}, 0};
}

}  // namespace

BufferBytes SshTransaction::buffer(BufferId buffer, Direction direction, uint32_t) noexcept {
  const SshSide& said = side(direction);
  const bool from_client = direction == Direction::ToServer;
  const bool ended = finished[index_of(direction)];
  const bool banner = said.banner_done || ended;
  const bool exchange = said.key_exchange_done || ended;
  switch (buffer) {
    case BufferId::SshProto:
      return text_or(said.protocol, banner);
    case BufferId::SshSoftware:
      return text_or(said.software, banner);
    case BufferId::SshHassh:
      return from_client ? text_or(said.hassh, exchange) : BufferBytes{};
    case BufferId::SshHasshString:
      return from_client ? text_or(said.hassh_string, exchange) : BufferBytes{};
    case BufferId::SshHasshServer:
      return from_client ? BufferBytes{} : text_or(said.hassh, exchange);
    case BufferId::SshHasshServerString:
      return from_client ? BufferBytes{} : text_or(said.hassh_string, exchange);
    default:
      return {};
  }
}

SshParser::SshParser(const ParserDemands& demands) noexcept
    : ProtocolParser(ApplicationProtocol::Ssh), demands_(demands) {}

void SshParser::advance(Direction direction, SshProgress to) noexcept {
  transaction_->progress[index_of(direction)] = static_cast<uint8_t>(to);
  transaction_->touch(direction);
}

ParseOutcome SshParser::on_data(Direction direction, std::span<const uint8_t> bytes,
                                uint64_t /*time_us*/) noexcept {
  if (transaction_ == nullptr) {
    transaction_ = static_cast<SshTransaction*>(append(std::make_unique<SshTransaction>()));
  }
  if (transactions().empty()) return ParseOutcome::Finished;
  SideState& side = states_[index_of(direction)];
  while (!bytes.empty() && !side.encrypted) {
    const bool good = transaction_->side(direction).banner_done ? take_packet(direction, bytes)
                                                                : take_line(direction, bytes);
    if (good) continue;
    for (const Direction each : {Direction::ToServer, Direction::ToClient}) on_end(each);
    return ParseOutcome::Failed;
  }
  if (!states_[0].encrypted || !states_[1].encrypted) return ParseOutcome::Going;
  for (const Direction each : {Direction::ToServer, Direction::ToClient}) on_end(each);
  return ParseOutcome::Finished;
}

void SshParser::on_end(Direction direction) noexcept {
  if (transaction_ == nullptr || transactions().empty()) return;
  if (transaction_->finished[index_of(direction)]) return;
  transaction_->finished[index_of(direction)] = true;
  advance(direction, SshProgress::Finished);
}

bool SshParser::take_line(Direction direction, std::span<const uint8_t>& bytes) noexcept {
  SideState& side = states_[index_of(direction)];
  const auto line_end = std::find(bytes.begin(), bytes.end(), uint8_t{'\n'});
  const bool whole = line_end != bytes.end();
  const auto part = bytes.first(static_cast<size_t>(line_end - bytes.begin()));
  const size_t kept = std::min(part.size(), kMaximumSshBannerBytes + 1 - side.partial.size());
  side.partial.insert(side.partial.end(), part.begin(),
                      part.begin() + static_cast<std::ptrdiff_t>(kept));
  bytes = bytes.subspan(part.size() + (whole ? 1 : 0));
  if (side.partial.size() > kMaximumSshBannerBytes && !side.long_line) {
    side.long_line = true;
    transaction_->raise(direction, event_number(kSshEventNames, "long_banner"));
  }
  if (!whole) return true;
  std::string_view line = text_of(side.partial);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const bool good = on_line(direction, line);
  side.partial.clear();
  side.long_line = false;
  return good;
}

bool SshParser::on_line(Direction direction, std::string_view line) noexcept {
  constexpr std::string_view kPrefix = "SSH-";
  if (!line.starts_with(kPrefix)) {
    // Only servers may say something before.
    if (direction == Direction::ToClient &&
        ++states_[index_of(direction)].other_lines <= kMaximumSshOtherLines) {
      return true;
    }
    transaction_->raise(direction, event_number(kSshEventNames, "invalid_banner"));
    return false;
  }
  line.remove_prefix(kPrefix.size());
  SshSide& said = transaction_->side(direction);
  const size_t dash = line.find('-');
  if (dash == std::string_view::npos) {
    transaction_->raise(direction, event_number(kSshEventNames, "invalid_banner"));
    return false;
  }
  said.protocol = line.substr(0, dash);
  said.software = line.substr(dash + 1, line.find(' ', dash) - dash - 1);
  said.banner_done = true;
  advance(direction, SshProgress::BannerDone);
  return true;
}

bool SshParser::take_packet(Direction direction, std::span<const uint8_t>& bytes) noexcept {
  SideState& side = states_[index_of(direction)];
  if (side.skip > 0) {
    const size_t skipped = std::min<size_t>(bytes.size(), side.skip);
    side.skip -= static_cast<uint32_t>(skipped);
    bytes = bytes.subspan(skipped);
    return true;
  }
  const size_t have = side.partial.size();
  uint32_t length = 0;
  if (have >= kPacketHeaderBytes) length = ByteReader{side.partial}.u32();
  const size_t needed = have < kPacketHeaderBytes ? kPacketHeaderBytes : 4 + size_t{length};
  const auto part = bytes.first(std::min(bytes.size(), needed - have));
  side.partial.insert(side.partial.end(), part.begin(), part.end());
  bytes = bytes.subspan(part.size());
  if (side.partial.size() < needed) return true;
  if (have < kPacketHeaderBytes) {
    length = ByteReader{side.partial}.u32();
    const uint8_t message = side.partial[5];
    if (length < 2 || length > kMaximumSshPacketBytes) {
      transaction_->raise(direction, message == kKeyExchangeInit && length > 2
                                         ? event_number(kSshEventNames, "long_kex_record")
                                         : kInvalidRecord);
      return false;
    }
    // Two bytes of the packet are in the header already.
    if (message == kKeyExchangeInit && length > 2) return true;
    on_packet(direction, std::span<const uint8_t>{side.partial}.subspan(5, 1));
    side.partial.clear();
    side.skip = length - 2;
    return true;
  }
  on_packet(direction, std::span<const uint8_t>{side.partial}.subspan(5));
  side.partial.clear();
  return true;
}

void SshParser::on_packet(Direction direction, std::span<const uint8_t> payload) noexcept {
  if (payload[0] == kKeyExchangeInit) {
    on_key_exchange(direction, payload.subspan(1));
  } else if (payload[0] == kNewKeys) {
    transaction_->side(direction).key_exchange_done = true;
    states_[index_of(direction)].encrypted = true;
    advance(direction, SshProgress::KeysExchanged);
  }
}

// RFC 4253 section 7.1: a cookie, then ten lists of names.
void SshParser::on_key_exchange(Direction direction, std::span<const uint8_t> payload) noexcept {
  SshSide& said = transaction_->side(direction);
  if (said.key_exchange_done) return;
  ByteReader reader{payload};
  reader.skip(16);
  std::array<std::string_view, 8> lists;  // those for languages do not matter
  for (std::string_view& list : lists) list = text_of(reader.take(reader.u32()));
  if (!reader.ok()) {
    transaction_->raise(direction, kInvalidRecord);
    return;
  }
  if (demands_.hassh) {
    const size_t own = direction == Direction::ToServer ? 0 : 1;
    said.hassh_string = lists[0];
    for (const size_t list : {2 + own, 4 + own, 6 + own}) {
      said.hassh_string += ';';
      said.hassh_string += lists[list];
    }
    said.hassh = md5_hex(said.hassh_string);
  }
  said.key_exchange_done = true;
  transaction_->touch(direction);
}

}  // namespace masugata::ids
