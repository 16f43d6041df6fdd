// SPDX-License-Identifier: GPL-2.0-or-later
// The steps of an explanation in words, from what admission has left in its trace.
#pragma once

#include <string>
#include <vector>

#include "dataplane/gateway/state/explain.h"
#include "dataplane/snapshot/admission.h"

namespace masugata::dataplane {

// One run of admission. `source` is the key's source, `trace` what that run wrote.
struct AdmissionStory {
  const ExplainInputs& inputs;
  const PacketFacts& facts;
  const AdmissionOrigin& origin;
  const AdmissionResult& result;
  const AdmissionTrace& trace;
};

// In the order in which packets meet them, up to the one that refused. Each ends at the step that
// admission has reached.
[[nodiscard]] std::vector<control::ExplanationStep> admission_steps(const AdmissionStory& story);

// "0.0.0.0/0 via 203.0.113.1 on wan0": the route of the translated destination; groups have none.
[[nodiscard]] std::string chosen_route_text(const AdmissionStory& story);

// "rule web (line 12)".
[[nodiscard]] std::string rule_with_line(const std::string& name, uint32_t line);

// What is behind admission for a permitted connection: limits that depend on the moment, port,
// next hop. The last step that did not pass says why packets would not leave.
[[nodiscard]] std::vector<control::ExplanationStep> forwarding_steps(const AdmissionStory& story,
                                                                     DropReason& refusal);

}  // namespace masugata::dataplane
