// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/domain_set.h"

#include <algorithm>

#include "net/address.h"

namespace masugata::net {
namespace {

constexpr size_t kMaximumLabel = 63;
constexpr size_t kMaximumShown = 80;

bool is_label_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') ||
         character == '-' || character == '_';
}

bool is_domain_name(std::string_view name) {
  if (name.empty() || name.size() > kMaximumDomainName) return false;
  size_t label = 0;
  for (const char character : name) {
    if (character == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    if (!is_label_character(character) || ++label > kMaximumLabel) return false;
  }
  return label != 0;
}

std::string_view next_word(std::string_view& line) {
  constexpr std::string_view kBlanks = " \t\r\v\f";
  const size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) {
    line = {};
    return {};
  }
  const size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

}  // namespace

std::optional<DomainPattern> parse_domain_pattern(std::string_view text) {
  DomainPattern pattern;
  if (text.starts_with("*.")) {
    pattern.below_only = true;
    text.remove_prefix(2);
  }
  if (text.ends_with('.')) text.remove_suffix(1);
  pattern.name = text;
  for (char& character : pattern.name) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character + 32);
  }
  if (!is_domain_name(pattern.name)) return std::nullopt;
  return pattern;
}

void DomainSet::add(const DomainPattern& pattern) {
  const auto [entry, is_new] = names_.try_emplace(pattern.name, !pattern.below_only);
  if (!is_new && !pattern.below_only) entry->second = true;
}

bool DomainSet::matches(std::string_view host) const noexcept {
  if (names_.empty() || host.empty()) return false;
  std::string_view rest = host;
  while (true) {
    const auto found = names_.find(rest);
    if (found != names_.end() && (found->second || rest.size() != host.size())) return true;
    const size_t dot = rest.find('.');
    if (dot == std::string_view::npos) return false;
    rest.remove_prefix(dot + 1);
  }
}

DomainListReport read_domain_list(std::string_view text, size_t maximum, DomainSet& into) {
  DomainListReport report;
  uint32_t number = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, std::min(line.find('#'), line.size()));
    std::string_view word = next_word(line);
    if (!word.empty() && IpAddress::parse(word)) word = next_word(line);
    for (; !word.empty(); word = next_word(line)) {
      const auto pattern = parse_domain_pattern(word);
      if (!pattern) {
        if (report.first_wrong == 0) {
          report.first_wrong = number;
          report.wrong = word.substr(0, kMaximumShown);
        }
        break;
      }
      if (report.names == maximum) {
        report.too_many = true;
        return report;
      }
      into.add(*pattern);
      ++report.names;
    }
  }
  return report;
}

}  // namespace masugata::net
