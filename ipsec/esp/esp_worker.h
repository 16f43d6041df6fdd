// SPDX-License-Identifier: GPL-2.0-or-later
// Bursts of packets into ESP and out of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "ipsec/esp/esp_packet.h"
#include "ipsec/esp/esp_sa.h"
#include "ipsec/esp/key_memory.h"
#include "result/result.h"

namespace masugata::ipsec {

struct EspCore;

// One per worker, allocated at start (about 220 KiB of KeyMemory, most of it IPsec-MB's). A burst
// may hold packets of several SAs and transforms, in any order; the worker must own all of them.
// Every packet comes back with its `refusal`; order and content of the span stay. Times are of the
// clock that SaMemory::build() was given.
class EspWorker {
 public:
  // Packets that go through the library together; larger bursts are cut.
  static constexpr size_t kBurst = 32;

  // Fails without memory, without random numbers or when IPsec-MB does not run on this CPU.
  [[nodiscard]] static Result<std::unique_ptr<EspWorker>> create();
  EspWorker(const EspWorker&) = delete;
  EspWorker& operator=(const EspWorker&) = delete;
  ~EspWorker();

  // Inner packets become outer ones (RFC 4303 section 3.3). A sequence number, once taken, is never
  // used again, whatever becomes of its packet.
  void encapsulate(std::span<EspPacket> burst, uint64_t now_ms) noexcept;

  // Outer packets become inner ones (RFC 4303 section 3.4): replay check, authentication, replay
  // check again, lifetime, padding, lengths, ECN. Who calls compares addresses and ports with those
  // of the SA, and the inner packet with the selectors.
  void decapsulate(std::span<EspPacket> burst, uint64_t now_ms) noexcept;

  [[nodiscard]] const char* instruction_set() const noexcept;

 private:
  EspWorker(CryptoManager manager, KeyMemory memory, EspCore* core) noexcept;

  CryptoManager manager_;
  KeyMemory memory_;
  EspCore* core_;
};

}  // namespace masugata::ipsec
