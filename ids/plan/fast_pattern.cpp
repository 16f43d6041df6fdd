// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/plan/fast_pattern.h"

#include <algorithm>
#include <bitset>

namespace masugata::ids {
namespace {

// Buffers whose values repeat in nearly every transaction tell little.
int usefulness_of(BufferId buffer) {
  switch (buffer) {
    case BufferId::Payload:
      return 0;
    case BufferId::HttpMethod:
    case BufferId::HttpProtocol:
    case BufferId::HttpStatusCode:
    case BufferId::HttpStatusMessage:
    case BufferId::HttpConnection:
    case BufferId::FtpCommand:
      return 1;
    case BufferId::HttpHeaderNames:
    case BufferId::HttpAcceptEncoding:
    case BufferId::HttpAcceptLanguage:
    case BufferId::HttpAccept:
    case BufferId::HttpContentLength:
    case BufferId::HttpContentType:
      return 2;
    case BufferId::HttpHeader:
    case BufferId::HttpHeaderRaw:
    case BufferId::HttpStart:
    case BufferId::HttpRequestLine:
    case BufferId::HttpResponseLine:
      return 3;
    default:
      return 4;
  }
}

// How unlikely the bytes are in traffic that is not meant: distinct bytes count more than length,
// zeros and spaces hardly at all.
int weight_of(std::string_view bytes) {
  std::bitset<256> seen;
  int weight = 0;
  for (const char letter : bytes.substr(0, PatternGroup::kLongestLiteral)) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool common = byte == 0 || byte == 0xff || byte == ' ' || byte == '\r' || byte == '\n';
    if (!seen.test(byte)) {
      weight += common ? 1 : 4;
      seen.set(byte);
    } else {
      weight += common ? 0 : 1;
    }
  }
  return weight;
}

bool searchable(const BufferMatches& buffer, RuleKind kind) {
  const BufferSource source = properties_of(buffer.buffer).source;
  if (source == BufferSource::Derived || source == BufferSource::Packet) {
    return false;
  }
  if (source == BufferSource::Stream &&
      (kind == RuleKind::Transaction || !buffer.transforms.empty())) {
    return false;
  }
  return std::none_of(buffer.matches.begin(), buffer.matches.end(), [](const PayloadMatch& match) {
    return std::holds_alternative<BufferAbsent>(match);
  });
}

FastPattern pattern_of(const ContentMatch& content, size_t buffer) {
  std::string_view bytes = content.bytes;
  if (content.fast_pattern_length != 0 &&
      content.fast_pattern_offset + size_t{content.fast_pattern_length} <= bytes.size()) {
    bytes = bytes.substr(content.fast_pattern_offset, content.fast_pattern_length);
  }
  return {buffer, bytes, content.nocase};
}

}  // namespace

std::optional<FastPattern> choose_fast_pattern(const Rule& rule, RuleKind kind) {
  std::optional<FastPattern> best;
  int best_score = -1;
  for (size_t i = 0; i < rule.buffers.size(); ++i) {
    if (!searchable(rule.buffers[i], kind)) {
      continue;
    }
    for (const PayloadMatch& match : rule.buffers[i].matches) {
      const auto* content = std::get_if<ContentMatch>(&match);
      if (content == nullptr || content->negated || content->bytes.empty()) {
        continue;
      }
      const FastPattern pattern = pattern_of(*content, i);
      if (content->fast_pattern) {
        return pattern;
      }
      const int weight = weight_of(pattern.bytes);
      // A single letter of a good buffer is found more often than a word of a poor one.
      const int score = weight * 8 + (weight >= 12 ? usefulness_of(rule.buffers[i].buffer) * 40
                                                   : usefulness_of(rule.buffers[i].buffer));
      if (score > best_score) {
        best_score = score;
        best = pattern;
      }
    }
  }
  return best;
}

}  // namespace masugata::ids
