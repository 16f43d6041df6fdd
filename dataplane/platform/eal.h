// SPDX-License-Identifier: GPL-2.0-or-later
// Starting DPDK's environment: cores, memory, which buses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/platform/hw_profile.h"
#include "result/result.h"

namespace masugata::dataplane {

struct EalSettings {
  uint16_t control_core = 0;
  std::vector<uint16_t> worker_cores;  // lcore ids 1.. in this order; lcore 0 is the control thread
  uint32_t memory_mb = 256;
  HugepageUse hugepages = HugepageUse::Optional;
  std::vector<std::string> devices;  // as configured; PCI addresses turn the PCI bus on
};

// True for "0000:01:00.0" and "01:00.0", with or without arguments behind a comma.
[[nodiscard]] bool is_pci_address(const std::string& device) noexcept;

// Cores that this process may run on, ascending.
[[nodiscard]] std::vector<uint16_t> available_cores();

struct EalFacts {
  bool hugepages = false;
};

// Starts EAL; once per process. Faults say what to do: hugepages missing, not root, too little
// memory. The calling thread becomes lcore 0.
[[nodiscard]] Result<EalFacts> start_eal(const EalSettings& settings);

}  // namespace masugata::dataplane
