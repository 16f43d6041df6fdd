// SPDX-License-Identifier: GPL-2.0-or-later
// What admission may know of a packet: the only input that policy and NAT decide on.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/applications.h"
#include "dataplane/policy/address_names.h"
#include "net/address.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// What a session carries, as far as it is known.
struct ApplicationFacts {
  bool known = false;  // false: not recognised yet; the rest counts only when true
  config::ApplicationId application = config::kUnknownApplication;
  config::ApplicationId carrier = config::kUnknownApplication;  // ids/applications
  std::string_view host;  // lower case; empty when no name was seen
};

// Filled from a decoded packet, or from an operator's question (`explain`).
struct PacketFacts {
  net::FlowKey key;            // as seen on the wire, before any translation
  net::MacAddress source_mac;  // all zero when there is none (sent by the gateway itself)
  uint8_t icmp_type = 0;       // ICMP and ICMPv6 only
  uint8_t icmp_code = 0;
  // The key's port fields hold ports or an echo identifier. False for protocols without ports and
  // for ICMP messages other than echo.
  bool has_ports = false;
  ApplicationFacts content;
  // By which names the destination is known; asked only when a rule about domains stands in the
  // way. nullptr: by none.
  const NameSource* names = nullptr;
};

}  // namespace masugata::dataplane
