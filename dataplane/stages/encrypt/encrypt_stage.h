// SPDX-License-Identifier: GPL-2.0-or-later
// Packets that leave by a tunnel become ESP and look for their way to the peer (RFC 4303 section
// 3.3). Nothing leaves a tunnel in clear: without an SA a packet is dropped.
#pragma once

#include <array>
#include <span>

#include "dataplane/ipsec/ipsec_view.h"
#include "dataplane/pipeline/runner.h"
#include "dataplane/pipeline/verdict.h"
#include "dataplane/pipeline/worker_context.h"
#include "ipsec/esp/esp_packet.h"

namespace masugata::dataplane {

class EncryptStage {
 public:
  static constexpr StageId kId = StageId::Encrypt;
  enum class Next : uint8_t { Drop, Hold, Transmit };
  static constexpr std::array kExits{StageId::Transmit};

  // Finds the SAs of a batch and encrypts it in one go.
  void prepare(std::span<Packet* const> batch, WorkerContext& context) noexcept;
  Verdict<Next> decide(Packet& packet, WorkerContext& context) noexcept;

 private:
  struct Finding {
    DropReason refused = DropReason::None;
    uint16_t sa = kNoSa;
    uint16_t place = 0;         // in `burst_`
    bool elsewhere = false;     // another worker owns the SA
    bool large = false;         // needs LargePackets
    bool encapsulated = false;  // was encrypted before, and waited for its next hop
  };

  [[nodiscard]] Finding find(Packet& packet, WorkerContext& context) noexcept;
  // Of a packet that needs LargePackets.
  void encrypt_large(Packet& packet, Finding& finding, WorkerContext& context) noexcept;
  // The outer packet stands in the buffer instead of the inner one.
  static void become_outer(Packet& packet, const ViewedSa& sa, const ipsec::EspPacket& sealed,
                           WorkerContext& context) noexcept;
  // Next hop and link header of an outer packet of `sa`, which this worker owns.
  [[nodiscard]] static Verdict<Next> send_outer(Packet& packet, const ViewedSa& sa,
                                                WorkerContext& context) noexcept;
  // The same with the route asked for; `sa` may be null, and is told the way.
  [[nodiscard]] static Verdict<Next> find_way(Packet& packet, const ViewedSa* sa,
                                              WorkerContext& context) noexcept;
  // In pieces when it is larger than `limit`.
  [[nodiscard]] static Verdict<Next> leave(Packet& packet, const EgressInterface& egress,
                                           const net::MacAddress& mac, uint16_t limit,
                                           WorkerContext& context) noexcept;

  std::array<Finding, kBatchSize> findings_;
  std::array<ipsec::EspPacket, kBatchSize> burst_;
  uint16_t burst_count_ = 0;
  uint32_t next_ = 0;
};

}  // namespace masugata::dataplane
