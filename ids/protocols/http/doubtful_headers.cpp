// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/http/doubtful_headers.h"

#include <algorithm>
#include <array>

namespace masugata::ids {
namespace {

constexpr std::array<std::string_view, 4> kOfTheBody = {"content-length", "transfer-encoding",
                                                        "content-encoding", "content-range"};
constexpr std::string_view kContentType = "content-type";

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_visible(char c) noexcept { return c > ' ' && c < '\x7f'; }

// Whether `text` is `name` once everything that cannot be seen is left out of it.
bool is_name(std::string_view text, std::string_view name) noexcept {
  size_t at = 0;
  for (const char c : text) {
    if (!is_visible(c)) continue;
    if (at == name.size() || lower(c) != name[at]) return false;
    ++at;
  }
  return at == name.size();
}

bool is_of_the_body(std::string_view name) noexcept {
  return std::any_of(kOfTheBody.begin(), kOfTheBody.end(),
                     [name](std::string_view each) { return is_name(name, each); });
}

bool tells_of_parts(std::string_view line) noexcept {
  constexpr std::string_view kMultipart = "multipart/";
  return std::search(line.begin(), line.end(), kMultipart.begin(), kMultipart.end(),
                     [](char c, char wanted) { return lower(c) == wanted; }) != line.end();
}

std::string_view name_in(std::string_view line) noexcept { return line.substr(0, line.find(':')); }

}  // namespace

bool are_headers_doubtful(std::string_view raw) noexcept {
  bool was_of_the_body = false;
  bool was_type = false;
  while (!raw.empty()) {
    const size_t end = std::min(raw.find('\n'), raw.size());
    std::string_view line = raw.substr(0, end);
    raw.remove_prefix(std::min(end + 1, raw.size()));
    while (line.ends_with('\r')) line.remove_suffix(1);
    // To libhtp LF LF CR is not the end of the header; to programs it is.
    if (line.empty()) return !raw.empty();
    if (line.find('\r') != std::string_view::npos) return true;
    const std::string_view name = name_in(line);
    const bool of_the_body = is_of_the_body(name);
    if (line.front() == ' ' || line.front() == '\t') {
      if (was_of_the_body || of_the_body || (was_type && tells_of_parts(line))) return true;
      continue;
    }
    was_type = is_name(name, kContentType);
    was_of_the_body = of_the_body || (was_type && tells_of_parts(line));
    if ((of_the_body || was_type) && !std::all_of(name.begin(), name.end(), is_visible)) {
      return true;
    }
    if (of_the_body && line.find('\0') != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace masugata::ids
