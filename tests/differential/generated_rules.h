// SPDX-License-Identifier: GPL-2.0-or-later
// A random rule set, said twice: in the gateway's own language and in nftables'.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace masugata::test {

using Random = std::mt19937_64;

// A number in [first, last].
[[nodiscard]] uint64_t pick(Random& random, uint64_t first, uint64_t last);
// True in `percent` of all cases.
[[nodiscard]] bool chance(Random& random, unsigned percent);

enum class GeneratedAction : uint8_t { Permit, Deny, Reject };

struct GeneratedRule {
  std::string from;  // zone; its interface is the zone's name and "0"
  std::string to;
  GeneratedAction action = GeneratedAction::Permit;
  std::string source;  // address, network or range; empty = any
  std::string destination;
  std::string protocol;  // "tcp", "udp", "icmp", "icmpv6", "sctp", "gre"; empty = any
  std::string ports;     // "80" or "80-90"; empty = any
  std::optional<uint8_t> icmp_type;
};

struct GeneratedForward {
  std::string protocol;  // "tcp" or "udp"
  uint16_t public_port = 0;
  std::string server;
  uint16_t server_port = 0;
};

enum class GeneratedTranslation : uint8_t { None, Interface, Pool };

struct GeneratedRules {
  std::vector<GeneratedRule> rules;
  GeneratedTranslation lan_to_wan = GeneratedTranslation::None;
  bool exception = false;                  // 198.51.100.6 is reached untranslated
  std::vector<GeneratedForward> forwards;  // of 203.0.113.2, from WAN and LAN
};

[[nodiscard]] GeneratedRules generate_rules(Random& random);

// The whole configuration, ports and zones included.
[[nodiscard]] std::string to_gateway_text(const GeneratedRules& rules);
// The equivalent rule set, see README.md for what corresponds to what.
[[nodiscard]] std::string to_nft_text(const GeneratedRules& rules);

}  // namespace masugata::test
