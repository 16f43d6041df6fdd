// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/key_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "ipsec/pki/pki_store.h"

namespace masugata::dataplane {
namespace {

constexpr const char* kNotThere = "charon is not there; systemctl status masugata-charon tells why";

constexpr std::string_view kEnding = "DELETING";  // charon's state of IKE SAs and their children

uint32_t spi_of(const std::string& hexadecimal) {
  return static_cast<uint32_t>(std::strtoul(hexadecimal.c_str(), nullptr, 16));
}

// What plan_connections() looks at.
config::Model model_of(const config::VpnSettings& settings) {
  config::Model model;
  model.vpn = settings;
  return model;
}

bool names(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// "line 7, vpn site osaka" names osaka.
std::string_view site_in(const Fault& fault) {
  const std::string_view where = fault.where;
  return where.substr(where.rfind(' ') + 1);
}

// The oldest of a site's IKE SAs.
uint64_t age_ms(const ipsec::SiteStatus& status) {
  uint64_t seconds = 0;
  for (const ipsec::IkeStatus& ike : status.sas) seconds = std::max(seconds, ike.age_seconds);
  return seconds * 1000;
}

}  // namespace

KeyExchange::KeyExchange(KeyExchangeTargets targets) : targets_(std::move(targets)) {
  if (!targets_.connect) {
    targets_.connect = [path = targets_.daemon.vici_socket] {
      return ipsec::ViciSession::connect(path);
    };
  }
  charon_.problem = kNotThere;
}

KeyExchange::~KeyExchange() {
  if (agent_ != nullptr) targets_.loop->forget(agent_->descriptor());
}

std::vector<Fault> KeyExchange::check(const config::VpnSettings& settings) const {
  return ipsec::plan_connections(model_of(settings), ipsec::pki::PkiStore(targets_.pki_folder))
      .faults;
}

Status KeyExchange::refuse_new_faults(const config::VpnSettings& next) const {
  const std::vector<Fault> now = check(settings_);
  for (const Fault& fault : check(next)) {
    const bool known = std::any_of(now.begin(), now.end(), [&fault](const Fault& each) {
      return site_in(each) == site_in(fault) && each.what == fault.what;
    });
    if (!known) return tl::unexpected(fault);
  }
  return {};
}

Status KeyExchange::configure(const config::VpnSettings& settings) {
  if (settings.sites.empty() && agent_ == nullptr) return {};
  targets_.daemon.nat_keep_alive_seconds = settings.nat_keep_alive_seconds;
  const Result<bool> another =
      ipsec::write_daemon_configuration(targets_.daemon_file, targets_.daemon);
  if (!another) return tl::unexpected(another.error());
  if (*another && charon_.there) {
    targets_.log(true, "settings of charon itself changed: systemctl restart masugata-charon");
  }
  settings_ = settings;
  if (agent_ == nullptr) {
    ipsec::CharonAgentTargets targets;
    targets.connect = targets_.connect;
    auto agent = std::make_unique<ipsec::CharonAgent>(std::move(targets));
    if (Status started = agent->start(); !started) return started;
    Status watched = targets_.loop->watch(agent->descriptor(), control::kReadable,
                                          [this](uint32_t) { on_news(); });
    if (!watched) return watched;
    agent_ = std::move(agent);
  }
  auto model = std::make_shared<const config::Model>(model_of(settings));
  load_order_ = agent_->load([model, store = ipsec::pki::PkiStore(targets_.pki_folder)] {
    return ipsec::plan_connections(*model, store);
  });
  std::vector<SiteView> before = std::exchange(sites_, {});
  for (ipsec::SiteStatus& status : ipsec::merge_sites(settings_, {})) {
    const auto known = std::find_if(before.begin(), before.end(), [&](const SiteView& view) {
      return view.status.name == status.name;
    });
    SiteView view;
    if (known != before.end()) view = std::move(*known);
    if (known == before.end() || status.state == ipsec::SiteState::Disabled) {
      view.status = std::move(status);
    }
    sites_.push_back(std::move(view));
  }
  set_faults(check(settings_));
  for (KeyExchangeListener* listener : listeners_) listener->configured(settings_);
  return {};
}

const SiteView* KeyExchange::find(const std::string& site) const {
  const auto found = std::find_if(sites_.begin(), sites_.end(), [&site](const SiteView& view) {
    return view.status.name == site;
  });
  return found == sites_.end() ? nullptr : &*found;
}

void KeyExchange::when_loaded(LoadedCallback done) {
  if (load_order_ == 0) return done({}, faults_);
  waiting_for_load_.push_back(std::move(done));
}

void KeyExchange::look(Callback done) {
  if (agent_ == nullptr) return done(failure("vpn", "no site is configured"));
  if (!charon_.there) return done(failure("vpn", charon_.problem));
  orders_[agent_->look()] = std::move(done);
}

void KeyExchange::act(const std::string& site, ipsec::SiteAction action, Callback done) {
  const std::string where = fmt::format("vpn site {}", site);
  const auto configured =
      std::find_if(settings_.sites.begin(), settings_.sites.end(),
                   [&site](const config::VpnSite& each) { return each.name == site; });
  if (agent_ == nullptr || configured == settings_.sites.end()) {
    return done(failure(where, "is not configured"));
  }
  if (!configured->enabled) return done(failure(where, "is disabled in the configuration"));
  if (action == ipsec::SiteAction::Up && configured->peer_is_any()) {
    return done(failure(where, "has `peer any`: the other side has to begin"));
  }
  if (!charon_.there) return done(failure(where, charon_.problem));
  orders_[agent_->act(site, action)] = [where, done = std::move(done)](const Status& status) {
    done(status ? status : Status(failure(where, status.error().what)));
  };
}

void KeyExchange::alert(const ipsec::CharonAlert& alert) {
  for (KeyExchangeListener* listener : listeners_) listener->charon_alerted(alert);
}

void KeyExchange::on_news() {
  for (ipsec::CharonNews& each : agent_->take_news()) {
    std::visit([this](const auto& news) { take(news); }, each);
  }
}

void KeyExchange::take(const ipsec::CharonAppeared& news) {
  charon_ = {true, news.version, "", targets_.loop->now_ms()};
  targets_.log(false, fmt::format("{} {} takes orders", news.version.daemon, news.version.version));
  for (KeyExchangeListener* listener : listeners_) listener->charon_changed(charon_);
}

void KeyExchange::take(const ipsec::CharonVanished& news) {
  charon_.there = false;
  charon_.problem = kNotThere;
  charon_.since_ms = targets_.loop->now_ms();
  targets_.log(true, fmt::format("charon takes no orders any more: {}", news.why));
  for (KeyExchangeListener* listener : listeners_) listener->charon_changed(charon_);
}

void KeyExchange::set_faults(const std::vector<Fault>& faults) {
  faults_ = faults;
  for (SiteView& view : sites_) {
    const auto fault = std::find_if(faults.begin(), faults.end(), [&view](const Fault& each) {
      return site_in(each) == view.status.name;
    });
    view.fault = fault == faults.end() ? "" : fault->what;
  }
}

void KeyExchange::take(const ipsec::CharonLoaded& news) {
  for (const std::string& name : news.report.loaded) {
    targets_.log(false, fmt::format("site {} is loaded", name));
  }
  for (const std::string& name : news.report.removed) {
    targets_.log(false, fmt::format("site {} is removed", name));
  }
  for (const Fault& fault : news.report.faults) targets_.log(true, fault.message());
  set_faults(news.report.faults);
}

void KeyExchange::refresh_sites(const std::vector<ipsec::ViciSection>& sas) {
  const uint64_t now_ms = targets_.loop->now_ms();
  std::vector<std::pair<size_t, ipsec::SiteState>> changed;
  std::vector<ipsec::SiteStatus> statuses = ipsec::merge_sites(settings_, sas);
  for (size_t i = 0; i < statuses.size(); ++i) {
    SiteView& view = sites_[i];
    const ipsec::SiteState before = view.status.state;
    view.status = std::move(statuses[i]);
    const ipsec::SiteState after = view.status.state;
    if (before != after || !view.since_ms) {
      const uint64_t age = after == ipsec::SiteState::Up ? age_ms(view.status) : 0;
      view.since_ms = now_ms - std::min(now_ms, age);
    }
    if (before != after) changed.emplace_back(i, before);
  }
  for (const auto& [place, before] : changed) {
    for (KeyExchangeListener* listener : listeners_) {
      listener->site_changed(sites_[place], before);
    }
  }
}

// `ikes` were ended by us; others charon ends by itself.
std::vector<EndingSa> KeyExchange::ending_sas(const std::vector<uint64_t>& ikes) const {
  std::vector<EndingSa> ending;
  for (size_t i = 0; i < sites_.size(); ++i) {
    for (const ipsec::IkeStatus& ike : sites_[i].status.sas) {
      const bool ends =
          ike.state == kEnding || std::find(ikes.begin(), ikes.end(), ike.unique_id) != ikes.end();
      for (const ipsec::ChildStatus& child : ike.children) {
        if (!ends && child.state != kEnding) continue;
        ending.push_back({settings_.sites[i].tunnel_id, spi_of(child.spi_out)});
      }
    }
  }
  return ending;
}

void KeyExchange::take(const ipsec::CharonSas& news) {
  refresh_sites(news.sas);
  if (targets_.ending) targets_.ending(ending_sas(news.ending));
  for (SiteView& view : sites_) view.held_down = names(news.held, view.status.name);
  for (const std::string& site : news.begun) {
    for (KeyExchangeListener* listener : listeners_) listener->site_begun(site);
  }
}

void KeyExchange::take(const ipsec::ViciEvent& news) {
  for (KeyExchangeListener* listener : listeners_) listener->charon_told(news);
}

void KeyExchange::take(const ipsec::OrderDone& news) {
  if (news.order == load_order_) {
    load_order_ = 0;
    const Status reached =
        news.status ? Status() : Status(failure("vpn", "is loaded as soon as charon is there"));
    for (auto& done : std::exchange(waiting_for_load_, {})) done(reached, faults_);
  }
  const auto order = orders_.find(news.order);
  if (order == orders_.end()) return;
  const Callback done = std::move(order->second);
  orders_.erase(order);
  done(news.status);
}

}  // namespace masugata::dataplane
