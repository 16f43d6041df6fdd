// SPDX-License-Identifier: GPL-2.0-or-later
// What rules remember of flows and hosts: flowbits, flowint, xbits, hostbits.
#include <algorithm>
#include <array>

#include "ids/rules/keyword.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

constexpr uint32_t kXbitsExpireSeconds = 30;
constexpr uint32_t kHostbitsExpireSeconds = 300;

// A name of a bit or counter: one word.
Outcome check_name(std::string_view name) {
  if (name.empty() || name.size() > 256 || name.find_first_of(" \t\"") != std::string_view::npos) {
    return wrong("expects a name of one word, not " + in_quotes(name));
  }
  return {};
}

template <class Operation>
std::optional<Operation> find_bit_operation(std::string_view text) noexcept {
  if (text == "set") return Operation::Set;
  if (text == "unset") return Operation::Unset;
  if (text == "toggle") return Operation::Toggle;
  if (text == "isset") return Operation::IsSet;
  if (text == "isnotset") return Operation::IsNotSet;
  return std::nullopt;
}

std::string unknown_operation(std::string_view text) {
  return "expects set, unset, toggle, isset, isnotset or noalert, not " + in_quotes(text);
}

Outcome read_flowbits(RuleDraft& draft, const KeywordUse& use) {
  const size_t comma = use.value.find(',');
  const std::string_view word = trimmed(use.value.substr(0, comma));
  if (word == "noalert") {
    if (comma != std::string_view::npos) return wrong("takes no name after noalert");
    draft.rule.no_alert = true;
    return {};
  }
  using Operation = FlowbitsMatch::Operation;
  const auto operation = find_bit_operation<Operation>(word);
  if (!operation) return wrong(unknown_operation(word));
  if (comma == std::string_view::npos) return wrong("expects OPERATION,NAME");
  FlowbitsMatch match;
  match.operation = *operation;
  const auto names = split(use.value.substr(comma + 1), '|');
  if (names.size() > 1 && *operation != Operation::IsSet && *operation != Operation::IsNotSet) {
    return wrong("takes several names with isset and isnotset only");
  }
  for (const std::string_view name : names) {
    if (auto checked = check_name(name); !checked) return checked;
    match.bits.push_back(draft.builder.flowbits.number_of(name));
  }
  draft.rule.conditions.emplace_back(std::move(match));
  return {};
}

// What the modifier of a flowint does, and whether a value follows.
bool read_flowint_modifier(std::string_view text, FlowintMatch& match) noexcept {
  using Operation = FlowintMatch::Operation;
  if (text == "isset") {
    match.operation = Operation::IsSet;
  } else if (text == "notset" || text == "isnotset") {
    match.operation = Operation::NotSet;
  } else if (text == "+") {
    match.operation = Operation::Add;
  } else if (text == "-") {
    match.operation = Operation::Subtract;
  } else if (text == "=") {
    match.operation = Operation::Set;
  } else if (const auto comparison = find_comparison(text); comparison && text != "!") {
    match.operation = Operation::Compare;
    match.comparison = *comparison;
  } else {
    return false;
  }
  return true;
}

Outcome read_flowint(RuleDraft& draft, const KeywordUse& use) {
  const auto parts = split(use.value, ',');
  if (parts.size() < 2) return wrong("expects NAME,OPERATION[,VALUE]");
  if (auto checked = check_name(parts[0]); !checked) return checked;
  FlowintMatch match;
  if (!read_flowint_modifier(parts[1], match)) {
    return wrong("expects one of + - = == != < > <= >= isset notset, not " + in_quotes(parts[1]));
  }
  const bool asks_only = match.operation == FlowintMatch::Operation::IsSet ||
                         match.operation == FlowintMatch::Operation::NotSet;
  if (parts.size() != (asks_only ? 2U : 3U)) {
    return wrong(asks_only ? "takes no value after isset or notset" : "expects one value");
  }
  match.variable = draft.builder.flowints.number_of(parts[0]);
  if (!asks_only) {
    if (const auto number = parse_unsigned(parts[2], UINT32_MAX)) {
      match.value = static_cast<uint32_t>(*number);
    } else {
      if (auto checked = check_name(parts[2]); !checked) return checked;
      match.other = draft.builder.flowints.number_of(parts[2]);
    }
  }
  draft.rule.conditions.emplace_back(match);
  return {};
}

std::optional<XbitsMatch::Track> find_track(std::string_view text) noexcept {
  using Track = XbitsMatch::Track;
  if (text == "ip_src") return Track::Source;
  if (text == "ip_dst") return Track::Destination;
  if (text == "ip_pair") return Track::Pair;
  if (text == "tx") return Track::Transaction;
  return std::nullopt;
}

Outcome read_expire(std::string_view text, uint32_t& seconds) {
  const auto number = read_number(text, UINT32_MAX);
  if (!number) return tl::unexpected(number.error());
  if (*number == 0) return wrong("expects to expire after 1 second or more");
  seconds = static_cast<uint32_t>(*number);
  return {};
}

// xbits:OPERATION,NAME,track WHO[,expire SECONDS]
Outcome read_xbits(RuleDraft& draft, const KeywordUse& use) {
  const auto parts = split(use.value, ',');
  if (parts[0] == "noalert" && parts.size() == 1) {
    draft.rule.no_alert = true;
    return {};
  }
  const auto operation = find_bit_operation<XbitsMatch::Operation>(parts[0]);
  if (!operation) return wrong(unknown_operation(parts[0]));
  if (parts.size() < 3) return wrong("expects OPERATION,NAME,track ip_src|ip_dst|ip_pair|tx");
  if (auto checked = check_name(parts[1]); !checked) return checked;
  XbitsMatch match;
  match.operation = *operation;
  match.expire_seconds = kXbitsExpireSeconds;
  bool has_track = false;
  for (size_t i = 2; i < parts.size(); ++i) {
    std::string_view rest = parts[i];
    const std::string_view word = take_word(rest);
    if (word == "track") {
      const auto track = find_track(rest);
      if (!track)
        return wrong("expects track ip_src, ip_dst, ip_pair or tx, not " + in_quotes(rest));
      match.track = *track;
      has_track = true;
    } else if (word == "expire") {
      if (auto done = read_expire(rest, match.expire_seconds); !done) return done;
    } else {
      return wrong("has the unknown option " + in_quotes(parts[i]));
    }
  }
  if (!has_track) return wrong("expects track ip_src, ip_dst, ip_pair or tx");
  match.bit = draft.builder.xbits.number_of(parts[1]);
  draft.rule.conditions.emplace_back(match);
  return {};
}

// hostbits:OPERATION,NAME[,src|dst|both[,SECONDS]]
Outcome read_hostbits(RuleDraft& draft, const KeywordUse& use) {
  const auto parts = split(use.value, ',');
  if (parts[0] == "noalert" && parts.size() == 1) {
    draft.rule.no_alert = true;
    return {};
  }
  const auto operation = find_bit_operation<XbitsMatch::Operation>(parts[0]);
  if (!operation) return wrong(unknown_operation(parts[0]));
  if (parts.size() < 2 || parts.size() > 4) return wrong("expects OPERATION,NAME[,src|dst|both]");
  if (auto checked = check_name(parts[1]); !checked) return checked;
  XbitsMatch match;
  match.operation = *operation;
  match.expire_seconds = kHostbitsExpireSeconds;
  if (parts.size() > 2) {
    if (parts[2] == "dst") {
      match.track = XbitsMatch::Track::Destination;
    } else if (parts[2] == "both") {
      match.track = XbitsMatch::Track::Both;
    } else if (parts[2] != "src") {
      return wrong("expects src, dst or both, not " + in_quotes(parts[2]));
    }
  }
  if (parts.size() > 3) {
    if (auto done = read_expire(parts[3], match.expire_seconds); !done) return done;
  }
  // Host bits are bits of their own: an xbit of the same name is another one.
  match.bit = draft.builder.xbits.number_of("host:" + std::string(parts[1]));
  draft.rule.conditions.emplace_back(match);
  return {};
}

constexpr std::array kKeywords{
    Keyword{"flowbits", read_flowbits, ValueForm::Required},
    Keyword{"flowint", read_flowint, ValueForm::Required},
    Keyword{"hostbits", read_hostbits, ValueForm::Required},
    Keyword{"xbits", read_xbits, ValueForm::Required},
};

}  // namespace

std::span<const Keyword> memory_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
