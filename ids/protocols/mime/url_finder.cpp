// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/mime/url_finder.h"

#include <string_view>

#include "ids/protocols/mime/line_reader.h"

namespace masugata::ids::mime {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr uint8_t kBeforeColon = 4;

constexpr bool ends_url(char c) noexcept {
  return static_cast<uint8_t>(c) <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' ||
         c == ']';
}

}  // namespace

void UrlFinder::keep(std::vector<std::string>& urls) noexcept {
  if (!url_.empty() && urls.size() < kMaximumUrls) {
    urls.push_back(url_);
  }
  url_.clear();
  inside_ = false;
  progress_ = 0;
}

void UrlFinder::feed(std::span<const uint8_t> text, std::vector<std::string>& urls) noexcept {
  for (const uint8_t byte : text) {
    const char c = static_cast<char>(byte);
    if (inside_) {
      if (ends_url(c)) {
        keep(urls);
      } else if (url_.size() < kMaximumUrlBytes) {
        url_.push_back(c);
      }
      continue;
    }
    const char lower = to_lower(c);
    if (lower == kScheme[progress_]) {
      ++progress_;
    } else if (progress_ == kBeforeColon && lower == 's') {
      // "https": still before the colon. "httpss" passes too, which does no harm.
      continue;
    } else {
      progress_ = lower == 'h' ? 1 : 0;
    }
    if (progress_ == kScheme.size()) {
      inside_ = true;
    }
  }
}

void UrlFinder::end(std::vector<std::string>& urls) noexcept { keep(urls); }

}  // namespace masugata::ids::mime
