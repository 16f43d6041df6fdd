// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/ipsec/ipsec_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace masugata::dataplane {
IpsecManager::IpsecManager(IpsecTargets targets)
    : targets_(std::move(targets)), published_(targets_.publication) {}

Status IpsecManager::configure(const config::VpnSettings& settings) {
  std::vector<Tunnel> tunnels;
  for (const config::VpnSite& site : settings.sites) {
    if (!site.enabled) continue;
    tunnels.push_back({site.tunnel_id, site.interface,
                       site.transport_mode ? ipsec::Mode::Transport : ipsec::Mode::Tunnel});
  }
  if (!tunnels.empty() && memory_ == nullptr) {
    for (size_t worker = 0; worker < targets_.gates.size(); ++worker) {
      const Status ready = targets_.gates[worker]->prepare(static_cast<uint16_t>(worker));
      if (!ready) return ready;
    }
    auto memory = ipsec::SaMemory::create(kMaximumSas);
    if (!memory) return tl::unexpected(memory.error());
    memory_ = std::move(*memory);
    promised_ = std::make_unique<PromisedSpis>();
  }
  tunnels_ = std::move(tunnels);
  if (memory_ == nullptr) return {};
  std::erase_if(sas_, [this](const Kept& kept) {
    const InstalledSa& sa = *kept.viewed.installed;
    const Tunnel* tunnel = tunnel_of(sa.tunnel_id);
    return tunnel == nullptr || tunnel->interface != sa.tunnel || tunnel->mode != sa.mode;
  });
  publish();
  return {};
}

const IpsecManager::Tunnel* IpsecManager::tunnel_of(uint32_t tunnel_id) const {
  for (const Tunnel& tunnel : tunnels_) {
    if (tunnel.id == tunnel_id) return &tunnel;
  }
  return nullptr;
}

std::vector<IpsecManager::Kept>::iterator IpsecManager::find(const ipsec::SaName& name) {
  return std::find_if(sas_.begin(), sas_.end(),
                      [&name](const Kept& kept) { return kept.name == name; });
}

Result<uint32_t> IpsecManager::reserve_spi(const net::IpAddress& local,
                                           const net::IpAddress& remote) {
  if (memory_ == nullptr) return failure("vpn", "no site is configured");
  const auto reserved = reservations_.reserve([this](uint32_t spi) {
    const bool in_use = std::any_of(sas_.begin(), sas_.end(), [spi](const Kept& kept) {
      return kept.viewed.installed->name.spi == spi &&
             kept.viewed.installed->name.direction == ipsec::Direction::Inbound;
    });
    return in_use || !promised_->takes(spi);
  });
  if (reserved) promised_->add(*reserved, local, remote);
  return reserved;
}

void IpsecManager::forget_kept_promises() {
  std::erase_if(kept_promises_, [this](const KeptPromise& kept) {
    const bool known = std::all_of(targets_.gates.begin(), targets_.gates.end(), [&](auto* gate) {
      return static_cast<int32_t>(gate->adopted() - kept.view) >= 0;
    });
    if (known) promised_->remove(kept.spi);
    return known;
  });
}

Status IpsecManager::install(ipsec::SaParameters parameters) {
  const std::string where = fmt::format("SA {:08x}", parameters.spi.host());
  if (memory_ == nullptr) return failure("vpn", "no site is configured");
  const Tunnel* tunnel = tunnel_of(parameters.tunnel_id);
  if (tunnel == nullptr) {
    return failure(where, fmt::format("no site has the tunnel {}", parameters.tunnel_id));
  }
  if (parameters.mode != tunnel->mode) {
    return failure(where, tunnel->mode == ipsec::Mode::Tunnel
                              ? "the peer wants transport mode, the site is a tunnel"
                              : "the peer wants a tunnel, the site is in transport-mode");
  }
  Kept kept;
  auto installed = std::make_shared<InstalledSa>();
  installed->name = {
      parameters.spi.host(), parameters.direction,
      parameters.direction == ipsec::Direction::Inbound ? parameters.local : parameters.remote};
  if (find(installed->name) != sas_.end()) return failure(where, "is installed already");
  auto built = memory_->build(parameters, targets_.now_ms());
  if (!built) return tl::unexpected(built.error());
  installed->sa = std::move(*built);
  installed->owner = sa_owner_of(parameters.spi.host(), targets_.gates.size());
  installed->tunnel = tunnel->interface;
  installed->mode = parameters.mode;
  installed->df = parameters.header.df;
  installed->request_id = parameters.request_id;
  installed->tunnel_id = parameters.tunnel_id;
  installed->local_selectors = parameters.local_selectors;
  installed->remote_selectors = parameters.remote_selectors;
  installed->applied_serial = ++next_serial_;
  kept.viewed.outer = {parameters.local, parameters.remote, parameters.udp, next_serial_};
  kept.name = installed->name;
  kept.viewed.installed = std::move(installed);
  kept.transform = parameters.transform;
  sas_.push_back(std::move(kept));
  publish();
  if (parameters.direction == ipsec::Direction::Inbound &&
      reservations_.release(parameters.spi.host())) {
    kept_promises_.push_back({parameters.spi.host(), published_.running()->generation});
  }
  return {};
}

Result<bool> IpsecManager::update(const ipsec::SaName& name, const ipsec::SaMove& move) {
  const auto kept = find(name);
  if (kept == sas_.end()) return false;
  const std::string where = ipsec::to_string(name);
  if (const Status possible = ipsec::check_outer(where, kept->viewed.installed->mode, move.local,
                                                 move.remote, move.udp);
      !possible) {
    return tl::unexpected(possible.error());
  }
  ipsec::SaName moved = name;
  moved.destination = name.direction == ipsec::Direction::Inbound ? move.local : move.remote;
  if (moved != name && find(moved) != sas_.end()) {
    return failure(where, fmt::format("{} has that SPI already", ipsec::to_string(moved)));
  }
  kept->viewed.outer = {move.local, move.remote, move.udp, ++next_serial_};
  kept->name = moved;
  publish();
  return true;
}

std::optional<ipsec::SaUse> IpsecManager::query(const ipsec::SaName& name) {
  const auto kept = find(name);
  if (kept == sas_.end()) return std::nullopt;
  const ipsec::Lifetime& lifetime = std::as_const(*kept->viewed.installed->sa).lifetime();
  ipsec::SaUse use;
  use.bytes = lifetime.bytes();
  use.packets = lifetime.packets();
  if (lifetime.last_use_ms() != 0) {
    use.idle_seconds = (targets_.now_ms() - lifetime.last_use_ms()) / 1000;
  }
  return use;
}

bool IpsecManager::remove(const ipsec::SaName& name) {
  const auto kept = find(name);
  if (kept == sas_.end()) {
    if (name.direction != ipsec::Direction::Inbound || !reservations_.release(name.spi))
      return false;
    promised_->remove(name.spi);
    return true;
  }
  sas_.erase(kept);
  publish();
  return true;
}

void IpsecManager::flush() {
  sas_.clear();
  reservations_.clear();
  kept_promises_.clear();
  if (memory_ == nullptr) return;
  promised_->clear();
  publish();
}

Status IpsecManager::add_policy(const ipsec::SaPolicy& policy) {
  if (policies_.size() >= kMaximumPolicies) {
    return failure("vpn", fmt::format("more than {} policies", kMaximumPolicies));
  }
  policies_.push_back(policy);
  if (memory_ != nullptr) publish();
  return {};
}

bool IpsecManager::remove_policy(const ipsec::SaPolicy& policy) {
  auto found = std::find(policies_.begin(), policies_.end(), policy);
  if (found == policies_.end()) {
    // The peer has moved since.
    found = std::find_if(policies_.begin(), policies_.end(),
                         [like = policy](const auto& other) mutable {
                           like.peer = other.peer;
                           return other == like;
                         });
  }
  if (found == policies_.end()) return false;
  policies_.erase(found);
  if (memory_ != nullptr) publish();
  return true;
}

void IpsecManager::flush_policies() {
  policies_.clear();
  if (memory_ != nullptr) publish();
}

void IpsecManager::alert(const ipsec::CharonAlert& alert) {
  if (targets_.alert) targets_.alert(alert);
}

void IpsecManager::charon_connected(const std::string& daemon) {
  charon_is_there_ = true;
  targets_.log(false, daemon + " is connected");
}

void IpsecManager::charon_gone() {
  charon_is_there_ = false;
  targets_.log(true, "charon is gone; tunnels last until their SAs expire");
}

void IpsecManager::report(const std::string& sentence) { targets_.log(true, sentence); }

void IpsecManager::publish() {
  auto next = std::make_unique<IpsecView>();
  for (const Kept& kept : sas_) {
    next->sas.push_back(kept.viewed);
    OuterAddresses& outer = next->sas.back().outer;
    for (const Path& path : paths_) {
      if (path.local == outer.local && path.remote == outer.remote) outer.path_mtu = path.mtu;
    }
  }
  next->probe = probe_;
  next->index_sas();
  for (const Tunnel& tunnel : tunnels_) {
    next->tunnels.push_back(
        {tunnel.interface, outbound_choices(tunnel.id, policies_, next->sas, ending_)});
  }
  next->index_tunnels();
  next->promised = promised_.get();
  published_.publish(std::move(next));
}

void IpsecManager::set_ending(std::vector<EndingSa> ending) {
  std::sort(ending.begin(), ending.end());
  if (ending == ending_) return;
  ending_ = std::move(ending);
  if (memory_ != nullptr) publish();
}

void IpsecManager::set_probe(ViewedProbe probe) {
  if (memory_ == nullptr) return;
  probe_ = std::move(probe);
  probe_.serial = probe_.packets.empty() ? 0 : ++next_probe_;
  publish();
}

std::vector<ProbeAnswer> IpsecManager::take_probe_answers() {
  std::vector<ProbeAnswer> answers;
  ProbeAnswer answer;
  for (IpsecGate* gate : targets_.gates) {
    for (uint32_t i = 0; i < IpsecGate::kRecords && gate->probe_answers().pop(answer); ++i) {
      answers.push_back(answer);
    }
  }
  return answers;
}

void IpsecManager::tell_lifetimes() {
  if (!events_.expire) return;
  const uint64_t now_ms = targets_.now_ms();
  for (Kept& kept : sas_) {
    const ipsec::LifetimeState state = kept.viewed.installed->sa->state(now_ms);
    const bool hard = state == ipsec::LifetimeState::Hard;
    bool& told = hard ? kept.hard_told : kept.soft_told;
    if (state == ipsec::LifetimeState::Fresh || told) continue;
    told = events_.expire(kept.name, hard);
  }
}

void IpsecManager::tell_requests() {
  AcquireRecord acquire;
  MappingRecord mapping;
  for (IpsecGate* gate : targets_.gates) {
    for (uint32_t i = 0; i < IpsecGate::kRecords && gate->acquires().pop(acquire); ++i) {
      if (events_.acquire) (void)events_.acquire(acquire.request_id, acquire.facts);
    }
    for (uint32_t i = 0; i < IpsecGate::kRecords && gate->mappings().pop(mapping); ++i) {
      const auto kept = std::find_if(sas_.begin(), sas_.end(), [&mapping](const Kept& other) {
        return other.viewed.installed->name == mapping.name;
      });
      if (kept == sas_.end() || !events_.map) continue;
      (void)events_.map(kept->name, mapping.remote, mapping.remote_port);
    }
  }
}

bool IpsecManager::learn_path(const PathRecord& record) {
  const auto same = [&record](const OuterAddresses& outer) {
    return outer.local == record.local && outer.remote == record.remote;
  };
  const bool used = std::any_of(sas_.begin(), sas_.end(),
                                [&](const Kept& kept) { return same(kept.viewed.outer); });
  if (!used) return false;
  const auto known = std::find_if(paths_.begin(), paths_.end(), [&](const Path& path) {
    return path.local == record.local && path.remote == record.remote;
  });
  const uint64_t until_ms = targets_.now_ms() + kPathMtuPeriod_ms;
  if (known == paths_.end()) {
    paths_.push_back({record.local, record.remote, record.mtu, until_ms});
    return true;
  }
  if (record.mtu > known->mtu) return false;
  known->until_ms = until_ms;
  return std::exchange(known->mtu, record.mtu) != record.mtu;
}

void IpsecManager::learn_paths() {
  bool changed = false;
  PathRecord record;
  for (IpsecGate* gate : targets_.gates) {
    for (uint32_t i = 0; i < IpsecGate::kRecords && gate->paths().pop(record); ++i) {
      changed |= learn_path(record);
    }
  }
  const uint64_t now_ms = targets_.now_ms();
  changed |=
      std::erase_if(paths_, [now_ms](const Path& path) { return path.until_ms <= now_ms; }) > 0;
  if (changed) publish();
}

void IpsecManager::tick() {
  if (memory_ == nullptr) return;
  (void)published_.free_unread(targets_.gates, [](const IpsecView&) {});
  forget_kept_promises();
  learn_paths();
  tell_lifetimes();
  tell_requests();
}

EarlyTotals IpsecManager::early_totals() const {
  EarlyTotals totals;
  for (const IpsecGate* gate : targets_.gates) {
    const EarlyCounters& counters = gate->early_counters();
    totals.kept += counters.kept.get();
    totals.let_go += counters.let_go.get();
    totals.refused += counters.refused.get();
    totals.expired += counters.expired.get();
  }
  return totals;
}

std::vector<SaStatus> IpsecManager::statuses() const {
  std::vector<SaStatus> statuses;
  const uint64_t now_ms = targets_.now_ms();
  for (const Kept& kept : sas_) {
    const InstalledSa& installed = *kept.viewed.installed;
    const ipsec::EspSa& sa = *installed.sa;
    SaStatus status;
    status.name = installed.name;
    status.tunnel = installed.tunnel;
    status.transform = kept.transform;
    status.outer = kept.viewed.outer;
    for (const Path& path : paths_) {
      if (path.local == status.outer.local && path.remote == status.outer.remote) {
        status.outer.path_mtu = path.mtu;
      }
    }
    status.age_ms = now_ms - sa.lifetime().since_ms();
    status.bytes = sa.lifetime().bytes();
    status.packets = sa.lifetime().packets();
    status.replays = sa.replays();
    status.authentication_failures = sa.authentication_failures();
    status.selector_mismatches = installed.selector_mismatches.get();
    status.sequence = sa.sequence();
    statuses.push_back(std::move(status));
  }
  return statuses;
}

}  // namespace masugata::dataplane
