// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/verdicts/refusal_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "av-stream/verdicts/bounded_text.h"

namespace masugata::av {
namespace {

struct ReasonText {
  std::string_view name;
  std::string_view english;
  std::string_view japanese;
};

constexpr std::array<ReasonText, static_cast<size_t>(RefusalReason::Count)> kReasons{{
    {"infected", "It contains malware.", "マルウェアが見つかりました。"},
    {"url-remembered", "Malware came from this address a short time ago.",
     "このアドレスからは先ほどマルウェアが届きました。"},
    {"too-large", "It is too large to be scanned.", "大きすぎるため検査できません。"},
    {"unpacked-too-large", "It unpacks to more than can be scanned.",
     "展開後のサイズが大きすぎるため検査できません。"},
    {"too-deep", "Archives are nested too deeply in it.", "書庫の入れ子が深すぎます。"},
    {"too-many-files", "It contains too many files.", "含まれるファイルが多すぎます。"},
    {"too-long", "Scanning it took too long.", "検査に時間がかかりすぎました。"},
    {"encrypted", "It is encrypted and cannot be scanned.", "暗号化されているため検査できません。"},
    {"macros", "It contains macros.", "マクロが含まれています。"},
    {"partial", "Parts of objects are not delivered, because they cannot be scanned.",
     "ファイルの一部だけでは検査できないため、配信できません。"},
    {"coded", "Its content coding is not known.", "内容の符号化方式が不明です。"},
    {"not-scanned", "It could not be scanned.", "検査できませんでした。"},
    {"overload", "Too many objects wait to be scanned.", "検査待ちのファイルが多すぎます。"},
    {"unknown-protocol", "The protocol of the connection is not known.",
     "通信のプロトコルが不明です。"},
}};

const ReasonText& text_of(RefusalReason reason) noexcept {
  return kReasons[std::min(static_cast<size_t>(reason), kReasons.size() - 1)];
}

constexpr std::string_view kEnglishPage =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Blocked</title>"
    "<style>body{font-family:sans-serif;max-width:40em;margin:4em auto;padding:0 1em}"
    "dt{color:#666}dd{margin:0 0 1em;overflow-wrap:anywhere}</style></head><body>"
    "<h1>This content was blocked</h1><p>{reason}</p><dl>"
    "<dt>Signature</dt><dd>{signature}</dd><dt>Address</dt><dd>{url}</dd>"
    "<dt>Time</dt><dd>{time}</dd><dt>Reference</dt><dd>{reference}</dd></dl>"
    "<p>If you think that this is a mistake, tell your administrator the reference number.</p>"
    "</body></html>\n";

constexpr std::string_view kJapanesePage =
    "<!DOCTYPE html>\n<html lang=\"ja\"><head><meta charset=\"utf-8\"><title>遮断しました</title>"
    "<style>body{font-family:sans-serif;max-width:40em;margin:4em auto;padding:0 1em}"
    "dt{color:#666}dd{margin:0 0 1em;overflow-wrap:anywhere}</style></head><body>"
    "<h1>この内容は遮断されました</h1><p>{reason}</p><dl>"
    "<dt>検出名</dt><dd>{signature}</dd><dt>アドレス</dt><dd>{url}</dd>"
    "<dt>時刻</dt><dd>{time}</dd><dt>受付番号</dt><dd>{reference}</dd></dl>"
    "<p>誤りと思われる場合は、受付番号を管理者にお知らせください。</p>"
    "</body></html>\n";

constexpr std::array<std::string_view, 5> kFields{"reason", "signature", "url", "time",
                                                  "reference"};

bool is_japanese(std::string_view tag) noexcept {
  return tag.size() >= 2 && (tag[0] | 0x20) == 'j' && (tag[1] | 0x20) == 'a' &&
         (tag.size() == 2 || tag[2] == '-');
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The weight of "ja;q=0.8" in thousandths; nonsense counts as 0.
int weight_of(std::string_view parameter) noexcept {
  const size_t equals = parameter.find("q=");
  if (equals == std::string_view::npos) return 1000;
  const std::string_view number = trimmed(parameter.substr(equals + 2));
  if (number.empty() || (number[0] != '0' && number[0] != '1')) return 0;
  int weight = number[0] == '1' ? 1000 : 0;
  int unit = 100;
  for (size_t i = 2; i < number.size() && i < 5 && number[1] == '.'; ++i, unit /= 10) {
    if (number[i] < '0' || number[i] > '9') break;
    weight += (number[i] - '0') * unit;
  }
  return std::min(weight, 1000);
}

void write_two_digits(BoundedText& out, uint64_t number) noexcept {
  if (number < 10) out.add("0");
  out.add_number(number);
}

// Not by gmtime_r(): the C library takes a lock there and may read a file.
void write_time(BoundedText& out, uint64_t time_s) noexcept {
  const std::chrono::sys_seconds time{std::chrono::seconds(time_s)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const uint64_t second = time_s % 86400;
  out.add_number(static_cast<uint64_t>(static_cast<int>(date.year())));
  out.add("-");
  write_two_digits(out, static_cast<unsigned>(date.month()));
  out.add("-");
  write_two_digits(out, static_cast<unsigned>(date.day()));
  out.add(" ");
  write_two_digits(out, second / 3600);
  out.add(":");
  write_two_digits(out, second / 60 % 60);
  out.add(":");
  write_two_digits(out, second % 60);
  out.add(" UTC");
}

void write_field(BoundedText& out, std::string_view field, const RefusalFacts& facts,
                 bool japanese) noexcept {
  if (field == "reason") {
    out.add(japanese ? text_of(facts.reason).japanese : text_of(facts.reason).english);
  } else if (field == "signature") {
    facts.signature.empty() ? out.add("-") : out.add_html(facts.signature);
  } else if (field == "url") {
    if (facts.location.find("://") == std::string_view::npos) {
      out.add("http://");
      out.add_html(facts.host.substr(0, 256));
    }
    out.add_html(facts.location.substr(0, 1024));
  } else if (field == "time") {
    write_time(out, facts.time_s);
  } else {
    out.add_number(facts.reference);
  }
}

size_t write_page(std::string_view page, const RefusalFacts& facts, bool japanese,
                  std::span<char> room) noexcept {
  BoundedText out(room);
  while (!page.empty()) {
    const size_t open = page.find('{');
    out.add(page.substr(0, open));
    if (open == std::string_view::npos) break;
    page.remove_prefix(open);
    const size_t close = page.find('}');
    const std::string_view name =
        close == std::string_view::npos ? std::string_view() : page.substr(1, close - 1);
    if (std::find(kFields.begin(), kFields.end(), name) == kFields.end()) {
      out.add(page.substr(0, 1));
      page.remove_prefix(1);
      continue;
    }
    write_field(out, name, facts, japanese);
    page.remove_prefix(close + 1);
  }
  return out.size();
}

// "... infected with Eicar-Test-Signature (reference 12)", for protocols of lines.
void write_line(BoundedText& out, const RefusalFacts& facts) noexcept {
  if (facts.reason == RefusalReason::Infected) {
    out.add("Infected with ");
    out.add_printable(facts.signature.empty() ? "malware" : facts.signature.substr(0, 120));
  } else {
    out.add(text_of(facts.reason).english);
  }
  out.add(" (reference ");
  out.add_number(facts.reference);
  out.add(")\r\n");
}

bool is_utf8(std::string_view text) noexcept {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t more = lead < 0x80             ? 0
                        : (lead & 0xe0) == 0xc0 ? 1
                        : (lead & 0xf0) == 0xe0 ? 2
                        : (lead & 0xf8) == 0xf0 ? 3
                                                : 4;
    if (more == 4 || i + more >= text.size() + (more == 0 ? 1 : 0)) return false;
    for (size_t k = 1; k <= more; ++k) {
      if ((static_cast<uint8_t>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    i += more + 1;
  }
  return true;
}

}  // namespace

std::string_view name_of(RefusalReason reason) noexcept { return text_of(reason).name; }

BlockPage::BlockPage() : japanese_(kJapanesePage), english_(kEnglishPage) {}

Result<BlockPage> BlockPage::parse(std::string_view text) {
  if (text.size() > kLargestTemplateBytes) {
    return failure("line 1", "the page is larger than 16,384 bytes");
  }
  size_t line = 1;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') ++line;
    if (text[i] != '{') continue;
    const size_t close = text.find('}', i);
    if (close == std::string_view::npos) continue;
    const std::string_view name = text.substr(i + 1, close - i - 1);
    // Style sheets have braces, too; a field is one word of letters.
    const bool word = !name.empty() && std::all_of(name.begin(), name.end(),
                                                   [](char c) { return c >= 'a' && c <= 'z'; });
    if (word && std::find(kFields.begin(), kFields.end(), name) == kFields.end()) {
      return failure("line " + std::to_string(line),
                     "{" + std::string(name) +
                         "} is none of {reason}, {signature}, {url}, {time} and {reference}");
    }
  }
  if (!is_utf8(text)) return failure("line 1", "the page is not UTF-8");
  BlockPage page;
  page.japanese_ = text;
  page.english_ = text;
  return page;
}

std::string_view BlockPage::choose(std::string_view languages) const noexcept {
  return prefers_japanese(languages) ? japanese_ : english_;
}

bool prefers_japanese(std::string_view languages) noexcept {
  int best = 0;
  bool japanese = false;
  while (!languages.empty()) {
    const size_t comma = languages.find(',');
    const std::string_view item = trimmed(languages.substr(0, comma));
    languages.remove_prefix(comma == std::string_view::npos ? languages.size() : comma + 1);
    const size_t semicolon = item.find(';');
    const int weight =
        semicolon == std::string_view::npos ? 1000 : weight_of(item.substr(semicolon));
    if (weight > best && !item.empty()) {
      best = weight;
      japanese = is_japanese(trimmed(item.substr(0, semicolon)));
    }
  }
  return japanese;
}

size_t write_http_refusal(const BlockPage& page, const RefusalFacts& facts,
                          std::span<char> out) noexcept {
  constexpr std::string_view kHead =
      "HTTP/1.1 403 Forbidden\r\n"
      "Content-Type: text/html; charset=utf-8\r\n"
      "Cache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "Connection: close\r\n"
      "Content-Length: ";
  // The length is written when the page is there; five digits are enough for any.
  constexpr size_t kLengthRoom = 5 + 4;
  const size_t head = kHead.size() + kLengthRoom;
  if (out.size() <= head) return 0;
  const size_t body = write_page(page.choose(facts.languages), facts,
                                 prefers_japanese(facts.languages), out.subspan(head));
  BoundedText text(out.first(head));
  text.add(kHead);
  std::array<char, 8> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), body).ptr;
  const auto length = static_cast<size_t>(end - digits.data());
  for (size_t i = length; i < 5; ++i) text.add("0");
  text.add({digits.data(), length});
  text.add("\r\n\r\n");
  return head + body;
}

size_t write_smtp_refusal(const RefusalFacts& facts, std::span<char> out) noexcept {
  BoundedText text(out);
  text.add("554 5.7.1 ");
  write_line(text, facts);
  text.add("421 4.7.1 Closing the connection\r\n");
  return text.size();
}

size_t write_pop3_refusal(const RefusalFacts& facts, std::span<char> out) noexcept {
  BoundedText text(out);
  text.add("-ERR [SYS/PERM] ");
  write_line(text, facts);
  return text.size();
}

size_t write_imap_refusal(const RefusalFacts& facts, std::span<char> out) noexcept {
  BoundedText text(out);
  if (!facts.tag.empty()) {
    text.add_printable(facts.tag.substr(0, 64));
    text.add(" NO ");
    write_line(text, facts);
  }
  text.add("* BYE ");
  write_line(text, facts);
  return text.size();
}

size_t write_ftp_refusal(const RefusalFacts& facts, std::span<char> out) noexcept {
  BoundedText text(out);
  const bool for_now =
      facts.reason == RefusalReason::NotScanned || facts.reason == RefusalReason::Overload;
  text.add(for_now ? "426 " : "550 ");
  write_line(text, facts);
  return text.size();
}

}  // namespace masugata::av
