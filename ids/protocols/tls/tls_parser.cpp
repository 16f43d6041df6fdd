// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/tls/tls_parser.h"

#include <algorithm>

#include "ids/protocols/byte_reader.h"
#include "ids/protocols/event_names.h"
#include "ids/protocols/tls/digest_text.h"
#include "ids/protocols/tls/fingerprints.h"

namespace masugata::ids {
namespace {

enum class RecordType : uint8_t {
  ChangeCipherSpec = 20,
  Alert = 21,
  Handshake = 22,
  ApplicationData = 23,
  Heartbeat = 24,
};

// RFC 8446 section 4, RFC 5246 section 7.4.
enum class MessageType : uint8_t {
  ClientHello = 1,
  ServerHello = 2,
  Certificate = 11,
  ServerKeyExchange = 12,
  ServerHelloDone = 14,
  ClientKeyExchange = 16,
  Finished = 20,
};

constexpr size_t kMessageHeaderBytes = 4;
// RFC 5246 section 6.2.3: the largest encrypted record.
constexpr uint32_t kMaximumRecordBytes = (1U << 14U) + 2048;
constexpr uint32_t kHeartbeatOverheadBytes = 3;
constexpr uint32_t kHeartbeatPaddingBytes = 16;

bool is_record_type(uint8_t type) noexcept { return type >= 20 && type <= 24; }

bool is_message_type(uint8_t type) noexcept { return type <= 25 || type == 67 || type == 254; }

bool is_read(uint8_t type) noexcept {
  return type == static_cast<uint8_t>(MessageType::ClientHello) ||
         type == static_cast<uint8_t>(MessageType::ServerHello) ||
         type == static_cast<uint8_t>(MessageType::Certificate);
}

uint8_t event_of(CertificateFault fault) noexcept {
  switch (fault) {
    case CertificateFault::Length:
      return event_number(kTlsEventNames, "certificate_invalid_length");
    case CertificateFault::Version:
      return event_number(kTlsEventNames, "certificate_invalid_version");
    case CertificateFault::Serial:
      return event_number(kTlsEventNames, "certificate_invalid_serial");
    case CertificateFault::Algorithm:
      return event_number(kTlsEventNames, "certificate_invalid_algorithmidentifier");
    case CertificateFault::Name:
      return event_number(kTlsEventNames, "certificate_invalid_x509name");
    case CertificateFault::Date:
      return event_number(kTlsEventNames, "certificate_invalid_date");
    case CertificateFault::Extensions:
      return event_number(kTlsEventNames, "certificate_invalid_extensions");
    default:
      return event_number(kTlsEventNames, "invalid_certificate");
  }
}

constexpr uint8_t kInvalidHandshake = event_number(kTlsEventNames, "invalid_handshake_message");

}  // namespace

TlsParser::TlsParser(const ParserDemands& demands) noexcept
    : ProtocolParser(ApplicationProtocol::Tls), demands_(demands) {}

// False when the engine has taken the transaction away already: nobody would see more of it.
bool TlsParser::ready() noexcept {
  if (transaction_ == nullptr) {
    transaction_ = static_cast<TlsTransaction*>(append(std::make_unique<TlsTransaction>()));
  }
  return !transactions().empty();
}

ParseOutcome TlsParser::on_data(Direction direction, std::span<const uint8_t> bytes,
                                uint64_t /*time_us*/) noexcept {
  if (!ready()) return ParseOutcome::Finished;
  SideState& side = state(direction);
  const size_t usual_records =
      std::max(kUsualTlsRecordsInCall, bytes.size() / kUsualTlsRecordBytes);
  size_t records = 0;
  while (!bytes.empty()) {
    if (side.record_left > 0) {
      const auto fragment = bytes.first(std::min<size_t>(bytes.size(), side.record_left));
      take_fragment(direction, fragment);
      side.record_left -= static_cast<uint32_t>(fragment.size());
      side.record_read += static_cast<uint32_t>(fragment.size());
      bytes = bytes.subspan(fragment.size());
      continue;
    }
    const bool could_be_ssl2 = !side.begun && side.header_bytes == 0;
    if (could_be_ssl2 && (bytes[0] & 0x80U) != 0 && !is_record_type(bytes[0])) side.ssl2 = true;
    const Step step = side.ssl2 ? take_ssl2(direction, bytes) : take_header(direction, bytes);
    if (step == Step::Failed) return ParseOutcome::Failed;
    if (++records == usual_records + 1) {
      transaction_->raise(direction, event_number(kTlsEventNames, "too_many_records_in_packet"));
    }
  }
  return nothing_left() ? ParseOutcome::Finished : ParseOutcome::Going;
}

ParseOutcome TlsParser::on_gap(Direction direction, uint64_t bytes) noexcept {
  SideState& side = state(direction);
  if (!ready()) return ParseOutcome::Finished;
  if (bytes > side.record_left) {
    on_end(direction);
    return ParseOutcome::Failed;
  }
  side.record_left -= static_cast<uint32_t>(bytes);
  side.record_read += static_cast<uint32_t>(bytes);
  // Where the next handshake message begins is not known any more in this record.
  side.message.clear();
  side.message_skip = side.record_left;
  return ParseOutcome::Going;
}

void TlsParser::on_end(Direction direction) noexcept {
  if (!ready()) return;
  transaction_->advance(direction, TlsProgress::Finished);
  transaction_->finished[index_of(direction)] = true;
  transaction_->touch(direction);
}

TlsParser::Step TlsParser::fail(Direction direction, uint8_t event) noexcept {
  transaction_->raise(direction, event);
  transaction_->raise(direction, event_number(kTlsEventNames, "invalid_ssl_record"));
  for (const Direction each : {Direction::ToServer, Direction::ToClient}) on_end(each);
  return Step::Failed;
}

TlsParser::Step TlsParser::take_header(Direction direction,
                                       std::span<const uint8_t>& bytes) noexcept {
  SideState& side = state(direction);
  const size_t taken = std::min(bytes.size(), side.header.size() - side.header_bytes);
  std::copy_n(bytes.begin(), taken, side.header.begin() + side.header_bytes);
  side.header_bytes = static_cast<uint8_t>(side.header_bytes + taken);
  bytes = bytes.subspan(taken);
  if (!is_record_type(side.header[0])) {
    return fail(direction, event_number(kTlsEventNames, "invalid_record_type"));
  }
  if (side.header_bytes >= 2 && side.header[1] != 3) {
    return fail(direction, event_number(kTlsEventNames, "invalid_record_version"));
  }
  if (side.header_bytes < side.header.size()) return Step::Continue;
  side.header_bytes = 0;
  return begin_record(direction);
}

TlsParser::Step TlsParser::begin_record(Direction direction) noexcept {
  SideState& side = state(direction);
  side.begun = true;
  side.record_left = static_cast<uint32_t>(side.header[3]) << 8U | side.header[4];
  side.record_read = 0;
  side.plain_hello = false;
  if (side.record_left > kMaximumRecordBytes) {
    return fail(direction, event_number(kTlsEventNames, "invalid_record_length"));
  }
  TlsSide& said = transaction_->side(direction);
  if (!said.hello) {
    said.version = static_cast<uint16_t>(side.header[1] * 256U + side.header[2]);
    transaction_->touch(direction);
  }
  switch (static_cast<RecordType>(side.header[0])) {
    case RecordType::ChangeCipherSpec:
      become_encrypted(direction, TlsProgress::HandshakeDone);
      break;
    case RecordType::ApplicationData:
      become_encrypted(direction, TlsProgress::Finished);
      break;
    case RecordType::Heartbeat:
      side.heartbeat = {};
      if (side.record_left == 0) {
        transaction_->raise(direction, event_number(kTlsEventNames, "invalid_heartbeat_message"));
      }
      break;
    default:
      break;
  }
  return Step::Continue;
}

void TlsParser::take_fragment(Direction direction, std::span<const uint8_t> fragment) noexcept {
  SideState& side = state(direction);
  const auto type = static_cast<RecordType>(side.header[0]);
  if (type == RecordType::Heartbeat) {
    for (size_t index = 0; index < fragment.size(); ++index) {
      const size_t position = side.record_read + index;
      if (position >= side.heartbeat.size()) break;
      side.heartbeat[position] = fragment[index];
    }
    if (fragment.size() == side.record_left) on_heartbeat(direction);
    return;
  }
  if (type != RecordType::Handshake) return;
  if (side.encrypted && side.record_read == 0) {
    // After a HelloRetryRequest clients repeat their hello in the clear behind a ChangeCipherSpec
    // that means nothing (RFC 8446 appendix D.4).
    const uint32_t record = side.record_left;
    side.plain_hello = fragment.size() >= 4 && fragment[0] == 1 && fragment[1] == 0 &&
                       fragment[2] * 256U + fragment[3] + kMessageHeaderBytes == record;
  }
  if (!side.encrypted || side.plain_hello) take_handshake(direction, fragment);
}

void TlsParser::take_handshake(Direction direction, std::span<const uint8_t> fragment) noexcept {
  SideState& side = state(direction);
  while (!fragment.empty()) {
    if (side.message_skip > 0) {
      const size_t skipped = std::min<size_t>(fragment.size(), side.message_skip);
      side.message_skip -= static_cast<uint32_t>(skipped);
      fragment = fragment.subspan(skipped);
      continue;
    }
    const size_t have = side.message.size();
    size_t needed = kMessageHeaderBytes;
    if (have >= kMessageHeaderBytes) {
      needed += static_cast<size_t>(side.message[1]) << 16U |
                static_cast<size_t>(side.message[2]) << 8U | side.message[3];
    }
    const auto part = fragment.first(std::min(fragment.size(), needed - have));
    side.message.insert(side.message.end(), part.begin(), part.end());
    fragment = fragment.subspan(part.size());
    if (side.message.size() < needed) continue;
    if (have < kMessageHeaderBytes) {
      begin_message(direction);
      continue;
    }
    on_message(direction, side.message[0],
               std::span<const uint8_t>{side.message}.subspan(kMessageHeaderBytes));
    side.message.clear();
  }
}

// The four bytes before a message are there: it is collected, or passed over.
void TlsParser::begin_message(Direction direction) noexcept {
  SideState& side = state(direction);
  const uint8_t type = side.message[0];
  const uint32_t length = static_cast<uint32_t>(side.message[1]) << 16U |
                          static_cast<uint32_t>(side.message[2]) << 8U | side.message[3];
  const bool too_long = length > kMaximumHandshakeMessageBytes;
  // The length of what is no message means nothing.
  if (too_long && is_message_type(type)) {
    transaction_->raise(direction, event_number(kTlsEventNames, "handshake_invalid_length"));
  }
  if (is_read(type) && !too_long && length > 0) return;
  on_message(direction, type, {});
  side.message.clear();
  side.message_skip = length;
}

void TlsParser::on_message(Direction direction, uint8_t type,
                           std::span<const uint8_t> body) noexcept {
  const bool from_client = direction == Direction::ToServer;
  switch (static_cast<MessageType>(type)) {
    case MessageType::ClientHello:
      if (from_client) return on_client_hello(body);
      break;
    case MessageType::ServerHello:
      if (!from_client) return on_server_hello(body);
      break;
    case MessageType::Certificate:
      return on_certificates(direction, body);
    case MessageType::ServerKeyExchange:
    case MessageType::ClientKeyExchange: {
      const bool client_message = static_cast<MessageType>(type) == MessageType::ClientKeyExchange;
      if (client_message != from_client) break;
      transaction_->side(direction).key_exchange = true;
      transaction_->advance(direction, TlsProgress::CertificateDone);
      return transaction_->touch(direction);
    }
    case MessageType::ServerHelloDone:
      return transaction_->advance(direction, TlsProgress::CertificateDone);
    case MessageType::Finished:
      return transaction_->advance(direction, TlsProgress::HandshakeDone);
    default:
      if (is_message_type(type)) return;
  }
  transaction_->raise(direction, kInvalidHandshake);
}

void TlsParser::on_client_hello(std::span<const uint8_t> body) noexcept {
  TlsSide& client = transaction_->side(Direction::ToServer);
  // A second one, after a HelloRetryRequest or a renegotiation, says nothing new of the client.
  if (client.hello) return;
  TlsHello hello;
  const HelloFindings findings = read_client_hello(body, hello);
  auto raise_if = [this](bool holds, uint8_t event) noexcept {
    if (holds) transaction_->raise(Direction::ToServer, event);
  };
  raise_if(findings.malformed, kInvalidHandshake);
  raise_if(findings.several_server_names, event_number(kTlsEventNames, "multiple_sni_extensions"));
  raise_if(findings.bad_server_name_type, event_number(kTlsEventNames, "invalid_sni_type"));
  raise_if(findings.bad_server_name_length, event_number(kTlsEventNames, "invalid_sni_length"));
  client.version = hello.version();
  if (demands_.ja3) {
    client.ja3_string = ja3_string(hello);
    client.ja3_hash = md5_hex(client.ja3_string);
  }
  if (demands_.ja4) client.ja4 = ja4_fingerprint(hello);
  client.hello = std::move(hello);
  transaction_->advance(Direction::ToServer, TlsProgress::HelloDone);
}

void TlsParser::on_server_hello(std::span<const uint8_t> body) noexcept {
  TlsSide& server = transaction_->side(Direction::ToClient);
  if (server.hello) return;
  TlsHello hello;
  if (read_server_hello(body, hello).malformed) {
    transaction_->raise(Direction::ToClient, kInvalidHandshake);
  }
  server.version = hello.version();
  if (demands_.ja3) {
    server.ja3_string = ja3s_string(hello);
    server.ja3_hash = md5_hex(server.ja3_string);
  }
  server.hello = std::move(hello);
  transaction_->advance(Direction::ToClient, TlsProgress::HelloDone);
}

void TlsParser::on_certificates(Direction direction, std::span<const uint8_t> body) noexcept {
  TlsSide& said = transaction_->side(direction);
  if (!said.chain.empty()) return;
  ByteReader outer{body};
  ByteReader list{outer.take_counted24()};
  bool broken = !outer.ok();
  while (list.left() > 0 && said.chain_parts.size() < kMaximumChainCertificates) {
    const auto der = list.take_counted24();
    if (!list.ok()) {
      broken = true;
      break;
    }
    said.chain_parts.emplace_back(static_cast<uint32_t>(said.chain.size()),
                                  static_cast<uint32_t>(der.size()));
    said.chain.insert(said.chain.end(), der.begin(), der.end());
  }
  if (broken) {
    transaction_->raise(direction, kInvalidHandshake);
    transaction_->raise(direction, event_number(kTlsEventNames, "invalid_certificate"));
  }
  if (!said.chain_parts.empty()) read_leaf(direction);
  transaction_->advance(direction, TlsProgress::CertificateDone);
  transaction_->touch(direction);
}

void TlsParser::read_leaf(Direction direction) noexcept {
  TlsSide& said = transaction_->side(direction);
  TlsCertificate certificate;
  const CertificateFault fault = read_certificate(said.certificate_bytes(0), certificate);
  if (fault != CertificateFault::None) {
    transaction_->raise(direction, event_of(fault));
    transaction_->raise(direction, kInvalidHandshake);
  }
  if (certificate.too_many_alternative_names) {
    transaction_->raise(direction,
                        event_number(kTlsEventNames, "too_many_subject_alternative_names"));
  }
  said.certificate = std::move(certificate);
}

// An SSLv2 message: its length in two bytes with the highest bit set, then its type.
TlsParser::Step TlsParser::take_ssl2(Direction direction,
                                     std::span<const uint8_t>& bytes) noexcept {
  SideState& side = state(direction);
  const size_t have = side.message.size();
  const size_t needed =
      have < 2 ? 2 : 2 + (static_cast<size_t>(side.message[0] & 0x7fU) << 8U | side.message[1]);
  const auto part = bytes.first(std::min(bytes.size(), needed - have));
  side.message.insert(side.message.end(), part.begin(), part.end());
  bytes = bytes.subspan(part.size());
  if (side.message.size() < needed || have < 2) return Step::Continue;
  side.begun = true;
  side.ssl2 = false;
  if (needed < 2 + 1) {
    return fail(direction, event_number(kTlsEventNames, "invalid_sslv2_header"));
  }
  on_ssl2_message(direction);
  side.message.clear();
  return Step::Continue;
}

void TlsParser::on_ssl2_message(Direction direction) noexcept {
  constexpr uint8_t kError = 0;
  constexpr uint8_t kClientHello = 1;
  constexpr uint8_t kServerHello = 4;
  SideState& side = state(direction);
  const auto message = std::span<const uint8_t>{side.message}.subspan(2);
  TlsSide& said = transaction_->side(direction);
  const bool from_client = direction == Direction::ToServer;
  if (message[0] == kError) {
    transaction_->raise(direction, event_number(kTlsEventNames, "error_message_encountered"));
  } else if (message[0] == kClientHello && from_client) {
    TlsHello hello;
    if (read_ssl2_client_hello(message, hello).malformed) {
      transaction_->raise(direction, event_number(kTlsEventNames, "invalid_sslv2_header"));
    }
    said.version = hello.legacy_version;
    said.hello = std::move(hello);
    transaction_->advance(direction, TlsProgress::HelloDone);
  } else if (message[0] == kServerHello && !from_client) {
    said.version = 0x0200;
    ByteReader reader{message};
    reader.skip(5);
    const uint16_t certificate_bytes = reader.u16();
    reader.skip(4);
    const auto der = reader.take(certificate_bytes);
    if (reader.ok() && !der.empty()) {
      said.chain.assign(der.begin(), der.end());
      said.chain_parts.emplace_back(0, certificate_bytes);
      read_leaf(direction);
    }
    transaction_->advance(direction, TlsProgress::CertificateDone);
    // What follows in SSLv2 is encrypted or says nothing.
    for (const Direction each : {Direction::ToServer, Direction::ToClient}) {
      become_encrypted(each, TlsProgress::HandshakeDone);
    }
  } else {
    transaction_->raise(direction, event_number(kTlsEventNames, "invalid_sslv2_header"));
  }
  transaction_->touch(direction);
}

// RFC 6520 section 4. The sizes alone tell of an attempt to read beyond the payload.
void TlsParser::on_heartbeat(Direction direction) noexcept {
  const SideState& side = state(direction);
  const uint32_t record = side.record_read + side.record_left;
  transaction_->raise(direction, event_number(kTlsEventNames, "heartbeat_message"));
  constexpr uint8_t kRequest = 1;
  constexpr uint8_t kResponse = 2;
  uint32_t& own_request = heartbeat_request_bytes_[index_of(direction)];
  uint32_t& asked = heartbeat_request_bytes_[index_of(opposite(direction))];
  if (!side.encrypted) {
    const uint8_t type = side.heartbeat[0];
    const uint32_t payload = side.heartbeat[1] * 256U + side.heartbeat[2];
    if (record < kHeartbeatOverheadBytes || (type != kRequest && type != kResponse)) {
      return transaction_->raise(direction,
                                 event_number(kTlsEventNames, "invalid_heartbeat_message"));
    }
    if (type == kRequest && payload > record - kHeartbeatOverheadBytes) {
      transaction_->raise(direction, event_number(kTlsEventNames, "overflow_heartbeat_message"));
    } else if (record < kHeartbeatOverheadBytes + payload + kHeartbeatPaddingBytes) {
      transaction_->raise(direction, event_number(kTlsEventNames, "invalid_heartbeat_message"));
    }
  }
  if (asked == 0) {
    own_request = record;
    return;
  }
  if (record > asked) {
    transaction_->raise(direction, event_number(kTlsEventNames, "dataleak_heartbeat_mismatch"));
  }
  asked = 0;
}

void TlsParser::become_encrypted(Direction direction, TlsProgress progress) noexcept {
  SideState& side = state(direction);
  side.encrypted = true;
  side.message.clear();
  side.message_skip = 0;
  transaction_->advance(direction, progress);
  if (!nothing_left()) return;
  for (const Direction each : {Direction::ToServer, Direction::ToClient}) {
    transaction_->finished[index_of(each)] = true;
    transaction_->touch(each);
  }
}

bool TlsParser::nothing_left() const noexcept {
  if (!is_encrypted()) return false;
  const auto& client = transaction_->side(Direction::ToServer).hello;
  const auto& server = transaction_->side(Direction::ToClient).hello;
  return !(client && server && client->heartbeat && server->heartbeat);
}

}  // namespace masugata::ids
