// SPDX-License-Identifier: GPL-2.0-or-later
// What a gateway asks of the machine, in its order: cores and EAL, ports, workers and their memory.
#include <fmt/format.h>
#include <rte_mbuf.h>
#include <sys/random.h>

#include <algorithm>
#include <filesystem>

#include "dataplane/gateway/gateway.h"
#include "dataplane/platform/eal.h"

namespace masugata::dataplane {
namespace {

constexpr uint16_t kLinkOverheadBytes = 18;  // Ethernet header and one tag

template <class Secret>
Status draw(Secret& secret) {
  if (getrandom(&secret, sizeof secret, 0) == static_cast<ssize_t>(sizeof secret)) return {};
  return failure("kernel", "gives no random numbers");
}

std::filesystem::path profile_folder(const GatewayOptions& options) {
  if (!options.hw_profiles.empty()) return options.hw_profiles;
  const std::filesystem::path installed = "/usr/share/masugata/hw-profiles";
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const auto beside = program.parent_path().parent_path() / "hw-profiles";
  return std::filesystem::exists(beside, ignored) ? beside : installed;
}

uint16_t largest_mtu(const config::Model& model) {
  uint16_t mtu = 1500;
  for (const config::Port& port : model.ports) mtu = std::max(mtu, port.mtu);
  return mtu;
}

}  // namespace

Status Gateway::choose_machine(const config::Model& model) {
  if (Status drawn = draw(secret_); !drawn) return drawn;
  const std::string name = options_.hw_profile.value_or(model.system.hw_profile);
  Result<HwProfile> profile = find_hw_profile(profile_folder(options_), name);
  if (!profile) return tl::unexpected(profile.error());
  profile_ = std::move(*profile);
  if (options_.no_huge) profile_.hugepages = HugepageUse::Never;
  if (options_.memory_mb) profile_.memory_mb = *options_.memory_mb;
  const std::vector<uint16_t> available = available_cores();
  Result<std::vector<uint16_t>> cores = profile_.choose_cores(available);
  if (!cores) return tl::unexpected(cores.error());
  cores_ = std::move(*cores);
  EalSettings settings;
  settings.control_core = available.front();
  settings.worker_cores = cores_;
  settings.memory_mb = profile_.memory_mb;
  settings.hugepages = profile_.hugepages;
  for (const config::Port& port : model.ports) settings.devices.push_back(port.device);
  const Result<EalFacts> facts = start_eal(settings);
  if (!facts) return tl::unexpected(facts.error());
  hugepages_ = facts->hugepages;
  clock_.start();
  started_ms_ = loop_->now_ms();
  return {};
}

Status Gateway::open_ports(const config::Model& model) {
  const uint16_t needed = static_cast<uint16_t>(largest_mtu(model) + kLinkOverheadBytes);
  if (profile_.buffer_room_bytes < needed) {
    return failure("hw-profile " + profile_.name,
                   fmt::format("buffers.room_bytes is {}, an MTU of {} needs {}",
                               profile_.buffer_room_bytes, largest_mtu(model), needed));
  }
  pool_ = rte_pktmbuf_pool_create(
      "packets", profile_.buffers, 256, sizeof(Packet),
      static_cast<uint16_t>(profile_.buffer_room_bytes + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);
  if (pool_ == nullptr) {
    return failure("hw-profile " + profile_.name,
                   fmt::format("{} MB hold no {} packet buffers: raise memory.total_mb",
                               profile_.memory_mb, profile_.buffers));
  }
  for (const config::Port& configured : model.ports) {
    PortSettings settings;
    settings.name = configured.name;
    settings.device = configured.device;
    settings.mtu = configured.mtu;
    settings.workers = static_cast<uint16_t>(cores_.size());
    settings.receive_descriptors = profile_.receive_descriptors;
    settings.transmit_descriptors = profile_.transmit_descriptors;
    settings.offloads = profile_.offloads;
    settings.pool = pool_;
    auto port = Port::open(settings);
    if (!port) return tl::unexpected(port.error());
    ports_.push_back(std::move(*port));
  }
  links_.resize(ports_.size());
  return {};
}

Status Gateway::make_workers(const config::Model& model) {
  const auto count = static_cast<uint16_t>(cores_.size());
  auto quiescence = QuiescenceDomain::create(count);
  if (!quiescence) return tl::unexpected(quiescence.error());
  quiescence_ = std::move(*quiescence);
  ForwardingSettings forwarding;
  forwarding.kind = profile_.fib;
  forwarding.hash_secret = secret_.words[5];
  auto publisher = ForwardingPublisher::create(forwarding, *quiescence_);
  if (!publisher) return tl::unexpected(publisher.error());
  forwarding_ = std::move(*publisher);
  publication_.forwarding = forwarding_.get();
  publication_.quiescence = quiescence_.get();
  if (count > 1) {
    auto messages = WorkerMessages::create(count);
    if (!messages) return tl::unexpected(messages.error());
    messages_ = std::move(*messages);
  }
  net::SipHashKey cookie_secret;
  if (Status drawn = draw(cookie_secret); !drawn) return drawn;
  if (Status drawn = draw(url_secret_); !drawn) return drawn;
  for (uint16_t i = 0; i < count; ++i) {
    WorkerSettings settings;
    settings.worker = i;
    settings.worker_count = count;
    settings.secret = secret_;
    settings.cookie_secret = cookie_secret;
    settings.packet_pool = pool_;
    settings.sessions = (model.sessions.maximum + count - 1) / count;
    settings.foreign_keys = count > 1 ? settings.sessions / 2 + 1 : 0;
    settings.reassembly = ReassemblyLimits::of_worker(model.fragments, count, profile_.buffers / 4);
    settings.now_ms = clock_.now().ms();
    for (uint16_t port = 0; port < ports_.size(); ++port) {
      if (i < ports_[port]->receive_queues()) {
        settings.ports.push_back({ports_[port]->device(), port});
      }
    }
    auto worker = Worker::create(settings, memory_, publication_);
    if (!worker) return tl::unexpected(worker.error());
    workers_.push_back(std::move(*worker));
  }
  return {};
}

}  // namespace masugata::dataplane
