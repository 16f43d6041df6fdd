// SPDX-License-Identifier: GPL-2.0-or-later
// First-match classification over ordered rules: one look-up per dimension gives the set of rules
// that match there, the intersection's first rule is the answer. docs/decisions/0002 says why.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/model.h"
#include "dataplane/policy/interval_map.h"
#include "dataplane/policy/packet_facts.h"

namespace masugata::dataplane {

inline constexpr uint32_t kNoRule = 0xffffffff;

class ClassifierCompiler;

// Which rules count at the moment (schedules, expiry). One per classifier, made by
// Classifier::live_mask(), cheap to replace without compiling the rules again.
struct LiveMask {
  std::vector<uint64_t> words;
};

// A further question about a rule whose dimensions match.
struct RuleFilter {
  bool (*accepts)(const void* self, uint32_t rule) noexcept = nullptr;
  const void* self = nullptr;
};

// Immutable after compile_classifier(); read by any number of threads.
//
// Rules are stored in groups that constrain the same dimensions, each group aligned to a 64-bit
// word, so that a dimension which a group leaves open costs nothing and the sets of the others
// stay sparse. Inside a group the order of the rules is kept; over the groups the smallest rule
// number wins.
class Classifier {
 public:
  // Bound on rules; compile_classifier() reports more as a Fault.
  static constexpr size_t kMaximumRules = 65536;
  // Bound on the bytes of rule sets after de-duplication; beyond it compiling fails.
  static constexpr size_t kMaximumSetBytes = size_t{128} << 20U;

  // The index of the first rule (0-based, in the order given to the compiler) that matches and is
  // live, or kNoRule. `mask` must come from this classifier's live_mask(). With a filter, that it
  // accepts besides; it is asked about few of the rules that match, in no particular order.
  [[nodiscard]] uint32_t first_match(const PacketFacts& facts, const LiveMask& mask,
                                     const RuleFilter* filter = nullptr) const noexcept;

  // The mask with exactly the rules for which `alive[rule]` is true. Control thread.
  [[nodiscard]] LiveMask live_mask(const std::vector<bool>& alive) const;

  [[nodiscard]] size_t rule_count() const noexcept { return rule_count_; }
  // Bytes held, everything included; for `show system` and for tests of the bound.
  [[nodiscard]] size_t memory_bytes() const noexcept;

 private:
  friend class ClassifierCompiler;

  enum Dimension : uint8_t { kSource, kDestination, kService, kSourcePort, kSourceMac };
  static constexpr size_t kDimensions = 5;
  // A set of rules: `summary_words_` summary words (bit w = word w is not zero) and then only the
  // words that are not zero.
  using SetOffset = uint32_t;  // index into sets_

  // An alternative of a service, for rules whose source port and service must match together.
  struct Alternative {
    net::Protocol protocol;
    uint16_t first_source_port, last_source_port;
    uint16_t first_value, last_value;
  };
  struct AlternativeList {
    uint32_t rule;
    uint32_t first, count;  // into alternatives_
  };

  // `offsets` by position in used_dimensions_.
  [[nodiscard]] uint32_t walk(const SetOffset (&offsets)[kDimensions], const PacketFacts& facts,
                              const LiveMask& mask, const RuleFilter* filter) const noexcept;
  // First rule of `rules` (a subset of one word's positions) that passes verify() and `filter`.
  [[nodiscard]] uint32_t first_of(uint32_t word, uint64_t rules, const PacketFacts& facts,
                                  const RuleFilter* filter) const noexcept;
  [[nodiscard]] bool verify(uint32_t rule, const PacketFacts& facts) const noexcept;

  [[nodiscard]] SetOffset find_set(size_t dimension, const PacketFacts& facts) const noexcept;

  size_t rule_count_ = 0;
  // Dimensions that at least one rule constrains; the others are never looked at.
  uint8_t used_dimensions_[kDimensions] = {};
  size_t used_count_ = 0;
  uint32_t words_ = 0;
  uint32_t summary_words_ = 0;
  std::vector<uint64_t> sets_;
  std::vector<uint64_t> open_words_[kDimensions];  // summary: words of groups open in a dimension
  std::vector<uint32_t> rule_at_;                  // position -> rule, kNoRule for padding
  std::vector<uint32_t> group_end_;                // word -> first word of the next group
  std::vector<uint64_t> verify_words_;             // positions whose rule needs verify()
  std::vector<Alternative> alternatives_;
  std::vector<AlternativeList> alternative_lists_;  // ordered by rule
  IntervalMap<uint32_t> source_v4_, destination_v4_;
  IntervalMap<Address128> source_v6_, destination_v6_;
  IntervalMap<uint32_t> service_;      // protocol << 16 | destination port, ICMP type << 8 | code
  IntervalMap<uint32_t> source_port_;  // protocol << 16 | source port
  IntervalMap<uint64_t> source_mac_;
};

}  // namespace masugata::dataplane
