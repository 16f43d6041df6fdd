// SPDX-License-Identifier: GPL-2.0-or-later
// The conditions of a rule that ask for more than the packet: its flow, bits of hosts, the
// application protocol, the transaction.
#pragma once

#include "ids/engine/host_bits.h"
#include "ids/engine/subject.h"
#include "ids/matching/conditions.h"
#include "ids/plan/compiled_rules.h"

namespace masugata::ids {

// Conditions on files are NotAsked here: they are judged together, see RuleJudge.
[[nodiscard]] ConditionOutcome judge_condition(const DetectionPlan& plan,
                                               const Condition& condition, const Subject& subject,
                                               HostBits& host_bits) noexcept;

[[nodiscard]] HostBits::Question host_question(const Subject& subject) noexcept;

}  // namespace masugata::ids
