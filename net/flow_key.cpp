// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/flow_key.h"

namespace masugata::net {
namespace {

std::string protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::Icmp:
      return "icmp";
    case Protocol::Tcp:
      return "tcp";
    case Protocol::Udp:
      return "udp";
    case Protocol::Gre:
      return "gre";
    case Protocol::Esp:
      return "esp";
    case Protocol::Ah:
      return "ah";
    case Protocol::Icmpv6:
      return "icmpv6";
    case Protocol::Sctp:
      return "sctp";
    default:
      return "protocol-" + std::to_string(static_cast<unsigned>(protocol));
  }
}

std::string endpoint(const IpAddress& address, Be16 port) {
  std::string text = address.to_string();
  if (!address.is_v4()) text.insert(0, 1, '[').push_back(']');
  return text.append(1, ':').append(std::to_string(port.host()));
}

}  // namespace

std::string FlowKey::to_string() const {
  return protocol_name(protocol) + " " + endpoint(source, source_port) + " > " +
         endpoint(destination, destination_port);
}

}  // namespace masugata::net
