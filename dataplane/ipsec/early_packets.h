// SPDX-License-Identifier: GPL-2.0-or-later
// ESP that came before its SA: one worker's packets for promised SPIs (promised_spis.h), until
// charon tells of the SA or time is over.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "dataplane/pipeline/held_packet.h"
#include "net/byte_order.h"
#include "net/relaxed_counter.h"

namespace masugata::dataplane {

// What has become of them, in packets. Written by the worker, read by any thread.
struct EarlyCounters {
  net::RelaxedCounter kept;
  net::RelaxedCounter let_go;   // their SA has come
  net::RelaxedCounter refused;  // at a bound: were not kept
  net::RelaxedCounter expired;  // their SA has not come in time
};

// One worker's own. Order of arrival is kept. At a bound the newest packet is refused.
class EarlyPackets {
 public:
  static constexpr uint32_t kMaximum = 256;
  static constexpr uint32_t kMaximumPerSpi = 128;
  // charon needs milliseconds; an answer that is lost on the way is asked for again after seconds,
  // and what TCP sent meanwhile it has sent again by then.
  static constexpr uint32_t kPeriod_ms = 500;

  [[nodiscard]] uint32_t count() const noexcept { return count_; }
  [[nodiscard]] const EarlyCounters& counters() const noexcept { return counters_; }

  // Whether it was taken; otherwise the packet stays with the caller. `now_ms` wraps.
  [[nodiscard]] bool keep(Packet& packet, net::Be32 spi, uint32_t now_ms) noexcept {
    uint32_t of_spi = 0;
    for (uint32_t i = 0; i < count_; ++i) of_spi += kept_[i].spi == spi ? 1U : 0U;
    if (count_ == kMaximum || of_spi >= kMaximumPerSpi) {
      counters_.refused.add(1);
      return false;
    }
    kept_[count_++] = {HeldPacket(packet), spi, now_ms};
    counters_.kept.add(1);
    return true;
  }

  // Gives back, in order of arrival, what comes for an SPI for which `is_ready(spi)`.
  template <class IsReady, class Take>
  void release(IsReady&& is_ready, Take&& take) noexcept {
    counters_.let_go.add(
        give_back([&](const Kept& kept) noexcept { return is_ready(kept.spi); }, take));
  }
  // Gives back what has waited for too long.
  template <class Take>
  void expire(uint32_t now_ms, Take&& take) noexcept {
    if (count_ == 0 || now_ms - kept_[0].since_ms < kPeriod_ms) return;
    counters_.expired.add(give_back(
        [now_ms](const Kept& kept) noexcept { return now_ms - kept.since_ms >= kPeriod_ms; },
        take));
  }

 private:
  struct Kept {
    HeldPacket packet;
    net::Be32 spi;
    uint32_t since_ms = 0;
  };

  // How many were given back.
  template <class IsWanted, class Take>
  uint32_t give_back(IsWanted&& is_wanted, Take&& take) noexcept {
    uint32_t left = 0;
    for (uint32_t i = 0; i < count_; ++i) {
      if (is_wanted(kept_[i])) {
        take(*kept_[i].packet.release());
      } else if (left++ != i) {
        kept_[left - 1] = std::move(kept_[i]);
      }
    }
    return std::exchange(count_, left) - left;
  }

  std::array<Kept, kMaximum> kept_;  // the first count_
  uint32_t count_ = 0;
  EarlyCounters counters_;
};

}  // namespace masugata::dataplane
