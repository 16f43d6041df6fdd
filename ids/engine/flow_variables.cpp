// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/engine/flow_variables.h"

#include <algorithm>

#include "ids/matching/conditions.h"

namespace masugata::ids {

void FlowVariables::set_bit(uint32_t number, bool value) noexcept {
  const size_t word = number / 64;
  const uint64_t mask = uint64_t{1} << (number % 64);
  if (word >= bits_.size()) {
    if (!value) {
      return;
    }
    bits_.resize(word + 1);
  }
  bits_[word] = value ? bits_[word] | mask : bits_[word] & ~mask;
}

std::optional<uint32_t> FlowVariables::integer(uint32_t variable) const noexcept {
  return variable < integers_.size() ? integers_[variable] : std::nullopt;
}

void FlowVariables::set_integer(uint32_t variable, uint32_t value) noexcept {
  if (variable >= integers_.size()) {
    integers_.resize(size_t{variable} + 1);
  }
  integers_[variable] = value;
}

bool FlowVariables::check(const FlowbitsMatch& match) const noexcept {
  const bool any = std::any_of(match.bits.begin(), match.bits.end(),
                               [this](uint32_t number) { return bit(number); });
  if (match.operation == FlowbitsMatch::Operation::IsNotSet) {
    // Several after isnotset: one that is not set is enough.
    return std::any_of(match.bits.begin(), match.bits.end(),
                       [this](uint32_t number) { return !bit(number); });
  }
  return any;
}

bool FlowVariables::check(const FlowintMatch& match) const noexcept {
  const std::optional<uint32_t> value = integer(match.variable);
  if (match.operation == FlowintMatch::Operation::IsSet) {
    return value.has_value();
  }
  if (match.operation == FlowintMatch::Operation::NotSet) {
    return !value.has_value();
  }
  uint64_t wanted = match.value;
  if (match.other) {
    const std::optional<uint32_t> other = integer(*match.other);
    if (!other) {
      return false;
    }
    wanted = *other;
  }
  return value && compare(match.comparison, *value, wanted, wanted);
}

void FlowVariables::carry_out(const FlowbitsMatch& match) noexcept {
  for (const uint32_t number : match.bits) {
    switch (match.operation) {
      case FlowbitsMatch::Operation::Set:
        set_bit(number, true);
        break;
      case FlowbitsMatch::Operation::Unset:
        set_bit(number, false);
        break;
      case FlowbitsMatch::Operation::Toggle:
        set_bit(number, !bit(number));
        break;
      case FlowbitsMatch::Operation::IsSet:
      case FlowbitsMatch::Operation::IsNotSet:
        break;
    }
  }
}

void FlowVariables::carry_out(const FlowintMatch& match) noexcept {
  uint32_t amount = match.value;
  if (match.other) {
    const std::optional<uint32_t> other = integer(*match.other);
    if (!other) {
      return;
    }
    amount = *other;
  }
  const uint32_t value = integer(match.variable).value_or(0);
  switch (match.operation) {
    case FlowintMatch::Operation::Set:
      set_integer(match.variable, amount);
      break;
    case FlowintMatch::Operation::Add:
      set_integer(match.variable, value > UINT32_MAX - amount ? UINT32_MAX : value + amount);
      break;
    case FlowintMatch::Operation::Subtract:
      set_integer(match.variable, value < amount ? 0 : value - amount);
      break;
    case FlowintMatch::Operation::IsSet:
    case FlowintMatch::Operation::NotSet:
    case FlowintMatch::Operation::Compare:
      break;
  }
}

void FlowVariables::renumber(const std::vector<uint32_t>& bits,
                             const std::vector<uint32_t>& integers) {
  FlowVariables renumbered;
  for (uint32_t number = 0; number < bits_.size() * 64; ++number) {
    if (bit(number) && number < bits.size() && bits[number] != kGone) {
      renumbered.set_bit(bits[number], true);
    }
  }
  for (uint32_t variable = 0; variable < integers_.size(); ++variable) {
    if (integers_[variable] && variable < integers.size() && integers[variable] != kGone) {
      renumbered.set_integer(integers[variable], *integers_[variable]);
    }
  }
  *this = std::move(renumbered);
}

}  // namespace masugata::ids
