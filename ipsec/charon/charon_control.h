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

  // charon was started anew: it knows nothing any more.
  void forget() { loaded_.clear(); }

  // Begins the sites that should be up and of which charon has neither a child SA nor an IKE SA
  // that is connecting, at most one try per site in kRetryInterval. `now` is a monotonic clock.
  // Returns the names of those begun.
  static constexpr std::chrono::seconds kRetryInterval{10};
  [[nodiscard]] Result<std::vector<std::string>> keep_up(ViciSession& session,
                                                         std::chrono::steady_clock::time_point now);

 private:
  struct Loaded {
    std::string digest;  // of all that was sent, secrets included
    std::string key_id;  // by which charon knows the private key
    bool keep_up = false;
    std::chrono::steady_clock::time_point tried{};
  };

  Status load_credentials(ViciSession& session, const SitePlan& site, Loaded& loaded) const;
  Status load(ViciSession& session, const SitePlan& site, std::string digest);
  Status unload(ViciSession& session, const std::string& name);
  Status remove_others(ViciSession& session, const ConnectionPlan& plan, CommitReport& report);

  std::map<std::string, Loaded> loaded_;
};

// charon's answers to simple questions.
struct CharonVersion {
  std::string daemon;   // "charon-systemd"
  std::string version;  // "5.9.8"
};
[[nodiscard]] Result<CharonVersion> charon_version(ViciSession& session);

// Asks for a tunnel, or ends one. Return at once; events tell the rest.
[[nodiscard]] Status initiate_site(ViciSession& session, const std::string& site);
[[nodiscard]] Status terminate_site(ViciSession& session, const std::string& site);
// New keys: of the child, or of IKE itself.
[[nodiscard]] Status rekey_site(ViciSession& session, const std::string& site, bool ike);

}  // namespace masugata::ipsec
