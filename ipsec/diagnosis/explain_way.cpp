// SPDX-License-Identifier: GPL-2.0-or-later
// The way between the two sides, and who nobody expects.
#include <fmt/format.h>

#include "ipsec/diagnosis/explanation_parts.h"

namespace masugata::ipsec {
namespace {

using Kind = FailureKind;

std::string with_port(const Failure& failure) {
  return fmt::format("{} UDP port {}", failure.peer.empty() ? "the peer" : failure.peer,
                     failure.peer_port == 0 ? 500 : failure.peer_port);
}

std::string our_address(const Subject& subject) {
  const bool known = subject.site != nullptr && subject.site->local_address;
  return known ? subject.site->local_address->to_string() : "our address";
}

void advise_filters(const Subject& subject, const char* ports, Explanation& text) {
  text.there.push_back(
      fmt::format("let UDP {} from {} in, at the peer and at every filter before it", ports,
                  our_address(subject)));
  text.here.push_back(
      fmt::format("let UDP {} to {} out, at every filter between this gateway and "
                  "the Internet",
                  ports, subject.peer_name()));
}

Explanation explain_silence(const Subject& subject) {
  Explanation text;
  text.what = "the peer does not answer";
  text.side = FaultySide::Between;
  text.received = fmt::format("nothing from {}", with_port(subject.failure));
  text.configured =
      fmt::format("peer {}", subject.site != nullptr ? subject.site->peer : subject.failure.peer);
  text.here.push_back(subject.in_site() + "peer ADDRESS; when that is not the peer's");
  advise_filters(subject, "500 and 4500", text);
  text.there.push_back("start its IKE daemon; give it a site with our address");
  text.remarks.push_back(fmt::format("whether it is there at all: `ping {}` and `traceroute {}`",
                                     subject.peer_name(), subject.peer_name()));
  return text;
}

Explanation explain_port_4500(const Subject& subject) {
  Explanation text;
  text.what = "UDP port 500 is answered, UDP port 4500 is not: it is filtered";
  text.side = FaultySide::Between;
  text.received =
      fmt::format("an answer from port 500, nothing from {}", with_port(subject.failure));
  text.configured = "after the first message IKE goes on over port 4500 (NAT is in between)";
  advise_filters(subject, "4500", text);
  return text;
}

Explanation explain_second_message(const Subject& subject) {
  Explanation text;
  text.what = "the peer answers the first message and not the next one, which is larger";
  text.side = FaultySide::Between;
  text.received = fmt::format("nothing more from {}", with_port(subject.failure));
  const bool fragments = subject.site == nullptr || subject.site->exchange.ike_fragmentation;
  text.configured = fmt::format("ike {{ fragmentation {}; }}", fragments ? "on" : "off");
  text.here.push_back(fragments ? "let UDP fragments pass at every filter before this gateway"
                                : subject.in_site() + "ike { fragmentation on; }");
  text.there.push_back(
      fmt::format("{}ike {{ fragmentation on; }}; swanctl: fragmentation = yes", kTheirSite));
  text.there.push_back("let UDP fragments pass at every filter before it");
  text.remarks.push_back("some products also keep silent when they refuse who we are");
  return text;
}

Explanation explain_gone(const Subject& subject) {
  Explanation text;
  text.what = "the peer was there and does not answer any more";
  text.side = FaultySide::Between;
  text.received = fmt::format("nothing from {} since its last packet", with_port(subject.failure));
  text.configured =
      fmt::format("dead-peer {{ interval {}s; }}",
                  subject.site != nullptr ? subject.site->exchange.dead_peer_interval_seconds : 10);
  text.here.push_back("nothing: it is tried again every 10 seconds");
  text.there.push_back("power, the line to the Internet, its IKE daemon");
  return text;
}

Explanation explain_half_open(const Subject& subject) {
  Explanation text;
  text.what =
      "the peer began and did not go on: our answer does not reach it, or its next message "
      "does not reach us";
  text.side = FaultySide::Between;
  text.received = fmt::format("a first message from {}", with_port(subject.failure));
  text.configured = "answered, and waited for the second message";
  text.here.push_back(
      fmt::format("let UDP 500 and 4500 from {} in, fragments too", subject.peer_name()));
  text.there.push_back(
      fmt::format("let UDP 500 and 4500 from {} in, fragments too", our_address(subject)));
  return text;
}

Explanation explain_name(const Subject& subject) {
  Explanation text;
  const std::string name = subject.site != nullptr ? subject.site->peer : std::string("NAME");
  text.what = "the peer's domain name has no address";
  text.received = fmt::format("no address for {}", name);
  text.configured = fmt::format("peer {}", name);
  text.here.push_back(
      fmt::format("`resolvectl query {}`: a resolver that knows it, or {}peer ADDRESS;", name,
                  subject.in_site()));
  text.there.push_back(fmt::format("keep {} up to date in its DNS", name));
  return text;
}

std::string sites_with_names(const Subject& subject) {
  std::string names;
  for (const config::VpnSite& site : subject.settings.sites) {
    if (site.peer_address || site.peer_is_any()) continue;
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", site.name, site.peer);
  }
  return names;
}

}  // namespace

bool is_translated_transport(const Subject& subject) {
  const Failure& failure = subject.failure;
  const bool translated = failure.nat_here || failure.nat_there;
  if (subject.site == nullptr || !subject.site->transport_mode || !translated) return false;
  // Who refuses the SA answers that no proposal fits.
  const bool refused = failure.kind == Kind::EspProposal && failure.we_asked &&
                       (failure.received.empty() || failure.received == "NO_PROPOSAL_CHOSEN");
  return refused || failure.kind == Kind::NotInstalled;
}

Explanation explain_translated_transport(const Subject& subject) {
  const Failure& failure = subject.failure;
  Explanation text;
  text.what = "transport mode does not pass a NAT, and there is one in between";
  text.side = FaultySide::Between;
  text.received = failure.nat_there
                      ? fmt::format("{} is behind NAT, or acts so", subject.peer_name())
                      : "the peer sees another address of ours";
  if (failure.nat_there && failure.nat_here) text.received += "; so is this gateway";
  text.configured = "transport-mode;";
  text.here.push_back(subject.in_site() +
                      "remove `transport-mode;`, write local-networks and remote-networks: a "
                      "tunnel passes NAT");
  if (failure.nat_here) text.here.push_back("an address of the Internet's for this gateway");
  text.there.push_back(
      "the same, the other way round; swanctl: mode = tunnel, local_ts, remote_ts");
  if (failure.nat_there) text.there.push_back("an address of the Internet's for the peer");
  text.remarks.push_back(
      "checksums inside are over addresses that the NAT has changed (RFC 3948 section 3.1.2)");
  text.remarks.push_back("no cipher is at fault, whatever the other side's log says of proposals");
  return text;
}

Explanation explain_reach(const Subject& subject) {
  switch (subject.failure.kind) {
    case Kind::FilteredPort4500:
      return explain_port_4500(subject);
    case Kind::SecondMessage:
      return explain_second_message(subject);
    case Kind::PeerGone:
      return explain_gone(subject);
    case Kind::HalfOpen:
      return explain_half_open(subject);
    case Kind::PeerName:
      return explain_name(subject);
    default:
      return explain_silence(subject);
  }
}

Explanation explain_stranger(const Subject& subject) {
  const Failure& failure = subject.failure;
  Explanation text;
  text.received = fmt::format("{} asks for a tunnel (IKE version {})", with_port(failure),
                              static_cast<int>(failure.ike_version));
  if (!failure.peer_identity.empty()) {
    text.received += fmt::format(" and says that it is {}", failure.peer_identity);
  }
  if (failure.kind == Kind::Disabled) {
    text.what = "the peer asks, and the site is switched off here";
    text.side = FaultySide::Here;
    text.configured = "disable;";
    text.here.push_back(subject.in_site() + "remove `disable;`");
    text.there.push_back("nothing, or switch its side off too");
    return text;
  }
  text.what = "the tunnel is configured at the other side only: no site here is for this peer";
  text.side = FaultySide::Here;
  text.configured = subject.site != nullptr
                        ? fmt::format(
                              "site {} is not loaded, or the peer asks another of our "
                              "addresses than {}",
                              subject.site->name, our_address(subject))
                        : fmt::format("no site has peer {}", subject.peer_name());
  text.here.push_back(fmt::format("vpn {{ site NAME {{ peer {}; ... }} }}", subject.peer_name()));
  text.there.push_back("our address is wrong there, or the tunnel is to be removed there");
  const std::string names = sites_with_names(subject);
  if (!names.empty()) {
    text.remarks.push_back(fmt::format(
        "is it one of those with a domain name, whose address is another one now: {}?", names));
  }
  return text;
}

Explanation explain_path(const Subject& subject) {
  const Failure& failure = subject.failure;
  Explanation text;
  text.side = FaultySide::Between;
  if (failure.kind == Kind::PathMtu) {
    text.what = "large packets get lost on the way (MTU black hole)";
    text.received = fmt::format("packets up to {} bytes pass through the tunnel", failure.number);
    text.configured = fmt::format("the tunnel lets packets of {} bytes in", failure.other_number);
    text.here.push_back(fmt::format("{}mtu {};", subject.in_site(), failure.number));
    text.there.push_back(fmt::format("{}mtu {};", kTheirSite, failure.number));
    text.there.push_back(fmt::format("others: the MTU of the tunnel to {}", failure.number));
    text.remarks.push_back(
        "a router on the way drops what is too large and its ICMP does not come back");
    return text;
  }
  const bool inbound_missing = failure.received == "0";
  if (!inbound_missing) text.side = FaultySide::Here;
  text.what = inbound_missing ? "packets go into the tunnel and none come out of it"
                              : "packets come out of the tunnel and none go into it";
  text.received = fmt::format("{} packets from the peer", failure.received);
  text.configured = fmt::format("{} packets to the peer", failure.configured);
  if (inbound_missing) {
    text.here.push_back(
        fmt::format("let ESP (IP protocol 50) and UDP 4500 from {} in, at every "
                    "filter before this gateway",
                    subject.peer_name()));
    text.here.push_back(subject.in_site() +
                        "ike { udp-encapsulation always; } when ESP is filtered");
    text.there.push_back("its route to our networks must lead into the tunnel; let ESP in there");
  } else {
    text.here.push_back(
        "the route to the peer's networks must lead into the tunnel (`ip route`), and policy must "
        "permit the answers");
    text.there.push_back("nothing");
  }
  return text;
}

Explanation explain_other(const Subject& subject) {
  const Failure& failure = subject.failure;
  Explanation text;
  if (failure.kind == Kind::NotInstalled) {
    text.what = "both sides agree, but this gateway could not set the tunnel up";
    text.side = FaultySide::Here;
    text.received = "nothing wrong from the peer";
    text.configured = "the log of masugatad has the reason (`journalctl -u masugatad`)";
    text.here.push_back(subject.in_site() +
                        "esp { proposal ...; } with what `masugata check` takes");
    text.there.push_back("nothing");
    return text;
  }
  text.what = fmt::format("the peer reports an error: {}", failure.received);
  text.side = FaultySide::There;
  text.received = fmt::format("{}: {}", subject.peer_name(), failure.received);
  text.configured = "no setting of ours is known to cause it";
  text.here.push_back("nothing that is known");
  text.there.push_back("its log tells more");
  return text;
}

}  // namespace masugata::ipsec
