// SPDX-License-Identifier: GPL-2.0-or-later
// ESP that ends at the gateway becomes the packets inside, which come in by their tunnel's
// interface and are looked at like any other (RFC 4303 section 3.4, RFC 4301 section 5.2).
#pragma once

#include <array>
#include <span>

#include "dataplane/ipsec/ipsec_view.h"
#include "dataplane/pipeline/runner.h"
#include "dataplane/pipeline/verdict.h"
#include "dataplane/pipeline/worker_context.h"
#include "ipsec/esp/esp_packet.h"

namespace masugata::dataplane {

class DecryptStage {
 public:
  static constexpr StageId kId = StageId::Decrypt;
  enum class Next : uint8_t { Drop, Hold, Track, Defragment };
  static constexpr std::array kExits{StageId::Track, StageId::Defragment};

  // Finds the SAs of a batch and decrypts it in one go.
  void prepare(std::span<Packet* const> batch, WorkerContext& context) noexcept;
  Verdict<Next> decide(Packet& packet, WorkerContext& context) noexcept;

  // Whether a decoded packet ends at the gateway as ESP, plain or in UDP, or as the keep-alive of
  // one; none of these is for the kernel. Reads its payload. False while there is no IPsec.
  [[nodiscard]] static bool wants(const Packet& packet, const WorkerContext& context) noexcept {
    const bool may_be = packet.key.protocol == net::Protocol::Esp ||
                        (packet.key.protocol == net::Protocol::Udp &&
                         packet.key.destination_port == kNatTraversalPort);
    return may_be && ends_here(packet, context);
  }

 private:
  static constexpr net::Be16 kNatTraversalPort = net::Be16::from_host(4500);

  [[nodiscard]] static bool ends_here(const Packet& packet, const WorkerContext& context) noexcept;

  struct Finding {
    DropReason refused = DropReason::None;
    uint16_t sa = kNoSa;
    uint16_t place = 0;      // in `burst_`
    uint16_t owner = 0;      // of the SA
    bool elsewhere = false;  // that is another worker
    bool early = false;      // its SA is still negotiated
    bool large = false;      // lies in several buffers: needs LargePackets
    net::Be32 spi;
  };

  [[nodiscard]] Finding find(Packet& packet, WorkerContext& context) noexcept;
  void decrypt_large(Packet& packet, Finding& finding, WorkerContext& context) noexcept;
  void find_promise(const Packet& packet, const WorkerContext& context,
                    Finding& finding) const noexcept;
  [[nodiscard]] Verdict<Next> reenter(Packet& packet, const ViewedSa& sa,
                                      const ipsec::EspPacket& opened,
                                      WorkerContext& context) noexcept;

  std::array<Finding, kBatchSize> findings_;
  std::array<ipsec::EspPacket, kBatchSize> burst_;
  uint16_t burst_count_ = 0;
  uint32_t next_ = 0;
};

}  // namespace masugata::dataplane
