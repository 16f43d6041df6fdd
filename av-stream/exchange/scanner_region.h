// SPDX-License-Identifier: GPL-2.0-or-later
// The scanner's side of a region: takes requests, copies objects out of it, answers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "av-stream/exchange/exchange_layout.h"
#include "av-stream/exchange/region_memory.h"
#include "result/result.h"

namespace masugata::av {

// What a slot asks for; a copy, its numbers within the bounds of the region.
struct ScanRequest {
  uint32_t slot = 0;
  uint32_t first_block = kNoBlock;
  uint64_t object_bytes = 0;
  ScanLimits limits;
  char name[kObjectNameBytes] = {};  // zero-terminated, else as hostile as traffic
};

struct ScanVerdict {
  ScanOutcome outcome = ScanOutcome::Failed;
  ScanFailure failure = ScanFailure::None;
  uint64_t signatures = 0;
  uint64_t scan_us = 0;
  std::string signature = {};  // cut to kSignatureNameBytes - 1
};

// Thread: any number of processes and threads, each with its own object of this class; one object
// belongs to one thread.
class ScannerRegion {
 public:
  // Faults as RegionMemory::open().
  [[nodiscard]] static Result<ScannerRegion> open(int descriptor);

  // Takes a slot that waits, if there is one, in the name of `holder` (1..0xfffffffe, used by
  // nobody else and not before in this region). Goes on after the slot it took last, so that none
  // waits for ever. Whoever takes one answers it: answer(), or settle() when the holder is dead.
  [[nodiscard]] std::optional<uint32_t> take(uint32_t holder) noexcept;
  // What the taken slot asks; nothing when it makes no sense: to be answered with BadRequest.
  [[nodiscard]] std::optional<ScanRequest> read(uint32_t slot) const noexcept;
  // Copies the object's bytes; `to` has request.object_bytes. False when its chain of blocks breaks
  // off or points outside: BadRequest. Reads at most the region's blocks, whatever the chain says.
  [[nodiscard]] bool copy_object(const ScanRequest& request, std::span<uint8_t> to) const noexcept;
  void answer(uint32_t slot, const ScanVerdict& verdict) noexcept;

  // Answers what a dead holder left, with Failed and `failure`; how many these were. Holder 0: what
  // anybody left, for a region whose scanners are all dead.
  uint32_t settle(uint32_t holder, ScanFailure failure) noexcept;
  // Answers all that waits with Failed and `failure`, as `holder`; how many these were.
  uint32_t refuse_waiting(uint32_t holder, ScanFailure failure) noexcept;

  // For the supervisor: see RegionHeader.
  void publish_signatures(uint64_t version) noexcept {
    memory_.header().signatures.store(version, std::memory_order_release);
  }
  void beat() noexcept { memory_.header().heartbeat.fetch_add(1, std::memory_order_relaxed); }

 private:
  explicit ScannerRegion(RegionMemory memory) : memory_(std::move(memory)) {}
  [[nodiscard]] bool take_slot(uint32_t slot, uint32_t holder) noexcept;
  void write_answer(uint32_t slot, const ScanVerdict& verdict) noexcept;

  RegionMemory memory_;
  uint32_t next_slot_ = 0;
};

}  // namespace masugata::av
