// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/eve/eve_tls.h"

#include <array>
#include <ctime>

#include "ids/protocols/tls/tls_transaction.h"

namespace masugata::ids {
namespace {

constexpr uint16_t kTls13 = 0x0304;

std::string_view name_of_version(uint16_t version) noexcept {
  switch (version) {
    case 0x0002:
    case 0x0200:
      return "SSLv2";
    case 0x0300:
      return "SSLv3";
    case 0x0301:
      return "TLSv1";
    case 0x0302:
      return "TLS 1.1";
    case 0x0303:
      return "TLS 1.2";
    case kTls13:
      return "TLS 1.3";
    default:
      return "UNDETERMINED";
  }
}

// What a peer wrote: any bytes.
void write_text(JsonWriter& json, std::string_view name, const std::string& text) noexcept {
  if (text.empty()) return;
  json.member_bytes(name, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

void write_texts(JsonWriter& json, std::string_view name,
                 const std::vector<std::string>& texts) noexcept {
  if (texts.empty()) return;
  json.open_array(name);
  for (const std::string& text : texts) {
    json.value_bytes({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }
  json.close_array();
}

// "2009-10-21T01:02:03", in UTC.
void write_second(JsonWriter& json, std::string_view name, int64_t since_1970_s) noexcept {
  const auto seconds = static_cast<time_t>(since_1970_s);
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return;
  std::array<char, 40> text{};
  const size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  json.member(name, std::string_view{text.data(), length});
}

void write_names(JsonWriter& json, const TlsCertificate& certificate) noexcept {
  write_text(json, "subject", certificate.subject);
  write_text(json, "issuerdn", certificate.issuer);
}

void write_numbers(JsonWriter& json, const TlsCertificate& certificate) noexcept {
  write_text(json, "serial", certificate.serial);
  write_text(json, "fingerprint", certificate.fingerprint);
}

void write_validity(JsonWriter& json, const TlsCertificate& certificate) noexcept {
  // Both are read, or none.
  if (certificate.not_before_s == 0 && certificate.not_after_s == 0) return;
  write_second(json, "notbefore", certificate.not_before_s);
  write_second(json, "notafter", certificate.not_after_s);
}

void write_fingerprint(JsonWriter& json, std::string_view name, const TlsSide& side) noexcept {
  if (side.ja3_hash.empty()) return;
  json.open_object(name);
  write_text(json, "hash", side.ja3_hash);
  write_text(json, "string", side.ja3_string);
  json.close_object();
}

}  // namespace

void write_tls(JsonWriter& json, Transaction& transaction) noexcept {
  const auto& tls = static_cast<const TlsTransaction&>(transaction);
  const TlsSide& client = tls.side(Direction::ToServer);
  const TlsSide& server = tls.side(Direction::ToClient);
  const uint16_t version = tls.agreed_version();
  json.open_object("tls");
  if (server.certificate) write_names(json, *server.certificate);
  // From TLS 1.3 on a resumed session is a handshake like any other.
  if (version < kTls13 && tls.session_resumed()) json.member_flag("session_resumed", true);
  if (server.certificate) write_numbers(json, *server.certificate);
  if (client.hello && client.hello->server_name)
    write_text(json, "sni", *client.hello->server_name);
  if (version != 0) json.member("version", name_of_version(version));
  if (server.certificate) {
    write_validity(json, *server.certificate);
    write_texts(json, "subjectaltname", server.certificate->alternative_names);
  }
  write_fingerprint(json, "ja3", client);
  write_fingerprint(json, "ja3s", server);
  write_text(json, "ja4", client.ja4);
  if (client.hello) write_texts(json, "client_alpns", client.hello->alpn);
  if (server.hello) write_texts(json, "server_alpns", server.hello->alpn);
  if (client.certificate) {
    json.open_object("client");
    write_names(json, *client.certificate);
    write_numbers(json, *client.certificate);
    write_validity(json, *client.certificate);
    json.close_object();
  }
  json.close_object();
}

}  // namespace masugata::ids
