// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel counts below ports that stand on one of its interfaces.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string_view>

namespace masugata::dataplane {

// Frames that `interface` received and nobody took, from text as /proc/net/dev has it; nothing when
// the interface does not stand there.
[[nodiscard]] std::optional<uint64_t> received_drops(std::istream& table,
                                                     std::string_view interface);

// The same of the namespace that this process runs in; 0 when it cannot be learnt.
[[nodiscard]] uint64_t received_drops(std::string_view interface);

}  // namespace masugata::dataplane
