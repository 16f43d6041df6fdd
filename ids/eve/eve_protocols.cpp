// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/eve/eve_protocols.h"

#include <array>
#include <charconv>

#include "ids/eve/eve_dns.h"
#include "ids/eve/eve_tls.h"
#include "ids/protocols/ftp/ftp_transaction.h"
#include "ids/protocols/http/http_transaction.h"
#include "ids/protocols/smtp/smtp_transaction.h"

namespace masugata::ids {
namespace {

std::span<const uint8_t> bytes_of(Transaction& transaction, BufferId buffer,
                                  Direction direction) noexcept {
  const BufferBytes found = transaction.buffer(buffer, direction, 0);
  const bool known = found.state == BufferState::Complete || found.state == BufferState::Partial;
  return known ? found.bytes : std::span<const uint8_t>{};
}

void write_buffer(JsonWriter& json, std::string_view name, Transaction& transaction,
                  BufferId buffer, Direction direction) noexcept {
  const std::span<const uint8_t> bytes = bytes_of(transaction, buffer, direction);
  if (!bytes.empty()) json.member_bytes(name, bytes);
}

void write_strings(JsonWriter& json, std::string_view name,
                   const std::vector<std::string>& values) noexcept {
  if (values.empty()) return;
  json.open_array(name);
  for (const std::string& value : values) json.value(std::string_view(value));
  json.close_array();
}

// The port that a Host header names, 0 if none.
uint64_t port_of(std::span<const uint8_t> host) noexcept {
  const std::string_view text(reinterpret_cast<const char*>(host.data()), host.size());
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.find(']', colon) != std::string_view::npos) return 0;
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
  return error == std::errc{} && stop == end ? port : 0;
}

void write_http(JsonWriter& json, Transaction& transaction) noexcept {
  const Direction request = Direction::ToServer;
  const Direction response = Direction::ToClient;
  json.open_object("http");
  write_buffer(json, "hostname", transaction, BufferId::HttpHost, request);
  if (const uint64_t port = port_of(bytes_of(transaction, BufferId::HttpHostRaw, request))) {
    json.member("http_port", port);
  }
  write_buffer(json, "url", transaction, BufferId::HttpUriRaw, request);
  write_buffer(json, "http_user_agent", transaction, BufferId::HttpUserAgent, request);
  write_buffer(json, "http_content_type", transaction, BufferId::HttpContentType, response);
  write_buffer(json, "http_refer", transaction, BufferId::HttpReferer, request);
  write_buffer(json, "http_method", transaction, BufferId::HttpMethod, request);
  write_buffer(json, "protocol", transaction, BufferId::HttpProtocol, request);
  uint64_t status = 0;
  if (transaction.number(NumberField::HttpStatus, response, status)) json.member("status", status);
  write_buffer(json, "redirect", transaction, BufferId::HttpLocation, response);
  json.member("length", static_cast<HttpTransaction&>(transaction).body_length(response));
  json.close_object();
}

void write_hash_and_string(JsonWriter& json, std::string_view name, Transaction& transaction,
                           BufferId hash, BufferId text, Direction direction) noexcept {
  if (bytes_of(transaction, hash, direction).empty()) return;
  json.open_object(name);
  write_buffer(json, "hash", transaction, hash, direction);
  write_buffer(json, "string", transaction, text, direction);
  json.close_object();
}

void write_ssh(JsonWriter& json, Transaction& transaction) noexcept {
  json.open_object("ssh");
  for (const Direction side : {Direction::ToServer, Direction::ToClient}) {
    const bool client = side == Direction::ToServer;
    if (bytes_of(transaction, BufferId::SshProto, side).empty()) continue;
    json.open_object(client ? "client" : "server");
    write_buffer(json, "proto_version", transaction, BufferId::SshProto, side);
    write_buffer(json, "software_version", transaction, BufferId::SshSoftware, side);
    write_hash_and_string(json, "hassh", transaction,
                          client ? BufferId::SshHassh : BufferId::SshHasshServer,
                          client ? BufferId::SshHasshString : BufferId::SshHasshServerString, side);
    json.close_object();
  }
  json.close_object();
}

void write_smtp(JsonWriter& json, Transaction& transaction) noexcept {
  const auto& mail = static_cast<const SmtpTransaction&>(transaction);
  json.open_object("smtp");
  if (!mail.helo.empty()) json.member("helo", std::string_view(mail.helo));
  if (mail.has_mail_from) json.member("mail_from", std::string_view(mail.mail_from));
  write_strings(json, "rcpt_to", mail.rcpt_to);
  json.close_object();
  if (!mail.has_message()) return;
  const EmailSummary email = mail.email();
  json.open_object("email");
  json.member("status", email.status);
  if (!email.from.empty()) json.member("from", std::string_view(email.from));
  write_strings(json, "to", email.to);
  write_strings(json, "cc", email.cc);
  if (!email.subject.empty()) json.member("subject", std::string_view(email.subject));
  write_strings(json, "attachment", email.attachments);
  write_strings(json, "url", email.urls);
  json.close_object();
}

void write_ftp(JsonWriter& json, Transaction& transaction) noexcept {
  const auto& exchange = static_cast<const FtpTransaction&>(transaction);
  json.open_object("ftp");
  if (!exchange.command.empty()) json.member("command", std::string_view(exchange.command));
  if (!exchange.command_data.empty()) {
    json.member("command_data", std::string_view(exchange.command_data));
  }
  write_strings(json, "completion_code", exchange.completion_codes);
  write_strings(json, "reply", exchange.replies);
  if (exchange.dynamic_port != 0) json.member("dynamic_port", uint64_t{exchange.dynamic_port});
  if (exchange.mode != FtpMode::Unknown) {
    json.member("mode", exchange.mode == FtpMode::Active ? std::string_view("active") : "passive");
  }
  json.member("reply_received", exchange.reply_received ? std::string_view("yes") : "no");
  json.close_object();
}

void write_ftp_data(JsonWriter& json, Transaction& transaction) noexcept {
  const auto& transfer = static_cast<const FtpDataTransaction&>(transaction);
  json.open_object("ftp_data");
  if (!transfer.file_name.empty()) json.member("filename", std::string_view(transfer.file_name));
  if (transfer.upload) {
    json.member("command", *transfer.upload ? std::string_view("STOR") : "RETR");
  }
  json.close_object();
}

}  // namespace

std::string_view event_type_of(ApplicationProtocol protocol) noexcept {
  switch (protocol) {
    case ApplicationProtocol::Http:
    case ApplicationProtocol::Dns:
    case ApplicationProtocol::Mdns:
    case ApplicationProtocol::Tls:
    case ApplicationProtocol::Ssh:
    case ApplicationProtocol::Smtp:
    case ApplicationProtocol::Ftp:
      return protocol_name(protocol);
    case ApplicationProtocol::FtpData:
      return "ftp_data";
    default:
      return {};
  }
}

void write_transaction(JsonWriter& json, Transaction& transaction, Direction direction) noexcept {
  switch (transaction.protocol) {
    case ApplicationProtocol::Http:
      return write_http(json, transaction);
    case ApplicationProtocol::Dns:
      return write_dns(json, transaction, direction);
    case ApplicationProtocol::Tls:
      return write_tls(json, transaction);
    case ApplicationProtocol::Ssh:
      return write_ssh(json, transaction);
    case ApplicationProtocol::Smtp:
      return write_smtp(json, transaction);
    case ApplicationProtocol::Ftp:
      return write_ftp(json, transaction);
    case ApplicationProtocol::FtpData:
      return write_ftp_data(json, transaction);
    default:
      return;
  }
}

void write_file(JsonWriter& json, const TransferredFile& file, uint64_t transaction) noexcept {
  const auto digest = [&](std::string_view name, const std::string& raw) {
    if (raw.empty()) return;
    json.member_hex(name, {reinterpret_cast<const uint8_t*>(raw.data()), raw.size()}, 0);
  };
  if (!file.name.empty()) json.member("filename", std::string_view(file.name));
  if (!file.magic.empty()) json.member("magic", std::string_view(file.magic));
  json.member_flag("gaps", file.truncated && file.complete);
  json.member("state", file.truncated  ? std::string_view("TRUNCATED")
                       : file.complete ? std::string_view("CLOSED")
                                       : std::string_view("UNKNOWN"));
  digest("md5", file.md5);
  digest("sha1", file.sha1);
  digest("sha256", file.sha256);
  json.member_flag("stored", false);
  json.member("size", file.size);
  json.member("tx_id", transaction);
}

}  // namespace masugata::ids
