// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps charon as the configuration says: loads what changed, leaves alone what did not, begins
// what should be up. Control thread. Knows what it loaded itself; whatever else charon has under
// names that are not in the configuration is unloaded.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "ipsec/charon/connections.h"
#include "ipsec/charon/vici_session.h"

namespace masugata::ipsec {

// What a commit did. Names of sites, in the order of the configuration.
struct CommitReport {
  std::vector<std::string> loaded;     // new or changed
  std::vector<std::string> unchanged;  // their tunnels were not touched
  std::vector<std::string> removed;    // no longer in the configuration: unloaded, tunnels closed
  // Refused or incomplete ones with the reason: for those charon goes on as before.
  std::vector<Fault> faults;
};

class CharonControl {
 public:
  // Fault: the session broke, what follows is not known; call again with a new session, which
  // loads everything again. A site that charon refuses is in the report instead.
  [[nodiscard]] Result<CommitReport> commit(ViciSession& session, const ConnectionPlan& plan);

  // charon was started anew: it knows nothing any more. What is held stays so.
  void forget() {
    loaded_.clear();
    ending_.clear();
  }

  // Begins the sites that should be up and of which charon has neither a child SA nor an IKE SA
  // that is connecting, at most one try per site in kRetryInterval; with IKE version 1, where each
  // pair of networks is a child SA of its own, those that are not there. `now` is a monotonic
  // clock. Returns the names of the sites begun.
  static constexpr std::chrono::seconds kRetryInterval{10};
  [[nodiscard]] Result<std::vector<std::string>> keep_up(ViciSession& session,
                                                         std::chrono::steady_clock::time_point now);
  // The same with the messages of list-sas at hand.
  [[nodiscard]] Result<std::vector<std::string>> keep_up(ViciSession& session,
                                                         const std::vector<ViciSection>& sas,
                                                         std::chrono::steady_clock::time_point now);

  // Asks for all of a site's child SAs, or for new keys of them or of IKE itself. Return at once;
  // events tell the rest. The first refusal is returned when all have been asked for.
  [[nodiscard]] Status initiate(ViciSession& session, const std::string& site) const;
  [[nodiscard]] Status rekey(ViciSession& session, const std::string& site, bool ike) const;

  // A held site is not begun by keep_up(). Lasts until the site leaves the configuration or
  // changes. Not held any more, it counts as tried at `now`.
  void hold(const std::string& site, bool held, std::chrono::steady_clock::time_point now);
  [[nodiscard]] std::vector<std::string> held() const;

  // Where either side begins, both may at once, and have two IKE SAs where one would do. Of those
  // that began within kSameMoment of each other the one with the lowest initiator's SPI stays,
  // which both sides see alike; otherwise the newest, as the peer had a reason to begin anew. At
  // most once in kSettleInterval per site, lest a peer that begins again at each end is fought.
  // The peer may have ended it already and have nothing to answer with: one that is still there
  // kEndInterval later goes without an answer.
  static constexpr std::chrono::seconds kSameMoment{10};
  static constexpr std::chrono::seconds kSettleInterval{60};
  static constexpr std::chrono::seconds kEndInterval{4};
  [[nodiscard]] Status end_duplicates(ViciSession& session, const std::vector<ViciSection>& sas,
                                      std::chrono::steady_clock::time_point now);
  // Unique ids of the IKE SAs that end_duplicates() ended and that may still be there.
  [[nodiscard]] std::vector<uint64_t> ending() const;

 private:
  struct Loaded {
    std::string digest;  // of all that was sent, secrets included
    std::string key_id;  // by which charon knows the private key
    std::vector<std::string> children;
    bool keep_up = false;
    bool either_begins = false;
    std::chrono::steady_clock::time_point tried{};
    std::chrono::steady_clock::time_point settled{};
  };

  [[nodiscard]] std::vector<std::string> children_of(const std::string& site) const;
  Status load_credentials(ViciSession& session, const SitePlan& site, Loaded& loaded) const;
  Status load(ViciSession& session, const SitePlan& site, std::string digest);
  Status unload(ViciSession& session, const std::string& name);
  // Of what end_duplicates() has ended.
  Status force_ends(ViciSession& session, const std::vector<ViciSection>& sas,
                    std::chrono::steady_clock::time_point now);
  Status remove_others(ViciSession& session, const ConnectionPlan& plan, CommitReport& report);

  std::map<std::string, Loaded> loaded_;
  // By charon's number of it, since when it is to end; gone once it is forced or not there.
  std::map<std::string, std::chrono::steady_clock::time_point, std::less<>> ending_;
  std::map<std::string, std::string> held_;  // with the digest of what they were when held
};

// charon's answers to simple questions.
struct CharonVersion {
  std::string daemon;   // "charon-systemd"
  std::string version;  // "5.9.8"
};
[[nodiscard]] Result<CharonVersion> charon_version(ViciSession& session);

// Ends a tunnel. Returns at once; events tell the rest.
[[nodiscard]] Status terminate_site(ViciSession& session, const std::string& site);

}  // namespace masugata::ipsec
