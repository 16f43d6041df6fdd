// SPDX-License-Identifier: GPL-2.0-or-later
// Flags and options of packet headers: tcp.flags, fragbits, ipopts, sameip.
#include <array>

#include "ids/rules/keyword.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

// "+", "*" or "!" before or after the letters; '=' or nothing is Exactly.
template <class Mode>
Mode take_mode(std::string_view& text) noexcept {
  const auto mode_of = [](char c) {
    if (c == '+') return Mode::AllOf;
    if (c == '*') return Mode::AnyOf;
    return Mode::Not;
  };
  constexpr std::string_view kModes = "+*!";
  Mode mode = Mode::Exactly;
  if (!text.empty() && kModes.find(text.front()) != std::string_view::npos) {
    mode = mode_of(text.front());
    text.remove_prefix(1);
  } else if (!text.empty() && kModes.find(text.back()) != std::string_view::npos) {
    mode = mode_of(text.back());
    text.remove_suffix(1);
  } else if (text.starts_with('=')) {
    text.remove_prefix(1);
  }
  text = trimmed(text);
  return mode;
}

// The bit of a letter in the TCP header's flags; 0 for other letters. 1 and 2 are the older names
// of the bits above URG.
uint8_t tcp_flag(char letter) noexcept {
  switch (letter) {
    case 'F':
    case 'f':
      return 0x01;
    case 'S':
    case 's':
      return 0x02;
    case 'R':
    case 'r':
      return 0x04;
    case 'P':
    case 'p':
      return 0x08;
    case 'A':
    case 'a':
      return 0x10;
    case 'U':
    case 'u':
      return 0x20;
    case 'E':
    case 'e':
    case '2':
      return 0x40;
    case 'C':
    case 'c':
    case '1':
      return 0x80;
    default:
      return 0;
  }
}

Read<uint8_t> read_flag_letters(std::string_view text) {
  uint8_t flags = 0;
  for (const char letter : text) {
    if (letter == '0') continue;
    const uint8_t flag = tcp_flag(letter);
    if (flag == 0) return wrong("expects letters of FSRPAUCE, not " + in_quotes(text));
    flags = static_cast<uint8_t>(flags | flag);
  }
  return flags;
}

Outcome read_tcp_flags(RuleDraft& draft, const KeywordUse& use) {
  TcpFlagsMatch match;
  const size_t comma = use.value.find(',');
  std::string_view letters = trimmed(use.value.substr(0, comma));
  match.mode = take_mode<TcpFlagsMatch::Mode>(letters);
  if (letters.empty()) return wrong("expects letters of FSRPAUCE, or 0");
  const auto flags = read_flag_letters(letters);
  if (!flags) return tl::unexpected(flags.error());
  match.flags = *flags;
  if (comma != std::string_view::npos) {
    const auto ignored = read_flag_letters(trimmed(use.value.substr(comma + 1)));
    if (!ignored) return tl::unexpected(ignored.error());
    match.ignored = *ignored;
  }
  draft.rule.conditions.emplace_back(match);
  return {};
}

Outcome read_fragbits(RuleDraft& draft, const KeywordUse& use) {
  FragmentBitsMatch match;
  std::string_view letters = use.value;
  match.mode = take_mode<FragmentBitsMatch::Mode>(letters);
  if (letters.empty()) return wrong("expects letters of MDR");
  for (const char letter : letters) {
    if (letter == 'M') {
      match.more_fragments = true;
    } else if (letter == 'D') {
      match.dont_fragment = true;
    } else if (letter == 'R') {
      match.reserved = true;
    } else {
      return wrong("expects letters of MDR, not " + in_quotes(letters));
    }
  }
  draft.rule.conditions.emplace_back(match);
  return {};
}

struct IpOptionName {
  std::string_view name;
  IpOption option;
};
constexpr std::array kIpOptions{
    IpOptionName{"rr", IpOption::RecordRoute},
    IpOptionName{"lsrr", IpOption::LooseSourceRoute},
    IpOptionName{"ssrr", IpOption::StrictSourceRoute},
    IpOptionName{"eol", IpOption::EndOfList},
    IpOptionName{"nop", IpOption::NoOperation},
    IpOptionName{"ts", IpOption::Timestamp},
    IpOptionName{"sec", IpOption::Security},
    IpOptionName{"esec", IpOption::ExtendedSecurity},
    IpOptionName{"satid", IpOption::StreamId},
    IpOptionName{"any", IpOption::Any},
};

Outcome read_ipopts(RuleDraft& draft, const KeywordUse& use) {
  for (const IpOptionName& each : kIpOptions) {
    if (same_ignoring_case(each.name, use.value)) {
      draft.rule.conditions.emplace_back(IpOptionsMatch{each.option});
      return {};
    }
  }
  return wrong("expects rr, lsrr, ssrr, eol, nop, ts, sec, esec, satid or any, not " +
               in_quotes(use.value));
}

Outcome read_sameip(RuleDraft& draft, const KeywordUse&) {
  draft.rule.conditions.emplace_back(SameIpMatch{});
  return {};
}

constexpr std::array kKeywords{
    Keyword{"flags", read_tcp_flags, ValueForm::Required},
    Keyword{"fragbits", read_fragbits, ValueForm::Required},
    Keyword{"ipopts", read_ipopts, ValueForm::Required},
    Keyword{"sameip", read_sameip, ValueForm::None},
    Keyword{"tcp.flags", read_tcp_flags, ValueForm::Required},
};

}  // namespace

std::span<const Keyword> packet_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
