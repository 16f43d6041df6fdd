// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/detection/text_probes.h"

#include <algorithm>
#include <array>

namespace masugata::ids::detection {
namespace {

constexpr size_t kLongestMethod = 32;
constexpr uint16_t kFtpPort = 21;
constexpr uint16_t kPop3Port = 110;
constexpr std::array<uint16_t, 3> kSmtpPorts{25, 587, 2525};

constexpr std::array<std::string_view, 40> kHttpMethods{"GET",
                                                        "PUT",
                                                        "POST",
                                                        "HEAD",
                                                        "DELETE",
                                                        "TRACE",
                                                        "OPTIONS",
                                                        "CONNECT",
                                                        "PATCH",
                                                        "PROPFIND",
                                                        "PROPPATCH",
                                                        "MKCOL",
                                                        "COPY",
                                                        "MOVE",
                                                        "LOCK",
                                                        "UNLOCK",
                                                        "VERSION-CONTROL",
                                                        "REPORT",
                                                        "CHECKOUT",
                                                        "CHECKIN",
                                                        "UNCHECKOUT",
                                                        "MKWORKSPACE",
                                                        "UPDATE",
                                                        "LABEL",
                                                        "MERGE",
                                                        "BASELINE-CONTROL",
                                                        "MKACTIVITY",
                                                        "ORDERPATCH",
                                                        "ACL",
                                                        "SEARCH",
                                                        "SUBSCRIBE",
                                                        "UNSUBSCRIBE",
                                                        "NOTIFY",
                                                        "BIND",
                                                        "UNBIND",
                                                        "REBIND",
                                                        "PURGE",
                                                        "BPROPFIND",
                                                        "POLL",
                                                        "INVOKE"};

constexpr std::array<std::string_view, 14> kSipMethods{
    "INVITE", "REGISTER", "OPTIONS",   "ACK",    "BYE",     "CANCEL",  "UPDATE",
    "REFER",  "PRACK",    "SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE", "INFO"};

// Methods and tags are taken as they come: what stands at the end of the line tells more.
bool is_token_character(char letter) noexcept { return letter > ' ' && letter < '\x7f'; }

// What methods are made of that people have thought of.
bool is_name_character(char letter) noexcept {
  return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') ||
         (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
}

std::string_view without_leading_line_ends(std::string_view text) noexcept {
  size_t skipped = 0;
  while (skipped < text.size() && skipped < 4 && (text[skipped] == '\r' || text[skipped] == '\n')) {
    ++skipped;
  }
  return text.substr(skipped);
}

bool contains_nocase(std::string_view text, std::string_view upper) noexcept {
  for (size_t start = 0; start + upper.size() <= text.size(); ++start) {
    if (begins_with_nocase(text.substr(start), upper) == Likeness::Yes) return true;
  }
  return false;
}

Likeness any_of(std::string_view text, std::span<const std::string_view> prefixes) noexcept {
  Likeness best = Likeness::No;
  for (const std::string_view prefix : prefixes) {
    best = likelier(best, begins_with_nocase(text, prefix));
  }
  return best;
}

// What follows the method tells HTTP from SIP, which shares some of its methods.
Likeness target_is_sip(std::string_view text, size_t target) noexcept {
  constexpr std::array<std::string_view, 3> kSchemes{"SIP:", "SIPS:", "TEL:"};
  if (target >= text.size()) return Likeness::Undecided;
  return any_of(text.substr(target), kSchemes);
}

// A first line that ends in "HTTP/x.y", or a target followed by the end of the line, as HTTP/0.9
// has it, is not accepted for methods that nobody has heard of.
Likeness line_names_http(std::string_view text, std::string_view method) noexcept {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  if (contains_nocase(line, " HTTP/") || contains_nocase(line, "\tHTTP/")) {
    // Of what is no name of a method, only the server can say whether it took it for one.
    return std::all_of(method.begin(), method.end(), is_name_character) ? Likeness::Yes
                                                                        : Likeness::Undecided;
  }
  return end == std::string_view::npos ? Likeness::Undecided : Likeness::No;
}

Likeness http_request(std::string_view text) noexcept {
  text = without_leading_line_ends(text);
  const auto separator = std::find_if_not(text.begin(), text.end(), is_token_character);
  const auto length = static_cast<size_t>(separator - text.begin());
  const std::string_view method = text.substr(0, length);
  if (length > kLongestMethod) return Likeness::No;
  if (separator == text.end()) return Likeness::Undecided;
  if (length == 0 || (*separator != ' ' && *separator != '\t')) return Likeness::No;
  const bool known =
      std::find(kHttpMethods.begin(), kHttpMethods.end(), method) != kHttpMethods.end();
  if (!known) return line_names_http(text, method);
  if (std::find(kSipMethods.begin(), kSipMethods.end(), method) == kSipMethods.end()) {
    return Likeness::Yes;
  }
  switch (target_is_sip(text, length + 1)) {
    case Likeness::Yes:
      return Likeness::No;
    case Likeness::Undecided:
      return Likeness::Undecided;
    default:
      return Likeness::Yes;
  }
}

enum class Greeting : uint8_t { None, Undecided, Mail, FileTransfer, Unclear };

// A server's first reply, which SMTP and FTP write alike.
Greeting greeting_of(const Opening& opening) noexcept {
  const std::string_view text = opening.text();
  if (begins_with(text, "220") == Likeness::No && begins_with(text, "120") == Likeness::No &&
      begins_with(text, "421") == Likeness::No && begins_with(text, "554") == Likeness::No) {
    return Greeting::None;
  }
  if (text.size() < 4) return Greeting::Undecided;
  if (text[3] != ' ' && text[3] != '-') return Greeting::None;
  if (contains_nocase(text, "SMTP")) return Greeting::Mail;
  if (contains_nocase(text, "FTP")) return Greeting::FileTransfer;
  for (const uint16_t port : kSmtpPorts) {
    if (opening.on_port(port)) return Greeting::Mail;
  }
  if (opening.on_port(kFtpPort)) return Greeting::FileTransfer;
  return Greeting::Unclear;
}

}  // namespace

Likeness probe_http(const Opening& opening) noexcept {
  if (opening.from_client) {
    if (begins_with(opening.text(), "PRI * HTTP/2") == Likeness::Yes) return Likeness::No;
    return http_request(opening.text());
  }
  return begins_with(opening.text(), "HTTP/");
}

Likeness probe_http2(const Opening& opening) noexcept {
  if (opening.from_client) return begins_with(opening.text(), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  // SETTINGS on stream 0 without ACK, a multiple of six bytes long.
  const auto bytes = opening.bytes;
  if (!bytes.empty() && bytes[0] != 0) return Likeness::No;
  if (bytes.size() < 9) return Likeness::Undecided;
  const unsigned length = static_cast<unsigned>(bytes[1]) << 8U | bytes[2];
  const bool settings = bytes[3] == 4 && bytes[4] == 0 && length % 6 == 0 && length <= 600 &&
                        bytes[5] == 0 && bytes[6] == 0 && bytes[7] == 0 && bytes[8] == 0;
  return settings ? Likeness::Yes : Likeness::No;
}

Likeness probe_ssh(const Opening& opening) noexcept { return begins_with(opening.text(), "SSH-"); }

Likeness probe_smtp(const Opening& opening) noexcept {
  if (opening.from_client) {
    constexpr std::array<std::string_view, 5> kCommands{"EHLO ", "HELO ", "LHLO ", "HELO\r",
                                                        "EHLO\r"};
    return any_of(opening.text(), kCommands);
  }
  switch (greeting_of(opening)) {
    case Greeting::Mail:
      return Likeness::Yes;
    case Greeting::Undecided:
    case Greeting::Unclear:
      return Likeness::Undecided;
    default:
      return Likeness::No;
  }
}

Likeness probe_ftp(const Opening& opening) noexcept {
  if (opening.from_client) {
    if (opening.on_port(kPop3Port)) return Likeness::No;
    constexpr std::array<std::string_view, 5> kCommands{"USER ", "AUTH TLS", "AUTH SSL", "PORT ",
                                                        "FEAT\r\n"};
    return any_of(opening.text(), kCommands);
  }
  switch (greeting_of(opening)) {
    case Greeting::FileTransfer:
      return Likeness::Yes;
    case Greeting::Undecided:
    case Greeting::Unclear:
      return Likeness::Undecided;
    default:
      return Likeness::No;
  }
}

Likeness probe_pop3(const Opening& opening) noexcept {
  if (!opening.from_client) {
    return likelier(begins_with(opening.text(), "+OK"), begins_with(opening.text(), "-ERR "));
  }
  constexpr std::array<std::string_view, 4> kCommands{"USER ", "CAPA\r\n", "APOP ", "STLS\r\n"};
  const Likeness likeness = any_of(opening.text(), kCommands);
  if (likeness == Likeness::Yes && begins_with_nocase(opening.text(), "USER ") == Likeness::Yes) {
    return opening.on_port(kPop3Port) ? Likeness::Yes : Likeness::No;
  }
  return likeness;
}

Likeness probe_imap(const Opening& opening) noexcept {
  const std::string_view text = opening.text();
  if (!opening.from_client) {
    constexpr std::array<std::string_view, 3> kGreetings{"* OK", "* PREAUTH", "* BYE"};
    return any_of(text, kGreetings);
  }
  // RFC 9051 section 2.2.1: a tag, then a command that is allowed before authentication.
  constexpr std::array<std::string_view, 6> kCommands{"CAPABILITY\r\n", "LOGIN ", "AUTHENTICATE ",
                                                      "STARTTLS\r\n",   "ID (",   "ID NIL"};
  const auto separator = std::find_if_not(text.begin(), text.end(), is_token_character);
  const auto length = static_cast<size_t>(separator - text.begin());
  if (length > 16) return Likeness::No;
  if (separator == text.end()) return Likeness::Undecided;
  if (length == 0 || *separator != ' ') return Likeness::No;
  return any_of(text.substr(length + 1), kCommands);
}

Likeness probe_sip(const Opening& opening) noexcept {
  const std::string_view text = opening.text();
  if (!opening.from_client) return begins_with(text, "SIP/2.0 ");
  Likeness best = Likeness::No;
  for (const std::string_view method : kSipMethods) {
    Likeness likeness = begins_with(text, method);
    if (likeness == Likeness::Yes && text.size() > method.size()) {
      likeness = text[method.size()] == ' ' ? target_is_sip(text, method.size() + 1) : Likeness::No;
    } else if (likeness == Likeness::Yes) {
      likeness = Likeness::Undecided;
    }
    best = likelier(best, likeness);
  }
  return best;
}

Likeness probe_rfb(const Opening& opening) noexcept {
  return begins_with(opening.text(), "RFB 00");
}

}  // namespace masugata::ids::detection
