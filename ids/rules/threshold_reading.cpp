// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/threshold_reading.h"

#include <algorithm>

#include "ids/rules/text_reading.h"

namespace masugata::ids {

std::optional<ThresholdTrack> find_threshold_track(std::string_view text) noexcept {
  if (text == "by_src") return ThresholdTrack::Source;
  if (text == "by_dst") return ThresholdTrack::Destination;
  if (text == "by_both") return ThresholdTrack::Both;
  if (text == "by_rule") return ThresholdTrack::Rule;
  if (text == "by_flow") return ThresholdTrack::Flow;
  return std::nullopt;
}

std::optional<ThresholdKind> find_threshold_kind(std::string_view text) noexcept {
  if (text == "limit") return ThresholdKind::Limit;
  if (text == "threshold") return ThresholdKind::Threshold;
  if (text == "both") return ThresholdKind::Both;
  if (text == "backoff") return ThresholdKind::Backoff;
  return std::nullopt;
}

std::optional<uint32_t> parse_seconds(std::string_view text) noexcept {
  uint32_t unit = 1;
  if (!text.empty()) {
    switch (text.back()) {
      case 's':
        unit = 1;
        break;
      case 'm':
        unit = 60;
        break;
      case 'h':
        unit = 3600;
        break;
      case 'd':
        unit = 86400;
        break;
      case 'w':
        unit = 604800;
        break;
      default:
        unit = 0;
        break;
    }
  }
  if (unit != 0) {
    text = trimmed(text.substr(0, text.size() - std::min<size_t>(1, text.size())));
  } else {
    unit = 1;
  }
  const auto number = parse_unsigned(text, UINT32_MAX / unit);
  if (!number) return std::nullopt;
  return static_cast<uint32_t>(*number) * unit;
}

Read<bool> read_threshold_option(std::string_view option, Threshold& threshold) {
  std::string_view rest = option;
  const std::string_view word = take_word(rest);
  if (word == "type") {
    const auto kind = find_threshold_kind(rest);
    if (!kind)
      return wrong("expects type limit, threshold, both or backoff, not " + in_quotes(rest));
    threshold.kind = *kind;
    return true;
  }
  if (word == "track") {
    const auto track = find_threshold_track(rest);
    if (!track) {
      return wrong("expects track by_src, by_dst, by_both, by_rule or by_flow, not " +
                   in_quotes(rest));
    }
    threshold.track = *track;
    return true;
  }
  if (word == "seconds") {
    const auto seconds = parse_seconds(rest);
    if (!seconds || *seconds == 0)
      return wrong("expects seconds from 1 on, not " + in_quotes(rest));
    threshold.seconds = *seconds;
    return true;
  }
  if (word != "count" && word != "multiplier") return false;
  const auto number = read_number(rest, UINT32_MAX);
  if (!number) return tl::unexpected(number.error());
  if (*number == 0) return wrong("expects a " + std::string(word) + " from 1 on");
  (word == "count" ? threshold.count : threshold.multiplier) = static_cast<uint32_t>(*number);
  return true;
}

Read<Threshold> read_threshold(const std::vector<std::string_view>& options, ThresholdKind kind) {
  Threshold threshold;
  bool has_track = false;
  for (const std::string_view option : options) {
    const auto taken = read_threshold_option(option, threshold);
    if (!taken) return tl::unexpected(taken.error());
    if (!*taken) return wrong("has the unknown option " + in_quotes(option));
    has_track = has_track || option.starts_with("track");
  }
  if (kind != ThresholdKind::None) {
    if (threshold.kind != ThresholdKind::None) return wrong("takes no type");
    threshold.kind = kind;
  }
  if (threshold.kind == ThresholdKind::None) return wrong("expects a type");
  if (!has_track) return wrong("expects a track");
  if (threshold.count == 0) return wrong("expects a count");
  if (threshold.kind == ThresholdKind::Backoff) {
    if (threshold.track != ThresholdTrack::Flow || threshold.multiplier == 0) {
      return wrong("expects track by_flow and a multiplier with type backoff");
    }
  } else if (threshold.seconds == 0) {
    return wrong("expects seconds");
  }
  return threshold;
}

}  // namespace masugata::ids
