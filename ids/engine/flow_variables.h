// SPDX-License-Identifier: GPL-2.0-or-later
// What rules remember of a flow: flowbits, flowints, captured text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ids/rules/condition.h"

namespace masugata::ids {

// Numbers are those of the plan's RuleSet; renumber() follows a change of the plan. Memory: one
// bit and eight bytes per name that the plan knows, taken when the first is set.
class FlowVariables {
 public:
  [[nodiscard]] bool bit(uint32_t number) const noexcept {
    return number / 64 < bits_.size() && (bits_[number / 64] >> (number % 64) & 1U) != 0;
  }
  void set_bit(uint32_t number, bool value) noexcept;
  [[nodiscard]] std::optional<uint32_t> integer(uint32_t variable) const noexcept;
  void set_integer(uint32_t variable, uint32_t value) noexcept;

  [[nodiscard]] bool check(const FlowbitsMatch& match) const noexcept;
  [[nodiscard]] bool check(const FlowintMatch& match) const noexcept;
  void carry_out(const FlowbitsMatch& match) noexcept;
  void carry_out(const FlowintMatch& match) noexcept;

  // new number = bits[old number]; kGone: the new plan does not know the name.
  static constexpr uint32_t kGone = UINT32_MAX;
  void renumber(const std::vector<uint32_t>& bits, const std::vector<uint32_t>& integers);

  [[nodiscard]] size_t memory_bytes() const noexcept {
    return bits_.capacity() * sizeof(uint64_t) + integers_.capacity() * sizeof(integers_[0]);
  }

 private:
  std::vector<uint64_t> bits_;
  std::vector<std::optional<uint32_t>> integers_;
};

}  // namespace masugata::ids
