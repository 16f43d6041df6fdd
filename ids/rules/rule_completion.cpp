// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/rule_completion.h"

#include <algorithm>

#include "ids/buffers/buffer_properties.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

bool is_shorter(const std::optional<Operand>& bound, size_t size) noexcept {
  return bound && !bound->variable && bound->number < static_cast<int64_t>(size);
}

Outcome check_content(const ContentMatch& content, std::string& keyword) {
  keyword = "content";
  const bool absolute = content.offset || content.depth;
  if (content.relative() && absolute) {
    return wrong("cannot have distance or within together with offset or depth");
  }
  if (content.startswith && (content.relative() || absolute)) {
    keyword = "startswith";
    return wrong("cannot stand with depth, offset, distance or within");
  }
  if (is_shorter(content.depth, content.bytes.size())) {
    keyword = "depth";
    return wrong("is smaller than its content of " + std::to_string(content.bytes.size()) +
                 " bytes");
  }
  if (is_shorter(content.within, content.bytes.size())) {
    keyword = "within";
    return wrong("is smaller than its content of " + std::to_string(content.bytes.size()) +
                 " bytes");
  }
  if (content.fast_pattern_only && (content.negated || content.relative() || absolute)) {
    keyword = "fast_pattern";
    return wrong("cannot be 'only' for a content that is negated or has a position");
  }
  return {};
}

Outcome check_contents(const Rule& rule, std::string& keyword) {
  size_t fast_patterns = 0;
  for (const BufferMatches& buffer : rule.buffers) {
    for (const PayloadMatch& match : buffer.matches) {
      const auto* content = std::get_if<ContentMatch>(&match);
      if (content == nullptr) continue;
      if (auto done = check_content(*content, keyword); !done) return done;
      fast_patterns += content->fast_pattern && !rule.prefilter ? 1U : 0U;
    }
  }
  if (fast_patterns > 1) {
    keyword = "fast_pattern";
    return wrong("stands for more than one content of the rule");
  }
  return {};
}

// Protocols whose transactions carry files.
bool carries_files(ApplicationProtocol protocol) noexcept {
  switch (protocol) {
    case ApplicationProtocol::Tls:
    case ApplicationProtocol::Dns:
    case ApplicationProtocol::Ssh:
      return false;
    default:
      return true;
  }
}

bool can_carry_applications(RuleProtocol protocol) noexcept {
  switch (protocol) {
    case RuleProtocol::Ip:
    case RuleProtocol::Ipv4:
    case RuleProtocol::Ipv6:
    case RuleProtocol::Tcp:
    case RuleProtocol::Udp:
    case RuleProtocol::TcpStream:
    case RuleProtocol::Application:
      return true;
    default:
      return false;
  }
}

// HTTP/2 rules may use HTTP's buffers, QUIC rules those of the TLS handshake inside.
bool may_use(ApplicationProtocol application, ApplicationProtocol buffer) noexcept {
  if (application == buffer) return true;
  if (application == ApplicationProtocol::Http2) return buffer == ApplicationProtocol::Http;
  if (application == ApplicationProtocol::Quic) return buffer == ApplicationProtocol::Tls;
  return false;
}

Outcome infer_application(Rule& rule, std::string& keyword) {
  for (const BufferMatches& matches : rule.buffers) {
    const BufferProperties& properties = properties_of(matches.buffer);
    keyword = std::string(properties.name);
    const bool of_files = properties.source == BufferSource::File ||
                          matches.buffer == BufferId::FileName ||
                          matches.buffer == BufferId::FileMagic;
    if (of_files && !carries_files(rule.application)) {
      return wrong("cannot be used with " + std::string(protocol_name(rule.application)) +
                   ", which carries no files");
    }
    if (properties.protocol == ApplicationProtocol::Unknown) continue;
    if (!can_carry_applications(rule.protocol)) {
      return wrong("needs a rule for tcp, udp, ip or " +
                   std::string(protocol_name(properties.protocol)));
    }
    if (rule.application == ApplicationProtocol::Unknown) rule.application = properties.protocol;
    if (!may_use(rule.application, properties.protocol)) {
      return wrong("belongs to " + std::string(protocol_name(properties.protocol)) +
                   ", the rule to " + std::string(protocol_name(rule.application)));
    }
  }
  return {};
}

std::optional<Direction> direction_of(BufferSide side) noexcept {
  if (side == BufferSide::ToServer) return Direction::ToServer;
  if (side == BufferSide::ToClient) return Direction::ToClient;
  return std::nullopt;
}

// In `=>` rules each buffer has a side of its own; those that both sides have are looked for on
// the request unless the rule says otherwise.
Outcome settle_sides(Rule& rule, std::string& keyword) {
  for (BufferMatches& matches : rule.buffers) {
    const BufferProperties& properties = properties_of(matches.buffer);
    const auto fixed = direction_of(properties.side);
    if (fixed && matches.side && *matches.side != *fixed &&
        properties.protocol != ApplicationProtocol::Unknown) {
      // Set by a bidir keyword that was meant for the buffers after this one's kind.
      matches.side = fixed;
    }
    if (fixed) {
      matches.side = fixed;
    } else if (!matches.side && properties.source == BufferSource::Transaction) {
      keyword = std::string(properties.name);
      return wrong("exists in both directions: say to_server or to_client in a rule with '=>'");
    }
  }
  return {};
}

Outcome infer_direction(Rule& rule, std::string& keyword) {
  if (rule.transactional) {
    if (rule.direction && rule.hook.empty()) {
      keyword = "flow";
      return wrong("cannot name a direction in a rule with '=>'");
    }
    return settle_sides(rule, keyword);
  }
  bool from_buffer = false;
  for (const BufferMatches& matches : rule.buffers) {
    const BufferProperties& properties = properties_of(matches.buffer);
    const auto side = direction_of(properties.side);
    if (!side) continue;
    if (rule.direction && *rule.direction != *side) {
      keyword = std::string(properties.name);
      return wrong(from_buffer ? "is of the other direction than a buffer before it; use '=>'"
                               : "is of the other direction than flow says");
    }
    from_buffer = from_buffer || !rule.direction;
    rule.direction = side;
  }
  return {};
}

void settle_priority(RuleDraft& draft) {
  Rule& rule = draft.rule;
  if (!rule.classtype.empty()) {
    // An unknown class keeps the rule: sets are often newer than classification.config.
    if (const RuleClass* found = draft.builder.find_class(rule.classtype)) {
      rule.classification = found->description;
      rule.priority = found->priority;
    }
  }
  rule.priority = draft.stated_priority.value_or(rule.priority);
}

Outcome check_base64(const Rule& rule, std::string& keyword) {
  bool decoded = false;
  bool used = false;
  for (const BufferMatches& matches : rule.buffers) {
    used = used || matches.buffer == BufferId::Base64Data;
    for (const PayloadMatch& match : matches.matches) {
      decoded = decoded || std::holds_alternative<Base64Decode>(match);
    }
  }
  if (used && !decoded) {
    keyword = "base64_data";
    return wrong("expects a base64_decode in the rule");
  }
  return {};
}

}  // namespace

Outcome complete_rule(RuleDraft& draft, std::string& keyword) {
  Rule& rule = draft.rule;
  if (!draft.has_sid) {
    keyword = "sid";
    return wrong("is missing");
  }
  if (auto done = draft.check_buffers_used(); !done) {
    keyword = std::string(properties_of(draft.current_buffer()).name);
    return done;
  }
  // Older modifiers have moved their contents away.
  std::erase_if(rule.buffers, [](const BufferMatches& each) { return each.matches.empty(); });
  if (auto done = check_contents(rule, keyword); !done) return done;
  if (auto done = check_base64(rule, keyword); !done) return done;
  if (auto done = infer_application(rule, keyword); !done) return done;
  if (auto done = infer_direction(rule, keyword); !done) return done;
  settle_priority(draft);
  return {};
}

}  // namespace masugata::ids
