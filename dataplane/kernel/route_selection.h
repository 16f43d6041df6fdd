// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps the kernel's routes per prefix and says which one packets take.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "dataplane/forwarding/route.h"
#include "dataplane/kernel/kernel_objects.h"

namespace masugata::dataplane {

// No I/O: fed by the mirror, tested without a kernel.
class RouteSelection {
 public:
  // The kernel's ifindex → index in config::Model::interfaces, kNoInterface for a foreign link.
  using LinkMap = std::function<InterfaceIndex(int link)>;

  // True for routes that the dataplane may use: tables main and local, not multicast, not the
  // link-local prefixes that every IPv6 interface has.
  [[nodiscard]] static bool is_mirrored(const KernelRoute& route);

  // How a new route stands to one of the same prefix, table and metric: NLM_F_REPLACE, or
  // NLM_F_APPEND (the kernel keeps the older one in front; also the order of a dump), or neither.
  enum class Placement : uint8_t { Replace, Append, Unstated };

  // RTM_NEWROUTE.
  void add(const KernelRoute& route, Placement placement);
  // RTM_DELROUTE. False: the kernel's order cannot be told from the message; dump again.
  [[nodiscard]] bool remove(const KernelRoute& route);

  // What packets to `prefix` meet; nullopt when there is no route.
  [[nodiscard]] std::optional<RouteEntry> best(const net::Prefix& prefix,
                                               const LinkMap& interface_of) const;
  [[nodiscard]] std::set<net::Prefix> prefixes() const;

 private:
  struct Candidate {
    KernelRoute route;
    bool hides_others = false;  // an equal one was appended behind it
  };
  std::map<net::Prefix, std::vector<Candidate>> routes_;
};

}  // namespace masugata::dataplane
