// SPDX-License-Identifier: GPL-2.0-or-later
// flow, app-layer-protocol and the three kinds of events.
#include <array>

#include "ids/protocols/events.h"
#include "ids/rules/application_names.h"
#include "ids/rules/keyword.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

Outcome set_direction(RuleDraft& draft, Direction direction) {
  if (draft.rule.direction && *draft.rule.direction != direction) {
    return wrong("asks for both directions at once");
  }
  draft.rule.direction = direction;
  return {};
}

Outcome set_established(FlowMatch& match, bool established) {
  if (match.established && *match.established != established) {
    return wrong("asks for established and not_established at once");
  }
  match.established = established;
  return {};
}

Outcome read_flow_option(RuleDraft& draft, std::string_view option, FlowMatch& match) {
  if (option == "to_server" || option == "from_client") {
    return set_direction(draft, Direction::ToServer);
  }
  if (option == "to_client" || option == "from_server") {
    return set_direction(draft, Direction::ToClient);
  }
  if (option == "established") return set_established(match, true);
  if (option == "not_established") return set_established(match, false);
  if (option == "stateless") {
    match.stateless = true;
  } else if (option == "only_stream") {
    match.only_stream = true;
  } else if (option == "no_stream") {
    match.no_stream = true;
  } else if (option == "only_frag") {
    match.only_fragment = true;
  } else if (option == "no_frag") {
    match.no_fragment = true;
  } else {
    return wrong("has the unknown option " + in_quotes(option));
  }
  return {};
}

Outcome read_flow(RuleDraft& draft, const KeywordUse& use) {
  if (draft.has_flow) return wrong("stands twice");
  draft.has_flow = true;
  FlowMatch match;
  for (const std::string_view option : split(use.value, ',')) {
    if (auto done = read_flow_option(draft, option, match); !done) return done;
  }
  if (match.only_stream && match.no_stream) return wrong("asks for only_stream and no_stream");
  if (match.only_fragment && match.no_fragment) return wrong("asks for only_frag and no_frag");
  if (match.stateless && match.established) {
    return wrong("asks for stateless and a state at once");
  }
  draft.rule.conditions.emplace_back(match);
  return {};
}

std::optional<ApplicationProtocolMatch::Mode> find_mode(std::string_view text) noexcept {
  using Mode = ApplicationProtocolMatch::Mode;
  if (text == "final") return Mode::Final;
  if (text == "either") return Mode::Either;
  if (text == "to_server" || text == "toserver") return Mode::ToServer;
  if (text == "to_client" || text == "toclient") return Mode::ToClient;
  if (text == "original") return Mode::Original;
  return std::nullopt;
}

// app-layer-protocol:[!]NAME[,MODE]
Outcome read_app_layer_protocol(RuleDraft& draft, const KeywordUse& use) {
  const size_t comma = use.value.find(',');
  ApplicationProtocolMatch match;
  match.negated = use.negated;
  match.name = lowercase(trimmed(use.value.substr(0, comma)));
  if (comma != std::string_view::npos) {
    const std::string_view mode = trimmed(use.value.substr(comma + 1));
    const auto found = find_mode(mode);
    if (!found) {
      return wrong("expects final, either, to_server, to_client or original, not " +
                   in_quotes(mode));
    }
    match.mode = *found;
  }
  if (match.name == "failed") {
    match.protocol = ApplicationProtocol::Failed;
  } else if (match.name != "unknown") {
    const auto protocol = find_application(match.name);
    if (!protocol && !is_application_elsewhere(match.name)) {
      return wrong("names the unknown protocol " + in_quotes(match.name));
    }
    match.protocol = protocol.value_or(ApplicationProtocol::Unknown);
    if (draft.rule.protocol == RuleProtocol::Application && !match.negated) {
      return wrong("repeats what the protocol of the header says");
    }
  }
  draft.rule.conditions.emplace_back(std::move(match));
  return {};
}

Outcome read_app_layer_event(RuleDraft& draft, const KeywordUse& use) {
  EventMatch match{EventKind::Application, ApplicationProtocol::Unknown, 0};
  const size_t dot = use.value.find('.');
  std::string_view name = use.value;
  if (dot != std::string_view::npos) {
    const auto protocol = find_application(lowercase(use.value.substr(0, dot)));
    if (!protocol) {
      if (is_application_elsewhere(lowercase(use.value.substr(0, dot)))) {
        return not_supported("knows no events of " + in_quotes(use.value.substr(0, dot)));
      }
      return wrong("names the unknown protocol " + in_quotes(use.value.substr(0, dot)));
    }
    match.protocol = *protocol;
    name = use.value.substr(dot + 1);
  }
  const auto event = find_event(application_events(match.protocol), name);
  if (!event) return not_supported("knows no event " + in_quotes(use.value));
  match.event = *event;
  draft.rule.conditions.emplace_back(match);
  return {};
}

Outcome read_decode_event(RuleDraft& draft, const KeywordUse& use) {
  const auto event = find_event(decode_events(), use.value);
  if (!event) return not_supported("knows no event " + in_quotes(use.value));
  draft.rule.conditions.emplace_back(
      EventMatch{EventKind::Decode, ApplicationProtocol::Unknown, *event});
  return {};
}

Outcome read_stream_event(RuleDraft& draft, const KeywordUse& use) {
  const std::string_view name = use.value.starts_with("stream.") ? use.value.substr(7) : use.value;
  const auto event = find_event(stream_events(), name);
  if (!event) return not_supported("knows no event " + in_quotes(use.value));
  draft.rule.conditions.emplace_back(
      EventMatch{EventKind::Stream, ApplicationProtocol::Unknown, *event});
  return {};
}

// engine-event names all packet and stream events, with "decoder." or "stream." before them.
Outcome read_engine_event(RuleDraft& draft, const KeywordUse& use) {
  constexpr std::string_view kDecoder = "decoder.";
  if (use.value.starts_with("stream.")) return read_stream_event(draft, use);
  if (!use.value.starts_with(kDecoder)) return read_decode_event(draft, use);
  return read_decode_event(draft, {use.keyword, use.value.substr(kDecoder.size()), use.negated});
}

constexpr std::array kKeywords{
    Keyword{"app-layer-event", read_app_layer_event, ValueForm::Required},
    Keyword{"app-layer-protocol", read_app_layer_protocol, ValueForm::Pattern},
    Keyword{"decode-event", read_decode_event, ValueForm::Required},
    Keyword{"engine-event", read_engine_event, ValueForm::Required},
    Keyword{"flow", read_flow, ValueForm::Required},
    Keyword{"stream-event", read_stream_event, ValueForm::Required},
};

}  // namespace

std::span<const Keyword> flow_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
