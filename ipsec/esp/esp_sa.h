// SPDX-License-Identifier: GPL-2.0-or-later
// One security association as packets use it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ipsec/esp/crypto_manager.h"
#include "ipsec/esp/key_schedule.h"
#include "ipsec/esp/outer_header.h"
#include "ipsec/sa/lifetime.h"
#include "ipsec/sa/replay_window.h"
#include "ipsec/sa/sa_parameters.h"
#include "net/relaxed_counter.h"

namespace masugata::ipsec {

// Belongs to one worker at a time (the owner), which alone changes it; what is said to be for any
// thread may be read while packets flow. Made and destroyed by SaMemory, never copied: a second one
// with the same key would use sequence numbers, and so nonces, twice.
class alignas(64) EspSa {
 public:
  EspSa(const SaParameters& parameters, const CryptoManager& manager, uint64_t now_ms) noexcept;
  EspSa(const EspSa&) = delete;
  EspSa& operator=(const EspSa&) = delete;

  // Any thread.
  [[nodiscard]] net::Be32 spi() const noexcept { return spi_; }
  [[nodiscard]] Direction direction() const noexcept { return direction_; }
  [[nodiscard]] Mode mode() const noexcept { return mode_; }
  [[nodiscard]] EspTransform transform() const noexcept { return transform_; }
  [[nodiscard]] bool extended_sequence() const noexcept { return extended_; }
  // Soft also when an outbound SA has used 15/16 of its sequence numbers, Hard when all.
  [[nodiscard]] LifetimeState state(uint64_t now_ms) const noexcept;
  [[nodiscard]] const Lifetime& lifetime() const noexcept { return lifetime_; }
  // Inbound: refused as replayed or too old; failed to authenticate.
  [[nodiscard]] uint64_t replays() const noexcept { return replays_.get(); }
  [[nodiscard]] uint64_t authentication_failures() const noexcept {
    return authentication_failures_.get();
  }
  // The last number sent, or the highest authenticated one that was received.
  [[nodiscard]] uint64_t sequence() const noexcept { return sequence_.get(); }

  // Owner worker. New outer addresses and ports (MOBIKE, NAT rebinding), such as check() lets pass.
  void set_outer(const net::IpAddress& local, const net::IpAddress& remote,
                 const UdpEncapsulation& udp) noexcept {
    outer_ = OuterHeader(local, remote, udp, header_);
  }
  // Outbound: the next packet carries at least `next`. Only ever forward: smaller values change
  // nothing. For tests, and for a peer that lost its window.
  void advance_sequence(uint64_t next) noexcept {
    if (next > sequence_.get() + 1) sequence_.set(next - 1);
  }

  // What the packet path works with; owner worker.
  [[nodiscard]] Lifetime& lifetime() noexcept { return lifetime_; }
  [[nodiscard]] ReplayWindow& window() noexcept { return window_; }
  [[nodiscard]] const OuterHeader& outer() const noexcept { return outer_; }
  [[nodiscard]] const KeySchedule& keys() const noexcept { return keys_; }
  [[nodiscard]] const TunnelHeaderHandling& header() const noexcept { return header_; }
  [[nodiscard]] uint32_t iv_bytes() const noexcept { return iv_bytes_; }
  [[nodiscard]] uint32_t icv_bytes() const noexcept { return icv_bytes_; }
  [[nodiscard]] uint32_t alignment_bytes() const noexcept { return alignment_bytes_; }
  // The next sequence number, which no other call will return; 0 when there is none left.
  [[nodiscard]] uint64_t take_sequence() noexcept {
    const uint64_t last = sequence_.get();
    if (last == last_sequence_) return 0;
    sequence_.set(last + 1);
    return last + 1;
  }
  [[nodiscard]] bool sequence_exhausted() const noexcept {
    return sequence_.get() == last_sequence_;
  }
  // Marks an authentic packet's number.
  [[nodiscard]] ReplayWindow::Verdict accept_sequence(uint64_t sequence) noexcept {
    const ReplayWindow::Verdict verdict = window_.accept(sequence);
    sequence_.set(window_.top());
    return verdict;
  }
  void count_replay() noexcept { replays_.add(1); }
  void count_authentication_failure() noexcept { authentication_failures_.add(1); }

 private:
  // First what every packet needs.
  net::RelaxedCounter sequence_;
  uint64_t last_sequence_;
  net::Be32 spi_;
  Direction direction_;
  Mode mode_;
  EspTransform transform_;
  bool extended_;
  uint8_t iv_bytes_;
  uint8_t icv_bytes_;
  uint8_t alignment_bytes_;
  TunnelHeaderHandling header_;
  Lifetime lifetime_;
  net::RelaxedCounter replays_;
  net::RelaxedCounter authentication_failures_;
  OuterHeader outer_;
  KeySchedule keys_;
  ReplayWindow window_;
};

}  // namespace masugata::ipsec
