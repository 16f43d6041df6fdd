// SPDX-License-Identifier: GPL-2.0-or-later
// masugatad's half of the dialogue with charon's plugin, without the socket.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "ipsec/sa/sa_consumer.h"
#include "ipsec/sa/sa_messages.h"
#include "result/result.h"

namespace masugata::ipsec {

// One thread. Lives as long as masugatad, over all connections: it remembers which start of charon
// the SAs are from.
class SaDialogue {
 public:
  // `generation`: new with each start of masugatad, not 0; what tells charon that its SAs are gone.
  SaDialogue(SaConsumer& consumer, uint64_t generation) noexcept
      : consumer_(consumer), generation_(generation) {}

  // A new connection: Hello must come first.
  void begin() noexcept { greeted_ = false; }
  // The connection has ended.
  void end();
  // Hello has come on this connection.
  [[nodiscard]] bool greeted() const noexcept { return greeted_; }

  // Carries out one message and wipes it. The reply, if the message wants one; a fault when the
  // connection must be closed: the message is none of ours or came at the wrong time.
  [[nodiscard]] Result<std::optional<masugata_sa_reply>> handle(std::span<uint8_t> message);

 private:
  [[nodiscard]] Status greet(const masugata_sa_hello& hello, masugata_sa_reply& reply);
  [[nodiscard]] Status carry_out(std::span<const uint8_t> message, masugata_sa_reply& reply);
  [[nodiscard]] Status reserve(const masugata_sa_reserve_spi& request, masugata_sa_reply& reply);
  [[nodiscard]] Status add(const masugata_sa_add& request);
  [[nodiscard]] Status update(const masugata_sa_update& request, masugata_sa_reply& reply);
  [[nodiscard]] Status query(const masugata_sa_about& request, masugata_sa_reply& reply);
  [[nodiscard]] Status remove(const masugata_sa_about& request, masugata_sa_reply& reply);
  [[nodiscard]] Status change_policy(const masugata_sa_policy& request, masugata_sa_reply& reply);
  [[nodiscard]] Status take_alert(std::span<const uint8_t> message);

  SaConsumer& consumer_;
  uint64_t generation_;
  std::optional<uint64_t> charon_generation_;
  bool greeted_ = false;
};

}  // namespace masugata::ipsec
