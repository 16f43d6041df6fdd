// SPDX-License-Identifier: GPL-2.0-or-later
#include "av-stream/exchange/worker_region.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace masugata::av {
namespace {

constexpr uint64_t bit_of(uint32_t slot) noexcept { return uint64_t{1} << (slot % 64); }

// Copies a text that the other side wrote.
void copy_text(std::span<char> to, std::span<const char> from) noexcept {
  const size_t room = std::min(to.size(), from.size()) - 1;
  size_t length = 0;
  for (; length < room; ++length) {
    const char character = from[length];
    if (character == '\0') break;
    to[length] = character >= ' ' && character <= '~' ? character : '?';
  }
  std::fill(to.begin() + static_cast<std::ptrdiff_t>(length), to.end(), '\0');
}

template <class Enumeration>
Enumeration checked(Enumeration value, Enumeration otherwise) noexcept {
  return value < Enumeration::Count ? value : otherwise;
}

}  // namespace

WorkerRegion::WorkerRegion(RegionMemory memory)
    : memory_(std::move(memory)), next_(memory_.blocks()), free_blocks_(memory_.blocks()) {
  for (uint32_t block = 0; block < memory_.blocks(); ++block) next_[block] = block + 1;
  next_.back() = kNoBlock;
  first_free_ = 0;
}

Result<WorkerRegion> WorkerRegion::create(uint32_t blocks) {
  auto memory = RegionMemory::create(blocks);
  if (!memory) return tl::unexpected(memory.error());
  return WorkerRegion(std::move(*memory));
}

void WorkerRegion::add_block(StoredObject& object) noexcept {
  const uint32_t block = first_free_;
  first_free_ = next_[block];
  --free_blocks_;
  next_[block] = kNoBlock;
  if (object.last_block == kNoBlock) {
    object.first_block = block;
  } else {
    next_[object.last_block] = block;
    std::atomic_ref(memory_.link(object.last_block)).store(block, std::memory_order_relaxed);
  }
  std::atomic_ref(memory_.link(block)).store(kNoBlock, std::memory_order_relaxed);
  object.last_block = block;
  ++object.blocks;
}

bool WorkerRegion::append(StoredObject& object, std::span<const uint8_t> bytes) noexcept {
  const uint64_t room = uint64_t{object.blocks} * kBlockBytes - object.bytes;
  if (bytes.size() > room) {
    const uint64_t missing = (bytes.size() - room + kBlockBytes - 1) / kBlockBytes;
    if (missing > free_blocks_) return false;
  }
  while (!bytes.empty()) {
    const auto used = static_cast<uint32_t>(object.bytes % kBlockBytes);
    if (object.bytes == uint64_t{object.blocks} * kBlockBytes) add_block(object);
    const size_t count = std::min<size_t>(bytes.size(), kBlockBytes - used);
    std::memcpy(memory_.block(object.last_block) + used, bytes.data(), count);
    object.bytes += count;
    bytes = bytes.subspan(count);
  }
  return true;
}

void WorkerRegion::release(StoredObject& object) noexcept {
  if (object.last_block != kNoBlock) {
    next_[object.last_block] = first_free_;
    first_free_ = object.first_block;
    free_blocks_ += object.blocks;
  }
  object = {};
}

std::span<const uint8_t> WorkerRegion::next_piece(PiecePosition& position) const noexcept {
  if (position.left == 0 || position.block == kNoBlock) return {};
  const auto count = static_cast<size_t>(std::min<uint64_t>(position.left, kBlockBytes));
  const std::span<const uint8_t> piece(memory_.block(position.block), count);
  position.left -= count;
  position.block = next_[position.block];
  return piece;
}

std::optional<uint32_t> WorkerRegion::free_slot() noexcept {
  if (under_way_ == kScanSlots) return std::nullopt;
  while (slots_[next_slot_].use != SlotUse::Free) next_slot_ = (next_slot_ + 1) % kScanSlots;
  return std::exchange(next_slot_, (next_slot_ + 1) % kScanSlots);
}

std::optional<ScanTicket> WorkerRegion::submit(StoredObject& object, const ScanLimits& limits,
                                               std::string_view name) noexcept {
  const auto index = free_slot();
  if (!index) return std::nullopt;
  SlotState& state = slots_[*index];
  state = {std::exchange(object, {}), next_serial_++, SlotUse::UnderWay};
  ++under_way_;
  ScanSlot& slot = memory_.slot(*index);
  slot.object_bytes = state.object.bytes;
  slot.first_block = state.object.first_block;
  slot.serial = state.serial;
  slot.limits = limits;
  const size_t name_bytes = std::min<size_t>(name.size(), kObjectNameBytes - 1);
  std::memcpy(slot.name, name.data(), name_bytes);
  slot.name[name_bytes] = '\0';
  // `holder` is left alone: who claimed the slot while it was free may have it now.
  memory_.header().ready[*index / 64].fetch_or(bit_of(*index), std::memory_order_release);
  return ScanTicket{*index, state.serial};
}

ScanAnswer WorkerRegion::copy_answer(uint32_t slot) noexcept {
  ScanSlot& shared = memory_.slot(slot);
  ScanAnswer answer;
  answer.slot = slot;
  answer.serial = slots_[slot].serial;
  answer.outcome = checked(std::atomic_ref(shared.outcome).load(), ScanOutcome::Failed);
  answer.failure = checked(std::atomic_ref(shared.failure).load(), ScanFailure::BadRequest);
  if (answer.outcome == ScanOutcome::None) answer.outcome = ScanOutcome::Failed;
  answer.signatures = shared.signatures;
  answer.scan_us = shared.scan_us;
  copy_text(answer.signature, shared.signature);
  return answer;
}

std::optional<uint32_t> WorkerRegion::next_done() noexcept {
  for (uint32_t step = 0; step <= kSlotWords; ++step) {
    const uint32_t word = next_answer_ / 64;
    const uint64_t waiting = memory_.header().done[word].load(std::memory_order_acquire) &
                             (~uint64_t{0} << (next_answer_ % 64));
    if (waiting != 0) {
      const uint32_t slot = word * 64 + static_cast<uint32_t>(std::countr_zero(waiting));
      next_answer_ = (slot + 1) % kScanSlots;
      return slot;
    }
    next_answer_ = (word + 1) % kSlotWords * 64;
  }
  return std::nullopt;
}

std::optional<ScanAnswer> WorkerRegion::take_answer() noexcept {
  // Bounded, however fast the other side sets bits.
  for (uint32_t taken = 0; taken < kScanSlots; ++taken) {
    const auto slot = next_done();
    if (!slot) return std::nullopt;
    SlotState& state = slots_[*slot];
    ScanAnswer answer = copy_answer(*slot);
    memory_.slot(*slot).holder.store(0, std::memory_order_release);
    memory_.header().done[*slot / 64].fetch_and(~bit_of(*slot), std::memory_order_acq_rel);
    const SlotUse use = std::exchange(state.use, SlotUse::Free);
    if (use == SlotUse::Free) {
      ++forged_answers_;
      continue;
    }
    --under_way_;
    answer.object = std::exchange(state.object, {});
    if (use == SlotUse::UnderWay) return answer;
    release(answer.object);
  }
  return std::nullopt;
}

void WorkerRegion::abandon(const ScanTicket& ticket) noexcept {
  if (ticket.slot >= kScanSlots) return;
  SlotState& state = slots_[ticket.slot];
  if (state.use != SlotUse::UnderWay || state.serial != ticket.serial) return;
  ScanSlot& slot = memory_.slot(ticket.slot);
  uint32_t nobody = 0;
  if (!slot.holder.compare_exchange_strong(nobody, kWorkerHolds, std::memory_order_acq_rel)) {
    state.use = SlotUse::Abandoned;
    return;
  }
  memory_.header().ready[ticket.slot / 64].fetch_and(~bit_of(ticket.slot),
                                                     std::memory_order_acq_rel);
  slot.holder.store(0, std::memory_order_release);
  release(state.object);
  state.use = SlotUse::Free;
  --under_way_;
}

}  // namespace masugata::av
