// SPDX-License-Identifier: GPL-2.0-or-later
// A failure in words: which side, which parameter, what came, what is configured, and what to set.
#pragma once

#include <string>
#include <vector>

#include "config/vpn_settings.h"
#include "ipsec/diagnosis/failure.h"

namespace masugata::ipsec {

// Everything from peers is printable already (sa_message_reader). Texts hold no secrets.
struct Explanation {
  std::string what;  // a sentence without a stop: "IKE proposals differ in the encryption"
  FaultySide side = FaultySide::Either;
  std::string received;    // with who said it; empty when nothing is known
  std::string configured;  // here
  // Lines that can be set or done, each enough by itself. "in site osaka: ike { ... }".
  std::vector<std::string> here;
  std::vector<std::string> there;
  std::vector<std::string> remarks;
};

// The configuration is the one that runs; a site that is not in it any more is explained without.
[[nodiscard]] Explanation explain(const Failure& failure, const config::VpnSettings& settings);

// Several lines, the first one with the name of the site or the peer's address.
[[nodiscard]] std::string to_text(const Failure& failure, const Explanation& explanation);
// One line: for events, alerts and logs.
[[nodiscard]] std::string to_line(const Failure& failure, const Explanation& explanation);

[[nodiscard]] std::string_view name_of(FaultySide side) noexcept;  // "here", "either side"
// "2026-11-23 03:00:00 UTC".
[[nodiscard]] std::string time_text(int64_t seconds);

}  // namespace masugata::ipsec
