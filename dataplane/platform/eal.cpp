// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/platform/eal.h"

#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>

#include <fstream>
#include <regex>

namespace masugata::dataplane {
namespace {

// Free bytes in hugepages of the default size, in MB.
uint64_t free_hugepage_mb() {
  std::ifstream meminfo("/proc/meminfo");
  std::string key;
  uint64_t value = 0;
  uint64_t free_pages = 0;
  uint64_t page_kb = 0;
  std::string rest;
  while (meminfo >> key >> value) {
    std::getline(meminfo, rest);
    if (key == "HugePages_Free:") free_pages = value;
    if (key == "Hugepagesize:") page_kb = value;
  }
  return free_pages * page_kb / 1024;
}

Result<bool> choose_hugepages(const EalSettings& settings) {
  if (settings.hugepages == HugepageUse::Never) return false;
  const uint64_t free_mb = free_hugepage_mb();
  if (free_mb >= settings.memory_mb) return true;
  if (settings.hugepages == HugepageUse::Optional) return false;
  return failure("hugepages",
                 fmt::format("the hardware profile needs {} MB in hugepages, {} MB are free: run "
                             "'sysctl -w vm.nr_hugepages={}' or choose another hw-profile",
                             settings.memory_mb, free_mb, settings.memory_mb / 2 + 1));
}

std::string lcores_of(const EalSettings& settings) {
  std::string lcores = fmt::format("0@{}", settings.control_core);
  for (size_t i = 0; i < settings.worker_cores.size(); ++i) {
    lcores += fmt::format(",{}@{}", i + 1, settings.worker_cores[i]);
  }
  return lcores;
}

std::vector<std::string> arguments_of(const EalSettings& settings, bool hugepages) {
  std::vector<std::string> arguments = {"masugatad", "--lcores=" + lcores_of(settings),
                                        "--no-telemetry", "--log-level=error"};
  if (hugepages) {
    arguments.emplace_back("--in-memory");
    arguments.push_back(fmt::format("--socket-mem={}", settings.memory_mb));
  } else {
    // --in-memory would be right, but DPDK 22.11 refuses it together with --no-huge.
    arguments.insert(arguments.end(), {"--no-huge", "--no-shconf"});
    arguments.push_back(fmt::format("-m{}", settings.memory_mb));
  }
  bool pci = false;
  for (const std::string& device : settings.devices) {
    if (!is_pci_address(device)) continue;
    pci = true;
    arguments.push_back("-a" + device);
  }
  if (!pci) arguments.emplace_back("--no-pci");
  return arguments;
}

}  // namespace

bool is_pci_address(const std::string& device) noexcept {
  static const std::regex pattern("([0-9a-fA-F]{4}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7](,.*)?");
  return std::regex_match(device, pattern);
}

std::vector<uint16_t> available_cores() {
  std::vector<uint16_t> cores;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return {0};
  for (uint16_t core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

Result<EalFacts> start_eal(const EalSettings& settings) {
  const Result<bool> hugepages = choose_hugepages(settings);
  if (!hugepages) return tl::unexpected(hugepages.error());
  std::vector<std::string> texts = arguments_of(settings, *hugepages);
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
    const std::string reason = rte_strerror(rte_errno);
    return failure("DPDK", fmt::format("its environment does not start: {}. It was asked for {} MB "
                                       "{} hugepages",
                                       reason, settings.memory_mb, *hugepages ? "in" : "without"));
  }
  return EalFacts{*hugepages};
}

}  // namespace masugata::dataplane
