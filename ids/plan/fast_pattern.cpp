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

// Payloads of rules over both directions are those of whichever side is judged.
bool searchable(const BufferMatches& buffer, bool transactional) {
  const BufferSource source = properties_of(buffer.buffer).source;
  if (source == BufferSource::Derived || source == BufferSource::Packet) {
    return false;
  }
  if (source == BufferSource::Stream &&
      (transactional || buffer.side.has_value() || !buffer.transforms.empty())) {
    return false;
  }
  return std::none_of(buffer.matches.begin(), buffer.matches.end(), [](const PayloadMatch& match) {
    return std::holds_alternative<BufferAbsent>(match);
  });
}

// The byte before which the content must end, when the rule says it in numbers.
uint32_t last_end_of(const ContentMatch& content) {
  const bool bound = content.depth || content.startswith;
  if (!bound || content.relative() || (content.depth && content.depth->variable) ||
      (content.offset && content.offset->variable)) {
    return PatternGroup::kAnywhere;
  }
  const auto size = static_cast<int64_t>(content.bytes.size());
  const int64_t begin = content.offset ? content.offset->number : 0;
  const int64_t end = begin + std::max(content.depth ? content.depth->number : size, size);
  return begin >= 0 && end < int64_t{PatternGroup::kAnywhere} ? static_cast<uint32_t>(end)
                                                              : PatternGroup::kAnywhere;
}

FastPattern pattern_of(const ContentMatch& content, size_t buffer) {
  std::string_view bytes = content.bytes;
  if (content.fast_pattern_length != 0 &&
      content.fast_pattern_offset + size_t{content.fast_pattern_length} <= bytes.size()) {
    bytes = bytes.substr(content.fast_pattern_offset, content.fast_pattern_length);
  }
  return {buffer, bytes, content.nocase, last_end_of(content)};
}

}  // namespace

std::optional<FastPattern> choose_fast_pattern(const Rule& rule) {
  std::optional<FastPattern> best;
  int best_score = -1;
  for (size_t i = 0; i < rule.buffers.size(); ++i) {
    if (!searchable(rule.buffers[i], rule.transactional)) {
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
