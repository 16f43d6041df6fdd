// SPDX-License-Identifier: GPL-2.0-or-later
// Where all SAs of the gateway live.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ipsec/esp/crypto_manager.h"
#include "ipsec/esp/esp_sa.h"
#include "ipsec/esp/key_memory.h"
#include "ipsec/sa/sa_parameters.h"
#include "result/result.h"

namespace masugata::ipsec {

// A fixed number of places for SAs in KeyMemory: sizeof(EspSa) (kSaBytes) each, all allocated when
// it is created. A place is wiped whole when its SA goes. Control thread; must outlive its SAs, and
// an SA may only go when no worker uses it any more.
class SaMemory {
 public:
  static constexpr size_t kSaBytes = sizeof(EspSa);

  class Deleter {
   public:
    Deleter() noexcept = default;
    explicit Deleter(SaMemory* memory) noexcept : memory_(memory) {}
    void operator()(EspSa* sa) const noexcept { memory_->release(sa); }

   private:
    SaMemory* memory_ = nullptr;
  };
  using Pointer = std::unique_ptr<EspSa, Deleter>;

  [[nodiscard]] static Result<std::unique_ptr<SaMemory>> create(size_t capacity);
  SaMemory(const SaMemory&) = delete;
  SaMemory& operator=(const SaMemory&) = delete;
  ~SaMemory() = default;

  // An SA that no packet has used, complete; `now_ms` starts its lifetimes. Fails as check() does,
  // and when all places are taken. The keys in `parameters` are no longer needed afterwards.
  [[nodiscard]] Result<Pointer> build(const SaParameters& parameters, uint64_t now_ms);

  [[nodiscard]] size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] size_t in_use() const noexcept { return capacity_ - free_.size(); }
  // The whole region, for tests that look for keys.
  [[nodiscard]] const KeyMemory& region() const noexcept { return memory_; }
  [[nodiscard]] const CryptoManager& manager() const noexcept { return manager_; }

 private:
  SaMemory(size_t capacity, KeyMemory memory, CryptoManager manager);
  void release(EspSa* sa) noexcept;

  size_t capacity_;
  KeyMemory memory_;
  CryptoManager manager_;
  std::vector<uint32_t> free_;  // never grows beyond what it was made with
};

// 100 sites with two SAs each way during rekeying take about a megabyte.
static_assert(SaMemory::kSaBytes <= 2560);

}  // namespace masugata::ipsec
