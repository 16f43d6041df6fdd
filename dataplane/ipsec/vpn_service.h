// SPDX-License-Identifier: GPL-2.0-or-later
// Everything that makes tunnels out of `vpn` in the configuration: SAs and policies from charon,
// charon itself, and what is told of both. One thread, control's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/ipsec/charon_link.h"
#include "dataplane/ipsec/ipsec_manager.h"
#include "dataplane/ipsec/key_exchange.h"
#include "dataplane/ipsec/tunnel_events.h"
#include "dataplane/ipsec/twin_mtus.h"
#include "dataplane/ipsec/vpn_diagnosis.h"

namespace masugata::dataplane {

struct VpnServiceTargets {
  std::atomic<const IpsecView*>* publication = nullptr;
  std::vector<IpsecGate*> gates;     // by worker
  std::function<uint64_t()> now_ms;  // the workers' clock
  control::EventLoop* loop = nullptr;
  std::string daemon_file;  // charon's strongswan.conf, which is written
  ipsec::DaemonSettings daemon;
  std::string pki_folder;
  std::function<void(bool problem, const std::string& text)> log;
  // A line of the event log, without its end.
  std::function<void(const std::string& line)> write_event;
  std::function<uint64_t()> wall_time_us;  // since 1970
  // For the twins of tunnels (twin_mtus.h); asked from tick() only.
  std::function<const ForwardingView&()> forwarding;
  std::function<const RunningConfiguration&()> configuration;
  std::function<Status(InterfaceIndex tunnel, uint16_t mtu)> set_twin_mtu;
};

class VpnService {
 public:
  explicit VpnService(VpnServiceTargets targets);
  VpnService(const VpnService&) = delete;
  VpnService& operator=(const VpnService&) = delete;

  // After each configuration that was applied. What is wrong is logged: a gateway goes on without
  // tunnels. Nothing is listened to and nothing is written before the first site.
  void configure(const config::VpnSettings& settings);
  // Each tenth of a second: lifetimes, what workers ask for, MTUs.
  void tick();
  // About once a second: what the packet path counts, for the diagnosis.
  void observe();
  // Lets go of charon: nothing of it arrives any more. SAs stay until this object goes, which must
  // be after the workers.
  void disconnect();

  [[nodiscard]] IpsecManager& manager() noexcept { return manager_; }
  [[nodiscard]] const IpsecManager& manager() const noexcept { return manager_; }
  [[nodiscard]] KeyExchange& key_exchange() noexcept { return *key_exchange_; }
  [[nodiscard]] VpnDiagnosis& diagnosis() noexcept { return diagnosis_; }

 private:
  [[nodiscard]] IpsecTargets manager_targets() const;
  [[nodiscard]] KeyExchangeTargets key_exchange_targets();
  void report(const Status& status) const;

  VpnServiceTargets targets_;
  IpsecManager manager_;
  TwinMtus twin_mtus_;
  TunnelEvents tunnel_events_;
  VpnDiagnosis diagnosis_;
  std::unique_ptr<CharonLink> charon_;
  std::unique_ptr<KeyExchange> key_exchange_;
};

}  // namespace masugata::dataplane
