// SPDX-License-Identifier: GPL-2.0-or-later
// The gateway's security associations and policies: takes them from charon, publishes them to the
// workers, tells charon what becomes of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/model.h"
#include "dataplane/ipsec/ipsec_gate.h"
#include "dataplane/ipsec/ipsec_view.h"
#include "dataplane/ipsec/outbound_choices.h"
#include "dataplane/published_set.h"
#include "ipsec/sa/sa_consumer.h"
#include "ipsec/sa/spi_reservations.h"
#include "result/result.h"

namespace masugata::dataplane {

// What charon is told; the socket does it. Each returns false when nobody is there to be told.
struct CharonEvents {
  std::function<bool(uint32_t request_id, const SelectorFacts& facts)> acquire;
  std::function<bool(const ipsec::SaName& name, bool hard)> expire;
  std::function<bool(const ipsec::SaName& name, const net::IpAddress& remote, uint16_t port)> map;
};

// Everything outlives the manager.
struct IpsecTargets {
  std::atomic<const IpsecView*>* publication = nullptr;
  std::vector<IpsecGate*> gates;     // by worker
  std::function<uint64_t()> now_ms;  // the workers' clock
  std::function<void(bool problem, const std::string& text)> log;
  std::function<void(const ipsec::CharonAlert& alert)> alert;
};

// For `show`: what is known of an SA. No keys.
struct SaStatus {
  ipsec::SaName name;
  InterfaceIndex tunnel = kNoInterface;
  ipsec::EspTransform transform;
  OuterAddresses outer;
  uint64_t age_ms = 0;
  uint64_t bytes = 0;
  uint64_t packets = 0;
  uint64_t replays = 0;
  uint64_t authentication_failures = 0;
  uint64_t selector_mismatches = 0;
  uint64_t sequence = 0;
};

// Packets that came before their SA (early_packets.h), of all workers since the start. Those that
// wait are kept and none of the others.
struct EarlyTotals {
  uint64_t kept = 0;
  uint64_t let_go = 0;
  uint64_t refused = 0;
  uint64_t expired = 0;
};

// Control thread.
class IpsecManager final : public ipsec::SaConsumer {
 public:
  // Bounds: a hundred sites with rekeys going on, and what ends of them is still waited for.
  static constexpr size_t kMaximumSas = 2048;
  static constexpr size_t kMaximumPolicies = 4096;
  // So long what a router said of a path's MTU counts (RFC 1191 section 6.3).
  static constexpr uint64_t kPathMtuPeriod_ms = 600'000;

  explicit IpsecManager(IpsecTargets targets);
  IpsecManager(const IpsecManager&) = delete;
  IpsecManager& operator=(const IpsecManager&) = delete;

  // Which tunnels there are; the first time with a site takes the memory. SAs of a site that is
  // gone or changed its number go; the others stay. Before the configuration is published.
  [[nodiscard]] Status configure(const config::VpnSettings& settings);

  void set_events(CharonEvents events) { events_ = std::move(events); }

  // Tells charon what workers ask and which lifetimes are over; frees what nobody uses any more.
  // About ten times a second.
  void tick();

  [[nodiscard]] bool is_active() const noexcept { return memory_ != nullptr; }
  [[nodiscard]] bool charon_is_there() const noexcept { return charon_is_there_; }
  [[nodiscard]] std::vector<SaStatus> statuses() const;
  [[nodiscard]] EarlyTotals early_totals() const;
  // Places for SAs that are taken: those of statuses() and those that workers may still use.
  [[nodiscard]] size_t places_in_use() const noexcept {
    return memory_ == nullptr ? 0 : memory_->in_use();
  }

  // All of which charon says that they end; until the next call. Packets take other ones.
  void set_ending(std::vector<EndingSa> ending);

  // For who measures a tunnel (path_probe.h): `probe`, whose serial is set here, goes to the
  // workers; one without packets ends it. Answers in the order in which workers had them.
  void set_probe(ViewedProbe probe);
  [[nodiscard]] std::vector<ProbeAnswer> take_probe_answers();
  // What is published; null before there was a site.
  [[nodiscard]] const IpsecView* view() const noexcept { return published_.running(); }

  // --- SaConsumer ---
  [[nodiscard]] Result<uint32_t> reserve_spi(const net::IpAddress& local,
                                             const net::IpAddress& remote) override;
  [[nodiscard]] Status install(ipsec::SaParameters parameters) override;
  [[nodiscard]] Result<bool> update(const ipsec::SaName& name, const ipsec::SaMove& move) override;
  [[nodiscard]] std::optional<ipsec::SaUse> query(const ipsec::SaName& name) override;
  [[nodiscard]] bool remove(const ipsec::SaName& name) override;
  void flush() override;
  [[nodiscard]] Status add_policy(const ipsec::SaPolicy& policy) override;
  [[nodiscard]] bool remove_policy(const ipsec::SaPolicy& policy) override;
  void flush_policies() override;
  void alert(const ipsec::CharonAlert& alert) override;
  void charon_connected(const std::string& daemon) override;
  void charon_gone() override;
  void report(const std::string& sentence) override;

 private:
  struct Kept {
    ViewedSa viewed;
    ipsec::SaName name;  // as charon says it now; the installed one keeps its first
    ipsec::EspTransform transform;
    bool soft_told = false;
    bool hard_told = false;
  };
  struct Tunnel {
    uint32_t id = 0;
    InterfaceIndex interface = kNoInterface;
    ipsec::Mode mode = ipsec::Mode::Tunnel;
  };
  // Its SA is published, but a worker that has not turned to it yet must still know the SPI.
  struct KeptPromise {
    uint32_t spi = 0;
    uint32_t view = 0;  // generation
  };
  // What is known of the way between two outer addresses.
  struct Path {
    net::IpAddress local;
    net::IpAddress remote;
    uint16_t mtu = 0;
    uint64_t until_ms = 0;
  };
  [[nodiscard]] const Tunnel* tunnel_of(uint32_t tunnel_id) const;
  [[nodiscard]] std::vector<Kept>::iterator find(const ipsec::SaName& name);
  void publish();
  void forget_kept_promises();
  void tell_lifetimes();
  void tell_requests();
  void learn_paths();
  [[nodiscard]] bool learn_path(const PathRecord& record);

  IpsecTargets targets_;
  CharonEvents events_;
  std::vector<Tunnel> tunnels_;
  std::unique_ptr<ipsec::SaMemory> memory_;  // outlives all SAs
  ipsec::SpiReservations reservations_;
  std::unique_ptr<PromisedSpis> promised_;  // what is reserved, as workers see it
  std::vector<KeptPromise> kept_promises_;
  std::vector<Kept> sas_;                  // in the order in which they were installed
  std::vector<ipsec::SaPolicy> policies_;  // what was added twice is there twice
  std::vector<EndingSa> ending_;           // sorted
  std::vector<Path> paths_;                // one for each pair of addresses of SAs at most
  uint32_t next_serial_ = 0;
  ViewedProbe probe_;
  uint32_t next_probe_ = 0;
  bool charon_is_there_ = false;
  PublishedSet<IpsecView> published_;
};

}  // namespace masugata::dataplane
