// SPDX-License-Identifier: GPL-2.0-or-later
// A DPDK port, from device name to polling.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/platform/hw_profile.h"
#include "net/address.h"
#include "result/result.h"

struct rte_mempool;

namespace masugata::dataplane {

struct PortSettings {
  std::string name;     // of the configuration
  std::string device;   // PCI address, or vdev name with arguments
  uint16_t mtu = 1500;  // bytes of the IP packet
  uint16_t workers = 1;
  uint16_t receive_descriptors = 1024;
  uint16_t transmit_descriptors = 1024;
  PortOffloads offloads;  // wanted; used where the port has them
  rte_mempool* pool = nullptr;
};

struct PortLink {
  bool up = false;
  bool gone = false;        // the kernel interface below the port does not exist any more
  uint32_t speed_mbps = 0;  // 0 = unknown
};

struct PortStatistics {
  uint64_t received_packets = 0;
  uint64_t received_bytes = 0;
  uint64_t received_missed = 0;  // no descriptor or buffer was free; with AF_XDP as far as the
                                 // kernel counts it for the interface
  uint64_t received_errors = 0;
  uint64_t sent_packets = 0;
  uint64_t sent_bytes = 0;
  uint64_t sent_errors = 0;
};

// Control thread. Started on return; stopped and closed by the destructor, when no worker polls.
class Port {
 public:
  // Needs a running EAL. Faults name the port, the device and what is wrong with it: no such
  // device, MTU beyond what it can, fewer queues than workers.
  static Result<std::unique_ptr<Port>> open(const PortSettings& settings);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  [[nodiscard]] uint16_t device() const noexcept { return device_; }
  [[nodiscard]] const net::MacAddress& mac() const noexcept { return mac_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::string& driver() const noexcept { return driver_; }
  // Queues that there are to poll: workers with a higher index get packets by hand-over only.
  [[nodiscard]] uint16_t receive_queues() const noexcept { return receive_queues_; }
  [[nodiscard]] const std::vector<std::string>& offloads() const noexcept { return offloads_; }
  // The port completes TCP checksums of packets that ask for it.
  [[nodiscard]] bool sums_tcp() const noexcept { return sums_tcp_; }
  [[nodiscard]] PortLink link() const noexcept;
  [[nodiscard]] PortStatistics statistics() const;

 private:
  Port() = default;
  [[nodiscard]] Status probe(const PortSettings& settings);
  [[nodiscard]] Status configure(const PortSettings& settings);
  [[nodiscard]] Status set_up_queues(const PortSettings& settings);
  void spread_flows(uint16_t workers);

  std::string name_;
  std::string driver_;
  std::string kernel_interface_;  // of "iface=NAME" devices (AF_XDP, AF_PACKET); else empty
  uint64_t drops_at_start_ = 0;   // of that interface
  std::vector<std::string> offloads_;
  net::MacAddress mac_;
  uint16_t device_ = 0xffff;
  uint16_t receive_queues_ = 1;
  uint16_t redirection_entries_ = 0;
  bool spreads_flows_ = false;
  bool sums_tcp_ = false;
};

}  // namespace masugata::dataplane
