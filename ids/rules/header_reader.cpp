// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/rules/header_reader.h"

#include <array>

#include "ids/rules/application_names.h"
#include "ids/rules/hooks.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

struct ActionName {
  std::string_view name;
  RuleAction action;
};
constexpr std::array kActions{
    ActionName{"alert", RuleAction::Alert},
    ActionName{"drop", RuleAction::Drop},
    ActionName{"pass", RuleAction::Pass},
    ActionName{"reject", RuleAction::RejectSource},
    ActionName{"rejectsrc", RuleAction::RejectSource},
    ActionName{"rejectdst", RuleAction::RejectDestination},
    ActionName{"rejectboth", RuleAction::RejectBoth},
};

Outcome read_action(Rule& rule, std::string_view word) {
  for (const ActionName& each : kActions) {
    if (each.name == word) {
      rule.action = each.action;
      return {};
    }
  }
  // A config rule never alerts; what it configures are events, which profiles choose here.
  if (word == "config") {
    rule.no_alert = true;
    return {};
  }
  if (word == "accept" || word == "bypass") {
    return not_supported("has the action " + in_quotes(word) + ", which is not supported");
  }
  return wrong(
      "expects an action (alert, drop, pass, reject, rejectsrc, rejectdst, rejectboth), not " +
      in_quotes(word));
}

struct ProtocolWord {
  std::string_view name;
  RuleProtocol protocol;
};
constexpr std::array kProtocols{
    ProtocolWord{"ip", RuleProtocol::Ip},
    ProtocolWord{"any", RuleProtocol::Ip},
    ProtocolWord{"tcp", RuleProtocol::Tcp},
    ProtocolWord{"udp", RuleProtocol::Udp},
    ProtocolWord{"icmp", RuleProtocol::Icmp},
    ProtocolWord{"icmpv4", RuleProtocol::Icmp},
    ProtocolWord{"icmp4", RuleProtocol::Icmp},
    ProtocolWord{"icmpv6", RuleProtocol::Icmpv6},
    ProtocolWord{"icmp6", RuleProtocol::Icmpv6},
    ProtocolWord{"ipv6-icmp", RuleProtocol::Icmpv6},
    ProtocolWord{"sctp", RuleProtocol::Sctp},
    ProtocolWord{"gre", RuleProtocol::Gre},
    ProtocolWord{"tcp-pkt", RuleProtocol::TcpPacket},
    ProtocolWord{"tcp-stream", RuleProtocol::TcpStream},
    ProtocolWord{"pkthdr", RuleProtocol::PacketHeader},
    ProtocolWord{"ip4", RuleProtocol::Ipv4},
    ProtocolWord{"ipv4", RuleProtocol::Ipv4},
    ProtocolWord{"ip6", RuleProtocol::Ipv6},
    ProtocolWord{"ipv6", RuleProtocol::Ipv6},
};

Outcome read_protocol_name(Rule& rule, const std::string& name) {
  constexpr uint64_t kIcmpv4 = 1;
  for (const ProtocolWord& each : kProtocols) {
    if (each.name != name) continue;
    rule.protocol = each.protocol;
    if (name == "icmpv4" || name == "icmp4") {
      rule.conditions.emplace_back(
          NumberMatch{NumberField::IpProtocol, Comparison::Equal, kIcmpv4, 0, false, std::nullopt});
    }
    return {};
  }
  if (const auto application = find_application(name)) {
    rule.protocol = RuleProtocol::Application;
    rule.application = *application;
    return {};
  }
  if (is_application_elsewhere(name) || name == "esp" || name == "ether" || name == "arp" ||
      name == "igmp") {
    return not_supported("has the protocol " + in_quotes(name) + ", which is not supported");
  }
  return wrong("has the unknown protocol " + in_quotes(name));
}

Outcome read_protocol(Rule& rule, std::string_view word) {
  const std::string text = lowercase(word);
  const size_t colon = text.find(':');
  if (auto done = read_protocol_name(rule, text.substr(0, colon)); !done) return done;
  if (colon == std::string::npos) return {};
  rule.hook = text.substr(colon + 1);
  const auto hook = find_hook(rule.protocol, rule.application, rule.hook);
  if (!hook) return not_supported("has the hook " + in_quotes(text) + ", which is not supported");
  if (hook->direction) rule.direction = hook->direction;
  return {};
}

Outcome read_groups(RuleDraft& draft, const std::vector<std::string_view>& words) {
  Rule& rule = draft.rule;
  const auto assign = [](const Read<uint32_t>& index, uint32_t& target,
                         const char* what) -> Outcome {
    if (!index) {
      return tl::unexpected(
          KeywordFault{std::string(what) + " " + index.error().reason, index.error().unsupported});
    }
    target = *index;
    return {};
  };
  if (auto done = assign(draft.builder.addresses(words[2]), rule.source, "source"); !done) {
    return done;
  }
  if (auto done = assign(draft.builder.ports(words[3]), rule.source_port, "source port"); !done) {
    return done;
  }
  if (auto done = assign(draft.builder.addresses(words[5]), rule.destination, "destination");
      !done) {
    return done;
  }
  return assign(draft.builder.ports(words[6]), rule.destination_port, "destination port");
}

}  // namespace

Outcome read_header(RuleDraft& draft, const std::vector<std::string_view>& words) {
  if (words.empty()) return wrong("is missing");
  if (auto done = read_action(draft.rule, words[0]); !done) return done;
  if (words.size() != 7) {
    return wrong("expects ACTION PROTOCOL SOURCE PORT -> DESTINATION PORT, not " +
                 std::to_string(words.size()) + " words");
  }
  if (auto done = read_protocol(draft.rule, words[1]); !done) return done;
  if (words[4] == "<>") {
    draft.rule.bidirectional = true;
  } else if (words[4] == "=>") {
    draft.rule.transactional = true;
  } else if (words[4] != "->") {
    return wrong("expects '->', '<>' or '=>', not " + in_quotes(words[4]));
  }
  if (draft.rule.transactional && draft.rule.protocol != RuleProtocol::Application) {
    return wrong("has '=>', which needs an application protocol");
  }
  return read_groups(draft, words);
}

}  // namespace masugata::ids
