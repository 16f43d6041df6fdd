// SPDX-License-Identifier: GPL-2.0-or-later
// The second gate: packets with a verdict go to their port's queue.
#pragma once

#include <array>

#include "dataplane/pipeline/verdict.h"
#include "dataplane/stages/transmit/transmit_queues.h"

namespace masugata::dataplane {

class TransmitStage {
 public:
  static constexpr StageId kId = StageId::Transmit;
  enum class Next : uint8_t { Drop, Hold };
  static constexpr std::array<StageId, 0> kExits{};

  Verdict<Next> decide(Packet& packet, WorkerContext& context) noexcept {
    const DropReason reason = context.transmit->enqueue(packet, context);
    return reason == DropReason::None ? forward_to(Next::Hold) : drop<Next>(reason);
  }
};

}  // namespace masugata::dataplane
