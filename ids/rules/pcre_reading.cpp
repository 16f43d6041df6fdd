// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/pcre_reading.h"

#include <array>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

struct CompileFlag {
  char letter;
  uint32_t option;
};
constexpr std::array kCompileFlags{
    CompileFlag{'i', PCRE2_CASELESS},  CompileFlag{'s', PCRE2_DOTALL},
    CompileFlag{'m', PCRE2_MULTILINE}, CompileFlag{'x', PCRE2_EXTENDED},
    CompileFlag{'A', PCRE2_ANCHORED},  CompileFlag{'E', PCRE2_DOLLAR_ENDONLY},
    CompileFlag{'G', PCRE2_UNGREEDY},
};

struct BufferFlag {
  char letter;
  BufferId buffer;
};
constexpr std::array kBufferFlags{
    BufferFlag{'U', BufferId::HttpUri},         BufferFlag{'I', BufferId::HttpUriRaw},
    BufferFlag{'P', BufferId::HttpRequestBody}, BufferFlag{'Q', BufferId::HttpResponseBody},
    BufferFlag{'H', BufferId::HttpHeader},      BufferFlag{'D', BufferId::HttpHeaderRaw},
    BufferFlag{'M', BufferId::HttpMethod},      BufferFlag{'C', BufferId::HttpCookie},
    BufferFlag{'S', BufferId::HttpStatusCode},  BufferFlag{'Y', BufferId::HttpStatusMessage},
    BufferFlag{'V', BufferId::HttpUserAgent},   BufferFlag{'W', BufferId::HttpHost},
    BufferFlag{'Z', BufferId::HttpHostRaw},
};

Outcome read_flag(char letter, PcreText& result) {
  for (const CompileFlag& flag : kCompileFlags) {
    if (flag.letter == letter) {
      result.match.options |= flag.option;
      return {};
    }
  }
  for (const BufferFlag& flag : kBufferFlags) {
    if (flag.letter != letter) continue;
    if (result.buffer && *result.buffer != flag.buffer) {
      return wrong("has flags for two different buffers");
    }
    result.buffer = flag.buffer;
    return {};
  }
  if (letter == 'R') {
    result.match.relative = true;
    return {};
  }
  // Raw bytes are all there is, and match limits are the engine's own.
  if (letter == 'B' || letter == 'O') return {};
  return wrong(std::string("has the unknown flag '") + letter + "'");
}

Read<PcreCapture> read_capture(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view scope = trimmed(text.substr(0, std::min(colon, text.size())));
  const std::string_view name =
      colon == std::string_view::npos ? std::string_view{} : trimmed(text.substr(colon + 1));
  if ((scope != "pkt" && scope != "flow") || name.empty()) {
    return wrong("expects captures as pkt:NAME or flow:NAME, not " + in_quotes(text));
  }
  return PcreCapture{scope == "pkt" ? PcreCapture::Scope::Packet : PcreCapture::Scope::Flow,
                     std::string(name)};
}

// Names of groups that are kept: (?P<flow_NAME>...), (?P<pkt_NAME>...). The place of a capture is
// its group's number less one; groups between them have captures without a name.
std::vector<PcreCapture> named_captures(std::string_view pattern) {
  std::vector<PcreCapture> captures;
  size_t group = 0;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (in_class) {
      in_class = pattern[i] != ']';
    } else if (pattern[i] == '[') {
      in_class = true;
    } else if (pattern[i] == '(') {
      const std::string_view rest = pattern.substr(i + 1);
      const bool named =
          rest.starts_with("?P<") ||
          (rest.starts_with("?<") && !rest.starts_with("?<=") && !rest.starts_with("?<!"));
      if (!rest.starts_with('?') && !rest.starts_with('*')) ++group;
      if (!named) continue;
      ++group;
      const size_t begin = rest.find('<') + 1;
      const std::string_view name = rest.substr(begin, rest.find('>') - begin);
      const bool flow = name.starts_with("flow_");
      if (!flow && !name.starts_with("pkt_")) continue;
      captures.resize(group, PcreCapture{PcreCapture::Scope::Packet, {}});
      captures[group - 1] = {flow ? PcreCapture::Scope::Flow : PcreCapture::Scope::Packet,
                             std::string(name.substr(flow ? 5 : 4))};
    }
  }
  return captures;
}

}  // namespace

Read<PcreText> read_pcre(std::string_view text) {
  const size_t last = text.rfind('/');
  if (!text.starts_with('/') || last == 0) {
    return wrong("expects \"/PATTERN/FLAGS\", not " + in_quotes(text));
  }
  PcreText result;
  result.match.pattern = std::string(text.substr(1, last - 1));
  if (result.match.pattern.empty()) return wrong("has an empty pattern");
  result.match.captures = named_captures(result.match.pattern);
  const auto parts = split(text.substr(last + 1), ',');
  for (const char letter : parts[0]) {
    if (auto flag = read_flag(letter, result); !flag) return tl::unexpected(flag.error());
  }
  if (parts.size() > 1) result.match.captures.clear();
  for (size_t i = 1; i < parts.size(); ++i) {
    auto capture = read_capture(parts[i]);
    if (!capture) return tl::unexpected(capture.error());
    result.match.captures.push_back(std::move(*capture));
  }
  return result;
}

}  // namespace masugata::ids
