// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/antivirus/service/notices.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "ids/eve/json_writer.h"

namespace masugata::dataplane {
namespace {

constexpr size_t kLongestAddress = 254;
constexpr size_t kBase64Line = 57;  // bytes; 76 characters (RFC 2045 section 6.8)
constexpr size_t kLongestText = 500;

std::string shown_ascii(std::string_view text) {
  std::string result(text.substr(0, 80));
  for (char& c : result) {
    if (static_cast<uint8_t>(c) < 0x20 || static_cast<uint8_t>(c) >= 0x7f) c = '?';
  }
  return result;
}

std::string base64_lines(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  for (size_t at = 0; at < text.size(); at += 3) {
    if (at != 0 && at % kBase64Line == 0) result += "\r\n";
    const size_t count = std::min<size_t>(3, text.size() - at);
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; ++i) {
      bits = bits << 8U | (i < count ? static_cast<uint8_t>(text[at + i]) : 0U);
    }
    for (size_t i = 0; i < 4; ++i) {
      result += i <= count ? kDigits[bits >> (18 - 6 * i) & 63U] : '=';
    }
  }
  return result + "\r\n";
}

std::vector<std::string> plain_addresses(std::string_view list) {
  std::vector<std::string> addresses;
  while (!list.empty() && addresses.size() < Notices::kMaximumRecipients) {
    const size_t end = std::min(list.find(','), list.size());
    std::string address(list.substr(0, end));
    if (is_plain_address(address)) addresses.push_back(std::move(address));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return addresses;
}

std::string details(const NoticeFacts& facts) {
  std::string text = fmt::format("  Found / 検出:      {}\n", notice_text(facts.what));
  text += fmt::format("  Time / 時刻:       {:%Y-%m-%d %H:%M:%S} UTC\n",
                      fmt::gmtime(static_cast<time_t>(facts.time_s)));
  if (facts.is_mail) text += fmt::format("  From / 差出人:     {}\n", notice_text(facts.sender));
  if (!facts.url.empty()) text += fmt::format("  URL:               {}\n", notice_text(facts.url));
  return text + fmt::format("  Reference / 番号:  {}\n", facts.reference);
}

std::string person_body(const NoticeFacts& facts) {
  const char* english = facts.comes_in
                            ? "A mail to you was refused by antivirus. It was not delivered."
                            : "A mail of yours was refused by antivirus. It was not sent on.";
  const char* japanese =
      facts.comes_in ? "あなた宛のメールはウイルス対策により拒否され、配送されませんでした。"
                     : "あなたが送信したメールはウイルス対策により拒否され、送信されませんでした。";
  return fmt::format("{}\n{}\n\n{}\n", english, japanese, details(facts));
}

std::string administrator_body(const NoticeFacts& facts) {
  return fmt::format(
      "Antivirus {} something.\nウイルス対策が{}しました。\n\n{}"
      "  Protocol:          {}\n  Client:            {}\n  Server:            {}\n{}",
      facts.refused ? "refused" : "let pass", facts.refused ? "拒否" : "検出し、通過させ",
      details(facts), notice_text(facts.protocol), notice_text(facts.client),
      notice_text(facts.server),
      facts.is_mail ? fmt::format("  To:                {}\n", notice_text(facts.recipients)) : "");
}

}  // namespace

std::string notice_text(std::string_view text) {
  std::string result(text.substr(0, kLongestText));
  const bool utf8 = ids::is_utf8({reinterpret_cast<const uint8_t*>(result.data()), result.size()});
  for (char& c : result) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8)) c = '?';
  }
  return result;
}

bool is_plain_address(const std::string& text) {
  const size_t at = text.find('@');
  if (text.size() > kLongestAddress || at == 0 || at == std::string::npos ||
      at + 1 == text.size()) {
    return false;
  }
  const auto alphanumeric = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  };
  constexpr std::string_view kLocal = ".!#$%&'*+-/=?^_`{|}~";
  const auto local_end = text.begin() + static_cast<ptrdiff_t>(at);
  return std::all_of(text.begin(), local_end,
                     [&](char c) { return alphanumeric(c) || kLocal.find(c) != kLocal.npos; }) &&
         std::all_of(local_end + 1, text.end(),
                     [&](char c) { return alphanumeric(c) || c == '.' || c == '-'; });
}

Notices::Notices(Send send, WallClock wall_clock)
    : send_(std::move(send)), wall_clock_(std::move(wall_clock)) {}

void Notices::post(std::vector<std::string> recipients, const std::string& subject,
                   const std::string& body, uint64_t number) {
  if (recipients.empty()) return;
  const std::string domain = settings_.from.substr(settings_.from.find('@') + 1);
  NoticeMail mail;
  // The envelope says to whom: nobody learns of others who got it.
  mail.text = fmt::format(
      "From: {}\r\nTo: undisclosed-recipients:;\r\nSubject: {}\r\n"
      "Date: {:%a, %d %b %Y %H:%M:%S} +0000\r\nMessage-ID: <{}.{}.{}@{}>\r\n"
      "Auto-Submitted: auto-generated\r\nPrecedence: bulk\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
      settings_.from, subject, fmt::gmtime(static_cast<time_t>(now_s())), number, now_s(),
      recipients.size(), domain, base64_lines(body));
  mail.recipients = std::move(recipients);
  (void)send_(std::move(mail));
}

void Notices::begin_period(int64_t now_s) {
  if (suppressed_now_ != 0) {
    const std::string body = fmt::format(
        "In the last hour antivirus had {} more events than notices are sent for. The event log "
        "has them all.\n直近1時間に、通知の上限を超える{}件の検出がありました。\n",
        suppressed_now_, suppressed_now_);
    post(settings_.administrators, fmt::format("Antivirus: {} more events", suppressed_now_), body,
         0);
  }
  period_began_s_ = now_s;
  told_ = 0;
  suppressed_now_ = 0;
}

void Notices::tick() {
  if (period_began_s_ != 0 && now_s() >= period_began_s_ + kPeriodS) {
    begin_period(now_s());
    period_began_s_ = 0;
  }
}

void Notices::report(std::vector<std::string> recipients, const std::string& subject,
                     const std::string& body) {
  if (settings_.smart_host.empty()) return;
  post(std::move(recipients), subject, body, ++reports_);
}

void Notices::tell(const NoticeFacts& facts) {
  if (settings_.smart_host.empty()) return;
  std::vector<std::string> people;
  if (facts.is_mail && facts.refused && facts.comes_in && settings_.to_recipients) {
    people = plain_addresses(facts.recipients);
  } else if (facts.is_mail && facts.refused && facts.goes_out && settings_.to_senders) {
    people = plain_addresses(facts.sender);
  }
  if (people.empty() && settings_.administrators.empty()) return;
  tick();
  if (period_began_s_ == 0) period_began_s_ = now_s();
  if (told_ >= settings_.per_hour) {
    ++suppressed_now_;
    ++suppressed_;
    return;
  }
  ++told_;
  const std::string subject =
      fmt::format("Antivirus {} {} ({})", facts.refused ? "refused" : "let pass",
                  facts.is_mail ? "a mail" : "a transfer", shown_ascii(facts.what));
  post(std::move(people), subject, person_body(facts), facts.reference);
  post(settings_.administrators, subject, administrator_body(facts), facts.reference);
}

}  // namespace masugata::dataplane
