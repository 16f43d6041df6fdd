// SPDX-License-Identifier: GPL-2.0-or-later
// What a client is told, in its protocol's words, when its object is refused.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "result/result.h"

namespace masugata::av {

enum class RefusalReason : uint8_t {
  Infected,
  UrlRemembered,  // something infected came from there before
  TooLarge,
  UnpackedTooLarge,
  TooDeep,
  TooManyFiles,
  TooLong,
  Encrypted,
  Macros,
  Partial,
  Coded,
  NotScanned,
  Overload,
  UnknownProtocol,  // of the connection
  Count
};
// "infected", "url-remembered", "too-large" and so on; as in EVE and `show av`. Static.
[[nodiscard]] std::string_view name_of(RefusalReason reason) noexcept;

// All texts may be hostile; what is written is escaped for its protocol.
struct RefusalFacts {
  RefusalReason reason = RefusalReason::Infected;
  std::string_view signature;  // of Infected and UrlRemembered
  std::string_view host;
  std::string_view location;
  std::string_view languages;  // Accept-Language
  std::string_view tag;        // IMAP
  uint64_t reference = 0;      // the number that the log has, too
  uint64_t time_s = 0;         // since 1970
};

// A template of a block page: HTML in UTF-8 with {reason}, {signature}, {url}, {time} and
// {reference}, each as often as wanted. Two languages, Japanese and English.
class BlockPage {
 public:
  // The built-in pages.
  BlockPage();
  // One page for every language, from a file's text. Faults: larger than kLargestTemplateBytes, a
  // name in braces that is none of the five, not UTF-8; `where` is "line N".
  [[nodiscard]] static Result<BlockPage> parse(std::string_view text);

  static constexpr size_t kLargestTemplateBytes = 16 * 1024;

  [[nodiscard]] std::string_view choose(std::string_view languages) const noexcept;

 private:
  std::string japanese_;
  std::string english_;
};

inline constexpr size_t kLargestRefusalBytes = 24 * 1024;

// Whether the first language that a header asks for is Japanese (RFC 9110 section 12.5.4: by the
// highest weight; a tie is decided by order).
[[nodiscard]] bool prefers_japanese(std::string_view languages) noexcept;

// Each writes into `out` (at least kLargestRefusalBytes) and returns how many bytes. Packet path.
// HTTP: a whole response, 403, Connection: close.
[[nodiscard]] size_t write_http_refusal(const BlockPage& page, const RefusalFacts& facts,
                                        std::span<char> out) noexcept;
// SMTP: "554 5.7.1 ...", then "421 ..." as the connection ends (RFC 5321 section 4.2.3, RFC 3463).
[[nodiscard]] size_t write_smtp_refusal(const RefusalFacts& facts, std::span<char> out) noexcept;
// POP3: "-ERR ..." (RFC 1939; [SYS/PERM] of RFC 3206).
[[nodiscard]] size_t write_pop3_refusal(const RefusalFacts& facts, std::span<char> out) noexcept;
// IMAP: "TAG NO ...", then "* BYE" (RFC 9051 section 7.1).
[[nodiscard]] size_t write_imap_refusal(const RefusalFacts& facts, std::span<char> out) noexcept;
// FTP (RFC 959 section 4.2), one line: "550 ..."; "426 ..." where another attempt may succeed.
[[nodiscard]] size_t write_ftp_refusal(const RefusalFacts& facts, std::span<char> out) noexcept;

}  // namespace masugata::av
