// SPDX-License-Identifier: GPL-2.0-or-later
// byte_test, byte_jump, byte_extract, byte_math, base64_decode.
#include <algorithm>
#include <array>

#include "ids/rules/keyword.h"
#include "ids/rules/text_reading.h"

namespace masugata::ids {
namespace {

constexpr int64_t kMaximumBinaryBytes = 8;
constexpr int64_t kMaximumTextBytes = 23;
constexpr int64_t kMaximumOffset = INT32_MAX;
constexpr int64_t kMaximumPostOffset = 65535;

template <class Match>
void add_match(RuleDraft& draft, Match match) {
  if (match.reading.relative) {
    draft.add_relative(std::move(match));
  } else {
    draft.add(std::move(match));
  }
}

std::optional<NumberBase> find_base(std::string_view word) noexcept {
  if (word == "hex") return NumberBase::Hexadecimal;
  if (word == "dec") return NumberBase::Decimal;
  if (word == "oct") return NumberBase::Octal;
  return std::nullopt;
}

// Options that all four keywords have. `word` is the whole option, "bitmask 0xff" or "string".
// `as_text` remembers that `string` was seen: its base comes in an option of its own or after it.
struct ReadingOptions {
  NumberReading& reading;
  bool as_text = false;

  // false: the option is none of these.
  [[nodiscard]] Read<bool> take(std::string_view option) {
    std::string_view rest = option;
    const std::string_view word = take_word(rest);
    if (word == "relative" && rest.empty()) {
      reading.relative = true;
    } else if (word == "endian") {
      if (rest == "dce") {
        reading.dce = true;
        return true;
      }
      if (rest != "big" && rest != "little") return wrong("expects endian big or endian little");
      reading.little_endian = rest == "little";
    } else if ((word == "big" || word == "little") && rest.empty()) {
      reading.little_endian = word == "little";
    } else if (word == "dce" && rest.empty()) {
      reading.dce = true;
    } else if (word == "string") {
      as_text = true;
      if (reading.base == NumberBase::Binary) reading.base = NumberBase::Decimal;
      if (rest.empty()) return true;
      const auto base = find_base(rest);
      if (!base) return wrong("expects string hex, string dec or string oct");
      reading.base = *base;
    } else if (const auto base = find_base(word); base && rest.empty()) {
      reading.base = *base;
    } else if (word == "bitmask") {
      const auto mask = parse_hex_or_number(rest);
      if (!mask || *mask == 0) return wrong("expects bitmask 0xN, not " + in_quotes(option));
      reading.bitmask = *mask;
    } else {
      return false;
    }
    return true;
  }

  [[nodiscard]] Outcome check() const {
    if (reading.base != NumberBase::Binary && !as_text) {
      return wrong("expects 'string' with hex, dec or oct");
    }
    if (reading.dce && as_text) return wrong("cannot combine dce with string");
    const int64_t maximum = as_text ? kMaximumTextBytes : kMaximumBinaryBytes;
    if (!reading.byte_count.variable && reading.byte_count.number > maximum) {
      return wrong("reads at most " + std::to_string(maximum) + " bytes, not " +
                   std::to_string(reading.byte_count.number));
    }
    return {};
  }

 private:
  // A bitmask is hexadecimal with or without 0x.
  static std::optional<uint64_t> parse_hex_or_number(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X")) return parse_unsigned(text, UINT32_MAX);
    return parse_unsigned("0x" + std::string(text), UINT32_MAX);
  }
};

Outcome read_count_and_offset(const RuleDraft& draft, std::string_view count,
                              std::string_view offset, NumberReading& reading) {
  const auto bytes = draft.operand(count, 0, kMaximumTextBytes);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto place = draft.operand(offset, -kMaximumOffset, kMaximumOffset);
  if (!place) return tl::unexpected(place.error());
  reading.byte_count = *bytes;
  reading.offset = *place;
  return {};
}

Outcome unknown_option(std::string_view option) {
  return wrong("has the unknown option " + in_quotes(option));
}

// ---- byte_test:COUNT,[!]OPERATOR,VALUE,OFFSET[,options] ----

Outcome read_operator(std::string_view text, ByteTest& test) {
  if (text.starts_with('!') && text.size() > 1 && text != "!=") {
    test.negated = true;
    text = trimmed(text.substr(1));
  }
  if (text == "&" || text == "^") {
    test.comparison = text == "&" ? Comparison::BitAnd : Comparison::BitOr;
    return {};
  }
  const auto comparison = find_comparison(text);
  if (!comparison)
    return wrong("expects one of < > = <= >= & ^ with or without !, not " + in_quotes(text));
  test.comparison = *comparison;
  return {};
}

Outcome read_byte_test(RuleDraft& draft, const KeywordUse& use) {
  const auto parts = split(use.value, ',');
  if (parts.size() < 4) return wrong("expects COUNT,OPERATOR,VALUE,OFFSET");
  ByteTest test;
  if (auto done = read_operator(parts[1], test); !done) return done;
  const auto value = draft.operand(parts[2], INT64_MIN + 1, INT64_MAX);
  if (!value) return tl::unexpected(value.error());
  test.value = *value;
  if (auto done = read_count_and_offset(draft, parts[0], parts[3], test.reading); !done)
    return done;
  ReadingOptions options{test.reading};
  for (size_t i = 4; i < parts.size(); ++i) {
    const auto taken = options.take(parts[i]);
    if (!taken) return tl::unexpected(taken.error());
    if (!*taken) return unknown_option(parts[i]);
  }
  if (auto done = options.check(); !done) return done;
  add_match(draft, test);
  return {};
}

// ---- byte_jump:COUNT,OFFSET[,options] ----

Outcome read_jump_option(RuleDraft& draft, std::string_view option, ByteJump& jump) {
  std::string_view rest = option;
  const std::string_view word = take_word(rest);
  if (word == "multiplier") {
    const auto multiplier = draft.operand(rest, 1, 65535);
    if (!multiplier) return tl::unexpected(multiplier.error());
    jump.multiplier = *multiplier;
  } else if (word == "post_offset") {
    const auto offset = draft.operand(rest, -kMaximumPostOffset, kMaximumPostOffset);
    if (!offset) return tl::unexpected(offset.error());
    jump.post_offset = static_cast<int32_t>(offset->number);
    jump.post_offset_variable = offset->variable;
  } else if (option == "align") {
    jump.align = true;
  } else if (option == "from_beginning") {
    jump.from_beginning = true;
  } else if (option == "from_end") {
    jump.from_end = true;
  } else {
    return unknown_option(option);
  }
  return {};
}

Outcome read_byte_jump(RuleDraft& draft, const KeywordUse& use) {
  const auto parts = split(use.value, ',');
  if (parts.size() < 2) return wrong("expects COUNT,OFFSET");
  ByteJump jump;
  if (auto done = read_count_and_offset(draft, parts[0], parts[1], jump.reading); !done)
    return done;
  ReadingOptions options{jump.reading};
  for (size_t i = 2; i < parts.size(); ++i) {
    const auto taken = options.take(parts[i]);
    if (!taken) return tl::unexpected(taken.error());
    if (*taken) continue;
    if (auto done = read_jump_option(draft, parts[i], jump); !done) return done;
  }
  if (jump.from_beginning && jump.from_end) {
    return wrong("cannot combine from_beginning with from_end");
  }
  if (auto done = options.check(); !done) return done;
  add_match(draft, jump);
  return {};
}

// ---- byte_extract:COUNT,OFFSET,NAME[,options] ----

Outcome read_extract_option(std::string_view option, ByteExtract& extract) {
  std::string_view rest = option;
  const std::string_view word = take_word(rest);
  if (word == "multiplier") {
    const auto multiplier = read_number(rest, 65535);
    if (!multiplier) return tl::unexpected(multiplier.error());
    if (*multiplier == 0) return wrong("expects a multiplier from 1 on");
    extract.multiplier = static_cast<uint16_t>(*multiplier);
  } else if (word == "align") {
    if (rest != "2" && rest != "4") return wrong("expects align 2 or align 4");
    extract.align = rest == "2" ? 2 : 4;
  } else {
    return unknown_option(option);
  }
  return {};
}

Outcome read_byte_extract(RuleDraft& draft, const KeywordUse& use) {
  const auto parts = split(use.value, ',');
  if (parts.size() < 3) return wrong("expects COUNT,OFFSET,NAME");
  ByteExtract extract;
  if (auto done = read_count_and_offset(draft, parts[0], parts[1], extract.reading); !done) {
    return done;
  }
  ReadingOptions options{extract.reading};
  for (size_t i = 3; i < parts.size(); ++i) {
    const auto taken = options.take(parts[i]);
    if (!taken) return tl::unexpected(taken.error());
    if (*taken) continue;
    if (auto done = read_extract_option(parts[i], extract); !done) return done;
  }
  if (auto done = options.check(); !done) return done;
  const auto variable = draft.define_variable(parts[2]);
  if (!variable) return tl::unexpected(variable.error());
  extract.variable = *variable;
  add_match(draft, extract);
  return {};
}

// ---- byte_math:bytes N, offset N, oper OP, rvalue V, result NAME[, options] ----

std::optional<MathOperator> find_operator(std::string_view text) noexcept {
  if (text == "+") return MathOperator::Add;
  if (text == "-") return MathOperator::Subtract;
  if (text == "*") return MathOperator::Multiply;
  if (text == "/") return MathOperator::Divide;
  if (text == "<<") return MathOperator::ShiftLeft;
  if (text == ">>") return MathOperator::ShiftRight;
  return std::nullopt;
}

struct MathText {
  std::string_view bytes, offset, operation, right, result;

  // The value that `word` names; null for other words.
  [[nodiscard]] std::string_view* find(std::string_view word) noexcept {
    if (word == "bytes") return &bytes;
    if (word == "offset") return &offset;
    if (word == "oper") return &operation;
    if (word == "rvalue") return &right;
    return word == "result" ? &result : nullptr;
  }
};

Outcome read_math(RuleDraft& draft, const MathText& text, ByteMath& math) {
  if (text.bytes.empty() || text.offset.empty() || text.operation.empty() || text.right.empty() ||
      text.result.empty()) {
    return wrong("expects bytes, offset, oper, rvalue and result");
  }
  if (auto done = read_count_and_offset(draft, text.bytes, text.offset, math.reading); !done) {
    return done;
  }
  const auto operation = find_operator(text.operation);
  if (!operation) return wrong("expects oper + - * / << or >>, not " + in_quotes(text.operation));
  const auto right = draft.operand(text.right, 0, UINT32_MAX);
  if (!right) return tl::unexpected(right.error());
  if (*operation == MathOperator::Divide && !right->variable && right->number == 0) {
    return wrong("divides by 0");
  }
  const auto variable = draft.define_variable(text.result);
  if (!variable) return tl::unexpected(variable.error());
  math.operation = *operation;
  math.right = *right;
  math.variable = *variable;
  return {};
}

Outcome read_byte_math(RuleDraft& draft, const KeywordUse& use) {
  ByteMath math;
  MathText text;
  ReadingOptions options{math.reading};
  for (const std::string_view option : split(use.value, ',')) {
    std::string_view rest = option;
    std::string_view* value = text.find(take_word(rest));
    if (value != nullptr) {
      if (!value->empty()) return wrong("has the option " + in_quotes(option) + " twice");
      *value = rest;
      continue;
    }
    const auto taken = options.take(option);
    if (!taken) return tl::unexpected(taken.error());
    if (!*taken) return unknown_option(option);
  }
  if (auto done = read_math(draft, text, math); !done) return done;
  if (auto done = options.check(); !done) return done;
  add_match(draft, math);
  return {};
}

// ---- base64_decode[:bytes N, offset N, relative] ----

Outcome read_base64_decode(RuleDraft& draft, const KeywordUse& use) {
  Base64Decode decode;
  for (const std::string_view option : split(use.value, ',')) {
    if (option.empty()) continue;
    std::string_view rest = option;
    const std::string_view word = take_word(rest);
    if (option == "relative") {
      decode.relative = true;
      continue;
    }
    if (word != "bytes" && word != "offset") return unknown_option(option);
    const auto number = read_number(rest, UINT32_MAX);
    if (!number) return tl::unexpected(number.error());
    if (word == "bytes" && *number == 0) return wrong("expects bytes from 1 on");
    (word == "bytes" ? decode.bytes : decode.offset) = static_cast<uint32_t>(*number);
  }
  if (decode.relative) {
    draft.add_relative(decode);
  } else {
    draft.add(decode);
  }
  return {};
}

// ---- rpc:PROGRAM[,VERSION|*[,PROCEDURE|*]] ----

// A call of ONC RPC (RFC 5531 section 9); TCP puts the length of the record before it.
Outcome read_rpc(RuleDraft& draft, const KeywordUse& use) {
  constexpr int64_t kCallType = 4;
  constexpr int64_t kProgram = 12;
  const auto parts = split(use.value, ',');
  if (parts.size() > 3) return wrong("expects PROGRAM,VERSION,PROCEDURE");
  const int64_t begin = draft.rule.protocol == RuleProtocol::Tcp ? 4 : 0;
  const auto add_word = [&](int64_t offset, uint64_t value) {
    ByteTest test;
    test.reading.byte_count.number = 4;
    test.reading.offset.number = begin + offset;
    test.value.number = static_cast<int64_t>(value);
    draft.add_to(BufferId::Payload, test);
  };
  add_word(kCallType, 0);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0 && parts[i] == "*") continue;
    const auto number = read_number(parts[i], UINT32_MAX);
    if (!number) return tl::unexpected(number.error());
    add_word(kProgram + 4 * static_cast<int64_t>(i), *number);
  }
  return {};
}

constexpr std::array kKeywords{
    Keyword{"base64_decode", read_base64_decode, ValueForm::Optional},
    Keyword{"byte_extract", read_byte_extract, ValueForm::Required},
    Keyword{"byte_jump", read_byte_jump, ValueForm::Required},
    Keyword{"byte_math", read_byte_math, ValueForm::Required},
    Keyword{"byte_test", read_byte_test, ValueForm::Required},
    Keyword{"rpc", read_rpc, ValueForm::Required},
};

}  // namespace

std::span<const Keyword> byte_keywords() noexcept { return kKeywords; }

}  // namespace masugata::ids
