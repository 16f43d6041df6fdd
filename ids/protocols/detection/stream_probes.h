// SPDX-License-Identifier: GPL-2.0-or-later
// Binary protocols over TCP. Those whose first bytes say little accept their port as evidence.
#pragma once

#include "ids/protocols/detection/probe.h"

namespace masugata::ids::detection {

// A record of SSL 3.0 to TLS 1.3, or an SSLv2 hello.
[[nodiscard]] Likeness probe_tls(const Opening& opening) noexcept;
// A two-byte length (RFC 1035 section 4.2.2), then as for datagrams.
[[nodiscard]] Likeness probe_dns_stream(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_smb(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_dcerpc(const Opening& opening) noexcept;
// Calls of the NFS program (RFC 5531) with a record mark; replies do not say their program.
[[nodiscard]] Likeness probe_nfs_stream(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_krb5_stream(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_mqtt(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_rdp(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_telnet(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_modbus(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_dnp3(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_enip(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_pgsql(const Opening& opening) noexcept;
[[nodiscard]] Likeness probe_ldap(const Opening& opening) noexcept;

}  // namespace masugata::ids::detection
