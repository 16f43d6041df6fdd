// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/text_reading.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace masugata::ids {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\v\f";

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

int hex_digit(char c) noexcept {
  c = lower(c);
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct ComparisonName {
  std::string_view text;
  Comparison comparison;
};
// The longer before the shorter that they begin with.
constexpr std::array kComparisons{
    ComparisonName{">=", Comparison::GreaterOrEqual}, ComparisonName{"<=", Comparison::LessOrEqual},
    ComparisonName{"!=", Comparison::NotEqual},       ComparisonName{"==", Comparison::Equal},
    ComparisonName{">", Comparison::Greater},         ComparisonName{"<", Comparison::Less},
    ComparisonName{"=", Comparison::Equal},           ComparisonName{"!", Comparison::NotEqual},
};

struct SizeUnit {
  std::string_view suffix;
  uint64_t bytes;
};
constexpr std::array kSizeUnits{
    SizeUnit{"kib", 1ULL << 10U}, SizeUnit{"mib", 1ULL << 20U}, SizeUnit{"gib", 1ULL << 30U},
    SizeUnit{"kb", 1ULL << 10U},  SizeUnit{"mb", 1ULL << 20U},  SizeUnit{"gb", 1ULL << 30U},
};

std::optional<uint64_t> parse_any_size(std::string_view text) { return parse_size(text); }

Read<NumberRange> read_two_bounds(std::string_view low, std::string_view high, uint64_t maximum,
                                  ReadOneNumber read_one) {
  const auto first = read_one(low);
  const auto last = read_one(high);
  if (!first || !last || *first > maximum || *last > maximum) {
    return wrong("expects two numbers up to " + std::to_string(maximum) + ", not " +
                 in_quotes(low) + " and " + in_quotes(high));
  }
  if (*first >= *last) return wrong("expects the lower bound before the higher");
  return NumberRange{Comparison::Between, *first, *last};
}

// "0xc0=0x80" or "0xc0!=0": what stands after '&'.
Read<NumberRange> read_masked(std::string_view text, uint64_t maximum, ReadOneNumber read_one) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return wrong("expects &MASK=BITS or &MASK!=BITS");
  const bool negated = equals > 0 && text[equals - 1] == '!';
  const auto mask = read_one(trimmed(text.substr(0, negated ? equals - 1 : equals)));
  const auto bits = read_one(trimmed(text.substr(equals + 1)));
  if (!mask || !bits || *mask > maximum) {
    return wrong("expects &MASK=BITS with numbers up to " + std::to_string(maximum));
  }
  if ((*bits & *mask) != *bits) return wrong("asks for bits that are not in the mask");
  return NumberRange{negated ? Comparison::NotMasked : Comparison::Masked, *mask, *bits};
}

}  // namespace

std::string_view trimmed(std::string_view text) noexcept {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string lowercase(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool same_ignoring_case(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string in_quotes(std::string_view text) {
  constexpr size_t kShown = 60;
  std::string result = "'";
  for (const char c : text.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    result += byte < 0x20 || byte > 0x7e ? '?' : c;
  }
  return result + (text.size() > kShown ? "...'" : "'");
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  size_t begin = 0;
  while (true) {
    const size_t end = text.find(separator, begin);
    if (end == std::string_view::npos) {
      pieces.push_back(trimmed(text.substr(begin)));
      return pieces;
    }
    pieces.push_back(trimmed(text.substr(begin, end - begin)));
    begin = end + 1;
  }
}

std::string_view take_word(std::string_view& text) noexcept {
  text = trimmed(text);
  const size_t end = std::min(text.find_first_of(kBlanks), text.size());
  const std::string_view word = text.substr(0, end);
  text = trimmed(text.substr(end));
  return word;
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const std::string_view word = take_word(text);
    if (word.empty()) return words;
    words.push_back(word);
  }
}

std::string_view unquoted(std::string_view text) noexcept {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

std::optional<uint64_t> parse_unsigned(std::string_view text, uint64_t maximum) noexcept {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
  }
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || value > maximum) {
    return std::nullopt;
  }
  return value;
}

std::optional<uint64_t> parse_size(std::string_view text) noexcept {
  for (const SizeUnit& unit : kSizeUnits) {
    if (text.size() <= unit.suffix.size()) continue;
    const size_t digits = text.size() - unit.suffix.size();
    if (!same_ignoring_case(text.substr(digits), unit.suffix)) continue;
    const auto number = parse_unsigned(trimmed(text.substr(0, digits)), UINT64_MAX / unit.bytes);
    if (!number) return std::nullopt;
    return *number * unit.bytes;
  }
  return parse_unsigned(text);
}

std::optional<int64_t> parse_signed(std::string_view text, int64_t minimum,
                                    int64_t maximum) noexcept {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto magnitude = parse_unsigned(text, INT64_MAX);
  if (!magnitude) return std::nullopt;
  const int64_t value =
      negative ? -static_cast<int64_t>(*magnitude) : static_cast<int64_t>(*magnitude);
  if (value < minimum || value > maximum) return std::nullopt;
  return value;
}

Read<uint64_t> read_number(std::string_view text, uint64_t maximum) {
  if (const auto value = parse_unsigned(trimmed(text), maximum)) return *value;
  return wrong("expects a number up to " + std::to_string(maximum) + ", not " + in_quotes(text));
}

std::optional<Comparison> find_comparison(std::string_view text) noexcept {
  for (const ComparisonName& each : kComparisons) {
    if (each.text == text) return each.comparison;
  }
  return std::nullopt;
}

Read<NumberRange> read_number_range(std::string_view text, uint64_t maximum,
                                    ReadOneNumber read_one) {
  if (read_one == nullptr) read_one = parse_any_size;
  text = trimmed(text);
  if (text.starts_with('&')) return read_masked(trimmed(text.substr(1)), maximum, read_one);
  const bool negated = text.starts_with('!') && !text.starts_with("!=");
  const std::string_view rest = negated ? trimmed(text.substr(1)) : text;
  const size_t angles = rest.find("<>");
  const size_t dash = rest.find('-', 1);
  const size_t gap = angles != std::string_view::npos ? angles : dash;
  if (gap != std::string_view::npos && gap > 0) {
    const size_t width = gap == angles ? 2 : 1;
    auto range = read_two_bounds(trimmed(rest.substr(0, gap)), trimmed(rest.substr(gap + width)),
                                 maximum, read_one);
    if (range && negated) range->comparison = Comparison::Outside;
    return range;
  }
  NumberRange range;
  std::string_view number = text;
  for (const ComparisonName& each : kComparisons) {
    if (text.starts_with(each.text)) {
      range.comparison = each.comparison;
      number = trimmed(text.substr(each.text.size()));
      break;
    }
  }
  const auto value = read_one(number);
  if (!value || *value > maximum) {
    return wrong("expects a number up to " + std::to_string(maximum) +
                 ", with <, >, <=, >=, ! before it or as LOW<>HIGH, not " + in_quotes(text));
  }
  range.low = *value;
  return range;
}

std::optional<std::string> parse_hex_bytes(std::string_view text) {
  std::string bytes;
  int high = -1;
  for (const char c : text) {
    if (c == ' ' || c == ':') continue;
    const int digit = hex_digit(c);
    if (digit < 0) return std::nullopt;
    if (high < 0) {
      high = digit;
      continue;
    }
    bytes += static_cast<char>(high * 16 + digit);
    high = -1;
  }
  if (high >= 0) return std::nullopt;
  return bytes;
}

Read<std::string> read_content_bytes(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '|') {
      const size_t end = text.find('|', i + 1);
      if (end == std::string_view::npos) return wrong("has a '|' without its partner");
      const std::string_view digits = text.substr(i + 1, end - i - 1);
      const auto binary = parse_hex_bytes(digits);
      if (!binary || digits.find(':') != std::string_view::npos) {
        return wrong("expects pairs of hexadecimal digits between '|', not " + in_quotes(digits));
      }
      bytes += *binary;
      i = end;
    } else if (c == '\\') {
      if (++i == text.size() ||
          std::string_view("\\\";:").find(text[i]) == std::string_view::npos) {
        return wrong("allows only \\\\ \\\" \\; and \\: as escapes; write other bytes as |hex|");
      }
      bytes += text[i];
    } else if (c == '"') {
      return wrong("has a quote that is neither \\\" nor |22|");
    } else {
      bytes += c;
    }
  }
  return bytes;
}

}  // namespace masugata::ids
