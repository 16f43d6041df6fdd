// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway's key exchange: charon under the running configuration, and what is known of each
// site. What happens to tunnels passes through here; who wants to know is a KeyExchangeListener.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "dataplane/control/event_loop.h"
#include "dataplane/ipsec/outbound_choices.h"
#include "ipsec/charon/charon_agent.h"
#include "ipsec/charon/daemon_settings.h"
#include "ipsec/charon/site_status.h"
#include "ipsec/sa/sa_consumer.h"
#include "result/result.h"

namespace masugata::dataplane {

// A site as it was last seen.
struct SiteView {
  ipsec::SiteStatus status;
  std::optional<uint64_t> since_ms;  // loop's clock: since when it is in this state
  bool held_down = false;            // by request; nothing here begins it
  std::string fault;                 // why charon does not have it as configured; empty: it has
};

struct CharonView {
  bool there = false;
  ipsec::CharonVersion version;
  std::string problem;    // why it is not there
  uint64_t since_ms = 0;  // loop's clock
};

// Told in the control thread, while nothing of KeyExchange is half changed. The views are valid
// during the call.
class KeyExchangeListener {
 public:
  virtual ~KeyExchangeListener() = default;
  virtual void site_changed(const SiteView& /*site*/, ipsec::SiteState /*before*/) {}
  virtual void charon_changed(const CharonView& /*charon*/) {}
  // What went wrong in charon, as its plugin tells it: about a site, or about nobody's connection.
  virtual void charon_alerted(const ipsec::CharonAlert& /*alert*/) {}
  // An event of vici.
  virtual void charon_told(const ipsec::ViciEvent& /*event*/) {}
  // The gateway begins a site.
  virtual void site_begun(const std::string& /*site*/) {}
  // After each configuration that was applied.
  virtual void configured(const config::VpnSettings& /*settings*/) {}
};

struct KeyExchangeTargets {
  control::EventLoop* loop = nullptr;
  std::string daemon_file;  // charon's strongswan.conf, which is written
  ipsec::DaemonSettings daemon;
  std::string pki_folder;
  std::function<void(bool problem, const std::string& text)> log;
  // Told whenever charon's SAs were looked at: all outbound ones that it ends. May be empty.
  std::function<void(std::vector<EndingSa> ending)> ending;
  // Instead of daemon.vici_socket, in tests.
  std::function<Result<ipsec::ViciSession>()> connect;
};

// Control thread; nothing here waits for charon.
class KeyExchange {
 public:
  using Callback = std::function<void(const Status& done)>;

  explicit KeyExchange(KeyExchangeTargets targets);
  ~KeyExchange();
  KeyExchange(const KeyExchange&) = delete;
  KeyExchange& operator=(const KeyExchange&) = delete;

  // What of `settings` cannot be loaded, for want of a file or a certificate. Reads files.
  [[nodiscard]] std::vector<Fault> check(const config::VpnSettings& settings) const;
  // Refuses `next` for the first such site that is not in the same trouble now: who changes it is
  // told before anything is in force, who changes something else is not held up.
  [[nodiscard]] Status refuse_new_faults(const config::VpnSettings& next) const;
  // After each configuration that was applied: charon is to have it. Nothing happens before the
  // first site. Fault: charon's settings cannot be written, or there is no thread to be had.
  [[nodiscard]] Status configure(const config::VpnSettings& settings);
  [[nodiscard]] bool is_active() const noexcept { return agent_ != nullptr; }

  // Once charon has what was configured last, or has refused some: those are `faults`. `reached` is
  // a Fault when charon is not there; it gets everything when it is.
  using LoadedCallback =
      std::function<void(const Status& reached, const std::vector<Fault>& faults)>;
  void when_loaded(LoadedCallback done);
  // Once sites() is as charon sees it now. Without charon: at once, with a Fault.
  void look(Callback done);
  // Up and Down end with the order's acceptance, not with the tunnel. Faults: no such site, one
  // that cannot begin, no charon, or charon's own words.
  void act(const std::string& site, ipsec::SiteAction action, Callback done);

  // Every site of the configuration, in its order; at most some seconds old.
  [[nodiscard]] const std::vector<SiteView>& sites() const noexcept { return sites_; }
  [[nodiscard]] const SiteView* find(const std::string& site) const;
  [[nodiscard]] const CharonView& charon() const noexcept { return charon_; }
  [[nodiscard]] const config::VpnSettings& settings() const noexcept { return settings_; }

  // Listeners outlive this object.
  void add_listener(KeyExchangeListener* listener) { listeners_.push_back(listener); }
  // From IpsecManager.
  void alert(const ipsec::CharonAlert& alert);

 private:
  void on_news();
  void take(const ipsec::CharonAppeared& news);
  void take(const ipsec::CharonVanished& news);
  void take(const ipsec::CharonLoaded& news);
  void take(const ipsec::CharonSas& news);
  void take(const ipsec::ViciEvent& news);
  void take(const ipsec::OrderDone& news);
  void refresh_sites(const std::vector<ipsec::ViciSection>& sas);
  [[nodiscard]] std::vector<EndingSa> ending_sas(const std::vector<uint64_t>& ikes) const;
  void set_faults(const std::vector<Fault>& faults);

  KeyExchangeTargets targets_;
  config::VpnSettings settings_;
  std::vector<SiteView> sites_;
  CharonView charon_;
  std::vector<Fault> faults_;
  uint64_t load_order_ = 0;  // not answered yet
  std::vector<LoadedCallback> waiting_for_load_;
  std::map<uint64_t, Callback> orders_;
  std::vector<KeyExchangeListener*> listeners_;
  std::unique_ptr<ipsec::CharonAgent> agent_;
};

}  // namespace masugata::dataplane
