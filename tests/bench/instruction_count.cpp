// SPDX-License-Identifier: GPL-2.0-or-later
// A fixed number of packets through the packet path, for valgrind to count instructions:
//   instruction_count CASE PACKETS
// What it does before is the same for any number of packets, so the difference of two runs is the
// packets' alone. instruction_gate.py runs it.
#include <fmt/format.h>
#include <rte_eal.h>

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/platform/eal.h"
#include "tests/bench/bench_gateway.h"

namespace {

using namespace masugata;         // NOLINT: a program of one file
using namespace masugata::bench;  // NOLINT

constexpr uint32_t kSessions = 64;
constexpr uint32_t kBurst = 32;

// Like those of the measurements in small: instructions do not depend on the size of tables.
Result<uint64_t> forward(const std::string& name, uint32_t packets) {
  GatewayShape shape;
  shape.session_capacity = 4096;
  shape.source_nat = name != "established";
  const bool opening = name == "new-nat";
  auto ports = BenchPorts::create();
  if (!ports) return tl::unexpected(ports.error());
  auto gateway = BenchGateway::create(shape, **ports);
  if (!gateway) return tl::unexpected(gateway.error());
  if (Status ready = (*gateway)->establish(kSessions); !ready) {
    return tl::unexpected(ready.error());
  }
  std::vector<rte_mbuf*> frames(kBurst);
  if (!(*ports)->allocate(frames)) return failure(name, "no packet buffers");
  uint64_t came_out = 0;
  for (uint32_t packet = 0; packet < packets; packet += kBurst) {
    const size_t port = !opening && packet / kBurst % 2 != 0 ? kWan : kLan;
    for (uint32_t i = 0; i < kBurst; ++i) {
      const uint32_t number = opening ? kSessions + packet + i : (packet + i * 7) % kSessions;
      write_frame(*frames[i], (*gateway)->endpoints(number, port), port, false);
    }
    (*gateway)->process(frames, port);
    came_out += (*ports)->take_sent(port == kLan ? kWan : kLan, frames);
  }
  rte_pktmbuf_free_bulk(frames.data(), kBurst);
  return came_out;
}

}  // namespace

int main(int count, char** arguments) {
  uint32_t packets = 0;
  if (count == 3) {
    const std::string_view number = arguments[2];
    std::from_chars(number.data(), number.data() + number.size(), packets);
  }
  if (packets == 0 || packets % kBurst != 0) {
    fmt::print(stderr,
               "usage: instruction_count established|established-nat|new-nat PACKETS\n"
               "PACKETS is a multiple of {}\n",
               kBurst);
    return 2;
  }
  dataplane::EalSettings settings;
  settings.control_core = dataplane::available_cores().back();
  settings.memory_mb = 128;
  settings.hugepages = dataplane::HugepageUse::Never;
  auto eal = dataplane::start_eal(settings);
  if (!eal) {
    fmt::print(stderr, "{}\n", eal.error().message());
    return 1;
  }
  const auto came_out = forward(arguments[1], packets);
  rte_eal_cleanup();
  if (!came_out) {
    fmt::print(stderr, "{}\n", came_out.error().message());
    return 1;
  }
  if (*came_out != packets) {
    fmt::print(stderr, "{} of {} packets came out\n", *came_out, packets);
    return 1;
  }
  return 0;
}
