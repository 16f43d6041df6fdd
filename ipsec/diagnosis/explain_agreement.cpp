// SPDX-License-Identifier: GPL-2.0-or-later
// Proposals and networks: what the two sides must agree on.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "config/vpn_algorithms.h"
#include "ipsec/diagnosis/explanation_parts.h"
#include "ipsec/diagnosis/networks.h"
#include "ipsec/diagnosis/proposals.h"

namespace masugata::ipsec {
namespace {

using Type = TransformType;

// The statements and the options of swanctl.conf that one sort of proposals goes by.
struct Wording {
  bool esp;
  const char* name;     // "IKE"
  const char* block;    // of our configuration
  const char* swanctl;  // option
};
constexpr Wording kIke{false, "IKE", "ike", "proposals"};
constexpr Wording kEsp{true, "ESP", "esp", "esp_proposals"};

std::string list_of(const std::vector<Type>& types) {
  std::string text;
  for (size_t i = 0; i < types.size(); ++i) {
    const char* separator = i == 0 ? "" : i + 1 == types.size() ? " and the " : ", the ";
    text += fmt::format("{}{}", separator, name_of(types[i]));
  }
  return text;
}

std::vector<std::string> configured_words(const Wording& wording, const config::VpnSite& site) {
  return wording.esp ? site.exchange.esp_proposals : site.exchange.ike_proposals;
}

std::optional<config::ProposalComplaint> complaint_about(const Wording& wording,
                                                         const Subject& subject,
                                                         const std::string& words) {
  const uint8_t version = subject.site != nullptr ? subject.site->exchange.ike_version : 2;
  return wording.esp ? config::check_esp_proposal(words)
                     : config::check_ike_proposal(words, version);
}

// What to write here so that the peer's proposal is taken beside ours.
void advise_here(const Wording& wording, const Subject& subject,
                 const ProposalDifference& difference, Explanation& text) {
  const auto words = configuration_words(difference.received);
  const auto complaint = words ? complaint_about(wording, subject, *words) : std::nullopt;
  if (!words || (complaint && !complaint->weak_only)) {
    text.here.push_back("nothing: this gateway has not what the peer wants; change the peer");
    text.side = FaultySide::There;
    if (complaint) text.remarks.push_back(complaint->what);
    return;
  }
  std::vector<std::string> all;
  if (subject.site != nullptr) all = configured_words(wording, *subject.site);
  if (std::find(all.begin(), all.end(), *words) == all.end()) all.push_back(*words);
  text.here.push_back(fmt::format("{}{}{} {{ proposal {}; }}", subject.in_site(),
                                  complaint ? "allow-weak; " : "", wording.block,
                                  statement_value(all)));
  if (!complaint) return;
  text.side = FaultySide::There;
  text.remarks.push_back(fmt::format("better to change the peer: {}", complaint->what));
}

void advise_there(const Wording& wording, const Proposal& ours, Explanation& text) {
  if (const auto words = configuration_words(ours)) {
    text.there.push_back(fmt::format("{}{} {{ proposal {}; }}", kTheirSite, wording.block, *words));
  }
  text.there.push_back(fmt::format("swanctl: {} = {}", wording.swanctl, swanctl_words(ours)));
  text.there.push_back(fmt::format("others: {}", generic_words(ours)));
}

std::string our_address(const Subject& subject) {
  const bool known = subject.site != nullptr && subject.site->local_address;
  return known ? subject.site->local_address->to_string() : std::string("our address");
}

// charon says no in the same words to whom it has no connection for.
void advise_connection(const Subject& subject, Explanation& text) {
  const int version = subject.site != nullptr ? subject.site->exchange.ike_version : 2;
  text.what += ", or has no site for us";
  text.there.push_back(
      fmt::format("Masugata, when it has no site for us: vpn {{ site NAME {{ peer "
                  "{}; ... }} }}",
                  our_address(subject)));
  text.there.push_back(
      fmt::format("swanctl, when it has no connection for us: remote_addrs = {}, version = {}",
                  our_address(subject), version));
  text.remarks.push_back(fmt::format(
      "the same answer comes from a strongSwan that has no connection for our address, or one for "
      "another version of IKE than {}: a tunnel that is configured on one side only",
      version));
}

// The peer said no and not why.
Explanation explain_refused_offer(const Wording& wording, const Subject& subject) {
  Explanation text;
  const auto ours = parse_proposals(subject.failure.configured);
  text.side = FaultySide::Either;
  text.what = fmt::format("the peer takes none of our {} proposals", wording.name);
  text.received =
      fmt::format("{}: NO_PROPOSAL_CHOSEN, without saying what it would take", subject.peer_name());
  const bool told = !ours.empty() || subject.site == nullptr;
  text.configured = fmt::format(
      "offered: {}", told ? to_text(ours) : comma_list(configured_words(wording, *subject.site)));
  if (!ours.empty()) {
    advise_there(wording, ours.front(), text);
  } else {
    text.there.push_back(
        fmt::format("{}{} {{ proposal ...; }} with one of ours", kTheirSite, wording.block));
  }
  text.here.push_back(fmt::format("{}{} {{ proposal ...; }} with one that the peer has",
                                  subject.in_site(), wording.block));
  text.remarks.push_back(
      "the peer's log names what it accepts; a Masugata there says it with `show vpn SITE why`");
  if (!wording.esp) {
    advise_connection(subject, text);
  } else {
    text.remarks.push_back("strongSwan answers the same when its kernel cannot install the SA");
  }
  return text;
}

Explanation explain_proposal(const Wording& wording, const Subject& subject) {
  const Failure& failure = subject.failure;
  if (failure.we_asked && (failure.received.empty() || failure.received == "NO_PROPOSAL_CHOSEN")) {
    return explain_refused_offer(wording, subject);
  }
  const auto theirs = parse_proposals(failure.received);
  const auto ours = parse_proposals(failure.configured);
  Explanation text;
  text.received = fmt::format("{} offers: {}", subject.peer_name(), to_text(theirs));
  text.configured = fmt::format("accepted: {}", to_text(ours));
  text.what = fmt::format("{} proposals do not match", wording.name);
  const auto difference = nearest(theirs, ours, failure.rekeying || !wording.esp);
  if (!difference) {
    text.here.push_back(fmt::format("{}{} {{ proposal ...; }} with one that the peer has",
                                    subject.in_site(), wording.block));
    text.there.push_back(
        fmt::format("{}{} {{ proposal ...; }} with one of ours", kTheirSite, wording.block));
    return text;
  }
  if (!difference->types.empty()) {
    text.what =
        fmt::format("{} proposals differ in the {}", wording.name, list_of(difference->types));
    for (const Type type : difference->types) {
      const auto words = [type](const Proposal& proposal) {
        const std::string some = proposal.words(type);
        return some.empty() ? std::string("none") : some;
      };
      text.remarks.push_back(fmt::format("{}: the peer offers {}, here is {}", name_of(type),
                                         words(difference->received),
                                         words(difference->configured)));
    }
  }
  advise_here(wording, subject, *difference, text);
  advise_there(wording, difference->configured, text);
  return text;
}

// Version 1 has no combined ciphers: " proposal aes256-sha256-ecp256;" where it is needed.
std::string proposal_of_version_1(const Subject& subject) {
  std::vector<std::string> usable;
  bool all = subject.site != nullptr;
  for (const std::string& words : subject.site == nullptr ? std::vector<std::string>()
                                                          : subject.site->exchange.ike_proposals) {
    const bool works = !config::check_ike_proposal(words, 1);
    if (works) usable.push_back(words);
    all = all && works;
  }
  if (all) return {};
  if (usable.empty()) usable.push_back("aes256-sha256-ecp256");
  return fmt::format(" proposal {};", statement_value(usable));
}

// The groups of all proposals, each once.
std::vector<std::string> groups_of(const std::vector<Proposal>& proposals) {
  std::vector<std::string> groups;
  for (const Proposal& proposal : proposals) {
    for (const Transform& transform : proposal.transforms) {
      const bool counts = transform.type == Type::Group && transform.known;
      if (counts && std::find(groups.begin(), groups.end(), transform.word) == groups.end()) {
        groups.push_back(transform.word);
      }
    }
  }
  return groups;
}

// "INVALID_KE_PAYLOAD ECP_384"
std::vector<std::string> demanded_group(const std::string& received) {
  const size_t space = received.find(' ');
  if (!received.starts_with("INVALID_KE_PAYLOAD") || space == std::string::npos) return {};
  const Transform group = parse_transform(std::string_view(received).substr(space + 1));
  return {group.word};
}

std::string pfs_value(const std::vector<std::string>& groups) {
  return groups.empty() ? "off" : statement_value(groups);
}

std::string swanctl_group(const std::vector<std::string>& groups) {
  return groups.empty() ? "without a group" : fmt::format("ending in -{}", groups.front());
}

std::string any_of_lists(const NetworkPair& pair) {
  return fmt::format("local {}, remote {}", comma_list(pair.local), comma_list(pair.remote));
}

void advise_networks(const Subject& subject, const NetworkPair& theirs, const NetworkPair& ours,
                     Explanation& text) {
  if (!same_networks(theirs.local, ours.local)) {
    text.here.push_back(
        fmt::format("{}local-networks {};", subject.in_site(), statement_value(theirs.local)));
    text.there.push_back(
        fmt::format("{}remote-networks {};", kTheirSite, statement_value(ours.local)));
    text.there.push_back(fmt::format("swanctl: remote_ts = {}", comma_list(ours.local)));
  }
  if (!same_networks(theirs.remote, ours.remote)) {
    text.here.push_back(
        fmt::format("{}remote-networks {};", subject.in_site(), statement_value(theirs.remote)));
    text.there.push_back(
        fmt::format("{}local-networks {};", kTheirSite, statement_value(ours.remote)));
    text.there.push_back(fmt::format("swanctl: local_ts = {}", comma_list(ours.remote)));
  }
  if (!text.here.empty()) return;
  text.here.push_back(subject.in_site() +
                      "local-networks and remote-networks as the peer has them, the other way "
                      "round");
  text.there.push_back(
      fmt::format("{}local-networks and remote-networks as we have them, the "
                  "other way round",
                  kTheirSite));
}

std::string which_networks(const NetworkPair& theirs, const NetworkPair& ours) {
  const bool local = !same_networks(theirs.local, ours.local);
  const bool remote = !same_networks(theirs.remote, ours.remote);
  if (local && remote) return "networks on both sides";
  return local ? "networks on our side" : "networks on the peer's side";
}

NetworkPair configured_networks(const config::VpnSite& site) {
  NetworkPair pair;
  for (const auto& network : site.local_networks) pair.local.push_back(network.to_string());
  for (const auto& network : site.remote_networks) pair.remote.push_back(network.to_string());
  return pair;
}

}  // namespace

Explanation explain_ike_proposal(const Subject& subject) {
  const auto group = demanded_group(subject.failure.received);
  if (group.empty()) return explain_proposal(kIke, subject);
  Explanation text;
  text.what = "the peer wants another Diffie-Hellman group for IKE";
  text.received = fmt::format("{} wants {}", subject.peer_name(), group.front());
  if (subject.site != nullptr) {
    text.configured = fmt::format("offered: {}", comma_list(subject.site->exchange.ike_proposals));
    text.here.push_back(
        fmt::format("{}ike {{ proposal ...-{}; }}", subject.in_site(), group.front()));
  }
  text.there.push_back(fmt::format("{}ike {{ proposal ...; }} with a group of ours", kTheirSite));
  return text;
}

Explanation explain_esp_proposal(const Subject& subject) { return explain_proposal(kEsp, subject); }

Explanation explain_pfs_group(const Subject& subject) {
  const Failure& failure = subject.failure;
  Explanation text;
  text.what = "the groups for perfect forward secrecy (PFS) of ESP differ";
  auto theirs = demanded_group(failure.received);
  if (theirs.empty()) theirs = groups_of(parse_proposals(failure.received));
  std::vector<std::string> ours;
  if (subject.site != nullptr) ours = subject.site->exchange.pfs_groups;
  if (ours.empty()) ours = groups_of(parse_proposals(failure.configured));
  text.configured = ours.empty() ? "no group" : comma_list(ours);
  text.there.push_back(fmt::format("{}esp {{ pfs {}; }}", kTheirSite, pfs_value(ours)));
  text.there.push_back(fmt::format("swanctl: esp_proposals {}", swanctl_group(ours)));
  text.remarks.push_back(
      "the tunnel comes up without it, and fails when keys are renewed: the first keys of ESP come "
      "from IKE (RFC 7296 section 1.2)");
  if (failure.received.empty()) {
    text.received = fmt::format(
        "{}: NO_PROPOSAL_CHOSEN at the rekeying, without saying what it "
        "would take",
        subject.peer_name());
    text.here.push_back(subject.in_site() + "esp { pfs ...; } with a group of the peer's");
    return text;
  }
  text.received = fmt::format("{} wants {}", subject.peer_name(),
                              theirs.empty() ? "no group" : comma_list(theirs));
  std::vector<std::string> all = ours;
  for (const std::string& group : missing(theirs, ours)) all.push_back(group);
  const auto weak = theirs.empty() ? std::nullopt : config::check_pfs_group(theirs.front());
  text.here.push_back(fmt::format("{}{}esp {{ pfs {}; }}", subject.in_site(),
                                  weak ? "allow-weak; " : "",
                                  theirs.empty() ? "off" : pfs_value(all)));
  if (theirs.empty()) text.remarks.push_back("better to change the peer, so that it has a group");
  if (weak) text.remarks.push_back(fmt::format("better to change the peer: {}", weak->what));
  return text;
}

Explanation explain_ike_version(const Subject& subject) {
  Explanation text;
  const int theirs = subject.failure.ike_version;
  const int ours = subject.site != nullptr ? subject.site->exchange.ike_version : 2;
  text.what = "the versions of IKE differ";
  text.side = theirs == 1 ? FaultySide::There : FaultySide::Either;
  text.received = fmt::format("{} speaks version {}", subject.peer_name(), theirs);
  text.configured = fmt::format("version {}", ours);
  text.here.push_back(fmt::format("{}ike {{ version {};{} }}", subject.in_site(), theirs,
                                  theirs == 1 ? proposal_of_version_1(subject) : ""));
  text.there.push_back(fmt::format("{}ike {{ version {}; }}", kTheirSite, ours));
  text.there.push_back(fmt::format("swanctl: version = {}", ours));
  if (theirs == 1) text.remarks.push_back("better to change the peer: version 1 is obsolete");
  return text;
}

Explanation explain_networks(const Subject& subject) {
  const Failure& failure = subject.failure;
  const NetworkPair ours = parse_networks(failure.configured);
  const bool told = !failure.received.starts_with("TS_") &&
                    !(failure.we_asked && failure.received == failure.configured);
  Explanation text;
  text.configured = any_of_lists(ours);
  if (!told) {
    text.what = "the peer does not take our networks (traffic selectors)";
    text.received =
        fmt::format("{}: TS_UNACCEPTABLE, without saying what it would take", subject.peer_name());
    text.there.push_back(fmt::format("{}local-networks {}; remote-networks {};", kTheirSite,
                                     statement_value(ours.remote), statement_value(ours.local)));
    text.there.push_back(fmt::format("swanctl: local_ts = {} and remote_ts = {}",
                                     comma_list(ours.remote), comma_list(ours.local)));
    text.here.push_back(subject.in_site() +
                        "local-networks and remote-networks as the peer has them, the other way "
                        "round");
    text.remarks.push_back(
        "the peer's log names its own; a Masugata there says them with `show vpn SITE why`");
    return text;
  }
  const NetworkPair theirs = parse_networks(failure.received);
  text.what = fmt::format("the {} do not match (traffic selectors)", which_networks(theirs, ours));
  text.received =
      fmt::format("{} wants, seen from here: {}", subject.peer_name(), any_of_lists(theirs));
  advise_networks(subject, theirs, ours, text);
  return text;
}

Explanation explain_narrowed(const Subject& subject) {
  const Failure& failure = subject.failure;
  const NetworkPair agreed = parse_networks(failure.received);
  NetworkPair ours = parse_networks(failure.configured);
  if (subject.site != nullptr && !subject.site->local_networks.empty()) {
    ours.local = configured_networks(*subject.site).local;
  }
  if (subject.site != nullptr && !subject.site->remote_networks.empty()) {
    ours.remote = configured_networks(*subject.site).remote;
  }
  Explanation text;
  text.what = "the tunnel is up for a part of the networks only";
  text.received = fmt::format("agreed on: {}", any_of_lists(agreed));
  text.configured = any_of_lists(ours);
  const auto lost_here = missing(ours.local, agreed.local);
  const auto lost_there = missing(ours.remote, agreed.remote);
  if (!lost_here.empty()) {
    text.remarks.push_back(
        fmt::format("the peer does not know of {} on our side", comma_list(lost_here)));
  }
  if (!lost_there.empty()) {
    text.remarks.push_back(
        fmt::format("the peer does not have {} on its side", comma_list(lost_there)));
  }
  advise_networks(subject, agreed, ours, text);
  return text;
}

}  // namespace masugata::ipsec
