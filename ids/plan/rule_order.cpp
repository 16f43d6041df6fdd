// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/plan/rule_order.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <tuple>

namespace masugata::ids {
namespace {

// What a rule does with one kind of variable; smaller is judged earlier.
enum class Use : uint8_t { Sets = 0, SetsAndAsks = 1, Asks = 2, None = 3 };

struct Uses {
  bool sets = false;
  bool asks = false;
  [[nodiscard]] Use use() const {
    if (sets) {
      return asks ? Use::SetsAndAsks : Use::Sets;
    }
    return asks ? Use::Asks : Use::None;
  }
};

struct Rank {
  uint8_t action = 0;
  std::array<Use, 4> uses{Use::None, Use::None, Use::None, Use::None};
  uint32_t chain = 0;  // of rules that set and ask flow bits: how many stand before it
  uint8_t priority = 0;
  uint32_t sid = 0;
  size_t read = 0;
  friend auto operator<=>(const Rank&, const Rank&) = default;
};

bool is_reject(RuleAction action) {
  return action == RuleAction::RejectSource || action == RuleAction::RejectDestination ||
         action == RuleAction::RejectBoth;
}

uint8_t rank_of(RuleAction action, const ActionOrder& actions) {
  uint8_t rank = 0;
  while (rank < actions.size() && actions[rank] != action &&
         !(is_reject(actions[rank]) && is_reject(action))) {
    ++rank;
  }
  return rank;
}

bool only_asks(FlowbitsMatch::Operation operation) {
  return operation == FlowbitsMatch::Operation::IsSet ||
         operation == FlowbitsMatch::Operation::IsNotSet;
}

Rank rank_of(const Rule& rule, size_t read, const ActionOrder& actions) {
  Rank rank{rank_of(rule.action, actions), {}, 0, rule.priority, rule.sid, read};
  std::array<Uses, 4> uses;
  for (const Condition& condition : rule.conditions) {
    if (const auto* bits = std::get_if<FlowbitsMatch>(&condition)) {
      (only_asks(bits->operation) ? uses[0].asks : uses[0].sets) = true;
    } else if (const auto* number = std::get_if<FlowintMatch>(&condition)) {
      const bool asks = number->operation == FlowintMatch::Operation::IsSet ||
                        number->operation == FlowintMatch::Operation::NotSet ||
                        number->operation == FlowintMatch::Operation::Compare;
      (asks ? uses[1].asks : uses[1].sets) = true;
    } else if (const auto* host = std::get_if<XbitsMatch>(&condition)) {
      const bool asks = host->operation == XbitsMatch::Operation::IsSet ||
                        host->operation == XbitsMatch::Operation::IsNotSet;
      (asks ? uses[3].asks : uses[3].sets) = true;
    }
  }
  for (const BufferMatches& buffer : rule.buffers) {
    for (const PayloadMatch& match : buffer.matches) {
      const auto* expression = std::get_if<PcreMatch>(&match);
      uses[2].sets = uses[2].sets || (expression != nullptr && !expression->captures.empty());
    }
  }
  for (size_t i = 0; i < uses.size(); ++i) {
    rank.uses[i] = uses[i].use();
  }
  return rank;
}

// Among rules that set and ask: a rule stands one further than the rules that set what it asks
// for. Repeated until nothing moves; a circle ends at the number of rules.
void order_chains(const RuleSet& set, std::vector<Rank>& ranks) {
  std::vector<size_t> members;
  for (size_t i = 0; i < ranks.size(); ++i) {
    if (ranks[i].uses[0] == Use::SetsAndAsks) {
      members.push_back(i);
    }
  }
  std::vector<uint32_t> set_at(set.flowbit_names.size(), 0);
  constexpr uint32_t kLongestChain = 32;
  for (uint32_t round = 0; round < kLongestChain; ++round) {
    bool moved = false;
    for (const size_t member : members) {
      uint32_t chain = ranks[member].chain;
      for (const Condition& condition : set.rules[member].conditions) {
        const auto* bits = std::get_if<FlowbitsMatch>(&condition);
        if (bits == nullptr || bits->operation != FlowbitsMatch::Operation::IsSet) {
          continue;
        }
        for (const uint32_t bit : bits->bits) {
          chain = bit < set_at.size() ? std::max(chain, set_at[bit]) : chain;
        }
      }
      moved = moved || chain != ranks[member].chain;
      ranks[member].chain = chain;
      for (const Condition& condition : set.rules[member].conditions) {
        const auto* bits = std::get_if<FlowbitsMatch>(&condition);
        if (bits == nullptr || only_asks(bits->operation)) {
          continue;
        }
        for (const uint32_t bit : bits->bits) {
          if (bit < set_at.size() && set_at[bit] < chain + 1 && chain < kLongestChain) {
            set_at[bit] = chain + 1;
            moved = true;
          }
        }
      }
    }
    if (!moved) {
      break;
    }
  }
}

}  // namespace

std::vector<size_t> order_of_judgement(const RuleSet& set, const ActionOrder& actions) {
  std::vector<Rank> ranks;
  ranks.reserve(set.rules.size());
  for (size_t i = 0; i < set.rules.size(); ++i) {
    ranks.push_back(rank_of(set.rules[i], i, actions));
  }
  order_chains(set, ranks);
  std::vector<size_t> order(set.rules.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t left, size_t right) { return ranks[left] < ranks[right]; });
  return order;
}

}  // namespace masugata::ids
