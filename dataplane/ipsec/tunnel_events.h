// SPDX-License-Identifier: GPL-2.0-or-later
// Says in the log and in the event log when a tunnel comes up and when it is up no more.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "dataplane/ipsec/key_exchange.h"

namespace masugata::dataplane {

struct TunnelEventTargets {
  std::function<void(bool problem, const std::string& text)> log;
  // A line of the event log, without its end.
  std::function<void(const std::string& line)> write_event;
  std::function<uint64_t()> wall_time_us;  // since 1970
};

// Control thread.
class TunnelEvents final : public KeyExchangeListener {
 public:
  explicit TunnelEvents(TunnelEventTargets targets) : targets_(std::move(targets)) {}

  void site_changed(const SiteView& site, ipsec::SiteState before) override;

 private:
  TunnelEventTargets targets_;
};

// One line of EVE: `event_type` vpn, with a member `vpn`.
[[nodiscard]] std::string tunnel_event(const SiteView& site, ipsec::SiteState before,
                                       uint64_t time_us);

}  // namespace masugata::dataplane
