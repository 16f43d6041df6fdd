// SPDX-License-Identifier: GPL-2.0-or-later
// Protocols over UDP. A datagram is whole, so these never stay undecided.
#pragma once

#include "ids/protocols/detection/probe.h"

namespace masugata::ids::detection {

// On port 53 a header and a readable first name are enough; elsewhere all of the message must be
// of a shape that resolvers send.
[[nodiscard]] Likeness probe_dns_datagram(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_mdns(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_nfs_datagram(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_dcerpc_datagram(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_krb5_datagram(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_ntp(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_dhcp(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_tftp(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_ike(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_snmp(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_quic(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_bittorrent_dht(const Opening& opening) noexcept;

// The questions above for bytes that need not be whole: what the stream probes are made of.
[[nodiscard]] bool looks_like_dns(std::span<const uint8_t> message, bool from_client,
                                  bool on_its_port) noexcept;
[[nodiscard]] bool looks_like_kerberos(std::span<const uint8_t> message) noexcept;
[[nodiscard]] bool looks_like_nfs_call(std::span<const uint8_t> message) noexcept;

}  // namespace masugata::ids::detection
