// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/sa/sa_socket.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "ipsec/sa/sa_message_reader.h"

namespace masugata::ipsec {
namespace {

static_assert(sizeof(masugata_sa_alert) >= sizeof(masugata_sa_add));

// Charons that nobody has let in yet wait in the listener's backlog.
constexpr int kAcceptsPerRound = 8;

uint64_t new_generation() {
  uint64_t generation = 0;
  while (generation == 0) {
    // Before the kernel has random bytes it lets us wait; that is during the boot only.
    if (getrandom(&generation, sizeof generation, 0) != sizeof generation) generation = 0;
  }
  return generation;
}

Status watch(int epoll, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0) return {};
  return failure("the socket for charon", std::strerror(errno));
}

// Who connected; a fault when it is neither root nor the user that we are.
Status check_peer(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return failure("the socket for charon", std::strerror(errno));
  }
  if (peer.uid == 0 || peer.uid == geteuid()) return {};
  return failure("the socket for charon",
                 fmt::format("user {} (process {}) is turned away: only root may bring keys",
                             peer.uid, peer.pid));
}

template <class Message>
Message begin_event(uint16_t type) noexcept {
  Message message{};
  message.header = {MASUGATA_SA_MAGIC, MASUGATA_SA_VERSION, type, sizeof(Message), 0};
  return message;
}

void turn_away(int connection) noexcept {
  auto reply = begin_event<masugata_sa_reply>(MASUGATA_SA_REPLY);
  reply.header.sequence = MASUGATA_SA_GREETING;
  reply.status = MASUGATA_SA_BUSY;
  constexpr char kReason[] = "another charon is connected";
  static_assert(sizeof kReason <= sizeof reply.reason);
  std::memcpy(reply.reason, kReason, sizeof kReason);
  // Lost when it does not fit, which closing says as well.
  (void)::send(connection, &reply, sizeof reply, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

Result<std::unique_ptr<SaSocket>> SaSocket::create(int listener, SaConsumer& consumer) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return failure("the socket for charon", std::strerror(errno));
  if (const auto watched = watch(epoll, listener); !watched) {
    close(epoll);
    return tl::unexpected(watched.error());
  }
  return std::unique_ptr<SaSocket>(new SaSocket(listener, epoll, consumer, new_generation()));
}

SaSocket::SaSocket(int listener, int epoll, SaConsumer& consumer, uint64_t generation) noexcept
    : listener_(listener), epoll_(epoll), consumer_(consumer), dialogue_(consumer, generation) {}

SaSocket::~SaSocket() {
  if (connection_ >= 0) close(connection_);
  close(epoll_);
}

void SaSocket::on_readable() {
  accept_all();
  for (int i = 0; i < kMessagesPerRound && connection_ >= 0; ++i) {
    if (!receive()) break;
  }
}

void SaSocket::accept_all() {
  for (int i = 0; i < kAcceptsPerRound; ++i) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection < 0) return;
    take(connection);
  }
}

void SaSocket::take(int connection) {
  if (const auto trusted = check_peer(connection); !trusted) {
    consumer_.report(trusted.error().message());
    close(connection);
    return;
  }
  if (connection_ >= 0 && (is_dead() || !dialogue_.greeted())) close_connection();
  if (connection_ >= 0) {
    consumer_.report("a second charon is turned away: one is connected");
    turn_away(connection);
    close(connection);
    return;
  }
  if (const auto watched = watch(epoll_, connection); !watched) {
    consumer_.report(watched.error().message());
    close(connection);
    return;
  }
  connection_ = connection;
  dialogue_.begin();
}

bool SaSocket::is_dead() const noexcept {
  pollfd state{.fd = connection_, .events = POLLRDHUP, .revents = 0};
  return poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

bool SaSocket::receive() {
  const ssize_t size = recv(connection_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (size < 0 && errno == EINTR) return true;
  if (size < 0 && errno == EAGAIN) return false;
  if (size <= 0) {
    close_connection();
    return false;
  }
  const auto reply = dialogue_.handle({buffer_.data(), static_cast<size_t>(size)});
  if (!reply) {
    consumer_.report(reply.error().message());
    close_connection();
    return false;
  }
  if (reply->has_value() && !send(&**reply, sizeof **reply)) {
    consumer_.report("charon does not read its answers");
    close_connection();
    return false;
  }
  return true;
}

void SaSocket::close_connection() {
  // Closing takes it out of the epoll set, too.
  close(connection_);
  connection_ = -1;
  dialogue_.end();
}

bool SaSocket::send(const void* message, size_t size) noexcept {
  return ::send(connection_, message, size, MSG_DONTWAIT | MSG_NOSIGNAL) ==
         static_cast<ssize_t>(size);
}

bool SaSocket::raise(const void* event, size_t size) noexcept {
  return connected() && send(event, size);
}

bool SaSocket::acquire(uint32_t request_id, const TrafficSelector* source,
                       const TrafficSelector* destination) {
  auto message = begin_event<masugata_sa_acquire>(MASUGATA_SA_ACQUIRE);
  message.request_id = request_id;
  if (source != nullptr && destination != nullptr) {
    message.source = write_selector(*source);
    message.destination = write_selector(*destination);
  }
  return raise(&message, sizeof message);
}

bool SaSocket::expire(const SaName& name, bool hard) {
  auto message = begin_event<masugata_sa_expire>(MASUGATA_SA_EXPIRE);
  message.name = write_name(name);
  message.hard = hard ? 1 : 0;
  return raise(&message, sizeof message);
}

bool SaSocket::map(const SaName& name, const net::IpAddress& remote, uint16_t remote_port) {
  auto message = begin_event<masugata_sa_mapping>(MASUGATA_SA_MAPPING);
  message.name = write_name(name);
  message.remote = write_address(remote, remote_port);
  return raise(&message, sizeof message);
}

}  // namespace masugata::ipsec
