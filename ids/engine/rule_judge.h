// SPDX-License-Identifier: GPL-2.0-or-later
// One rule against one subject.
#pragma once

#include "ids/engine/host_bits.h"
#include "ids/engine/subject.h"
#include "ids/matching/conditions.h"
#include "ids/matching/match_scratch.h"
#include "ids/plan/compiled_rules.h"

namespace masugata::ids {

enum class Judgement : uint8_t {
  No,      // and it will stay so for this transaction
  NotYet,  // may match when more of the transaction is there
  Yes,
  ByStream,  // yes, and in the reassembled stream rather than in the packet
};

// Thread: one worker. Changes nothing but the scratch and, in carry_out(), what effects say.
class RuleJudge {
 public:
  RuleJudge(MatchScratch& scratch, HostBits& host_bits) noexcept
      : scratch_(scratch), host_bits_(host_bits) {}

  // For packets and streams: No, Yes or ByStream.
  [[nodiscard]] Judgement judge_packet(const DetectionPlan& plan, const CompiledRule& rule,
                                       const Subject& subject) noexcept;
  // After ByStream: whether the packet's own payload holds for the rule, too.
  [[nodiscard]] bool packet_holds(const CompiledRule& rule, const Subject& subject) noexcept {
    return !subject.payload.empty() && packet_buffers_hold(rule, subject, false);
  }
  // For a transaction's direction: No, NotYet or Yes.
  [[nodiscard]] Judgement judge_transaction(const DetectionPlan& plan, const CompiledRule& rule,
                                            const Subject& subject) noexcept;
  // flowbits:set and its like, after a match.
  void carry_out(const DetectionPlan& plan, const CompiledRule& rule,
                 const Subject& subject) noexcept;

 private:
  [[nodiscard]] static bool header_holds(const DetectionPlan& plan, const CompiledRule& rule,
                                         const Subject& subject) noexcept;
  [[nodiscard]] ConditionOutcome conditions_hold(const DetectionPlan& plan,
                                                 const CompiledRule& rule,
                                                 const Subject& subject) noexcept;
  [[nodiscard]] ConditionOutcome files_hold(const CompiledRule& rule,
                                            const Subject& subject) noexcept;
  [[nodiscard]] Judgement buffer_holds(const CompiledBufferMatches& buffer,
                                       const Subject& subject) noexcept;
  [[nodiscard]] bool bytes_hold(const CompiledBufferMatches& buffer, std::span<const uint8_t> bytes,
                                uint64_t first, bool complete) noexcept;
  [[nodiscard]] bool packet_buffers_hold(const CompiledRule& rule, const Subject& subject,
                                         bool stream) noexcept;
  MatchScratch& scratch_;
  HostBits& host_bits_;
};

}  // namespace masugata::ids
