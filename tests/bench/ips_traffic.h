// SPDX-License-Identifier: GPL-2.0-or-later
// The traffic that inspection is measured with. Generated, the same in every run.
#pragma once

#include <cstdint>

#include "tests/bench/ips_capture.h"

namespace masugata::bench {

// About `bytes` of frames each.

// Browsing: connections of 1 to 8 requests; answers are small JSON, pages (half of them gzip),
// pictures, scripts, and one download of 150 KB in twenty; one request in eight posts a form.
[[nodiscard]] Capture make_http_capture(uint64_t bytes);
// Stub resolvers: A and AAAA of one name from one port, answers with aliases and addresses.
[[nodiscard]] Capture make_dns_capture(uint64_t bytes);
// By bytes: HTTP 45 %, TLS 1.2 and 1.3 45 %, SMTP with attachments 7 %, DNS 3 %.
[[nodiscard]] Capture make_mixed_capture(uint64_t bytes);

}  // namespace masugata::bench
