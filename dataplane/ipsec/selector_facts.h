// SPDX-License-Identifier: GPL-2.0-or-later
// What traffic selectors look at, read from an IP packet.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/ipsec/ipsec_view.h"

namespace masugata::dataplane {

// `packet`: an IP packet that was decoded or written by the gateway, so that its header is whole.
// Ports stand in TCP, UDP and SCTP behind an IPv4 header or directly behind an IPv6 one; fragments
// and packets with IPv6 extension headers have none here, and fit only selectors of any port (RFC
// 4301 section 4.4.1.1). ICMP has type and code in their place. Packet path.
[[nodiscard]] SelectorFacts read_selector_facts(std::span<const uint8_t> packet) noexcept;

}  // namespace masugata::dataplane
