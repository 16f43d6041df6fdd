// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/esp/esp_worker.h"

#include <algorithm>
#include <new>

#include "ipsec/esp/esp_core.h"

namespace masugata::ipsec {

Result<std::unique_ptr<EspWorker>> EspWorker::create() {
  auto manager = CryptoManager::create();
  if (!manager) return tl::unexpected(manager.error());
  auto memory = KeyMemory::create(sizeof(EspCore));
  if (!memory) return tl::unexpected(memory.error());
  auto* core = new (memory->begin()) EspCore(manager->get());
  std::unique_ptr<EspWorker> worker(new EspWorker(std::move(*manager), std::move(*memory), core));
  if (const Status status = core->ivs.start(worker->manager_.get()); !status) {
    return tl::unexpected(status.error());
  }
  return worker;
}

EspWorker::EspWorker(CryptoManager manager, KeyMemory memory, EspCore* core) noexcept
    : manager_(std::move(manager)), memory_(std::move(memory)), core_(core) {}

EspWorker::~EspWorker() { core_->~EspCore(); }

void EspWorker::encapsulate(std::span<EspPacket> burst, uint64_t now_ms) noexcept {
  for (; !burst.empty(); burst = burst.subspan(std::min(kBurst, burst.size()))) {
    core_->encapsulate(burst.first(std::min(kBurst, burst.size())), now_ms);
  }
}

void EspWorker::decapsulate(std::span<EspPacket> burst, uint64_t now_ms) noexcept {
  for (; !burst.empty(); burst = burst.subspan(std::min(kBurst, burst.size()))) {
    core_->decapsulate(burst.first(std::min(kBurst, burst.size())), now_ms);
  }
}

const char* EspWorker::instruction_set() const noexcept { return manager_.instruction_set(); }

}  // namespace masugata::ipsec
