// SPDX-License-Identifier: GPL-2.0-or-later
// A worker's side of IPsec: the view that it works with, its cryptography, and what it tells the
// control thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/ipsec/early_packets.h"
#include "dataplane/ipsec/ipsec_view.h"
#include "dataplane/ipsec/large_packets.h"
#include "dataplane/pipeline/record_ring.h"
#include "ipsec/esp/esp_worker.h"
#include "result/result.h"

namespace masugata::dataplane {

// A packet wants into a tunnel that has no SA.
struct AcquireRecord {
  uint32_t request_id = 0;
  SelectorFacts facts;
};

// Authenticated packets of an SA come from another address or port than it says (RFC 3948 section
// 5.2: a NAT forgot its mapping).
struct MappingRecord {
  ipsec::SaName name;
  net::IpAddress remote;
  uint16_t remote_port = 0;
};

// A router says that packets from `local` to `remote` may be `mtu` bytes long at most (RFC 1191,
// RFC 8201); it quoted one of ours.
struct PathRecord {
  net::IpAddress local;
  net::IpAddress remote;
  uint16_t mtu = 0;
};

class IpsecGate {
 public:
  static constexpr uint32_t kRecords = 64;
  // Of one connection or SA, a record so often at most.
  static constexpr uint64_t kRecordPeriod_ms = 1000;

  // Control thread, before the first view is published; takes about 290 KiB. Once prepared, nothing
  // happens.
  [[nodiscard]] Status prepare(uint16_t worker);

  // --- worker ---
  // At the start of each turn; `view` may be null. Whether it is another one than before.
  bool adopt(const IpsecView* view) noexcept {
    if (view == view_) [[likely]]
      return false;
    take(view);
    return true;
  }
  // When adopt() said so: whether the view has probes that this worker is to send, each once.
  [[nodiscard]] bool begins_probe() noexcept;
  // Null while there is nothing to do with IPsec.
  [[nodiscard]] const IpsecView* view() const noexcept { return view_; }
  [[nodiscard]] ipsec::EspWorker& esp() noexcept { return *esp_; }
  [[nodiscard]] EarlyPackets& early() noexcept { return early_; }
  [[nodiscard]] LargePackets& large() noexcept { return large_; }
  // Gives packets back whose SA has come, in order of arrival.
  template <class Take>
  void release_early(Take&& take) noexcept {
    if (early_.count() == 0 || view_ == nullptr) return;
    early_.release([this](net::Be32 spi) { return view_->find_inbound(spi) != kNoSa; }, take);
  }
  void ask_for_sa(uint32_t request_id, const SelectorFacts& facts, uint64_t now_ms) noexcept;
  // `sa`: owned by this worker.
  void note_mapping(InstalledSa& sa, const net::IpAddress& remote, uint16_t remote_port,
                    uint64_t now_ms) noexcept;

  void note_path(const OuterAddresses& outer, uint16_t mtu) noexcept {
    if (outer.path_mtu != 0 && outer.path_mtu < mtu) return;
    // A full ring loses it; the next packet that is too large brings it again.
    (void)paths_.push({outer.local, outer.remote, mtu});
  }
  // A packet out of `tunnel`. True: it answers a probe, and control will be told.
  [[nodiscard]] bool take_probe_answer(InterfaceIndex tunnel,
                                       std::span<const uint8_t> packet) noexcept;
  // Of an IPv6 packet of this worker's that goes in pieces.
  [[nodiscard]] uint32_t next_identification() noexcept { return ++last_identification_; }

  // --- control thread ---
  // Generation of the view that the worker has turned to.
  [[nodiscard]] uint32_t adopted() const noexcept {
    return adopted_.load(std::memory_order_acquire);
  }
  [[nodiscard]] const EarlyCounters& early_counters() const noexcept { return early_.counters(); }
  [[nodiscard]] RecordRing<AcquireRecord, kRecords>& acquires() noexcept { return acquires_; }
  [[nodiscard]] RecordRing<MappingRecord, kRecords>& mappings() noexcept { return mappings_; }
  [[nodiscard]] RecordRing<PathRecord, kRecords>& paths() noexcept { return paths_; }
  [[nodiscard]] RecordRing<ProbeAnswer, kRecords>& probe_answers() noexcept {
    return probe_answers_;
  }

 private:
  void take(const IpsecView* view) noexcept;

  friend class TunnelLimits;
  // What fits into a tunnel, for as long as nothing that decides it has changed.
  struct KnownLimit {
    InterfaceIndex tunnel = kNoInterface;
    uint16_t exact_mtu = 0;
    bool df_outside = false;  // whatever is inside
    bool breakable = false;   // never, whatever is inside
    uint32_t view = 0;
    uint32_t routes = 0;
    uint32_t configuration = 0;
  };
  static constexpr size_t kKnownLimits = 256;

  struct Asked {
    uint32_t request_id = 0;
    uint64_t at_ms = 0;
  };

  std::unique_ptr<ipsec::EspWorker> esp_;
  const IpsecView* view_ = nullptr;
  uint16_t worker_ = 0;
  uint32_t probes_sent_ = 0;  // their serial
  std::atomic<uint32_t> adopted_{0};
  std::array<Asked, 64> asked_{};                  // by request id, the newest wins a place
  std::array<KnownLimit, kKnownLimits> limits_{};  // by interface, the newest wins a place
  uint32_t last_identification_ = 0;
  EarlyPackets early_;
  LargePackets large_;
  RecordRing<AcquireRecord, kRecords> acquires_;
  RecordRing<MappingRecord, kRecords> mappings_;
  RecordRing<PathRecord, kRecords> paths_;
  RecordRing<ProbeAnswer, kRecords> probe_answers_;
};

}  // namespace masugata::dataplane
