// SPDX-License-Identifier: GPL-2.0-or-later
// Mails that tell people what antivirus refused: whom, how often, in which words.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/antivirus_settings.h"
#include "dataplane/wall_clock.h"

namespace masugata::dataplane {

// Ready to be sent with a null reverse path (RFC 5321 section 4.5.5).
struct NoticeMail {
  std::vector<std::string> recipients;  // forward paths
  std::string text;                     // header and body, lines end in CRLF
};

// All texts may be hostile.
struct NoticeFacts {
  uint64_t reference = 0;
  int64_t time_s = 0;  // since 1970
  std::string what;    // signature or reason
  std::string protocol;
  std::string client;
  std::string server;
  std::string url;
  std::string sender;      // of a mail
  std::string recipients;  // of a mail, separated by commas
  bool is_mail = false;
  bool refused = false;  // else it passed and is only reported
  bool comes_in = false;
  bool goes_out = false;
};

// Control thread.
class Notices {
 public:
  static constexpr int64_t kPeriodS = 3600;
  static constexpr size_t kMaximumRecipients = 20;  // of one mail that was refused

  // False: it cannot be sent.
  using Send = std::function<bool(NoticeMail)>;
  Notices(Send send, WallClock wall_clock);

  void configure(const config::AvNotices& settings) { settings_ = settings; }
  // Beyond `per_hour` of the settings events are only counted; when the hour is over the
  // administrators get one mail about them.
  void tell(const NoticeFacts& facts);
  void tick();
  // To `recipients`, however much was told; not at all without a smart host. `subject` is ASCII.
  void report(std::vector<std::string> recipients, const std::string& subject,
              const std::string& body);

  // Events, since the start.
  [[nodiscard]] uint64_t suppressed() const noexcept { return suppressed_; }

 private:
  void post(std::vector<std::string> recipients, const std::string& subject,
            const std::string& body, uint64_t number);
  void begin_period(int64_t now_s);
  [[nodiscard]] int64_t now_s() const { return seconds_of(wall_clock_()); }

  Send send_;
  WallClock wall_clock_;
  config::AvNotices settings_;
  int64_t period_began_s_ = 0;
  uint32_t told_ = 0;            // in this period
  uint64_t suppressed_now_ = 0;  // likewise
  uint64_t suppressed_ = 0;
  uint64_t reports_ = 0;
};

// A text of strangers for a notice: without what would end a line, at most 500 bytes.
[[nodiscard]] std::string notice_text(std::string_view text);

// An address that may be written into a mail's envelope: local part of unquoted characters and a
// domain of letters, digits, dots and hyphens (RFC 5321 section 4.1.2), at most 254 bytes.
[[nodiscard]] bool is_plain_address(const std::string& text);

}  // namespace masugata::dataplane
