// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/differential/intentions.h"

#include <algorithm>
#include <array>

namespace masugata::test {
namespace {

bool dropped_for_any(const Outcome& outcome, std::span<const std::string_view> reasons) {
  return std::any_of(reasons.begin(), reasons.end(), [&](std::string_view reason) {
    return outcome.dropped_for(std::string(reason));
  });
}

// Masugata let nothing of the packet through; what it answered does not matter.
bool refused(const Outcome& masugata) {
  return std::all_of(masugata.lines.begin(), masugata.lines.end(), [](const std::string& line) {
    return line.find(" answer: ") != std::string::npos;
  });
}

bool only_answers(const Outcome& outcome, const std::string& text) {
  return !outcome.nothing() &&
         std::all_of(outcome.lines.begin(), outcome.lines.end(), [&](const std::string& line) {
           return line.find(" answer: ") != std::string::npos &&
                  line.find(text) != std::string::npos;
         });
}

// The lines differ in nothing but what `without` takes away.
template <class Without>
bool same_without(const Comparison& comparison, Without without) {
  const auto& left = comparison.masugata.lines;
  const auto& right = comparison.kernel.lines;
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](const std::string& one, const std::string& other) {
                      return without(one) == without(other);
                    });
}

bool strict_decode(const Comparison& comparison) {
  static constexpr std::array<std::string_view, 13> kReasons = {
      "ipv4-bad-options",    "ipv4-reserved-flag",      "ipv4-source-route",
      "ipv6-unknown-option", "ipv6-extension-order",    "ipv6-routing-header",
      "ipv6-bad-extension",  "tcp-bad-options",         "tcp-bad-flags",
      "tcp-port-zero",       "ipv6-bad-payload-length", "udp-port-zero",
      "source-mac-invalid"};
  return comparison.masugata.nothing() && dropped_for_any(comparison.masugata, kReasons);
}

bool policy_before_hop_limit(const Comparison& comparison) {
  return refused(comparison.masugata) && !comparison.masugata.dropped_for("ttl-expired") &&
         only_answers(comparison.kernel, "time-exceeded");
}

bool refuses_disturbed(const Comparison& comparison, const char* reason) {
  return comparison.flow.disturbed && refused(comparison.masugata) &&
         comparison.masugata.dropped_for(reason);
}

bool tcp_window(const Comparison& comparison) {
  return refuses_disturbed(comparison, "tcp-out-of-window");
}

bool tcp_opening(const Comparison& comparison) {
  return refuses_disturbed(comparison, "tcp-invalid-state");
}

bool tcp_reset(const Comparison& comparison) {
  return refuses_disturbed(comparison, "tcp-bad-reset");
}

bool tcp_challenge(const Comparison& comparison) {
  return refuses_disturbed(comparison, "tcp-unexpected-syn");
}

bool reset_lingers(const Comparison& comparison) {
  const Outcome& masugata = comparison.masugata;
  const bool knows = masugata.drop_reasons.empty() || masugata.dropped_for("ttl-expired");
  constexpr std::array<std::string_view, 4> kReplaced = {"tcp-no-session", "icmp-error-no-session",
                                                         "policy-default-denied", "policy-denied"};
  const bool replaced = dropped_for_any(masugata, kReplaced);
  return comparison.flow.reset_seen && ((knows && comparison.kernel.nothing()) || replaced);
}

// An ACK without data may answer a SYN: an end that remembers an older connection says so, and the
// opener resets it (RFC 9293 section 3.5.1).
bool stray_acknowledgement(const Comparison& comparison) {
  return comparison.flow.disturbed && comparison.kernel.nothing() && comparison.frame.reply &&
         comparison.masugata.says(" flags A ") && !comparison.masugata.says(" payload ");
}

// A second SYN-ACK may bring other numbers (a server with SYN cookies); the kernel keeps the first.
bool answered_twice(const Comparison& comparison) {
  return comparison.flow.answers > 1 && comparison.kernel.nothing() &&
         comparison.masugata.drop_reasons.empty();
}

// The kernel takes a connection that began with a closed window for one picked up in the middle.
bool zero_window(const Comparison& comparison) {
  return comparison.flow.zero_window && comparison.kernel.nothing() &&
         comparison.masugata.drop_reasons.empty();
}

// The kernel would give the client another source port, although no rule asks for it.
bool session_collision(const Comparison& comparison) {
  return comparison.masugata.nothing() && comparison.masugata.dropped_for("session-collision");
}

// RFC 6946: a fragment that is the whole datagram has nothing to do with others of that number.
bool atomic_fragment(const Comparison& comparison) {
  return comparison.frame.kind.starts_with("fragment") && comparison.flow.ipv6 &&
         comparison.frame.recipes[kMasugata].find(" | cut 0+") != std::string::npos &&
         !comparison.frame.recipes[kMasugata].ends_with(" more") && comparison.kernel.nothing() &&
         comparison.masugata.drop_reasons.empty();
}

// RFC 8200 section 4.7: what is behind "no next header" is passed on unchanged.
bool no_next_header(const Comparison& comparison) {
  return !comparison.frame.flips.empty() && comparison.kernel.nothing() &&
         comparison.masugata.says("hop-limit 63 | payload ");
}

bool icmp_redirect(const Comparison& comparison) {
  return comparison.masugata.nothing() && comparison.masugata.dropped_for("icmp-unknown-type");
}

// The kernel follows the chunks of SCTP and the versions of GRE.
bool plain_protocol(const Comparison& comparison) {
  const bool damaged_gre =
      comparison.flow.protocol == "gre" &&
      (!comparison.frame.flips.empty() || comparison.frame.kind == "wrong length");
  return (comparison.flow.protocol == "sctp" || damaged_gre) && comparison.kernel.nothing();
}

// Masugata answers to the station that sent the frame, the kernel to the neighbour that it knows,
// or to none when it has yet to ask.
bool answers_to_sender(const Comparison& comparison) {
  const auto without_link = [](const std::string& line) {
    return line.substr(std::min(line.find(" | "), line.size()));
  };
  return !comparison.frame.flips.empty() && refused(comparison.masugata) &&
         !comparison.masugata.nothing() &&
         (comparison.kernel.nothing() || same_without(comparison, without_link));
}

bool fragment_refused(const Comparison& comparison) { return comparison.flow.fragment_refused; }

// Masugata quotes the fragment that it received, the kernel what it has put together.
bool quote_as_received(const Comparison& comparison) {
  const auto without_quote = [](const std::string& line) {
    return line.substr(0, line.find(" quoting {"));
  };
  return comparison.masugata.says("| fragment ") && !comparison.kernel.says("| fragment ") &&
         comparison.masugata.says(" answer: ") && same_without(comparison, without_quote);
}

// The source address of an error that the gateway itself writes about a translated packet.
bool own_error_address(const Comparison& comparison) {
  const auto without_source = [](const std::string& line) {
    constexpr std::string_view kWords[] = {"time-exceeded ", "admin-prohibited "};
    for (const std::string_view word : kWords) {
      const size_t start = line.find(word);
      if (start == std::string::npos) continue;
      return line.substr(0, start) + line.substr(std::min(line.find(" > ", start), line.size()));
    }
    return line;
  };
  return refused(comparison.masugata) && !comparison.masugata.nothing() &&
         same_without(comparison, without_source);
}

// Masugata follows old segments that the kernel only lets pass, and counts windows in units of the
// scale, rounded up.
bool tcp_followed(const Comparison& comparison) {
  return comparison.flow.disturbed && comparison.flow.protocol == "tcp" &&
         comparison.kernel.nothing() && comparison.masugata.drop_reasons.empty();
}

// RFC 768: the checksum covers what the UDP length says, not what is behind it.
bool udp_length(const Comparison& comparison) {
  return !comparison.frame.flips.empty() && comparison.masugata.nothing() &&
         comparison.masugata.dropped_for("udp-bad-checksum");
}

// RFC 9293 section 3.5.3: a reset is judged by its sequence number alone.
bool reset_by_sequence(const Comparison& comparison) {
  return comparison.flow.disturbed && comparison.kernel.nothing() &&
         comparison.masugata.drop_reasons.empty() && comparison.masugata.says(" > ") &&
         (comparison.masugata.says(" flags R ") || comparison.masugata.says(" flags AR "));
}

bool simultaneous_open(const Comparison& comparison) {
  return comparison.flow.crossing_syn && comparison.kernel.nothing() &&
         comparison.masugata.drop_reasons.empty();
}

// The kernel refuses to answer what it takes for a wrong checksum of a protocol that it does not
// know.
bool answers_every_protocol(const Comparison& comparison) {
  return comparison.masugata.dropped_for("policy-rejected") && comparison.kernel.nothing() &&
         comparison.masugata.says("| protocol ");
}

// The kernel holds 2001:db8:2:: for itself (RFC 4291 section 2.6.1); here nobody has told Masugata.
bool router_anycast(const Comparison& comparison) {
  constexpr std::string_view kAddresses[] = {"2001:db8:1::", "2001:db8:2::", "2001:db8:3::"};
  return std::any_of(std::begin(kAddresses), std::end(kAddresses), [&](std::string_view address) {
    const std::string text(address);
    return comparison.masugata.says(" " + text + " ") || comparison.masugata.says("[" + text + "]");
  });
}

constexpr Intention kIntentions[] = {
    {"strict-decode", strict_decode},
    {"policy-before-hop-limit", policy_before_hop_limit},
    {"tcp-window", tcp_window},
    {"tcp-opening", tcp_opening},
    {"tcp-reset", tcp_reset},
    {"tcp-challenge", tcp_challenge},
    {"reset-by-sequence", reset_by_sequence},
    {"reset-lingers", reset_lingers},
    {"answered-twice", answered_twice},
    {"stray-acknowledgement", stray_acknowledgement},
    {"zero-window", zero_window},
    {"session-collision", session_collision},
    {"atomic-fragment", atomic_fragment},
    {"no-next-header", no_next_header},
    {"icmp-redirect", icmp_redirect},
    {"plain-protocol", plain_protocol},
    {"answers-every-protocol", answers_every_protocol},
    {"answers-to-sender", answers_to_sender},
    {"fragment-refused", fragment_refused},
    {"quote-as-received", quote_as_received},
    {"own-error-address", own_error_address},
    {"simultaneous-open", simultaneous_open},
    {"router-anycast", router_anycast},
    {"udp-length", udp_length, 5},
    {"tcp-followed", tcp_followed, 5},
};

}  // namespace

std::span<const Intention> intentions() { return kIntentions; }

const Intention* explain(const Comparison& comparison) {
  for (const Intention& intention : kIntentions) {
    if (intention.explains(comparison)) return &intention;
  }
  return nullptr;
}

}  // namespace masugata::test
