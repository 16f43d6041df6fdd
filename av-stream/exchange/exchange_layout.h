// SPDX-License-Identifier: GPL-2.0-or-later
// The memory that workers and scanners share: objects on their way to a scan and verdicts on their
// way back. One region per worker, in a sealed memfd that masugatad makes and hands to
// masugata-scand. Neither side believes the other: every index and length that is read from here is
// copied once and checked.
//
//   [RegionHeader][ScanSlot x kScanSlots][next block x blocks][block x blocks]
//
// Of a slot: the worker fills the question and sets the slot's bit in `ready`. A scanner puts its
// number into `holder` (from 0, or it is another's) and takes the bit away; when it was still set
// the slot is its own, else it takes its number back. It scans, fills the answer and sets the bit
// in `done`; the worker copies the answer, clears `holder` and then takes that bit away. So a slot
// with a holder and without its bit in `done` is with a scanner, also for who comes later: the
// supervisor answers it in the name of a scanner that died.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace masugata::av {

inline constexpr uint32_t kExchangeMagic = 0x4d415356;
inline constexpr uint32_t kExchangeVersion = 2;
inline constexpr uint32_t kBlockBytes = 16 * 1024;
inline constexpr uint32_t kScanSlots = 256;  // objects per worker that wait for or are in a scan
inline constexpr uint32_t kSlotWords = kScanSlots / 64;
inline constexpr uint32_t kNoBlock = 0xffffffffU;
inline constexpr uint32_t kWorkerHolds = 0xffffffffU;   // in `holder`: the worker takes it back
inline constexpr uint32_t kMaximumBlocks = 256 * 1024;  // 4 GiB per worker
inline constexpr uint32_t kSignatureNameBytes = 128;
inline constexpr uint32_t kObjectNameBytes = 128;

enum class ScanOutcome : uint8_t {
  None,
  Clean,
  Infected,
  LimitSize,       // more bytes than the limits allow, in it or unpacked from it
  LimitRecursion,  // archives in archives
  LimitFiles,      // files in an archive
  LimitTime,
  Encrypted,  // an archive or document that cannot be opened
  Macros,     // a document with macros
  Failed,     // see ScanFailure: not scanned
  Count
};

enum class ScanFailure : uint8_t {
  None,
  NoEngine,  // signatures are not loaded (yet)
  Crash,     // the scanner ended while it had the object
  Hang,      // it was ended because it did not answer
  OutOfMemory,
  Unreadable,  // libclamav could not make sense of it in the middle of scanning
  BadRequest,  // the slot made no sense
  Count
};

// As what else than as it is an object is scanned, because its receiver may have it so.
enum class ScanReading : uint8_t {
  AsIs,
  LineEnds,  // text of FTP: with LF in the place of CR LF
  MailPart,  // of a mail, without its header: decoded from base64, from quoted-printable, divided
};

// What may be asked of a scan; of a profile, but for `reading`.
struct ScanLimits {
  uint64_t scan_bytes = 0;  // unpacked from an object in all
  uint64_t file_bytes = 0;  // of one file in it
  uint32_t files = 0;
  uint32_t recursion = 0;
  uint32_t time_ms = 0;
  uint8_t report_encrypted = 0;  // 1: an encrypted archive or document is an outcome of its own
  uint8_t report_macros = 0;
  uint8_t report_limits = 0;  // 1: a limit that was met is an outcome, 0: what was scanned counts
  ScanReading reading = ScanReading::AsIs;
};

// The worker writes the first part while it owns the slot, the scanner the second.
struct alignas(64) ScanSlot {
  // Question.
  uint64_t object_bytes;
  uint32_t first_block;
  uint32_t serial;  // chosen by the worker, repeated in nothing: only for its own use
  ScanLimits limits;
  char name[kObjectNameBytes];   // zero-terminated
  std::atomic<uint32_t> holder;  // 0, or the number of the scanner that has it; see above

  // Answer.
  alignas(64) uint64_t signatures;  // of the engine that scanned: SignatureState::version
  uint64_t scan_us;                 // processor time
  ScanOutcome outcome;
  ScanFailure failure;
  char signature[kSignatureNameBytes];  // zero-terminated, printable
};

struct RegionHeader {
  uint32_t magic;
  uint32_t version;
  uint32_t blocks;
  uint32_t reserved;
  alignas(64) std::array<std::atomic<uint64_t>, kSlotWords> ready;  // set by the worker
  alignas(64) std::array<std::atomic<uint64_t>, kSlotWords> done;   // set by scanners
  // Written by the supervisor: the version of the signatures that scans are answered with; 0: none
  // are loaded, every request is answered with Failed and NoEngine.
  alignas(64) std::atomic<uint64_t> signatures;
  // Written by the supervisor: counts up while it lives, about ten times a second.
  std::atomic<uint64_t> heartbeat;
};
static_assert(std::atomic<uint64_t>::is_always_lock_free);

[[nodiscard]] constexpr size_t slots_offset() noexcept {
  return (sizeof(RegionHeader) + 63) / 64 * 64;
}
[[nodiscard]] constexpr size_t links_offset() noexcept {
  return slots_offset() + sizeof(ScanSlot) * kScanSlots;
}
[[nodiscard]] constexpr size_t blocks_offset(uint32_t blocks) noexcept {
  return (links_offset() + sizeof(uint32_t) * blocks + 4095) / 4096 * 4096;
}
[[nodiscard]] constexpr size_t region_bytes(uint32_t blocks) noexcept {
  return blocks_offset(blocks) + static_cast<size_t>(blocks) * kBlockBytes;
}

}  // namespace masugata::av
