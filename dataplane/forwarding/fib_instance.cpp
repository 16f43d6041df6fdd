// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/forwarding/fib_instance.h"

#include <rte_config.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_fib6.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

namespace masugata::dataplane {

namespace {

constexpr std::size_t kMaximumBulk = 32;
// Groups of 256 entries below a /24 (IPv4) or below each byte after it (IPv6); the most that
// 2-byte entries can number. 16 MB per family and copy.
constexpr uint32_t kTbl8Groups = 32767;
// Both large tables look up so many bits at first; only longer prefixes need groups.
constexpr uint8_t kFirstLevelBits = 24;

int clamp_to_int(uint32_t value) noexcept {
  return static_cast<int>(std::min<uint32_t>(value, 1U << 24U));
}

Status out_of_memory(const char* family, int error) {
  return failure("forwarding", std::string("the ") + family + " routing table cannot be made (" +
                                   std::strerror(error) +
                                   "): give the dataplane more memory, allow fewer routes, or "
                                   "choose the compact table in the hardware profile");
}

// DPDK keeps these objects by name for the whole process; publishers may follow one another.
std::string unique_name(const char* family, unsigned number) {
  static std::atomic<uint32_t> serial{0};
  return std::string("masugata") + family + "_" + std::to_string(number) + "_" +
         std::to_string(serial.fetch_add(1));
}

}  // namespace

Result<std::unique_ptr<FibInstance>> FibInstance::create(const ForwardingSettings& settings,
                                                         unsigned number) {
  std::unique_ptr<FibInstance> instance(new FibInstance(settings.maximum_path_sets));
  if (auto status = instance->create_tables(settings, number); !status) {
    return tl::unexpected<Fault>(status.error());
  }
  return instance;
}

Status FibInstance::create_tables(const ForwardingSettings& settings, unsigned number) {
  rte_fib_conf ipv4{};
  ipv4.type = settings.kind == FibKind::Large ? RTE_FIB_DIR24_8 : RTE_FIB_DUMMY;
  ipv4.default_nh = kNoRoutePathSet;
  ipv4.max_routes = clamp_to_int(settings.maximum_routes_ipv4);
  ipv4.dir24_8.nh_sz = RTE_FIB_DIR24_8_2B;
  ipv4.dir24_8.num_tbl8 = kTbl8Groups;
  ipv4_ = rte_fib_create(unique_name("4", number).c_str(), settings.memory_node, &ipv4);
  if (ipv4_ == nullptr) return out_of_memory("IPv4", rte_errno);

  rte_fib6_conf ipv6{};
  ipv6.type = settings.kind == FibKind::Large ? RTE_FIB6_TRIE : RTE_FIB6_DUMMY;
  ipv6.default_nh = kNoRoutePathSet;
  ipv6.max_routes = clamp_to_int(settings.maximum_routes_ipv6);
  ipv6.trie.nh_sz = RTE_FIB6_TRIE_2B;
  ipv6.trie.num_tbl8 = kTbl8Groups;
  ipv6_ = rte_fib6_create(unique_name("6", number).c_str(), settings.memory_node, &ipv6);
  if (ipv6_ == nullptr) return out_of_memory("IPv6", rte_errno);
  return {};
}

FibInstance::~FibInstance() {
  if (ipv4_ != nullptr) rte_fib_free(ipv4_);
  if (ipv6_ != nullptr) rte_fib6_free(ipv6_);
}

const Route& FibInstance::lookup(const net::IpAddress& destination,
                                 uint32_t flow_hash) const noexcept {
  uint64_t path_set = kNoRoutePathSet;
  if (destination.is_v4()) {
    uint32_t address = destination.v4().host();
    rte_fib_lookup_bulk(ipv4_, &address, &path_set, 1);
  } else {
    uint8_t address[1][RTE_FIB6_IPV6_ADDR_SIZE];
    std::memcpy(address[0], destination.bytes.data(), sizeof address[0]);
    rte_fib6_lookup_bulk(ipv6_, address, &path_set, 1);
  }
  return choose(path_set, flow_hash);
}

void FibInstance::lookup_bulk(const net::IpAddress* destinations, const uint32_t* flow_hashes,
                              const Route** routes, std::size_t count) const noexcept {
  uint32_t ipv4[kMaximumBulk];
  uint8_t ipv6[kMaximumBulk][RTE_FIB6_IPV6_ADDR_SIZE];
  uint8_t ipv4_place[kMaximumBulk];
  uint8_t ipv6_place[kMaximumBulk];
  uint64_t path_sets[kMaximumBulk];
  unsigned ipv4_count = 0;
  unsigned ipv6_count = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (destinations[i].is_v4()) {
      ipv4[ipv4_count] = destinations[i].v4().host();
      ipv4_place[ipv4_count++] = static_cast<uint8_t>(i);
    } else {
      std::memcpy(ipv6[ipv6_count], destinations[i].bytes.data(), RTE_FIB6_IPV6_ADDR_SIZE);
      ipv6_place[ipv6_count++] = static_cast<uint8_t>(i);
    }
  }
  if (ipv4_count > 0) {
    rte_fib_lookup_bulk(ipv4_, ipv4, path_sets, static_cast<int>(ipv4_count));
    for (unsigned i = 0; i < ipv4_count; ++i) {
      routes[ipv4_place[i]] = &choose(path_sets[i], flow_hashes[ipv4_place[i]]);
    }
  }
  if (ipv6_count > 0) {
    rte_fib6_lookup_bulk(ipv6_, ipv6, path_sets, static_cast<int>(ipv6_count));
    for (unsigned i = 0; i < ipv6_count; ++i) {
      routes[ipv6_place[i]] = &choose(path_sets[i], flow_hashes[ipv6_place[i]]);
    }
  }
}

void FibInstance::define_path_set(uint32_t path_set, std::span<const RoutePath> paths) noexcept {
  PathSlots& slots = path_sets_[path_set];
  const std::size_t count = std::min(paths.size(), kMaximumPaths);
  if (count == 0) {
    slots = PathSlots{};
    return;
  }
  uint32_t total = 0;
  for (std::size_t i = 0; i < count; ++i) total += std::max<uint32_t>(paths[i].weight, 1);
  const auto room = static_cast<uint32_t>(kMaximumPaths - count);
  uint32_t filled = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const uint32_t weight = std::max<uint32_t>(paths[i].weight, 1);
    // Small sums are exact; larger ones get one slot each and a share of what is left.
    const uint32_t share = total <= kMaximumPaths ? weight : 1 + room * weight / total;
    for (uint32_t n = 0; n < share; ++n) slots.routes[filled++] = paths[i].route;
  }
  slots.count = filled;
}

bool FibInstance::add(const net::Prefix& prefix, uint32_t path_set) noexcept {
  // DPDK 22.11 reserves no second-level group for a new long prefix whose next hop is that of its
  // parent, but gives one back when it is deleted: the count runs below zero and every later long
  // prefix is refused. A next hop that no parent has, replaced at once, keeps the count right.
  if (prefix.length > kFirstLevelBits) {
    return add_once(prefix, unused_path_set()) && add_once(prefix, path_set);
  }
  return add_once(prefix, path_set);
}

bool FibInstance::add_once(const net::Prefix& prefix, uint32_t path_set) noexcept {
  if (prefix.family() == net::Family::Ipv4) {
    return rte_fib_add(ipv4_, prefix.address.v4().host(), prefix.length, path_set) == 0;
  }
  return rte_fib6_add(ipv6_, prefix.address.bytes.data(), prefix.length, path_set) == 0;
}

void FibInstance::remove(const net::Prefix& prefix) noexcept {
  if (prefix.family() == net::Family::Ipv4) {
    rte_fib_delete(ipv4_, prefix.address.v4().host(), prefix.length);
  } else {
    rte_fib6_delete(ipv6_, prefix.address.bytes.data(), prefix.length);
  }
}

}  // namespace masugata::dataplane
