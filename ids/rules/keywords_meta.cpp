// SPDX-License-Identifier: GPL-2.0-or-later
// What a rule says about itself: msg, sid, rev, classtype, metadata, ...
#include <array>

#include "ids/rules/keyword.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

// The version of the language that `requires: version` compares with.
constexpr std::array<uint64_t, 3> kLanguageVersion{8, 0, 7};

Outcome read_msg(RuleDraft& draft, const KeywordUse& use) {
  if (use.negated) return wrong("takes no '!'");
  if (draft.has_message) return wrong("stands twice");
  draft.has_message = true;
  std::string& message = draft.rule.message;
  for (size_t i = 0; i < use.value.size(); ++i) {
    if (use.value[i] == '\\' && i + 1 < use.value.size()) ++i;
    message += use.value[i];
  }
  return {};
}

Outcome read_into(uint32_t& target, std::string_view value) {
  const auto number = read_number(value, UINT32_MAX);
  if (!number) return tl::unexpected(number.error());
  target = static_cast<uint32_t>(*number);
  return {};
}

Outcome read_sid(RuleDraft& draft, const KeywordUse& use) {
  if (draft.has_sid) return wrong("stands twice");
  if (auto done = read_into(draft.rule.sid, use.value); !done) return done;
  if (draft.rule.sid == 0) return wrong("expects a number from 1 on");
  draft.has_sid = true;
  return {};
}

Outcome read_gid(RuleDraft& draft, const KeywordUse& use) {
  return read_into(draft.rule.gid, use.value);
}

Outcome read_rev(RuleDraft& draft, const KeywordUse& use) {
  return read_into(draft.rule.revision, use.value);
}

Outcome read_priority(RuleDraft& draft, const KeywordUse& use) {
  const auto number = read_number(use.value, 255);
  if (!number) return tl::unexpected(number.error());
  if (*number == 0) return wrong("expects a number from 1 to 255");
  draft.stated_priority = static_cast<uint8_t>(*number);
  return {};
}

Outcome read_classtype(RuleDraft& draft, const KeywordUse& use) {
  if (!draft.rule.classtype.empty()) return wrong("stands twice");
  if (use.value.empty()) return wrong("expects the name of a class");
  draft.rule.classtype = std::string(use.value);
  return {};
}

Outcome read_reference(RuleDraft& draft, const KeywordUse& use) {
  const size_t comma = use.value.find(',');
  if (comma == std::string_view::npos)
    return wrong("expects TYPE,VALUE, not " + in_quotes(use.value));
  const std::string_view value = trimmed(use.value.substr(comma + 1));
  const std::string_view type = trimmed(use.value.substr(0, comma));
  if (type.empty() || value.empty())
    return wrong("expects TYPE,VALUE, not " + in_quotes(use.value));
  draft.rule.references.push_back({lowercase(type), std::string(value)});
  return {};
}

Outcome read_metadata(RuleDraft& draft, const KeywordUse& use) {
  for (std::string_view pair : split(use.value, ',')) {
    const std::string_view key = take_word(pair);
    if (!key.empty()) draft.rule.metadata.emplace_back(std::string(key), std::string(pair));
  }
  return {};
}

Outcome read_target(RuleDraft& draft, const KeywordUse& use) {
  if (use.value == "src_ip") {
    draft.rule.target = Rule::Target::Source;
  } else if (use.value == "dest_ip") {
    draft.rule.target = Rule::Target::Destination;
  } else {
    return wrong("expects src_ip or dest_ip, not " + in_quotes(use.value));
  }
  return {};
}

Outcome read_noalert(RuleDraft& draft, const KeywordUse&) {
  draft.rule.no_alert = true;
  return {};
}

Outcome read_alert(RuleDraft& draft, const KeywordUse&) {
  draft.rule.no_alert = false;
  return {};
}

Outcome read_bypass(RuleDraft& draft, const KeywordUse&) {
  draft.rule.bypass = true;
  return {};
}

// Packets are not marked, and events are chosen by profiles: the rule is read and asks for nothing.
Outcome read_without_effect(RuleDraft&, const KeywordUse&) { return {}; }

Outcome read_prefilter(RuleDraft& draft, const KeywordUse&) {
  draft.rule.prefilter = true;
  if (ContentMatch* content = draft.last_content()) content->fast_pattern = true;
  return {};
}

std::optional<std::array<uint64_t, 3>> parse_version(std::string_view text) {
  std::array<uint64_t, 3> version{};
  const auto parts = split(text, '.');
  if (parts.size() > version.size()) return std::nullopt;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto part = parse_unsigned(parts[i], 1000);
    if (!part) return std::nullopt;
    version[i] = *part;
  }
  return version;
}

// ">= 7.0.3", several joined by '|' of which one must hold.
Outcome check_version(std::string_view text) {
  bool fits = false;
  for (const std::string_view alternative : split(text, '|')) {
    const size_t begin = alternative.find_first_of("0123456789");
    const auto comparison =
        find_comparison(trimmed(alternative.substr(0, std::min(begin, alternative.size()))));
    const auto version =
        begin == std::string_view::npos ? std::nullopt : parse_version(alternative.substr(begin));
    if (!comparison || !version) return wrong("expects version >= N.N.N, not " + in_quotes(text));
    switch (*comparison) {
      case Comparison::Less:
        fits = fits || kLanguageVersion < *version;
        break;
      case Comparison::LessOrEqual:
        fits = fits || kLanguageVersion <= *version;
        break;
      case Comparison::Greater:
        fits = fits || kLanguageVersion > *version;
        break;
      case Comparison::GreaterOrEqual:
        fits = fits || kLanguageVersion >= *version;
        break;
      default:
        return wrong("expects <, <=, > or >= before a version");
    }
  }
  if (!fits) return not_supported("asks for version " + std::string(text));
  return {};
}

Outcome read_requires(RuleDraft&, const KeywordUse& use) {
  for (std::string_view requirement : split(use.value, ',')) {
    const std::string_view kind = take_word(requirement);
    if (kind == "version") {
      if (auto checked = check_version(requirement); !checked) return checked;
    } else if (kind == "keyword") {
      const Keyword* keyword = find_keyword(requirement);
      if (keyword == nullptr || keyword->form == ValueForm::Unsupported) {
        return not_supported("asks for the keyword " + in_quotes(requirement));
      }
    } else if (kind != "feature" || (requirement != "geoip" && requirement != "ja4")) {
      return not_supported("asks for " +
                           in_quotes(std::string(kind) + " " + std::string(requirement)));
    }
  }
  return {};
}

constexpr std::array kKeywords{
    Keyword{"alert", read_alert, ValueForm::None},
    Keyword{"bypass", read_bypass, ValueForm::None},
    Keyword{"classtype", read_classtype, ValueForm::Required},
    Keyword{"config", read_without_effect, ValueForm::Required},
    Keyword{"gid", read_gid, ValueForm::Required},
    Keyword{"metadata", read_metadata, ValueForm::Required},
    Keyword{"msg", read_msg, ValueForm::Text},
    Keyword{"nfq_set_mark", read_without_effect, ValueForm::Required},
    Keyword{"noalert", read_noalert, ValueForm::None},
    Keyword{"prefilter", read_prefilter, ValueForm::None},
    Keyword{"priority", read_priority, ValueForm::Required},
    Keyword{"reference", read_reference, ValueForm::Required},
    Keyword{"requires", read_requires, ValueForm::Required},
    Keyword{"rev", read_rev, ValueForm::Required},
    Keyword{"sid", read_sid, ValueForm::Required},
    Keyword{"target", read_target, ValueForm::Required},
};

}  // namespace

std::span<const Keyword> meta_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
