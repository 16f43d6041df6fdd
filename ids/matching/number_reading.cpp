// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/matching/number_reading.h"

#include <bit>

#include "ids/matching/conditions.h"

namespace masugata::ids {
namespace {

constexpr int64_t kMaximumRawBytes = 8;
constexpr int64_t kMaximumTextBytes = 23;

uint64_t read_raw(const uint8_t* bytes, size_t count, bool little_endian) noexcept {
  uint64_t value = 0;
  for (size_t index = 0; index < count; ++index) {
    value = value << 8U | bytes[little_endian ? count - 1 - index : index];
  }
  return value;
}

constexpr bool is_space(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

// The value of a digit, or 255.
constexpr uint8_t digit_value(uint8_t byte) {
  if (byte >= '0' && byte <= '9') return static_cast<uint8_t>(byte - '0');
  if (byte >= 'a' && byte <= 'f') return static_cast<uint8_t>(byte - 'a' + 10);
  if (byte >= 'A' && byte <= 'F') return static_cast<uint8_t>(byte - 'A' + 10);
  return 255;
}

constexpr uint8_t radix_of(NumberBase base) {
  if (base == NumberBase::Hexadecimal) return 16;
  return base == NumberBase::Octal ? 8 : 10;
}

// As the C library reads numbers: white space, a sign, "0x" for hexadecimal, digits. Returns the
// bytes used, 0 when there is no digit or the value does not fit.
size_t read_text(const uint8_t* text, size_t size, NumberBase base, uint64_t& value) noexcept {
  const uint8_t radix = radix_of(base);
  size_t place = 0;
  while (place < size && is_space(text[place])) ++place;
  bool negative = false;
  if (place < size && (text[place] == '+' || text[place] == '-')) {
    negative = text[place] == '-';
    ++place;
  }
  if (radix == 16 && place + 2 < size && text[place] == '0' && (text[place + 1] | 0x20U) == 'x' &&
      digit_value(text[place + 2]) < radix) {
    place += 2;
  }
  const size_t first_digit = place;
  value = 0;
  for (; place < size && digit_value(text[place]) < radix; ++place) {
    uint64_t product = 0;
    if (__builtin_mul_overflow(value, uint64_t{radix}, &product) ||
        __builtin_add_overflow(product, uint64_t{digit_value(text[place])}, &value)) {
      return 0;
    }
  }
  if (place == first_digit) return 0;
  if (negative) value = ~value + 1;
  return place;
}

// Where the bytes begin, or nullopt when that lies outside of what is there.
std::optional<uint64_t> place_of(const NumberReading& reading, const InspectedBytes& bytes,
                                 uint64_t last, int64_t count,
                                 const MatchScratch::Variables& variables) noexcept {
  const uint64_t end = bytes.first + bytes.bytes.size();
  // The offset of a variable is a signed 32-bit number in the language.
  int64_t begin = value_of(reading.offset, variables);
  if (reading.offset.variable) begin = static_cast<int32_t>(begin);
  if (reading.relative) begin += static_cast<int64_t>(last);
  if (begin < static_cast<int64_t>(bytes.first)) return std::nullopt;
  const auto place = static_cast<uint64_t>(begin);
  if (place > end || end - place < static_cast<uint64_t>(count)) return std::nullopt;
  return place;
}

}  // namespace

int64_t value_of(const Operand& operand, const MatchScratch::Variables& variables) noexcept {
  if (!operand.variable) return operand.number;
  return static_cast<int64_t>(variables[*operand.variable % kMaximumRuleVariables]);
}

std::optional<NumberRead> read_number(const NumberReading& reading, const InspectedBytes& bytes,
                                      uint64_t last,
                                      const MatchScratch::Variables& variables) noexcept {
  if (bytes.bytes.empty()) return std::nullopt;
  const bool raw = reading.base == NumberBase::Binary;
  const int64_t count = value_of(reading.byte_count, variables);
  if (count < 0 || count > (raw ? kMaximumRawBytes : kMaximumTextBytes)) return std::nullopt;
  const auto place = place_of(reading, bytes, last, count, variables);
  if (!place) return std::nullopt;

  const uint8_t* source = bytes.bytes.data() + (*place - bytes.first);
  NumberRead result;
  result.begin = *place;
  auto used = static_cast<size_t>(count);
  if (raw) {
    // DCERPC is not parsed here: its data representation is taken to be the usual one.
    result.value = read_raw(source, used, reading.little_endian || reading.dce);
  } else {
    used = read_text(source, used, reading.base, result.value);
    if (used == 0) return std::nullopt;
  }
  result.end = *place + used;
  return result;
}

uint64_t apply_bitmask(uint64_t value, uint64_t mask) noexcept {
  if (mask == 0) return value;
  return (value & mask) >> std::countr_zero(mask);
}

bool match_byte_test(const ByteTest& test, const InspectedBytes& bytes, uint64_t last,
                     const MatchScratch::Variables& variables) noexcept {
  const auto number = read_number(test.reading, bytes, last, variables);
  if (!number) return false;
  const uint64_t value = apply_bitmask(number->value, test.reading.bitmask);
  const auto expected = static_cast<uint64_t>(value_of(test.value, variables));
  return compare(test.comparison, value, expected, expected) != test.negated;
}

bool match_byte_jump(const ByteJump& jump, const InspectedBytes& bytes, uint64_t& last,
                     const MatchScratch::Variables& variables) noexcept {
  const auto number = read_number(jump.reading, bytes, last, variables);
  if (!number) return false;
  uint64_t distance = apply_bitmask(number->value, jump.reading.bitmask);
  distance *= static_cast<uint64_t>(value_of(jump.multiplier, variables));
  if (jump.align && distance % 4 != 0) distance += 4 - distance % 4;
  distance += jump.post_offset_variable
                  ? variables[*jump.post_offset_variable % kMaximumRuleVariables]
                  : static_cast<uint64_t>(static_cast<int64_t>(jump.post_offset));
  const uint64_t end = bytes.first + bytes.bytes.size();
  uint64_t base = number->end;
  if (jump.from_beginning) {
    base = 0;
  } else if (jump.from_end) {
    base = end;
  }
  int64_t target = 0;
  if (__builtin_add_overflow(static_cast<int64_t>(base), static_cast<int64_t>(distance), &target) ||
      target >= static_cast<int64_t>(end)) {
    return false;
  }
  // Before the start counts as the start.
  last = target < 0 ? 0 : static_cast<uint64_t>(target);
  return true;
}

bool match_byte_extract(const ByteExtract& extract, const InspectedBytes& bytes, uint64_t& last,
                        MatchScratch::Variables& variables) noexcept {
  const auto number = read_number(extract.reading, bytes, last, variables);
  if (!number) return false;
  uint64_t value = apply_bitmask(number->value, extract.reading.bitmask) * extract.multiplier;
  if (extract.align != 0 && value % extract.align != 0) {
    value += extract.align - value % extract.align;
  }
  variables[extract.variable % kMaximumRuleVariables] = value;
  last = number->end;
  return true;
}

bool match_byte_math(const ByteMath& math, const InspectedBytes& bytes, uint64_t& last,
                     MatchScratch::Variables& variables) noexcept {
  const auto number = read_number(math.reading, bytes, last, variables);
  if (!number) return false;
  const auto right = static_cast<uint64_t>(value_of(math.right, variables));
  uint64_t value = number->value;
  switch (math.operation) {
    case MathOperator::Add:
      value += right;
      break;
    case MathOperator::Subtract:
      value -= right;
      break;
    case MathOperator::Multiply:
      value *= right;
      break;
    case MathOperator::Divide:
      if (right == 0) return false;
      value /= right;
      break;
    case MathOperator::ShiftLeft:
      value = right < 64 ? value << right : 0;
      break;
    case MathOperator::ShiftRight:
      value = right < 64 ? value >> right : 0;
      break;
  }
  variables[math.variable % kMaximumRuleVariables] = apply_bitmask(value, math.reading.bitmask);
  last = number->end;
  return true;
}

}  // namespace masugata::ids
