// SPDX-License-Identifier: GPL-2.0-or-later
// Looks into packets of sessions whose policy rule asks for it: reassembles their streams and
// judges them by the profile's rules (dataplane/inspection). Others do not come here.
#pragma once

#include <array>

#include "dataplane/pipeline/verdict.h"
#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

class InspectStage {
 public:
  static constexpr StageId kId = StageId::Inspect;
  enum class Next : uint8_t { Drop, Hold, Egress };
  static constexpr std::array kExits{StageId::Egress};

  Verdict<Next> decide(Packet& packet, WorkerContext& context) noexcept;
};

}  // namespace masugata::dataplane
