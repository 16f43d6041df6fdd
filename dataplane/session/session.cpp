// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/session.h"

#include <array>

namespace masugata::dataplane {

const char* name_of(ProtocolState state) noexcept {
  static constexpr std::array<const char*, kProtocolStateCount> kNames{
      "free",           "tcp-syn-sent", "tcp-syn-received", "tcp-established", "tcp-fin-wait",
      "tcp-close-wait", "tcp-last-ack", "tcp-time-wait",    "tcp-reset",       "udp-new",
      "udp-replied",    "icmp-new",     "icmp-replied",     "other-new",       "other-replied",
  };
  const auto number = static_cast<size_t>(state);
  return number < kNames.size() ? kNames[number] : "unknown";
}

}  // namespace masugata::dataplane
