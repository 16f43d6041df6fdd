// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/charon_link.h"

#include <sys/socket.h>

#include <optional>
#include <utility>

namespace masugata::dataplane {
namespace {

// What a packet looked like that wants an SA; charon may narrow the SA to it.
ipsec::TrafficSelector selector_of(const net::IpAddress& address, uint8_t protocol, bool has_port,
                                   uint16_t port) {
  ipsec::TrafficSelector selector;
  selector.addresses = {address, address};
  selector.protocol = protocol;
  if (has_port) selector.first_port = selector.last_port = port;
  return selector;
}

}  // namespace

Status CharonLink::listen(const std::string& path) {
  if (listens()) return {};
  auto listener = control::ListeningSocket::create(path, 0600, std::nullopt, SOCK_SEQPACKET);
  if (!listener) return tl::unexpected(listener.error());
  listener_ = std::make_unique<control::ListeningSocket>(std::move(*listener));
  auto socket = ipsec::SaSocket::create(listener_->descriptor(), manager_);
  if (!socket) return tl::unexpected(socket.error());
  socket_ = std::move(*socket);
  CharonEvents events;
  events.acquire = [this](uint32_t request_id, const SelectorFacts& facts) {
    const auto source =
        selector_of(facts.source, facts.protocol, facts.has_ports, facts.source_port);
    const auto destination =
        selector_of(facts.destination, facts.protocol, facts.has_ports, facts.destination_port);
    return socket_->acquire(request_id, &source, &destination);
  };
  events.expire = [this](const ipsec::SaName& name, bool hard) {
    return socket_->expire(name, hard);
  };
  events.map = [this](const ipsec::SaName& name, const net::IpAddress& remote, uint16_t port) {
    return socket_->map(name, remote, port);
  };
  manager_.set_events(std::move(events));
  return loop_.watch(socket_->descriptor(), control::kReadable,
                     [this](uint32_t) { socket_->on_readable(); });
}

CharonLink::~CharonLink() {
  manager_.set_events({});
  if (socket_ != nullptr) loop_.forget(socket_->descriptor());
}

}  // namespace masugata::dataplane
