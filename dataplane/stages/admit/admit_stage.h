// SPDX-License-Identifier: GPL-2.0-or-later
// Packets without a session: may there be one? Runs admission (anti-spoofing, NAT, route, policy),
// the limits per source and the SYN-flood protection, and makes the session.
#pragma once

#include <array>

#include "dataplane/pipeline/verdict.h"
#include "dataplane/pipeline/worker_context.h"
#include "dataplane/snapshot/admission.h"

namespace masugata::dataplane {

class AdmitStage {
 public:
  static constexpr StageId kId = StageId::Admit;
  enum class Next : uint8_t { Drop, Hold, Egress, Track, Transmit, Inspect };
  static constexpr std::array kExits{StageId::Egress, StageId::Track, StageId::Transmit,
                                     StageId::Inspect};

  Verdict<Next> decide(Packet& packet, WorkerContext& context) noexcept;
};

}  // namespace masugata::dataplane
