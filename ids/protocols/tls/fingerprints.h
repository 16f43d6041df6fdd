// SPDX-License-Identifier: GPL-2.0-or-later
// Fingerprints of TLS stacks by what they say in their hellos.
#pragma once

#include <string>

#include "ids/protocols/tls/hello.h"

namespace masugata::ids {

// "771,4865-4866,0-23-65281,29-23-24,0": version, ciphers, extensions, groups, point formats in
// decimal, without GREASE. The JA3 hash is the MD5 of it in hex.
[[nodiscard]] std::string ja3_string(const TlsHello& client_hello);
// "771,49200,65281-0": version, cipher, extensions.
[[nodiscard]] std::string ja3s_string(const TlsHello& server_hello);
// "t13d1516h2_8daaf6152771_e5627efa2ab1".
[[nodiscard]] std::string ja4_fingerprint(const TlsHello& client_hello);

}  // namespace masugata::ids
