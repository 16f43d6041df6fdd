// SPDX-License-Identifier: GPL-2.0-or-later
// The socket on which charon's plugin finds masugatad (/run/masugata/sa.sock).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "ipsec/sa/sa_consumer.h"
#include "ipsec/sa/sa_dialogue.h"
#include "ipsec/sa/sa_messages.h"
#include "result/result.h"

namespace masugata::ipsec {

// Speaks to one charon at a time. A second one is told so and turned away, unless the first is
// dead. Never blocks; one thread, the control thread. Not on the packet path.
class SaSocket {
 public:
  // At most so many messages per call of on_readable(): other work of the thread gets its turn.
  static constexpr int kMessagesPerRound = 64;

  // `listener`: a listening SEQPACKET socket of AF_UNIX, non-blocking, which only root and this
  // process's user should be able to reach (mode 0600); it stays the caller's and is open for
  // longer than this object. `consumer` too.
  [[nodiscard]] static Result<std::unique_ptr<SaSocket>> create(int listener, SaConsumer& consumer);
  SaSocket(const SaSocket&) = delete;
  SaSocket& operator=(const SaSocket&) = delete;
  ~SaSocket();

  // Readable, level-triggered, whenever on_readable() has something to do. For epoll.
  [[nodiscard]] int descriptor() const noexcept { return epoll_; }
  void on_readable();

  // charon's plugin has greeted, and is there as far as is known.
  [[nodiscard]] bool connected() const noexcept { return connection_ >= 0 && dialogue_.greeted(); }

  // Events for charon. False: nobody is there, or does not read; the caller may try again later.
  // A packet wants the SA of a policy without one; its addresses, when they are known.
  bool acquire(uint32_t request_id, const TrafficSelector* source,
               const TrafficSelector* destination);
  bool expire(const SaName& name, bool hard);
  // Authenticated packets of an inbound SA come from elsewhere.
  bool map(const SaName& name, const net::IpAddress& remote, uint16_t remote_port);

 private:
  SaSocket(int listener, int epoll, SaConsumer& consumer, uint64_t generation) noexcept;
  void accept_all();
  void take(int connection);
  // False when there was nothing to read, or nothing is to be read any more.
  [[nodiscard]] bool receive();
  void close_connection();
  [[nodiscard]] bool send(const void* message, size_t size) noexcept;
  [[nodiscard]] bool raise(const void* event, size_t size) noexcept;
  [[nodiscard]] bool is_dead() const noexcept;

  int listener_;
  int epoll_;
  int connection_ = -1;
  SaConsumer& consumer_;
  SaDialogue dialogue_;
  // One byte more than the largest message: one that is too long shows itself. Wiped after use.
  std::array<uint8_t, sizeof(masugata_sa_alert) + 1> buffer_{};
};

}  // namespace masugata::ipsec
