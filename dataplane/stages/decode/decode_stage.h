// SPDX-License-Identifier: GPL-2.0-or-later
// The first gate: from bytes to fields. Everything malformed ends here.
#pragma once

#include <array>
#include <span>

#include "dataplane/pipeline/verdict.h"
#include "dataplane/pipeline/worker_context.h"
#include "dataplane/stages/decode/frame_decoder.h"

namespace masugata::dataplane {

class DecodeStage {
 public:
  static constexpr StageId kId = StageId::Decode;
  enum class Next : uint8_t { Drop, Hold, Track, Defragment, Punt, Transmit, Decrypt };
  static constexpr std::array kExits{StageId::Track, StageId::Defragment, StageId::Punt,
                                     StageId::Transmit, StageId::Decrypt};

  void prepare(std::span<Packet* const> batch, WorkerContext& context) noexcept;
  Verdict<Next> decide(Packet& packet, WorkerContext& context) noexcept;

  // Where a packet goes whose headers were decoded with this outcome; its transport checksum may
  // still have to be looked at (`checks`). Sets the hash of what goes to track. Also for packets
  // that come out of a tunnel.
  static Verdict<Next> sort(Packet& packet, const Verdict<FrameKind>& decoded,
                            const ReceiveChecks& checks, WorkerContext& context) noexcept;

 private:
  void prefetch_session(uint64_t hash, const SessionTable& sessions) noexcept;

  // By the time that so many more packets are decoded, the index bucket of one has arrived and
  // its session can be asked for: memory works while the next packets are decoded.
  static constexpr uint32_t kPrefetchDistance = 8;
  std::array<uint64_t, kPrefetchDistance> recent_hashes_{};
  uint32_t hashed_ = 0;  // packets of this batch
};

}  // namespace masugata::dataplane
