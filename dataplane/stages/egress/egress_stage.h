// SPDX-License-Identifier: GPL-2.0-or-later
// What a session's packet needs to leave: translation, TTL, MSS, MTU, next hop, link header.
// Nothing is written into a packet before it is certain that it leaves now.
#pragma once

#include <array>
#include <span>

#include "dataplane/pipeline/verdict.h"
#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

class EgressStage {
 public:
  static constexpr StageId kId = StageId::Egress;
  enum class Next : uint8_t { Drop, Hold, Transmit, Punt, Encrypt };
  static constexpr std::array kExits{StageId::Transmit, StageId::Punt, StageId::Encrypt};

  Verdict<Next> decide(Packet& packet, WorkerContext& context) noexcept;

  // Sends packets whose next hop has answered and gives up on those whose has not. Once per loop.
  static void release_waiting(WorkerContext& context) noexcept;
};

}  // namespace masugata::dataplane
