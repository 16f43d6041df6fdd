// SPDX-License-Identifier: GPL-2.0-or-later
// Fragments wait here until their datagram is whole; policy never sees a fragment.
#pragma once

#include <array>

#include "dataplane/pipeline/verdict.h"
#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

class DefragmentStage {
 public:
  static constexpr StageId kId = StageId::Defragment;
  enum class Next : uint8_t { Drop, Hold, Track, Punt, Transmit, Decrypt };
  static constexpr std::array kExits{StageId::Track, StageId::Punt, StageId::Transmit,
                                     StageId::Decrypt};

  Verdict<Next> decide(Packet& packet, WorkerContext& context) noexcept;

  // Ends datagrams whose time is over and tells their senders. Once per loop.
  static void expire(WorkerContext& context) noexcept;

 private:
  static Verdict<Next> decode_datagram(Packet& packet, WorkerContext& context) noexcept;
};

}  // namespace masugata::dataplane
