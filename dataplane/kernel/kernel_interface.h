// SPDX-License-Identifier: GPL-2.0-or-later
// What the control thread wants of the kernel, so that scenario tests can do without one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/model.h"
#include "net/address.h"
#include "result/result.h"

namespace masugata::dataplane {

// The twin of one logical interface in the kernel (a TAP of the same name).
struct TwinConfiguration {
  std::string name;  // at most 15 characters (IFNAMSIZ)
  net::MacAddress mac;
  uint16_t mtu = 1500;  // bytes of the IP packet
  bool up = true;
  bool tunnel = false;  // nobody behind it answers ARP or neighbour discovery
  std::vector<net::Prefix> addresses;
  // Addresses that the gateway answers ARP and neighbour solicitations for because NAT uses them
  // there (pools, published addresses). Added as host addresses.
  std::vector<net::IpAddress> answered;
};

// Everything that the configuration wants of the kernel. `twins` is parallel to
// config::Model::interfaces.
struct KernelConfiguration {
  std::vector<TwinConfiguration> twins;
  std::vector<config::StaticRoute> routes;
};

// The twin of a tunnel has no port to take its MAC from; nothing ever sees it on a wire.
inline constexpr net::MacAddress kTunnelTwinMac{{0x02, 0x00, 0x5e, 0x00, 0x00, 0x01}};

// At most this many addresses are answered for NAT; a larger configuration is refused.
inline constexpr std::size_t kMaximumAnsweredAddresses = 4096;

// Picks from the model what the kernel must know. `port_macs` is parallel to Model::ports. Fault:
// an interface name too long for the kernel, or too many answered addresses.
[[nodiscard]] Result<KernelConfiguration> compile_kernel_configuration(
    const config::Model& model, const std::vector<net::MacAddress>& port_macs);

struct KernelStatistics {
  uint64_t messages = 0;
  uint64_t resynchronisations = 0;  // full dumps: apply(), lost messages, link changes
  uint64_t overruns = 0;            // the kernel had to throw messages away
  uint64_t resolve_requests = 0;
  uint64_t refused_routes = 0;  // over the bound of the forwarding table
  uint64_t refused_neighbours = 0;
  uint64_t corrected_settings = 0;  // sysctls that somebody else had changed
};

// Control thread only. Implementations feed a ForwardingPublisher.
class KernelInterface {
 public:
  virtual ~KernelInterface() = default;

  // Makes the kernel's twins, addresses and static routes of ours as configured and maps the twins
  // to interface indexes. What others have put there (DHCP, routing daemons) stays. Twins must
  // exist. On a Fault everything that could be done has been done; the first one is returned.
  virtual Status apply(const KernelConfiguration& configuration) = 0;

  // Readable when process_events() has something to do; -1 when there is nothing to watch.
  [[nodiscard]] virtual int event_descriptor() const noexcept = 0;
  // Takes a bounded number of pending messages and publishes their sum as one batch. Never blocks
  // except for a full dump after lost messages.
  virtual Status process_events() = 0;
  // About once a second: refreshes neighbours in use, enforces settings, retries what failed.
  virtual Status tick(uint32_t now_ms) = 0;

  // Asks for the neighbour's MAC (ARP or neighbour discovery); the entry exists afterwards as
  // Incomplete and the answer comes as an event.
  virtual void resolve(uint16_t interface, const net::IpAddress& address) = 0;

  [[nodiscard]] virtual KernelStatistics statistics() const noexcept = 0;
};

}  // namespace masugata::dataplane
