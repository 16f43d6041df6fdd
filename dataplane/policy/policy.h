// SPDX-License-Identifier: GPL-2.0-or-later
// Zone policy: which rule meets a new session between two zones. Decision side.
//
// Rules may also ask what a session carries (application, category, host name). That is not known
// when it begins: decide() then answers without those rules, says whether the contents have to be
// looked at, and is asked again when they are known. Only rules about domains alone decide at once,
// when the destination is known by names of theirs and no others.
//
// Rules see the source address before source NAT and the destination address and port after
// destination NAT: what the rule names is the real client and the real server.
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "dataplane/policy/classifier.h"
#include "dataplane/policy/content_condition.h"
#include "dataplane/policy/packet_facts.h"

namespace masugata::dataplane {

// Index into PolicyTables::rules() and into every worker's hit counters.
using RuleId = uint32_t;
inline constexpr RuleId kDefaultDeny = 0;        // no rule matched
inline constexpr RuleId kDefaultSelfPermit = 1;  // from `self`, and no section speaks of it
inline constexpr RuleId kFirstConfiguredRule = 2;

inline constexpr uint16_t kNoInspection = 0;  // index 0 of PolicyTables::inspection_profiles()

// What is known of a rule besides its match; everything that `show policy` prints.
struct RuleRecord {
  std::string name;
  config::Place place;
  config::ZoneIndex from = config::kAnyZone;  // as the section says
  config::ZoneIndex to = config::kAnyZone;
  config::Action action = config::Action::Deny;
  bool log = false;
  uint16_t inspection = kNoInspection;
  uint16_t section = 0;                   // index into Model::policy, 0xffff for the defaults
  uint32_t session_limit_per_source = 0;  // 0 = none
  std::optional<config::Schedule> schedule;
  std::optional<std::chrono::sys_seconds> until;
};

struct PolicyDecision {
  RuleId rule = kDefaultDeny;
  config::Action action = config::Action::Deny;
  bool log = false;
  uint16_t inspection = kNoInspection;
  uint16_t section = 0xffff;
  uint32_t session_limit_per_source = 0;
  // A rule about contents may decide otherwise once they are known: ask again then.
  bool depends_on_content = false;
  // Permitted only until the contents are known: what permits is a rule about them.
  bool provisional = false;
};

// The rules that apply between one pair of zones (or several pairs with the same sections).
struct PolicyChain {
  Classifier classifier;
  std::vector<RuleId> rules;  // classifier's rule -> RuleId
  // Classifier's rule -> its condition on contents, kNoRule for none. Empty when no rule has one.
  std::vector<uint32_t> conditions;
  LiveMask conditional;  // the rules with conditions, alive or not
  bool asks_domains = false;
};

// The masks of one moment, one per chain. Belongs to the PolicyTables that made it.
struct PolicyMasks {
  std::vector<LiveMask> chains;
  // Of the alive ones: without conditions on contents; permitting ones with such conditions. No
  // words for chains whose rules have none.
  std::vector<LiveMask> unconditional;
  std::vector<LiveMask> conditional_permits;
};

// Immutable after compile_policy(); shared by the snapshots that differ in schedules only.
class PolicyTables {
 public:
  // Packet path. `facts.key` holds the translated destination. `from` and `to` are indexes into
  // Model::zones; `any` in the configuration never means `self`.
  [[nodiscard]] PolicyDecision decide(config::ZoneIndex from, config::ZoneIndex to,
                                      const PacketFacts& facts,
                                      const PolicyMasks& masks) const noexcept;

  // Control thread. Which rules are alive at `now`, with weekdays and hours in the time zone of
  // the process (localtime_r).
  [[nodiscard]] PolicyMasks masks_at(std::time_t now) const;
  // The next moment after `now` at which masks_at() may differ; nullopt when never.
  [[nodiscard]] std::optional<std::time_t> next_change(std::time_t now) const;

  [[nodiscard]] const std::vector<RuleRecord>& rules() const noexcept { return rules_; }
  // [0] is the empty profile.
  [[nodiscard]] const std::vector<config::InspectionProfile>& inspection_profiles() const noexcept {
    return inspection_profiles_;
  }
  // Does any rule ask what sessions carry?
  [[nodiscard]] bool depends_on_content() const noexcept { return !conditions_.empty(); }
  // Does any rule ask for domains?
  [[nodiscard]] bool asks_domains() const noexcept { return !domains_.empty(); }
  // Packet path. Does any rule ask for a domain that holds `name` (lower case)?
  [[nodiscard]] bool mentions(std::string_view name) const noexcept;
  [[nodiscard]] size_t memory_bytes() const noexcept;

 private:
  friend class PolicyCompiler;
  static constexpr uint32_t kNoChain = 0xffffffff;

  [[nodiscard]] PolicyDecision decide_by_content(uint32_t chain, const PacketFacts& facts,
                                                 const PolicyMasks& masks) const noexcept;
  // The first live rule that decides though nothing of the contents is known.
  [[nodiscard]] uint32_t first_certain(uint32_t chain, const PacketFacts& facts,
                                       const PolicyMasks& masks) const noexcept;
  [[nodiscard]] PolicyDecision decide_before_content(uint32_t chain, const PacketFacts& facts,
                                                     const PolicyMasks& masks) const noexcept;

  size_t zone_count_ = 0;
  std::vector<uint32_t> chain_of_pair_;  // from * zone_count_ + to -> index into chains_
  std::vector<PolicyChain> chains_;
  std::vector<RuleRecord> rules_;
  std::vector<PolicyDecision> decisions_;  // RuleId -> what the packet path needs of it
  std::vector<config::InspectionProfile> inspection_profiles_;
  std::vector<ContentCondition> conditions_;
  std::vector<std::shared_ptr<const net::DomainSet>> domains_;  // of all conditions, each once
};

}  // namespace masugata::dataplane
