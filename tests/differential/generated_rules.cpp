// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/differential/generated_rules.h"

#include <array>

namespace masugata::test {
namespace {

struct Network {
  const char* zone;
  std::array<const char*, 4> ipv4;  // what rules may name
  std::array<const char*, 3> ipv6;
};

constexpr std::array kNetworks = {
    Network{"lan",
            {"10.0.1.0/24", "10.0.1.10", "10.0.1.8-10.0.1.10", "10.0.0.0/16"},
            {"2001:db8:2::/64", "2001:db8:2::10", "2001:db8:2::-2001:db8:2::10"}},
    Network{"dmz",
            {"10.0.2.0/24", "10.0.2.80", "10.0.2.80-10.0.2.81", "10.0.0.0/8"},
            {"2001:db8:3::/64", "2001:db8:3::80", "2001:db8::/32"}},
    Network{"wan",
            {"198.51.100.0/24", "198.51.100.5", "198.51.100.5-198.51.100.6", "0.0.0.0/0"},
            {"2001:db8:f::/48", "2001:db8:f::5", "::/0"}},
};

constexpr std::array kPorts = {"22",     "53",     "80",         "443",
                               "1-1024", "80-443", "1024-65535", "8080-8089"};

const Network& network_of(const std::string& zone) {
  for (const Network& network : kNetworks) {
    if (zone == network.zone) return network;
  }
  return kNetworks[0];
}

template <class Array>
std::string one_of(Random& random, const Array& choices) {
  return choices[pick(random, 0, choices.size() - 1)];
}

void choose_service(Random& random, bool ipv6_allowed, bool ipv4_allowed, GeneratedRule& rule) {
  switch (pick(random, 0, 6)) {
    case 0:
      return;
    case 1:
    case 2:
      rule.protocol = "tcp";
      break;
    case 3:
    case 4:
      rule.protocol = "udp";
      break;
    case 5:
      rule.protocol = ipv4_allowed ? "icmp" : "icmpv6";
      if (!ipv4_allowed && !ipv6_allowed) rule.protocol.clear();
      if (chance(random, 50)) rule.icmp_type = rule.protocol == "icmp" ? 8 : 128;
      return;
    default:
      rule.protocol = chance(random, 50) ? "gre" : "sctp";
      return;
  }
  if (chance(random, 80)) rule.ports = one_of(random, kPorts);
}

GeneratedRule generate_rule(Random& random, const std::string& from, const std::string& to) {
  GeneratedRule rule;
  rule.from = from;
  rule.to = to;
  const uint64_t action = pick(random, 0, 9);
  rule.action = action < 6   ? GeneratedAction::Permit
                : action < 8 ? GeneratedAction::Deny
                             : GeneratedAction::Reject;
  const uint64_t family = pick(random, 0, 2);  // any, IPv4, IPv6
  if (family == 1) {
    if (chance(random, 60)) rule.source = one_of(random, network_of(from).ipv4);
    if (rule.source.empty() || chance(random, 50)) {
      rule.destination = one_of(random, network_of(to).ipv4);
    }
  } else if (family == 2) {
    if (chance(random, 60)) rule.source = one_of(random, network_of(from).ipv6);
    if (rule.source.empty() || chance(random, 50)) {
      rule.destination = one_of(random, network_of(to).ipv6);
    }
  }
  choose_service(random, family != 1, family != 2, rule);
  return rule;
}

bool is_ipv6(const std::string& address) { return address.find(':') != std::string::npos; }

std::string nft_address(const std::string& address, const char* side) {
  if (address.empty()) return "";
  return std::string(is_ipv6(address) ? "ip6 " : "ip ") + side + " " + address + " ";
}

std::string nft_service(const GeneratedRule& rule) {
  std::string text;
  if (rule.protocol.empty()) return text;
  if (rule.icmp_type) {
    return rule.protocol + " type " + std::to_string(*rule.icmp_type) + " ";
  }
  if (!rule.ports.empty()) return rule.protocol + " dport " + rule.ports + " ";
  const std::string number = rule.protocol == "icmp"     ? "1"
                             : rule.protocol == "icmpv6" ? "58"
                             : rule.protocol == "tcp"    ? "6"
                             : rule.protocol == "udp"    ? "17"
                             : rule.protocol == "gre"    ? "47"
                                                         : "132";
  // ICMP of the other family is no ICMP.
  if (number == "1") text = "meta nfproto ipv4 ";
  if (number == "58") text = "meta nfproto ipv6 ";
  return text + "meta l4proto " + number + " ";
}

std::string nft_rule(const GeneratedRule& rule) {
  const std::string match = "        iifname \"" + rule.from + "0\" oifname \"" + rule.to + "0\" " +
                            nft_address(rule.source, "saddr") +
                            nft_address(rule.destination, "daddr") + nft_service(rule);
  switch (rule.action) {
    case GeneratedAction::Permit:
      return match + "accept\n";
    case GeneratedAction::Deny:
      return match + "drop\n";
    case GeneratedAction::Reject:
      break;
  }
  if (rule.protocol == "tcp") return match + "reject with tcp reset\n";
  const std::string icmp = match + "reject with icmpx admin-prohibited\n";
  if (!rule.protocol.empty()) return icmp;
  return match + "meta l4proto 6 reject with tcp reset\n" + icmp;
}

std::string gateway_rule(const GeneratedRule& rule, size_t number) {
  std::string text = "        rule r" + std::to_string(number) + " {";
  if (!rule.protocol.empty()) text += " protocol " + rule.protocol + ";";
  if (rule.icmp_type) text += " icmp-type " + std::to_string(*rule.icmp_type) + ";";
  if (!rule.source.empty()) text += " source { address " + rule.source + "; }";
  if (!rule.destination.empty() || !rule.ports.empty()) {
    text += " destination {";
    if (!rule.destination.empty()) text += " address " + rule.destination + ";";
    if (!rule.ports.empty()) text += " port " + rule.ports + ";";
    text += " }";
  }
  constexpr const char* kActions[] = {"permit", "deny", "reject"};
  return text + " action " + kActions[static_cast<size_t>(rule.action)] + "; }\n";
}

std::string gateway_nat(const GeneratedRules& rules) {
  std::string text = "nat {\n    pool one { address 203.0.113.20; ports 20000-29999; }\n";
  if (rules.lan_to_wan != GeneratedTranslation::None) {
    text += "    source {\n";
    if (rules.exception) {
      text +=
          "        rule no { from lan; to wan; destination { address 198.51.100.6; } translate "
          "none; }\n";
    }
    text += std::string("        rule out { from lan; to wan; translate ") +
            (rules.lan_to_wan == GeneratedTranslation::Pool ? "pool one" : "interface") +
            "; }\n    }\n";
  }
  if (!rules.forwards.empty()) text += "    destination {\n";
  for (size_t index = 0; index < rules.forwards.size(); ++index) {
    const GeneratedForward& forward = rules.forwards[index];
    text += "        rule f" + std::to_string(index) +
            " { from [ wan lan ]; to { address 203.0.113.2; protocol " + forward.protocol +
            "; port " + std::to_string(forward.public_port) + "; } translate { address " +
            forward.server + "; port " + std::to_string(forward.server_port) + "; } }\n";
  }
  if (!rules.forwards.empty()) text += "    }\n";
  return text + "}\n";
}

std::string nft_nat(const GeneratedRules& rules) {
  std::string text =
      "    chain destination_nat {\n"
      "        type nat hook prerouting priority dstnat; policy accept;\n";
  for (const GeneratedForward& forward : rules.forwards) {
    text += "        iifname { \"wan0\", \"lan0\" } ip daddr 203.0.113.2 " + forward.protocol +
            " dport " + std::to_string(forward.public_port) + " dnat ip to " + forward.server +
            ":" + std::to_string(forward.server_port) + "\n";
  }
  text +=
      "    }\n"
      "    chain source_nat {\n"
      "        type nat hook postrouting priority srcnat; policy accept;\n";
  const std::string lan_to_wan = "        iifname \"lan0\" oifname \"wan0\" meta nfproto ipv4 ";
  if (rules.exception) text += lan_to_wan + "ip daddr 198.51.100.6 accept\n";
  if (rules.lan_to_wan == GeneratedTranslation::Interface) text += lan_to_wan + "masquerade\n";
  if (rules.lan_to_wan == GeneratedTranslation::Pool) {
    text += lan_to_wan + "meta l4proto { 1, 6, 17 } snat ip to 203.0.113.20:20000-29999\n";
    text += lan_to_wan + "snat ip to 203.0.113.20\n";
  }
  return text + "    }\n";
}

}  // namespace

uint64_t pick(Random& random, uint64_t first, uint64_t last) {
  return first + random() % (last - first + 1);
}

bool chance(Random& random, unsigned percent) { return random() % 100 < percent; }

GeneratedRules generate_rules(Random& random) {
  GeneratedRules generated;
  const std::pair<const char*, const char*> kPairs[] = {{"lan", "wan"}, {"lan", "dmz"},
                                                        {"wan", "dmz"}, {"dmz", "wan"},
                                                        {"wan", "lan"}, {"dmz", "lan"}};
  for (const auto& [from, to] : kPairs) {
    const bool outward = std::string(from) == "lan" || std::string(to) == "dmz";
    const uint64_t count = outward ? pick(random, 1, 8) : pick(random, 0, 3);
    for (uint64_t index = 0; index < count; ++index) {
      generated.rules.push_back(generate_rule(random, from, to));
    }
    // Most rule sets end by permitting something, else hardly any session would begin.
    if (outward && chance(random, 70)) {
      generated.rules.push_back({from, to, GeneratedAction::Permit, "", "", "", "", {}});
    }
  }
  generated.lan_to_wan = static_cast<GeneratedTranslation>(pick(random, 0, 2));
  generated.exception = chance(random, 30);
  const std::pair<const char*, uint16_t> kPublished[] = {{"tcp", 443}, {"udp", 53}, {"tcp", 80}};
  for (const auto& [protocol, port] : kPublished) {
    if (chance(random, 50)) continue;
    const uint16_t server_port = chance(random, 50) ? port : static_cast<uint16_t>(port + 8000);
    generated.forwards.push_back(
        {protocol, port, chance(random, 50) ? "10.0.2.80" : "10.0.2.81", server_port});
  }
  return generated;
}

std::string to_gateway_text(const GeneratedRules& rules) {
  std::string text =
      "interfaces {\n"
      "    interface lan0 { device net_test0; address [ 10.0.1.1/24 2001:db8:2::1/64 ]; "
      "no-mss-clamp; }\n"
      "    interface dmz0 { device net_test1; address [ 10.0.2.1/24 2001:db8:3::1/64 ]; "
      "no-mss-clamp; }\n"
      "    interface wan0 { device net_test2; address [ 203.0.113.2/24 2001:db8:1::2/64 ]; "
      "no-mss-clamp; }\n"
      "}\n"
      "zones { zone lan { interface lan0; } zone dmz { interface dmz0; } zone wan { interface "
      "wan0; } }\n"
      "sessions { maximum 8192; ftp-helper off; timeout { tcp-syn 1h; tcp-handshake 1h; "
      "tcp-half-closed 1h; "
      "tcp-closing 1h; tcp-time-wait 1h; tcp-reset 1h; udp-new 1h; udp-replied 1h; icmp 1h; other "
      "1h; } }\n"
      "policy {\n";
  std::string section;
  size_t number = 0;
  for (const GeneratedRule& rule : rules.rules) {
    const std::string next = rule.from + " to " + rule.to;
    if (next != section) {
      if (!section.empty()) text += "    }\n";
      text += "    from " + next + " {\n";
      section = next;
    }
    text += gateway_rule(rule, ++number);
  }
  if (!section.empty()) text += "    }\n";
  text += "    from any to self { rule ping { service [ ping ping6 ]; action permit; } }\n}\n";
  return text + gateway_nat(rules);
}

std::string to_nft_text(const GeneratedRules& rules) {
  std::string text =
      "table inet gateway {\n"
      "    chain anti_spoofing {\n"
      "        type filter hook prerouting priority raw; policy accept;\n"
      "        fib saddr . iif oif missing drop\n"
      "    }\n" +
      nft_nat(rules) +
      "    chain forward {\n"
      "        type filter hook forward priority filter; policy drop;\n"
      "        ct state established,related accept\n"
      "        ct state invalid drop\n";
  for (const GeneratedRule& rule : rules.rules) text += nft_rule(rule);
  text +=
      "    }\n"
      "    chain input {\n"
      "        type filter hook input priority filter; policy drop;\n"
      "        ct state established,related accept\n"
      "        ct state invalid drop\n"
      "        icmp type echo-request accept\n"
      "        icmpv6 type echo-request accept\n"
      "    }\n"
      "}\n";
  return text;
}

}  // namespace masugata::test
