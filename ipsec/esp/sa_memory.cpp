// SPDX-License-Identifier: GPL-2.0-or-later
#include "ipsec/esp/sa_memory.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <new>

namespace masugata::ipsec {

Result<std::unique_ptr<SaMemory>> SaMemory::create(size_t capacity) {
  if (capacity == 0 || capacity > std::numeric_limits<uint32_t>::max()) {
    return failure("memory for SAs", fmt::format("{} places cannot be made", capacity));
  }
  auto memory = KeyMemory::create(capacity * kSaBytes);
  if (!memory) return tl::unexpected(memory.error());
  auto manager = CryptoManager::create();
  if (!manager) return tl::unexpected(manager.error());
  return std::unique_ptr<SaMemory>(new SaMemory(capacity, std::move(*memory), std::move(*manager)));
}

SaMemory::SaMemory(size_t capacity, KeyMemory memory, CryptoManager manager)
    : capacity_(capacity), memory_(std::move(memory)), manager_(std::move(manager)) {
  free_.reserve(capacity);
  for (size_t place = capacity; place > 0; --place) {
    free_.push_back(static_cast<uint32_t>(place - 1));
  }
}

Result<SaMemory::Pointer> SaMemory::build(const SaParameters& parameters, uint64_t now_ms) {
  if (const Status status = check(parameters); !status) return tl::unexpected(status.error());
  if (free_.empty()) {
    return failure(fmt::format("SA {:08x}", parameters.spi.host()),
                   fmt::format("all {} places for SAs are taken", capacity_));
  }
  const uint32_t place = free_.back();
  free_.pop_back();
  auto* sa = new (memory_.begin() + place * kSaBytes) EspSa(parameters, manager_, now_ms);
  return Pointer(sa, Deleter(this));
}

void SaMemory::release(EspSa* sa) noexcept {
  auto* bytes = reinterpret_cast<uint8_t*>(sa);
  sa->~EspSa();
  explicit_bzero(bytes, kSaBytes);
  free_.push_back(static_cast<uint32_t>(static_cast<size_t>(bytes - memory_.begin()) / kSaBytes));
}

}  // namespace masugata::ipsec
