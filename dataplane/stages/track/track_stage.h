// SPDX-License-Identifier: GPL-2.0-or-later
// From packets to sessions: finds the session of each packet in bulk, checks that the packet may be
// part of it (zone, TCP state and windows), and counts it.
#pragma once

#include <array>
#include <span>

#include "dataplane/pipeline/runner.h"
#include "dataplane/pipeline/verdict.h"
#include "dataplane/pipeline/worker_context.h"

namespace masugata::dataplane {

class TrackStage {
 public:
  static constexpr StageId kId = StageId::Track;
  enum class Next : uint8_t { Drop, Hold, Egress, Admit, Inspect };
  static constexpr std::array kExits{StageId::Egress, StageId::Admit, StageId::Inspect};

  // Looks up all packets of the batch; decide() takes the answers in the same order.
  void prepare(std::span<Packet* const> batch, WorkerContext& context) noexcept;
  Verdict<Next> decide(Packet& packet, WorkerContext& context) noexcept;

 private:
  [[nodiscard]] Verdict<Next> decide_miss(Packet& packet, const SessionMatch& match,
                                          WorkerContext& context) noexcept;
  [[nodiscard]] Verdict<Next> track_tcp_hit(Packet& packet, Session& session, Direction direction,
                                            WorkerContext& context) noexcept;

  std::array<SessionMatch, kBatchSize> matches_;
  uint32_t next_match_ = 0;
};

}  // namespace masugata::dataplane
