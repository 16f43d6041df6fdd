// SPDX-License-Identifier: GPL-2.0-or-later
// What a kind of machine gives to the gateway: cores, queues, memory, offloads. Read once at
// start-up from a file in hw-profiles/, whose README.md says what each field means.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/forwarding/fib_kind.h"
#include "result/result.h"

namespace masugata::dataplane {

enum class HugepageUse : uint8_t { Required, Optional, Never };
enum class IdleKind : uint8_t { Busy, Yield, Sleep };

// What a worker does after a round without packets.
struct IdlePolicy {
  IdleKind kind = IdleKind::Yield;
  uint32_t sleep_us = 0;  // Sleep only

  // How long the next sleep is, behind `sleeps` between which nothing came: to wake costs more
  // than to look, and what has not come for a while is not expected soon.
  [[nodiscard]] constexpr uint32_t next_sleep_us(uint32_t sleeps) const noexcept {
    constexpr uint32_t kMostDoublings = 2;
    return sleep_us << (sleeps < kMostDoublings ? sleeps : kMostDoublings);
  }
};

// Offloads that the gateway knows to use; used where the port has them.
struct PortOffloads {
  bool receive_checksums = false;            // IPv4, TCP, UDP verified by the port
  bool transmit_transport_checksum = false;  // TCP, of packets whose payload we changed
  bool receive_side_scaling = false;         // symmetric, spreads flows over queues
};

// A hint which profile fits; nothing is refused because of it.
struct ProfileMatch {
  std::vector<std::string> drivers;  // DPDK names: "net_virtio"
  uint32_t minimum_cores = 1;
  uint32_t minimum_memory_mb = 0;
};

struct HwProfile {
  std::string name;  // of the file, without its ending
  std::string description;
  ProfileMatch match;
  std::optional<std::vector<uint16_t>> worker_cores;  // nullopt: by maximum_workers
  uint16_t maximum_workers = 1;
  std::optional<uint16_t> receive_queues;  // per port; nullopt: one per worker
  std::optional<uint16_t> transmit_queues;
  uint16_t receive_descriptors = 1024;  // per queue
  uint16_t transmit_descriptors = 1024;
  uint32_t buffers = 16384;           // packet buffers in all
  uint16_t buffer_room_bytes = 2048;  // data room of each, headroom not counted
  uint32_t memory_mb = 256;           // for everything that DPDK allocates
  uint32_t session_memory_mb = 64;    // of it, for the session tables of all workers
  FibKind fib = FibKind::Compact;
  HugepageUse hugepages = HugepageUse::Optional;
  PortOffloads offloads;
  IdlePolicy idle;

  // How many workers and on which cores, when the process may run on `available` (ascending).
  // Automatic choice leaves the first core to the control thread when there is more than one.
  // Faults: a core of the profile is not available.
  [[nodiscard]] Result<std::vector<uint16_t>> choose_cores(
      const std::vector<uint16_t>& available) const;
};

// `where` stands for the text in faults, which name the field: "lab.json buffers.count".
[[nodiscard]] Result<HwProfile> parse_hw_profile(std::string_view text, const std::string& where);

// Reads one file; its name without ending must be the profile's name.
[[nodiscard]] Result<HwProfile> load_hw_profile(const std::filesystem::path& path);

// The profile `name` of a folder; a fault lists the ones that there are.
[[nodiscard]] Result<HwProfile> find_hw_profile(const std::filesystem::path& folder,
                                                const std::string& name);

}  // namespace masugata::dataplane
