// SPDX-License-Identifier: GPL-2.0-or-later
// Packets for the gateway itself go to the kernel, through the twin of the interface they came by.
#pragma once

#include <array>

#include "dataplane/kernel/kernel_port.h"
#include "dataplane/pipeline/verdict.h"
#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

class PuntStage {
 public:
  static constexpr StageId kId = StageId::Punt;
  enum class Next : uint8_t { Drop, Hold };
  static constexpr std::array<StageId, 0> kExits{};

  Verdict<Next> decide(Packet& packet, WorkerContext& context) noexcept {
    if (context.kernel == nullptr) return drop<Next>(DropReason::PuntQueueFull);
    const uint16_t twin = context.configuration->interfaces[packet.ingress_interface].twin;
    return context.kernel->punt(twin, &packet.mbuf()) ? forward_to(Next::Hold)
                                                      : drop<Next>(DropReason::PuntQueueFull);
  }
};

}  // namespace masugata::dataplane
