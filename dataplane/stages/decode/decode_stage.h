// SPDX-License-Identifier: GPL-2.0-or-later
// The first gate: from bytes to fields. Everything malformed ends here.
#pragma once

#include <array>
#include <span>

#include "dataplane/pipeline/verdict.h"
#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

class DecodeStage {
 public:
  static constexpr StageId kId = StageId::Decode;
  enum class Next : uint8_t { Drop, Hold, Track, Defragment, Punt, Transmit };
  static constexpr std::array kExits{StageId::Track, StageId::Defragment, StageId::Punt,
                                     StageId::Transmit};

  void prepare(std::span<Packet* const> batch, WorkerContext& context) noexcept;
  Verdict<Next> decide(Packet& packet, WorkerContext& context) noexcept;
};

}  // namespace masugata::dataplane
