// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/esp/esp_sa.h"

#include <limits>

namespace masugata::ipsec {

EspSa::EspSa(const SaParameters& parameters, const CryptoManager& manager, uint64_t now_ms) noexcept
    : last_sequence_(parameters.extended_sequence ? std::numeric_limits<uint64_t>::max()
                                                  : std::numeric_limits<uint32_t>::max()),
      spi_(parameters.spi),
      direction_(parameters.direction),
      mode_(parameters.mode),
      transform_(parameters.transform),
      extended_(parameters.extended_sequence),
      iv_bytes_(static_cast<uint8_t>(parameters.transform.iv_bytes())),
      icv_bytes_(static_cast<uint8_t>(parameters.transform.icv_bytes())),
      alignment_bytes_(static_cast<uint8_t>(parameters.transform.alignment_bytes())),
      header_(parameters.header),
      lifetime_(parameters.soft, parameters.hard, now_ms),
      outer_(parameters.local, parameters.remote, parameters.udp, parameters.header),
      keys_(parameters, manager),
      window_(parameters.replay_window_packets, parameters.extended_sequence) {}

LifetimeState EspSa::state(uint64_t now_ms) const noexcept {
  LifetimeState state = lifetime_.state(now_ms);
  if (direction_ == Direction::Inbound || state == LifetimeState::Hard) return state;
  const uint64_t used = sequence();
  if (used == last_sequence_) return LifetimeState::Hard;
  if (used > last_sequence_ - last_sequence_ / 16) state = LifetimeState::Soft;
  return state;
}

}  // namespace masugata::ipsec
