// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/platform/port.h"

#include <fmt/format.h>
#include <net/if.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "dataplane/platform/kernel_drops.h"

namespace masugata::dataplane {
namespace {

// The key that makes both directions of a flow hash alike; see net::symmetric_flow_hash().
constexpr size_t kHashKeyBytes = 40;
constexpr std::array<uint8_t, 52> kSymmetricHashKey = [] {
  std::array<uint8_t, 52> key{};
  for (size_t i = 0; i < key.size(); ++i) key[i] = i % 2 == 0 ? 0x6d : 0x5a;
  return key;
}();
// worker = (hash & 127) % workers, whatever the size of the port's redirection table.
constexpr uint16_t kHashBuckets = 128;

// This driver leaves out frames that find its ring full.
constexpr std::string_view kSilentDriver = "net_af_xdp";

std::string device_name_of(const std::string& device) { return device.substr(0, device.find(',')); }

// With its own arguments, and with what is better left off where they say nothing of it: to look
// into an empty port of AF_XDP would be a system call ("busy polling"), of which a worker that
// waits makes hundreds before it rests.
std::string device_arguments(const std::string& device) {
  const bool quiet =
      device.rfind(kSilentDriver, 0) == 0 && device.find(",busy_budget=") == std::string::npos;
  return quiet ? device + ",busy_budget=0" : device;
}

// In bytes of the IP packet, by both limits that a driver states.
uint32_t largest_mtu(const rte_eth_dev_info& info) {
  constexpr uint32_t kFrameOverhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
  return std::min<uint32_t>(info.max_mtu, info.max_rx_pktlen > kFrameOverhead
                                              ? info.max_rx_pktlen - kFrameOverhead
                                              : RTE_ETHER_MTU);
}

// The value of "iface=" among a device's arguments; empty when there is none.
std::string kernel_interface_of(const std::string& device) {
  constexpr std::string_view kArgument = ",iface=";
  const size_t found = device.find(kArgument);
  if (found == std::string::npos) return {};
  const size_t begin = found + kArgument.size();
  return device.substr(begin, device.find(',', begin) - begin);
}

}  // namespace

Result<std::unique_ptr<Port>> Port::open(const PortSettings& settings) {
  std::unique_ptr<Port> port(new Port);
  port->name_ = settings.name;
  port->kernel_interface_ = kernel_interface_of(settings.device);
  if (Status status = port->probe(settings); !status) return tl::unexpected(status.error());
  if (Status status = port->configure(settings); !status) return tl::unexpected(status.error());
  if (Status status = port->set_up_queues(settings); !status) {
    return tl::unexpected(status.error());
  }
  const int started = rte_eth_dev_start(port->device_);
  if (started != 0) {
    return failure("port " + settings.name, fmt::format("device '{}' does not start: {}",
                                                        settings.device, rte_strerror(-started)));
  }
  if (port->driver_ == kSilentDriver) {
    port->drops_at_start_ = received_drops(port->kernel_interface_);
  }
  if (port->spreads_flows_) port->spread_flows(settings.workers);
  // Neighbour discovery and routing protocols arrive as multicast.
  if (rte_eth_allmulticast_enable(port->device_) != 0) {
    (void)rte_eth_promiscuous_enable(port->device_);
  }
  rte_ether_addr mac;
  if (rte_eth_macaddr_get(port->device_, &mac) == 0) {
    std::copy_n(mac.addr_bytes, 6, port->mac_.bytes.begin());
  }
  return port;
}

Status Port::probe(const PortSettings& settings) {
  const std::string name = device_name_of(settings.device);
  const std::string where = "port " + settings.name;
  uint16_t device = RTE_MAX_ETHPORTS;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &device) != 0) {
    const int probed = rte_dev_probe(device_arguments(settings.device).c_str());
    if (probed != 0 || rte_eth_dev_get_port_by_name(name.c_str(), &device) != 0) {
      return failure(where,
                     fmt::format("device '{}' cannot be used: {}. Check that it exists, that "
                                 "its driver is installed and its arguments are right",
                                 settings.device, rte_strerror(probed < 0 ? -probed : ENODEV)));
    }
  }
  device_ = device;
  return {};
}

Status Port::configure(const PortSettings& settings) {
  const std::string where = "port " + settings.name;
  rte_eth_dev_info info;
  if (rte_eth_dev_info_get(device_, &info) != 0) return failure(where, "tells nothing of itself");
  driver_ = info.driver_name;
  if (info.max_tx_queues < settings.workers) {
    return failure(where, fmt::format("device '{}' has {} transmit queues for {} workers: lower "
                                      "workers.maximum in the hardware profile",
                                      settings.device, info.max_tx_queues, settings.workers));
  }
  receive_queues_ = std::min<uint16_t>(settings.workers, info.max_rx_queues);
  rte_eth_conf configuration{};
  const bool spread = receive_queues_ > 1 && settings.offloads.receive_side_scaling &&
                      info.hash_key_size >= kHashKeyBytes &&
                      info.hash_key_size <= kSymmetricHashKey.size();
  if (spread) {
    configuration.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    auto& hash = configuration.rx_adv_conf.rss_conf;
    hash.rss_key = const_cast<uint8_t*>(kSymmetricHashKey.data());
    hash.rss_key_len = info.hash_key_size;
    hash.rss_hf =
        (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP) & info.flow_type_rss_offloads;
    spreads_flows_ = true;
    redirection_entries_ = info.reta_size;
    offloads_.emplace_back("receive-side-scaling");
  } else if (receive_queues_ > 1) {
    // Without a symmetric hash every extra queue would only send packets round by hand-over.
    receive_queues_ = 1;
  }
  constexpr uint64_t kReceiveChecksums =
      RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
  if (settings.offloads.receive_checksums &&
      (info.rx_offload_capa & kReceiveChecksums) == kReceiveChecksums) {
    configuration.rxmode.offloads |= kReceiveChecksums;
    offloads_.emplace_back("receive-checksums");
  }
  // Reassembled datagrams that are sent on whole to the kernel or a jumbo port are chained.
  configuration.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  sums_tcp_ = settings.offloads.transmit_transport_checksum &&
              (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_TCP_CKSUM) != 0;
  if (sums_tcp_) {
    configuration.txmode.offloads |= RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
    offloads_.emplace_back("transmit-transport-checksum");
  }
  if (settings.mtu != RTE_ETHER_MTU) {
    const uint32_t limit = largest_mtu(info);
    // Drivers on a kernel interface state the size of a standard frame whatever that interface can;
    // what they really pass on is bounded by the interface and the frame size of the device.
    if (settings.mtu <= limit) {
      configuration.rxmode.mtu = settings.mtu;
    } else if (kernel_interface_.empty()) {
      return failure(where, fmt::format("MTU {} is beyond what device '{}' can: at most {}",
                                        settings.mtu, settings.device, limit));
    }
  }
  const int configured =
      rte_eth_dev_configure(device_, receive_queues_, settings.workers, &configuration);
  return configured == 0 ? Status{}
                         : failure(where, fmt::format("device '{}' refuses its configuration: {}",
                                                      settings.device, rte_strerror(-configured)));
}

Status Port::set_up_queues(const PortSettings& settings) {
  uint16_t receive = settings.receive_descriptors;
  uint16_t transmit = settings.transmit_descriptors;
  (void)rte_eth_dev_adjust_nb_rx_tx_desc(device_, &receive, &transmit);
  const int node = rte_eth_dev_socket_id(device_);
  for (uint16_t queue = 0; queue < receive_queues_; ++queue) {
    const int made = rte_eth_rx_queue_setup(device_, queue, receive, static_cast<unsigned>(node),
                                            nullptr, settings.pool);
    if (made != 0) {
      return failure("port " + settings.name,
                     fmt::format("receive queue {} of device '{}': {}", queue, settings.device,
                                 rte_strerror(-made)));
    }
  }
  for (uint16_t queue = 0; queue < settings.workers; ++queue) {
    const int made =
        rte_eth_tx_queue_setup(device_, queue, transmit, static_cast<unsigned>(node), nullptr);
    if (made != 0) {
      return failure("port " + settings.name,
                     fmt::format("transmit queue {} of device '{}': {}", queue, settings.device,
                                 rte_strerror(-made)));
    }
  }
  return {};
}

void Port::spread_flows(uint16_t workers) {
  if (redirection_entries_ == 0 || redirection_entries_ > RTE_ETH_RSS_RETA_SIZE_512) return;
  std::array<rte_eth_rss_reta_entry64, RTE_ETH_RSS_RETA_SIZE_512 / RTE_ETH_RETA_GROUP_SIZE> table{};
  for (uint16_t entry = 0; entry < redirection_entries_; ++entry) {
    auto& group = table[entry / RTE_ETH_RETA_GROUP_SIZE];
    group.mask = UINT64_MAX;
    group.reta[entry % RTE_ETH_RETA_GROUP_SIZE] =
        static_cast<uint16_t>((entry % kHashBuckets) % workers);
  }
  // A port that cannot be told keeps its own spread: packets then change workers by ring.
  (void)rte_eth_dev_rss_reta_update(device_, table.data(), redirection_entries_);
}

Port::~Port() {
  if (device_ == 0xffff) return;
  (void)rte_eth_dev_stop(device_);
  (void)rte_eth_dev_close(device_);
}

PortLink Port::link() const noexcept {
  // These drivers go on saying "up" when the interface below them is gone.
  if (!kernel_interface_.empty() && if_nametoindex(kernel_interface_.c_str()) == 0) {
    PortLink gone;
    gone.gone = true;
    return gone;
  }
  rte_eth_link link{};
  if (rte_eth_link_get_nowait(device_, &link) != 0) return {};
  PortLink result;
  result.up = link.link_status == RTE_ETH_LINK_UP;
  result.speed_mbps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
  return result;
}

PortStatistics Port::statistics() const {
  rte_eth_stats stats{};
  if (rte_eth_stats_get(device_, &stats) != 0) return {};
  PortStatistics result;
  result.received_packets = stats.ipackets;
  result.received_bytes = stats.ibytes;
  result.received_missed = stats.imissed + stats.rx_nombuf;
  if (driver_ == kSilentDriver) {
    const uint64_t dropped = received_drops(kernel_interface_);
    // The interface below may have been made anew.
    const uint64_t since = dropped < drops_at_start_ ? dropped : dropped - drops_at_start_;
    result.received_missed = std::max(result.received_missed, since);
  }
  result.received_errors = stats.ierrors;
  result.sent_packets = stats.opackets;
  result.sent_bytes = stats.obytes;
  result.sent_errors = stats.oerrors;
  return result;
}

}  // namespace masugata::dataplane
