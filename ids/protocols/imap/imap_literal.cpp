// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/protocols/imap/imap_literal.h"

#include <algorithm>
#include <charconv>

#include "ids/protocols/mime/line_reader.h"

namespace masugata::ids {
namespace {

std::optional<uint64_t> read_number(std::string_view text) noexcept {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

ImapSection section_of(std::string_view inside, bool binary) noexcept {
  if (inside.empty()) {
    return ImapSection::Message;
  }
  // "2", "1.2", "TEXT", "1.TEXT" are content; "HEADER", "1.MIME", "HEADER.FIELDS (..)" are not.
  const bool numbers = std::all_of(inside.begin(), inside.end(),
                                   [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  if (numbers) {
    return binary ? ImapSection::Decoded : ImapSection::Part;
  }
  const size_t dot = inside.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? inside : inside.substr(dot + 1);
  return mime::equals(last, "text") ? ImapSection::Part : ImapSection::Other;
}

}  // namespace

std::optional<ImapLiteral> find_literal(std::string_view line_end) noexcept {
  if (!line_end.ends_with('}')) {
    return std::nullopt;
  }
  const size_t open = line_end.rfind('{');
  if (open == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view inside = line_end.substr(open + 1, line_end.size() - open - 2);
  ImapLiteral literal;
  if (inside.ends_with('+') || inside.ends_with('-')) {
    literal.without_consent = true;
    inside.remove_suffix(1);
  }
  const auto bytes = read_number(inside);
  if (!bytes) {
    return std::nullopt;
  }
  literal.bytes = *bytes;
  return literal;
}

ImapContent find_content(std::string_view before) noexcept {
  ImapContent content;
  before = before.substr(0, before.rfind('{'));
  while (!before.empty() && (before.back() == ' ' || before.back() == '~')) {
    before.remove_suffix(1);
  }
  if (before.ends_with('>')) {
    const size_t open = before.rfind('<');
    if (open == std::string_view::npos) {
      return content;
    }
    content.origin = read_number(before.substr(open + 1, before.size() - open - 2));
    before = before.substr(0, open);
  }
  if (before.ends_with(']')) {
    const size_t open = before.rfind('[');
    if (open == std::string_view::npos) {
      return content;
    }
    const std::string_view inside = before.substr(open + 1, before.size() - open - 2);
    const std::string_view name = before.substr(0, open);
    content.name = before.substr(std::min(name.find_last_of(" (") + 1, open));
    const auto ends_with = [name](std::string_view word) {
      return name.size() >= word.size() &&
             mime::equals(name.substr(name.size() - word.size()), word);
    };
    if (ends_with("body") || ends_with("binary")) {
      content.section = section_of(inside, ends_with("binary"));
    }
    return content;
  }
  const size_t start = before.find_last_of(" (");
  const std::string_view word = start == std::string_view::npos ? before : before.substr(start + 1);
  content.name = word;
  if (mime::equals(word, "rfc822")) {
    content.section = ImapSection::Message;
  } else if (mime::equals(word, "rfc822.text")) {
    content.section = ImapSection::Part;
  }
  return content;
}

}  // namespace masugata::ids
