// SPDX-License-Identifier: GPL-2.0-or-later
// threshold, detection_filter and tag.
#include <algorithm>
#include <array>

#include "ids/rules/keyword.h"
#include "ids/rules/text_reading.h"
#include "ids/rules/threshold_reading.h"

namespace masugata::ids {
namespace {

constexpr uint32_t kTagPackets = 256;  // of a tag that names no count

bool has_threshold(const Rule& rule, bool filter) noexcept {
  return std::any_of(rule.thresholds.begin(), rule.thresholds.end(), [filter](const Threshold& t) {
    return (t.kind == ThresholdKind::DetectionFilter) == filter;
  });
}

Outcome read_threshold_keyword(RuleDraft& draft, const KeywordUse& use) {
  if (has_threshold(draft.rule, false)) return wrong("stands twice");
  auto threshold = read_threshold(split(use.value, ','), ThresholdKind::None);
  if (!threshold) return tl::unexpected(threshold.error());
  draft.rule.thresholds.push_back(*threshold);
  return {};
}

Outcome read_detection_filter(RuleDraft& draft, const KeywordUse& use) {
  if (has_threshold(draft.rule, true)) return wrong("stands twice");
  auto threshold = read_threshold(split(use.value, ','), ThresholdKind::DetectionFilter);
  if (!threshold) return tl::unexpected(threshold.error());
  draft.rule.thresholds.push_back(*threshold);
  return {};
}

Outcome read_tag_unit(Rule& rule, std::string_view text) {
  if (text == "packets") {
    rule.tag_unit = Rule::TagUnit::Packets;
  } else if (text == "seconds") {
    rule.tag_unit = Rule::TagUnit::Seconds;
  } else if (text == "bytes") {
    rule.tag_unit = Rule::TagUnit::Bytes;
  } else {
    return wrong("expects packets, seconds or bytes, not " + in_quotes(text));
  }
  return {};
}

// tag:session|host[,COUNT,packets|seconds|bytes[,src|dst]]. A rule keeps the first tag by host and
// otherwise the last: a rule holds one tag.
Outcome read_tag(RuleDraft& draft, const KeywordUse& use) {
  const auto parts = split(use.value, ',');
  const bool host = parts[0] == "host";
  if (!host && parts[0] != "session") {
    return wrong("expects session or host, not " + in_quotes(parts[0]));
  }
  if (parts.size() == 2 || parts.size() > 4)
    return wrong("expects COUNT,UNIT after " + in_quotes(parts[0]));
  Rule tagged;
  tagged.tag_count = kTagPackets;
  if (parts.size() > 2) {
    const auto count = read_number(parts[1], UINT32_MAX);
    if (!count) return tl::unexpected(count.error());
    if (*count == 0) return wrong("expects a count from 1 on");
    tagged.tag_count = static_cast<uint32_t>(*count);
    if (auto done = read_tag_unit(tagged, parts[2]); !done) return done;
  }
  if (parts.size() > 3 && (!host || (parts[3] != "src" && parts[3] != "dst"))) {
    return wrong(host ? "expects src or dst, not " + in_quotes(parts[3])
                      : std::string("takes src or dst with host only"));
  }
  if (host) {
    if (parts.size() < 4) return wrong("expects src or dst with host");
    tagged.tag_scope =
        parts[3] == "src" ? Rule::TagScope::HostSource : Rule::TagScope::HostDestination;
  }
  Rule& rule = draft.rule;
  if (rule.tagged && !host) return {};
  rule.tagged = true;
  rule.tag_count = tagged.tag_count;
  rule.tag_unit = tagged.tag_unit;
  rule.tag_scope = tagged.tag_scope;
  return {};
}

constexpr std::array kKeywords{
    Keyword{"detection_filter", read_detection_filter, ValueForm::Required},
    Keyword{"tag", read_tag, ValueForm::Required},
    Keyword{"threshold", read_threshold_keyword, ValueForm::Required},
};

}  // namespace

std::span<const Keyword> limit_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
