// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel has counted on its side of the twins.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "dataplane/control/gateway_records.h"

namespace masugata::dataplane {

struct TwinCounters {
  control::PacketCounters to_kernel;    // the kernel received
  control::PacketCounters from_kernel;  // the kernel sent
};

// By interface name, from the text of /proc/net/dev. Lines that cannot be read are left out.
[[nodiscard]] std::map<std::string, TwinCounters> parse_twin_counters(std::string_view text);

// Of the network namespace of the process; empty when the file cannot be read.
[[nodiscard]] std::map<std::string, TwinCounters> read_twin_counters();

}  // namespace masugata::dataplane
