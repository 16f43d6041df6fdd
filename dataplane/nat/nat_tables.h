// SPDX-License-Identifier: GPL-2.0-or-later
// Address translation: which rule applies and to what. Decision side; ports are chosen in
// nat/source_allocation.h.
//
// Order for a new session: destination rules, static rules (external to internal); after routing:
// static rules (internal to external), source rules, hairpin. Source rules see the destination
// after destination translation, like policy. IPv4 and IPv6 alike; no rule changes the family.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "config/model.h"
#include "dataplane/policy/classifier.h"
#include "dataplane/policy/packet_facts.h"

namespace masugata::dataplane {

// Index into NatTables::rules() and into every worker's NAT counters; 0 = no rule.
using NatRuleId = uint32_t;
inline constexpr NatRuleId kNoNatRule = 0;

enum class NatRuleKind : uint8_t { None, Source, Destination, Static };

struct NatRuleRecord {
  NatRuleKind kind = NatRuleKind::None;
  std::string name;
  config::Place place;
};

// The addresses and ports that source translation may take.
struct CompiledPool {
  std::string name;
  std::vector<net::AddressRange> ranges;  // one family
  std::vector<uint32_t> range_starts;     // index of each range's first address in the pool
  uint32_t address_count = 0;
  config::PortRange ports;
  // `index` < address_count.
  [[nodiscard]] net::IpAddress address_at(uint32_t index) const noexcept;
};

struct DestinationTranslation {
  NatRuleId rule = kNoNatRule;  // also set for an exception (`translate none`)
  bool translated = false;
  bool hairpin = false;    // translate the source too when the session turns back
  net::IpAddress address;  // meaningful when translated
  net::Be16 port;          // the packet's own when the rule leaves it
};

enum class SourceTranslationKind : uint8_t {
  None,       // no rule, or an exception
  Interface,  // an address of the egress interface
  Pool,
  Static,  // `address`, same port
};

struct SourceTranslationPlan {
  NatRuleId rule = kNoNatRule;  // also set for an exception
  SourceTranslationKind kind = SourceTranslationKind::None;
  uint16_t pool = 0;       // Pool
  net::IpAddress address;  // Static
};

// Immutable after compile_nat().
class NatTables {
 public:
  // `facts` as seen; `from` is the ingress zone, never `self`. Destination and static rules.
  [[nodiscard]] DestinationTranslation translate_destination(
      config::ZoneIndex from, const PacketFacts& facts) const noexcept;
  // `facts.key` with the translated destination. `any` in a rule never means `self`.
  [[nodiscard]] SourceTranslationPlan plan_source(config::ZoneIndex from, config::ZoneIndex to,
                                                  const PacketFacts& facts) const noexcept;

  [[nodiscard]] const CompiledPool& pool(uint16_t index) const noexcept { return pools_[index]; }
  [[nodiscard]] const std::vector<CompiledPool>& pools() const noexcept { return pools_; }
  [[nodiscard]] const std::vector<NatRuleRecord>& rules() const noexcept { return rules_; }
  // Every address that destination and static rules and pools take on the outside, for the
  // component that answers ARP and neighbour solicitations for them.
  [[nodiscard]] const std::vector<net::AddressRange>& owned_addresses() const noexcept {
    return owned_addresses_;
  }
  [[nodiscard]] size_t memory_bytes() const noexcept;

 private:
  friend class NatCompiler;

  struct DestinationRule {
    NatRuleId id = kNoNatRule;
    bool translate = false;
    bool hairpin = false;
    bool one_address = false;  // every destination maps to `to_first`
    net::IpAddress to_first;
    std::vector<net::AddressRange> matched;
    std::vector<config::ServiceMatch> services;  // only when ports map one to one
    bool sets_port = false;
    bool one_port = false;
    uint16_t to_first_port = 0;
  };
  struct StaticRule {
    NatRuleId id = kNoNatRule;
    net::AddressRange internal;
    net::AddressRange external;
  };
  struct SourceRule {
    NatRuleId id = kNoNatRule;
    SourceTranslationKind kind = SourceTranslationKind::None;
    uint16_t pool = 0;
  };
  // Rules that apply between one pair of zones, in order, as indexes into the vectors above.
  struct Chain {
    Classifier classifier;
    LiveMask all;
    std::vector<uint32_t> rules;
    [[nodiscard]] uint32_t first_match(const PacketFacts& facts) const noexcept {
      const uint32_t match = classifier.first_match(facts, all);
      return match == kNoRule ? kNoRule : rules[match];
    }
  };
  [[nodiscard]] static uint16_t translated_port(const DestinationRule& rule,
                                                const PacketFacts& facts) noexcept;

  size_t zone_count_ = 0;
  std::vector<DestinationRule> destination_rules_;
  std::vector<StaticRule> static_rules_;
  std::vector<SourceRule> source_rules_;
  std::vector<Chain> chains_;
  std::vector<uint32_t> destination_chain_;  // from -> chain
  std::vector<uint32_t> source_chain_;       // from * zone_count_ + to -> chain
  std::vector<uint32_t> static_chain_;       // to -> chain of internal addresses
  uint32_t static_inbound_chain_ = 0;
  std::vector<CompiledPool> pools_;
  std::vector<NatRuleRecord> rules_;
  std::vector<net::AddressRange> owned_addresses_;
};

}  // namespace masugata::dataplane
