// SPDX-License-Identifier: GPL-2.0-or-later
// A packet that a stage keeps beyond its burst.
#pragma once

#include <rte_mbuf.h>

#include <utility>

#include "dataplane/pipeline/packet.h"

namespace masugata::dataplane {

// Owns one packet and frees it unless it is released. Movable, not copyable. Belongs to one worker.
class HeldPacket {
 public:
  HeldPacket() noexcept = default;
  explicit HeldPacket(Packet& packet) noexcept : packet_(&packet) {}
  HeldPacket(HeldPacket&& other) noexcept : packet_(std::exchange(other.packet_, nullptr)) {}
  HeldPacket& operator=(HeldPacket&& other) noexcept {
    if (this != &other) {
      reset();
      packet_ = std::exchange(other.packet_, nullptr);
    }
    return *this;
  }
  HeldPacket(const HeldPacket&) = delete;
  HeldPacket& operator=(const HeldPacket&) = delete;
  ~HeldPacket() { reset(); }

  [[nodiscard]] bool empty() const noexcept { return packet_ == nullptr; }
  [[nodiscard]] Packet& packet() noexcept { return *packet_; }
  // The caller owns the packet from here on.
  Packet* release() noexcept { return std::exchange(packet_, nullptr); }

 private:
  void reset() noexcept {
    if (packet_ != nullptr) rte_pktmbuf_free(&packet_->mbuf());
    packet_ = nullptr;
  }
  Packet* packet_ = nullptr;
};

}  // namespace masugata::dataplane
