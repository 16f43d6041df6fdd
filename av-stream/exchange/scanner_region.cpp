// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/exchange/scanner_region.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace masugata::av {
namespace {

constexpr uint64_t bit_of(uint32_t slot) noexcept { return uint64_t{1} << (slot % 64); }

// Read once: the other side may write at any time.
template <class Number>
Number read_once(Number& shared) noexcept {
  return std::atomic_ref(shared).load(std::memory_order_relaxed);
}

}  // namespace

Result<ScannerRegion> ScannerRegion::open(int descriptor) {
  auto memory = RegionMemory::open(descriptor);
  if (!memory) return tl::unexpected(memory.error());
  return ScannerRegion(std::move(*memory));
}

bool ScannerRegion::take_slot(uint32_t slot, uint32_t holder) noexcept {
  auto& shared_holder = memory_.slot(slot).holder;
  uint32_t nobody = 0;
  if (!shared_holder.compare_exchange_strong(nobody, holder, std::memory_order_acq_rel)) {
    return false;
  }
  auto& ready = memory_.header().ready[slot / 64];
  if ((ready.fetch_and(~bit_of(slot), std::memory_order_acq_rel) & bit_of(slot)) != 0) return true;
  // Another was faster and done already, or the worker took the question back.
  uint32_t own = holder;
  shared_holder.compare_exchange_strong(own, 0, std::memory_order_acq_rel);
  return false;
}

std::optional<uint32_t> ScannerRegion::take(uint32_t holder) noexcept {
  for (uint32_t step = 0; step <= kSlotWords; ++step) {
    const uint32_t word = next_slot_ / 64;
    uint64_t waiting = memory_.header().ready[word].load(std::memory_order_acquire) &
                       (~uint64_t{0} << (next_slot_ % 64));
    for (; waiting != 0; waiting &= waiting - 1) {
      const uint32_t slot = word * 64 + static_cast<uint32_t>(std::countr_zero(waiting));
      if (!take_slot(slot, holder)) continue;
      next_slot_ = (slot + 1) % kScanSlots;
      return slot;
    }
    next_slot_ = (word + 1) % kSlotWords * 64;
  }
  return std::nullopt;
}

std::optional<ScanRequest> ScannerRegion::read(uint32_t slot) const noexcept {
  ScanSlot& shared = memory_.slot(slot);
  ScanRequest request;
  request.slot = slot;
  request.object_bytes = read_once(shared.object_bytes);
  request.first_block = read_once(shared.first_block);
  std::memcpy(&request.limits, &shared.limits, sizeof request.limits);
  std::memcpy(request.name, shared.name, sizeof request.name);
  request.name[sizeof request.name - 1] = '\0';
  if (request.object_bytes > uint64_t{memory_.blocks()} * kBlockBytes) return std::nullopt;
  if (request.object_bytes > 0 && request.first_block >= memory_.blocks()) return std::nullopt;
  return request;
}

bool ScannerRegion::copy_object(const ScanRequest& request, std::span<uint8_t> to) const noexcept {
  if (to.size() != request.object_bytes) return false;
  // Each round takes bytes away from `to`: a chain that bites its tail ends as well.
  for (uint32_t block = request.first_block; !to.empty();) {
    if (block >= memory_.blocks()) return false;
    const size_t count = std::min<size_t>(to.size(), kBlockBytes);
    std::memcpy(to.data(), memory_.block(block), count);
    to = to.subspan(count);
    block = read_once(memory_.link(block));
  }
  return true;
}

void ScannerRegion::write_answer(uint32_t slot, const ScanVerdict& verdict) noexcept {
  ScanSlot& shared = memory_.slot(slot);
  shared.signatures = verdict.signatures;
  shared.scan_us = verdict.scan_us;
  shared.outcome = verdict.outcome;
  shared.failure = verdict.failure;
  const size_t bytes = std::min<size_t>(verdict.signature.size(), kSignatureNameBytes - 1);
  std::memcpy(shared.signature, verdict.signature.data(), bytes);
  std::memset(shared.signature + bytes, 0, kSignatureNameBytes - bytes);
}

void ScannerRegion::answer(uint32_t slot, const ScanVerdict& verdict) noexcept {
  write_answer(slot, verdict);
  memory_.header().done[slot / 64].fetch_or(bit_of(slot), std::memory_order_release);
}

uint32_t ScannerRegion::settle(uint32_t holder, ScanFailure failure) noexcept {
  uint32_t settled = 0;
  for (uint32_t slot = 0; slot < kScanSlots; ++slot) {
    auto& shared_holder = memory_.slot(slot).holder;
    uint32_t dead = shared_holder.load(std::memory_order_acquire);
    if (dead == 0 || dead == kWorkerHolds || (holder != 0 && dead != holder)) continue;
    auto& done = memory_.header().done[slot / 64];
    if ((done.load(std::memory_order_acquire) & bit_of(slot)) != 0) continue;
    // Fails when the worker took the answer between the two looks.
    if (!shared_holder.compare_exchange_strong(dead, dead, std::memory_order_acq_rel)) continue;
    memory_.header().ready[slot / 64].fetch_and(~bit_of(slot), std::memory_order_acq_rel);
    answer(slot, {.failure = failure});
    ++settled;
  }
  return settled;
}

uint32_t ScannerRegion::refuse_waiting(uint32_t holder, ScanFailure failure) noexcept {
  uint32_t refused = 0;
  for (uint32_t count = 0; count < kScanSlots; ++count) {
    const auto slot = take(holder);
    if (!slot) break;
    answer(*slot, {.failure = failure});
    ++refused;
  }
  return refused;
}

}  // namespace masugata::av
