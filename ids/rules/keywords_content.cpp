// SPDX-License-Identifier: GPL-2.0-or-later
// content with its modifiers, pcre, isdataat, bsize, absent.
#include <array>
#include <charconv>

#include "ids/buffers/buffer_properties.h"
#include "ids/rules/keyword.h"
#include "ids/rules/pcre_reading.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

constexpr int64_t kMaximumDistance = 1 << 20;
constexpr int64_t kMaximumPosition = UINT32_MAX;

Read<ContentMatch> make_content(const KeywordUse& use) {
  auto bytes = read_content_bytes(use.value);
  if (!bytes) return tl::unexpected(bytes.error());
  if (bytes->empty()) return wrong("is empty");
  ContentMatch content;
  content.bytes = std::move(*bytes);
  content.negated = use.negated;
  return content;
}

Outcome read_content(RuleDraft& draft, const KeywordUse& use) {
  auto content = make_content(use);
  if (!content) return tl::unexpected(content.error());
  draft.add(std::move(*content));
  return {};
}

Outcome read_uricontent(RuleDraft& draft, const KeywordUse& use) {
  if (draft.has_sticky_buffer()) return wrong("cannot follow a sticky buffer; use http.uri");
  auto content = make_content(use);
  if (!content) return tl::unexpected(content.error());
  draft.add_to(BufferId::HttpUri, std::move(*content));
  return {};
}

Outcome no_content() { return wrong("expects a content before it"); }

Outcome read_nocase(RuleDraft& draft, const KeywordUse&) {
  ContentMatch* content = draft.last_content();
  if (content == nullptr) return no_content();
  content->nocase = true;
  content->bytes = lowercase(content->bytes);
  return {};
}

Outcome read_rawbytes(RuleDraft& draft, const KeywordUse&) {
  ContentMatch* content = draft.last_content();
  if (content == nullptr) return no_content();
  content->rawbytes = true;
  return {};
}

Outcome read_startswith(RuleDraft& draft, const KeywordUse&) {
  ContentMatch* content = draft.last_content();
  if (content == nullptr) return no_content();
  if (content->startswith) return wrong("stands twice for one content");
  content->startswith = true;
  return {};
}

Outcome read_endswith(RuleDraft& draft, const KeywordUse&) {
  ContentMatch* content = draft.last_content();
  if (content == nullptr) return no_content();
  if (content->endswith) return wrong("stands twice for one content");
  content->endswith = true;
  return {};
}

// depth, offset, distance, within: one operand of the last content.
Outcome read_position(RuleDraft& draft, const KeywordUse& use,
                      std::optional<Operand> ContentMatch::*member, int64_t minimum,
                      int64_t maximum) {
  ContentMatch* content = draft.last_content();
  if (content == nullptr) return no_content();
  if (content->*member) return wrong("stands twice for one content");
  const auto operand = draft.operand(use.value, minimum, maximum);
  if (!operand) return tl::unexpected(operand.error());
  content->*member = *operand;
  return {};
}

Outcome read_depth(RuleDraft& draft, const KeywordUse& use) {
  return read_position(draft, use, &ContentMatch::depth, 1, kMaximumPosition);
}

Outcome read_offset(RuleDraft& draft, const KeywordUse& use) {
  return read_position(draft, use, &ContentMatch::offset, 0, kMaximumPosition);
}

Outcome read_distance(RuleDraft& draft, const KeywordUse& use) {
  return read_position(draft, use, &ContentMatch::distance, -kMaximumDistance, kMaximumDistance);
}

Outcome read_within(RuleDraft& draft, const KeywordUse& use) {
  auto done = read_position(draft, use, &ContentMatch::within, -kMaximumDistance, kMaximumDistance);
  if (!done) return done;
  const Operand& within = *draft.last_content()->within;
  if (!within.variable && within.number == 0) return wrong("cannot be 0");
  return {};
}

Outcome read_fast_pattern(RuleDraft& draft, const KeywordUse& use) {
  ContentMatch* content = draft.last_content();
  if (content == nullptr) return no_content();
  if (content->fast_pattern) return wrong("stands twice for one content");
  content->fast_pattern = true;
  if (use.value.empty()) return {};
  if (use.value == "only") {
    content->fast_pattern_only = true;
    return {};
  }
  const auto parts = split(use.value, ',');
  const auto offset = parts.size() == 2 ? parse_unsigned(parts[0], UINT16_MAX) : std::nullopt;
  const auto length = parts.size() == 2 ? parse_unsigned(parts[1], UINT16_MAX) : std::nullopt;
  if (!offset || !length || *length == 0) {
    return wrong("expects nothing, 'only' or OFFSET,LENGTH, not " + in_quotes(use.value));
  }
  if (*offset + *length > content->bytes.size()) {
    return wrong("reaches beyond its content of " + std::to_string(content->bytes.size()) +
                 " bytes");
  }
  content->fast_pattern_offset = static_cast<uint16_t>(*offset);
  content->fast_pattern_length = static_cast<uint16_t>(*length);
  return {};
}

Outcome read_replace(RuleDraft& draft, const KeywordUse& use) {
  ContentMatch* content = draft.last_content();
  if (content == nullptr) return no_content();
  if (use.negated || content->negated) return wrong("cannot be negated, nor its content");
  auto bytes = read_content_bytes(use.value);
  if (!bytes) return tl::unexpected(bytes.error());
  if (bytes->size() != content->bytes.size()) {
    return wrong("expects as many bytes as its content has (" +
                 std::to_string(content->bytes.size()) + ")");
  }
  content->replacement = std::move(*bytes);
  return {};
}

Outcome read_pcre_keyword(RuleDraft& draft, const KeywordUse& use) {
  auto text = read_pcre(use.value);
  if (!text) return tl::unexpected(text.error());
  text->match.negated = use.negated;
  for (const PcreCapture& capture : text->match.captures) {
    if (capture.scope == PcreCapture::Scope::Flow && !capture.name.empty()) {
      (void)draft.builder.flow_variables.number_of(capture.name);
    }
  }
  if (!text->buffer) {
    draft.add(std::move(text->match));
    return {};
  }
  if (draft.has_sticky_buffer()) {
    if (draft.current_buffer() != *text->buffer) {
      return wrong("has a flag for another buffer than the sticky one before it");
    }
    draft.add(std::move(text->match));
    return {};
  }
  draft.add_to(*text->buffer, std::move(text->match));
  return {};
}

Outcome read_isdataat(RuleDraft& draft, const KeywordUse& use) {
  IsDataAt match;
  match.negated = use.negated;
  const auto parts = split(use.value, ',');
  const auto position = draft.operand(parts[0], 0, kMaximumPosition);
  if (!position) return tl::unexpected(position.error());
  match.position = *position;
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i] == "relative") {
      match.relative = true;
    } else if (parts[i] != "rawbytes") {
      return wrong("expects 'relative' or 'rawbytes' after the number, not " + in_quotes(parts[i]));
    }
  }
  if (match.relative) {
    draft.add_relative(match);
  } else {
    draft.add(match);
  }
  return {};
}

Outcome read_bsize(RuleDraft& draft, const KeywordUse& use) {
  if (!draft.has_sticky_buffer()) return wrong("expects a sticky buffer before it");
  const auto range = read_number_range(use.value, UINT64_MAX);
  if (!range) return tl::unexpected(range.error());
  draft.add(BufferSize{range->comparison, range->low, range->high});
  return {};
}

struct FractionRange {
  Comparison comparison = Comparison::Equal;
  double low = 0;
  double high = 0;
};

std::optional<double> parse_fraction(std::string_view text) noexcept {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// ">= 4.5", "!= 7", "5", "4-6.5", "!4<>6.5".
std::optional<FractionRange> parse_fraction_range(std::string_view text) noexcept {
  const bool negated = text.starts_with('!') && !text.starts_with("!=");
  const std::string_view bounds = negated ? trimmed(text.substr(1)) : text;
  const size_t gap = std::min(bounds.find("<>"), bounds.find('-'));
  if (gap != std::string_view::npos && gap > 0) {
    const size_t width = bounds[gap] == '-' ? 1 : 2;
    const auto low = parse_fraction(trimmed(bounds.substr(0, gap)));
    const auto high = parse_fraction(trimmed(bounds.substr(gap + width)));
    if (!low || !high || *low >= *high) return std::nullopt;
    return FractionRange{negated ? Comparison::Outside : Comparison::Between, *low, *high};
  }
  const size_t digits = std::min(text.find_first_of("0123456789."), text.size());
  const std::string_view sign = trimmed(text.substr(0, digits));
  const auto comparison = sign.empty() ? Comparison::Equal : find_comparison(sign);
  const auto value = parse_fraction(text.substr(digits));
  if (!comparison || !value) return std::nullopt;
  return FractionRange{*comparison, *value, 0};
}

// entropy:[bytes N, ][offset N, ]value COMPARISON
Outcome read_entropy(RuleDraft& draft, const KeywordUse& use) {
  BufferEntropy match;
  bool has_value = false;
  for (std::string_view rest : split(use.value, ',')) {
    const std::string_view option = rest;
    const std::string_view word = take_word(rest);
    if (word == "value") {
      const auto range = parse_fraction_range(rest);
      if (!range) return wrong("expects value COMPARISON NUMBER, not " + in_quotes(option));
      match.comparison = range->comparison;
      match.low = range->low;
      match.high = range->high;
      has_value = true;
    } else if (word == "bytes" || word == "offset") {
      const auto number = read_number(rest, static_cast<uint64_t>(kMaximumPosition));
      if (!number) return tl::unexpected(number.error());
      (word == "bytes" ? match.bytes : match.offset) = static_cast<uint32_t>(*number);
    } else {
      return wrong("has the unknown option " + in_quotes(option));
    }
  }
  if (!has_value) return wrong("expects value COMPARISON NUMBER");
  draft.add(match);
  return {};
}

Outcome read_absent(RuleDraft& draft, const KeywordUse& use) {
  if (!draft.has_sticky_buffer()) return wrong("expects a sticky buffer before it");
  if (!use.value.empty() && use.value != "or_else") {
    return wrong("expects nothing or or_else, not " + in_quotes(use.value));
  }
  draft.add(BufferAbsent{!use.value.empty()});
  return {};
}

Outcome read_pkt_data(RuleDraft& draft, const KeywordUse&) { return draft.select_payload(); }

Outcome read_side(RuleDraft& draft, const KeywordUse& use) {
  if (!draft.rule.transactional) return wrong("has a meaning only in a rule with '=>'");
  draft.stated_side = static_cast<Direction>(use.keyword.argument);
  return {};
}

constexpr std::array kKeywords{
    Keyword{"absent", read_absent, ValueForm::Optional},
    Keyword{"bidir.toclient", read_side, ValueForm::None,
            static_cast<uint16_t>(Direction::ToClient)},
    Keyword{"bidir.toserver", read_side, ValueForm::None,
            static_cast<uint16_t>(Direction::ToServer)},
    Keyword{"bsize", read_bsize, ValueForm::Required},
    Keyword{"content", read_content, ValueForm::Text},
    Keyword{"depth", read_depth, ValueForm::Required},
    Keyword{"distance", read_distance, ValueForm::Required},
    Keyword{"endswith", read_endswith, ValueForm::None},
    Keyword{"entropy", read_entropy, ValueForm::Required},
    Keyword{"fast_pattern", read_fast_pattern, ValueForm::Optional},
    Keyword{"isdataat", read_isdataat, ValueForm::Pattern},
    Keyword{"nocase", read_nocase, ValueForm::None},
    Keyword{"offset", read_offset, ValueForm::Required},
    Keyword{"pcre", read_pcre_keyword, ValueForm::Pattern},
    Keyword{"pkt_data", read_pkt_data, ValueForm::None},
    Keyword{"rawbytes", read_rawbytes, ValueForm::None},
    Keyword{"replace", read_replace, ValueForm::Text},
    Keyword{"startswith", read_startswith, ValueForm::None},
    Keyword{"uricontent", read_uricontent, ValueForm::Text},
    Keyword{"within", read_within, ValueForm::Required},
};

}  // namespace

std::span<const Keyword> content_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
