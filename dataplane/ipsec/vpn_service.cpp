// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/vpn_service.h"

#include <utility>

namespace masugata::dataplane {

VpnService::VpnService(VpnServiceTargets targets)
    : targets_(std::move(targets)),
      manager_(manager_targets()),
      twin_mtus_({[this] { return manager_.view(); }, targets_.forwarding, targets_.configuration,
                  targets_.set_twin_mtu, targets_.log}),
      tunnel_events_({targets_.log, targets_.write_event, targets_.wall_time_us}),
      diagnosis_({targets_.log, targets_.write_event, targets_.wall_time_us}),
      charon_(std::make_unique<CharonLink>(*targets_.loop, manager_)),
      key_exchange_(std::make_unique<KeyExchange>(key_exchange_targets())) {
  key_exchange_->add_listener(&tunnel_events_);
  key_exchange_->add_listener(&diagnosis_);
}

IpsecTargets VpnService::manager_targets() const {
  IpsecTargets manager;
  manager.publication = targets_.publication;
  manager.gates = targets_.gates;
  manager.now_ms = targets_.now_ms;
  manager.log = targets_.log;
  manager.alert = [this](const ipsec::CharonAlert& alert) { key_exchange_->alert(alert); };
  return manager;
}

KeyExchangeTargets VpnService::key_exchange_targets() {
  KeyExchangeTargets exchange;
  exchange.loop = targets_.loop;
  exchange.daemon_file = targets_.daemon_file;
  exchange.daemon = targets_.daemon;
  exchange.pki_folder = targets_.pki_folder;
  exchange.log = targets_.log;
  exchange.ending = [this](std::vector<EndingSa> ending) {
    manager_.set_ending(std::move(ending));
  };
  return exchange;
}

void VpnService::configure(const config::VpnSettings& settings) {
  if (manager_.is_active()) report(charon_->listen(targets_.daemon.sa_socket));
  report(key_exchange_->configure(settings));
}

void VpnService::tick() {
  manager_.tick();
  twin_mtus_.tick();
}

void VpnService::observe() {
  if (manager_.is_active()) diagnosis_.observe(manager_.statuses());
}

void VpnService::disconnect() {
  key_exchange_.reset();
  charon_.reset();
}

void VpnService::report(const Status& status) const {
  if (!status) targets_.log(true, status.error().message());
}

}  // namespace masugata::dataplane
