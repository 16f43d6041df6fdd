// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/tls/tls_transaction.h"

#include <algorithm>

#include "ids/rules/comparison.h"

namespace masugata::ids {
namespace {

constexpr uint16_t kTls13 = 0x0304;

BufferBytes whole(std::span<const uint8_t> bytes) noexcept {
  return {BufferState::Complete, bytes, 0};
}
BufferBytes whole_text(const std::string& text) noexcept {
  return whole({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}
// Fingerprints are empty when nobody asked for them.
BufferBytes text_unless_empty(const std::string& text) noexcept {
  return text.empty() ? BufferBytes{} : whole_text(text);
}

bool time_holds(const TlsCertificateTimeMatch& match, const TlsCertificate& certificate,
                int64_t now_s) noexcept {
  switch (match.field) {
    case TlsCertificateTimeMatch::Field::Expired:
      return now_s > certificate.not_after_s;
    case TlsCertificateTimeMatch::Field::Valid:
      return now_s >= certificate.not_before_s && now_s <= certificate.not_after_s;
    case TlsCertificateTimeMatch::Field::NotBefore:
      return compare_numbers(match.comparison, certificate.not_before_s, match.low, match.high);
    case TlsCertificateTimeMatch::Field::NotAfter:
      return compare_numbers(match.comparison, certificate.not_after_s, match.low, match.high);
  }
  return false;
}

}  // namespace

uint16_t TlsTransaction::agreed_version() const noexcept {
  const TlsSide& server = side(Direction::ToClient);
  return server.version != 0 ? server.version : side(Direction::ToServer).version;
}

bool TlsTransaction::session_resumed() const noexcept {
  const TlsSide& client = side(Direction::ToServer);
  const TlsSide& server = side(Direction::ToClient);
  if (!client.hello || !server.hello || !server.chain_parts.empty()) return false;
  if (server.version == kTls13) return server.hello->pre_shared_key;
  return reached(Direction::ToClient, TlsProgress::HandshakeDone) && !server.key_exchange;
}

void TlsTransaction::advance(Direction direction, TlsProgress to) noexcept {
  if (reached(direction, to)) return;
  progress[index_of(direction)] = static_cast<uint8_t>(to);
  touch(direction);
}

size_t TlsTransaction::memory_bytes() noexcept {
  size_t bytes = 0;
  for (const TlsSide& side : sides_) {
    // What is read from the first certificate is no longer than the chain.
    bytes += 2 * side.chain.capacity() + side.ja3_string.capacity();
    if (side.hello) {
      bytes += (side.hello->ciphers.capacity() + side.hello->extensions.capacity() +
                side.hello->groups.capacity() + side.hello->signature_algorithms.capacity()) *
               sizeof(uint16_t);
    }
  }
  return bytes;
}

BufferBytes TlsTransaction::buffer(BufferId buffer, Direction direction,
                                   uint32_t instance) noexcept {
  switch (buffer) {
    case BufferId::TlsCertificateSubject:
    case BufferId::TlsCertificateIssuer:
    case BufferId::TlsCertificateSerial:
    case BufferId::TlsCertificateFingerprint:
    case BufferId::TlsCertificates:
    case BufferId::TlsSubjectAltName:
      return certificate_buffer(buffer, direction, instance);
    default:
      return hello_buffer(buffer, direction, instance);
  }
}

BufferBytes TlsTransaction::hello_buffer(BufferId buffer, Direction direction,
                                         uint32_t instance) const noexcept {
  const TlsSide& said = side(direction);
  if (!said.hello) {
    const bool late = reached(direction, TlsProgress::HelloDone);
    return {late ? BufferState::Absent : BufferState::NotYet, {}, 0};
  }
  const TlsHello& hello = *said.hello;
  const bool from_client = direction == Direction::ToServer;
  const std::span<const uint8_t> random{hello.random};
  switch (buffer) {
    case BufferId::TlsSni:
      return from_client && hello.server_name ? whole_text(*hello.server_name) : BufferBytes{};
    case BufferId::TlsAlpn:
      return instance < hello.alpn.size() ? whole_text(hello.alpn[instance]) : BufferBytes{};
    case BufferId::TlsRandom:
      return whole(random);
    case BufferId::TlsRandomTime:
      return whole(random.first(4));
    case BufferId::TlsRandomBytes:
      return whole(random.subspan(4));
    case BufferId::Ja3Hash:
      return from_client ? text_unless_empty(said.ja3_hash) : BufferBytes{};
    case BufferId::Ja3String:
      return from_client ? text_unless_empty(said.ja3_string) : BufferBytes{};
    case BufferId::Ja3sHash:
      return from_client ? BufferBytes{} : text_unless_empty(said.ja3_hash);
    case BufferId::Ja3sString:
      return from_client ? BufferBytes{} : text_unless_empty(said.ja3_string);
    case BufferId::Ja4Hash:
      return from_client ? text_unless_empty(said.ja4) : BufferBytes{};
    default:
      return {};
  }
}

BufferBytes TlsTransaction::certificate_buffer(BufferId buffer, Direction direction,
                                               uint32_t instance) const noexcept {
  const TlsSide& said = side(direction);
  if (said.chain_parts.empty() || !said.certificate) {
    const bool late = reached(direction, TlsProgress::CertificateDone);
    return {late ? BufferState::Absent : BufferState::NotYet, {}, 0};
  }
  const TlsCertificate& certificate = *said.certificate;
  switch (buffer) {
    case BufferId::TlsCertificateSubject:
      return whole_text(certificate.subject);
    case BufferId::TlsCertificateIssuer:
      return whole_text(certificate.issuer);
    case BufferId::TlsCertificateSerial:
      return whole_text(certificate.serial);
    case BufferId::TlsCertificateFingerprint:
      return whole_text(certificate.fingerprint);
    case BufferId::TlsCertificates:
      return instance < said.chain_parts.size() ? whole(said.certificate_bytes(instance))
                                                : BufferBytes{};
    case BufferId::TlsSubjectAltName:
      return instance < certificate.alternative_names.size()
                 ? whole_text(certificate.alternative_names[instance])
                 : BufferBytes{};
    default:
      return {};
  }
}

bool TlsTransaction::number(NumberField field, Direction direction, uint64_t& value) noexcept {
  const TlsSide& said = side(direction);
  switch (field) {
    case NumberField::TlsVersion:
      value = said.version;
      return said.version != 0;
    case NumberField::TlsCertificateChainLength:
      value = said.chain_parts.size();
      return !said.chain_parts.empty();
    default:
      return false;
  }
}

bool TlsTransaction::number_of_many(NumberField field, Direction direction, uint32_t instance,
                                    uint64_t& value) noexcept {
  return instance == 0 && number(field, direction, value);
}

bool TlsTransaction::seen(TlsStateMatch::State state) const noexcept {
  const TlsSide& client = side(Direction::ToServer);
  const TlsSide& server = side(Direction::ToClient);
  switch (state) {
    case TlsStateMatch::State::ClientHello:
      return client.hello.has_value();
    case TlsStateMatch::State::ServerHello:
      return server.hello.has_value();
    case TlsStateMatch::State::ClientKeyx:
      return client.key_exchange;
    case TlsStateMatch::State::ServerKeyx:
      return server.key_exchange;
    case TlsStateMatch::State::Unknown:
      return !client.hello && !server.hello;
  }
  return false;
}

std::optional<bool> TlsTransaction::holds(const Condition& condition, Direction direction,
                                          uint64_t time_us) noexcept {
  if (const auto* state = std::get_if<TlsStateMatch>(&condition)) {
    for (const TlsStateMatch::Wanted& wanted : state->any_of) {
      if (seen(wanted.state) != wanted.negated) return true;
    }
    return std::nullopt;
  }
  if (const auto* time = std::get_if<TlsCertificateTimeMatch>(&condition)) {
    const TlsSide& said = side(direction);
    if (said.certificate) {
      return time_holds(*time, *said.certificate, static_cast<int64_t>(time_us / 1'000'000));
    }
    if (reached(direction, TlsProgress::CertificateDone)) return false;
    return std::nullopt;
  }
  return false;
}

}  // namespace masugata::ids
