// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/applications/content_turn.h"

#include <algorithm>
#include <array>

#include "net/dns_answer.h"

namespace masugata::ids {
namespace {

constexpr size_t kRequestBytes = 2048;  // in which a request's host is looked for
constexpr std::array<std::string_view, 9> kMethods{
    "GET ", "POST ", "HEAD ", "PUT ", "OPTIONS ", "DELETE ", "PATCH ", "CONNECT ", "TRACE "};

config::ApplicationId named(std::string_view name) {
  return config::find_application(name).value_or(config::kUnknownApplication);
}

char lower(char character) noexcept {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character + 32) : character;
}

bool same_text(std::string_view left, std::string_view right) noexcept {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

bool is_request(std::string_view text) noexcept {
  return std::any_of(kMethods.begin(), kMethods.end(),
                     [text](std::string_view method) { return text.starts_with(method); });
}

std::string_view without_port(std::string_view host) noexcept {
  const size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(':') == colon) host = host.substr(0, colon);
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

// Long names are known by their last bytes.
bool is_same_host(std::string_view known, std::string_view shown) noexcept {
  constexpr size_t kKnownBytes = 79;
  if (shown.size() > kKnownBytes) shown = shown.substr(shown.size() - kKnownBytes);
  return same_text(known, shown);
}

}  // namespace

std::string_view request_host(std::string_view text) noexcept {
  text = text.substr(0, kRequestBytes);
  if (!is_request(text)) return {};
  std::string_view target = text.substr(text.find(' ') + 1);
  target = target.substr(0, target.find_first_of(" \r\n"));
  if (text.starts_with("CONNECT ")) return without_port(target);
  if (const size_t scheme = target.find("://"); scheme != std::string_view::npos && scheme < 8) {
    target.remove_prefix(scheme + 3);
    return without_port(target.substr(0, target.find_first_of("/?#")));
  }
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    text.remove_prefix(end + 1);
    constexpr std::string_view kHost = "host:";
    if (text.starts_with('\r') || text.starts_with('\n')) return {};
    if (!same_text(text.substr(0, kHost.size()), kHost)) continue;
    const size_t line = text.find('\n');
    if (line == std::string_view::npos) return {};
    return without_port(trimmed(text.substr(kHost.size(), line - kHost.size())));
  }
  return {};
}

TurnWatcher::TurnWatcher()
    : http_(named("http")),
      http_proxy_(named("http-proxy")),
      http_connect_(named("http-connect")),
      dns_(named("dns")),
      tls_(named("tls")) {
  for (const char* name : {"http", "http-proxy", "http-connect", "dns", "smtp", "imap", "pop3",
                           "ftp-control", "socks", "jabber", "irc", "ldap", "postgresql"}) {
    turning_.push_back(named(name));
  }
  std::sort(turning_.begin(), turning_.end());
}

bool TurnWatcher::may_turn(config::ApplicationId application,
                           config::ApplicationId carrier) const noexcept {
  return std::binary_search(turning_.begin(), turning_.end(), application) ||
         std::binary_search(turning_.begin(), turning_.end(), carrier);
}

ContentTurn TurnWatcher::look_at_web(const KnownContents& contents, Direction direction,
                                     std::string_view text) const noexcept {
  if (direction == Direction::ToServer) {
    if (!is_request(text)) return ContentTurn::None;
    if (text.starts_with("CONNECT ")) return ContentTurn::Now;
    return is_same_host(contents.host, request_host(text)) ? ContentTurn::None : ContentTurn::Now;
  }
  constexpr size_t kVersionBytes = 9;  // "HTTP/1.1 "
  if (!text.starts_with("HTTP/1.") || text.size() < kVersionBytes + 3) return ContentTurn::None;
  const std::string_view code = text.substr(kVersionBytes, 3);
  const bool tunnel = has(contents, http_connect_) && code.starts_with('2');
  return code == "101" || tunnel ? ContentTurn::BehindThis : ContentTurn::None;
}

ContentTurn TurnWatcher::look(const KnownContents& contents, Direction direction,
                              std::span<const uint8_t> payload) const noexcept {
  if (payload.empty()) return ContentTurn::None;
  const bool begins_tls = payload.size() > 2 && payload[0] == 0x16 && payload[1] == 3;
  if (begins_tls && !has(contents, tls_)) return ContentTurn::Now;
  if (is_web(contents)) {
    return look_at_web(contents, direction,
                       {reinterpret_cast<const char*>(payload.data()), payload.size()});
  }
  if (!has(contents, dns_) || direction != Direction::ToServer) return ContentTurn::None;
  net::DnsAnswer query;
  if (!net::read_dns_answer(payload, query) || query.is_response) return ContentTurn::None;
  return is_same_host(contents.host, query.question.view()) ? ContentTurn::None : ContentTurn::Now;
}

}  // namespace masugata::ids
