// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/sa/sa_consumer.h"

#include <fmt/format.h>

#include <iterator>

namespace masugata::ipsec {

std::string to_string(const SaName& name) {
  return fmt::format("{} SA {:08x} to {}",
                     name.direction == Direction::Inbound ? "inbound" : "outbound", name.spi,
                     name.destination.to_string());
}

std::string_view name_of(AlertKind kind) noexcept {
  constexpr std::string_view kNames[] = {
      "ike-proposals",
      "child-proposals",
      "selectors",
      "selectors-narrowed",
      "local-authentication",
      "peer-authentication",
      "peer-address",
      "peer-unreachable",
      "retransmit-timeout",
      "half-open-timeout",
      "sa-not-installed",
      "policy-not-installed",
      "child-failed",
      "authorization",
      "unique-replaced",
      "unique-kept",
      "ike-expired",
      "certificate-expired",
      "certificate-revoked",
      "certificate-status-unknown",
      "certificate-no-issuer",
      "certificate-untrusted-root",
      "certificate-path-length",
      "certificate-policy",
      "message-unreadable",
      "unknown-ike-spi",
      "retransmit",
      "peer-notified",
      "peer-not-configured",
      "retransmit-answered",
      "ike-up",
      "ike-down",
      "ike-rekeyed",
      "child-up",
      "child-down",
      "child-rekeyed",
  };
  const auto index = static_cast<size_t>(kind) - 1;
  return index < std::size(kNames) ? kNames[index] : "no alert";
}

}  // namespace masugata::ipsec
