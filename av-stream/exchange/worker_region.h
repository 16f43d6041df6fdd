// SPDX-License-Identifier: GPL-2.0-or-later
// The worker's side of a region: keeps the bytes of objects, asks for scans, takes answers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "av-stream/exchange/exchange_layout.h"
#include "av-stream/exchange/region_memory.h"
#include "result/result.h"

namespace masugata::av {

// Bytes of one object in blocks of a region. Whoever has it gives it back: WorkerRegion::release()
// or submit(). Not to be copied by hand: both copies would give back the same blocks.
struct StoredObject {
  uint32_t first_block = kNoBlock;
  uint32_t last_block = kNoBlock;
  uint32_t blocks = 0;
  uint64_t bytes = 0;
};

// What came back for a slot. The texts were checked: zero-terminated and printable ASCII.
struct ScanAnswer {
  uint32_t slot = 0;
  uint32_t serial = 0;  // as submit() gave it
  ScanOutcome outcome = ScanOutcome::Failed;
  ScanFailure failure = ScanFailure::None;
  uint64_t signatures = 0;
  uint64_t scan_us = 0;
  char signature[kSignatureNameBytes] = {};
  // The object, again the caller's: for quarantine, then release(). The other side could have
  // changed its bytes meanwhile.
  StoredObject object;
};

struct ScanTicket {
  uint32_t slot = 0;
  uint32_t serial = 0;
};

// Thread: one worker, after create(). Everything but create() is noexcept, allocates nothing, makes
// no system call and believes nothing that the other side may have written.
// Bounds: `blocks` of kBlockBytes for all objects together, kScanSlots scans under way; at a bound
// the call says so and changes nothing.
class WorkerRegion {
 public:
  [[nodiscard]] static Result<WorkerRegion> create(uint32_t blocks);

  // For masugata-scand. Closed with the region.
  [[nodiscard]] int descriptor() const noexcept { return memory_.descriptor(); }

  // Adds `bytes` to the end of the object. False when there are not enough blocks for all of them.
  [[nodiscard]] bool append(StoredObject& object, std::span<const uint8_t> bytes) noexcept;
  // Gives the blocks back; the object is empty afterwards.
  void release(StoredObject& object) noexcept;
  // The bytes of the object's blocks in order; an empty span ends them. `position` begins as
  // first_piece(object) and is moved on.
  struct PiecePosition {
    uint32_t block = kNoBlock;
    uint64_t left = 0;
  };
  [[nodiscard]] static PiecePosition first_piece(const StoredObject& object) noexcept {
    return {object.first_block, object.bytes};
  }
  [[nodiscard]] std::span<const uint8_t> next_piece(PiecePosition& position) const noexcept;

  // Asks for a scan. On success `object` is empty and its blocks belong to the slot until
  // take_answer() gives them back. `name` is cut to what fits; it may be empty. Nothing when all
  // slots are in use.
  [[nodiscard]] std::optional<ScanTicket> submit(StoredObject& object, const ScanLimits& limits,
                                                 std::string_view name) noexcept;
  // The next answer that is there, of abandoned scans none.
  [[nodiscard]] std::optional<ScanAnswer> take_answer() noexcept;
  // Nobody waits for this scan any more: it is withdrawn when no scanner has it, else its answer is
  // dropped when it comes. The blocks are given back then. An old ticket does nothing.
  void abandon(const ScanTicket& ticket) noexcept;

  // 0: nothing can be scanned.
  [[nodiscard]] uint64_t signatures() const noexcept {
    return memory_.header().signatures.load(std::memory_order_acquire);
  }
  // Moves while masugata-scand lives; see RegionHeader.
  [[nodiscard]] uint64_t heartbeat() const noexcept {
    return memory_.header().heartbeat.load(std::memory_order_relaxed);
  }
  [[nodiscard]] uint32_t free_blocks() const noexcept { return free_blocks_; }
  [[nodiscard]] uint32_t scans_under_way() const noexcept { return under_way_; }
  // Answers to questions that nobody asked: a scanner that is not itself any more.
  [[nodiscard]] uint64_t forged_answers() const noexcept { return forged_answers_; }

 private:
  enum class SlotUse : uint8_t { Free, UnderWay, Abandoned };
  struct SlotState {
    StoredObject object;
    uint32_t serial = 0;
    SlotUse use = SlotUse::Free;
  };

  explicit WorkerRegion(RegionMemory memory);
  [[nodiscard]] std::optional<uint32_t> free_slot() noexcept;
  [[nodiscard]] std::optional<uint32_t> next_done() noexcept;
  [[nodiscard]] ScanAnswer copy_answer(uint32_t slot) noexcept;
  void add_block(StoredObject& object) noexcept;

  RegionMemory memory_;
  std::vector<uint32_t> next_;  // the chains of blocks; the shared links are only written
  uint32_t first_free_ = kNoBlock;
  uint32_t free_blocks_ = 0;
  std::array<SlotState, kScanSlots> slots_{};
  uint32_t next_slot_ = 0;
  uint32_t next_answer_ = 0;
  uint32_t under_way_ = 0;  // abandoned ones included
  uint32_t next_serial_ = 1;
  uint64_t forged_answers_ = 0;
};

}  // namespace masugata::av
