// SPDX-License-Identifier: GPL-2.0-or-later
// Sender and recipients of the mail at hand, as far as the server took them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace masugata::ids {

inline constexpr size_t kMaximumEnvelopeText = 1024;

// Thread: the flow's worker. Memory: a sender and twice kMaximumEnvelopeText of recipients.
class SmtpEnvelope {
 public:
  // A new mail (MAIL FROM); `path` may have its brackets.
  void begin(std::string_view path) {
    clear();
    sender_ = without_brackets(path);
  }
  // RCPT TO; the server's answer comes later. Beyond the bound it is not remembered.
  void add(std::string_view path) {
    path = without_brackets(path);
    const bool fits = bytes_ + path.size() + 1 <= kMaximumEnvelopeText;
    bytes_ += fits ? path.size() + 1 : 0;
    if (recipients_.size() < kMaximumEnvelopeText) {
      recipients_.push_back({std::string{fits ? path : std::string_view{}}, true});
    } else {
      ++unkept_;
    }
  }
  // The server answers the oldest RCPT TO that is not answered.
  void answer(bool accepted) {
    if (of_others_ != 0) {
      --of_others_;
    } else if (answered_ < recipients_.size()) {
      recipients_[answered_++].counts = accepted;
    } else {
      unkept_ -= unkept_ != 0 ? 1 : 0;
    }
  }
  void clear() {
    of_others_ += recipients_.size() - answered_ + unkept_;
    sender_.clear();
    recipients_.clear();
    answered_ = bytes_ = unkept_ = 0;
  }

  [[nodiscard]] const std::string& sender() const noexcept { return sender_; }
  // Those that were not refused so far, separated by commas.
  [[nodiscard]] std::string recipients() const {
    std::string text;
    for (const Recipient& each : recipients_) {
      if (each.counts && !each.path.empty()) {
        text += (text.empty() ? "" : ",") + each.path;
      }
    }
    return text;
  }

 private:
  struct Recipient {
    std::string path;
    bool counts;
  };
  static std::string_view without_brackets(std::string_view path) noexcept {
    if (path.starts_with('<')) {
      path.remove_prefix(1);
      path = path.substr(0, path.find('>'));
    }
    return path.substr(0, kMaximumEnvelopeText);
  }

  std::string sender_;
  std::vector<Recipient> recipients_;
  size_t answered_ = 0;
  size_t of_others_ = 0;  // answers to come to recipients of mails before (pipelining)
  size_t unkept_ = 0;     // recipients beyond the bound that are not answered
  size_t bytes_ = 0;
};

}  // namespace masugata::ids
