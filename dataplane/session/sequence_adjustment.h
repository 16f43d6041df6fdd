// SPDX-License-Identifier: GPL-2.0-or-later
// Sequence numbers when the gateway changes the length of a TCP stream (FTP helper) or took the
// handshake itself (SYN proxy): what one end sent is not what the other end sees.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/session/memory_source.h"
#include "dataplane/session/session.h"

namespace masugata::dataplane {

// Changes to the bytes that one end sends. "Own" numbers are the end's; "shown" numbers are what
// the other end is shown: shown = own + offset. The offset changes within the stream; the
// last kRememberedChanges are remembered so that retransmissions keep the offset of their time.
class StreamAdjustment {
 public:
  static constexpr size_t kRememberedChanges = 3;

  // Own sequence number → shown one.
  [[nodiscard]] uint32_t shown_sequence(uint32_t own) const noexcept;
  // Shown sequence number (an acknowledgement or SACK edge of the other end) → own one. A number
  // inside replaced bytes maps to where they begin: the end then sends all of them again.
  [[nodiscard]] uint32_t own_sequence(uint32_t shown) const noexcept;

  // The bytes [own_begin, own_end) are replaced by `growth` more (negative: fewer). Changes come in
  // stream order; one that begins before the end of the last (a retransmission that is rewritten
  // again) is ignored and returns false.
  bool add_change(uint32_t own_begin, uint32_t own_end, int32_t growth) noexcept;

  // A constant difference from the first byte on (SYN proxy); forgets changes.
  void set_initial_offset(uint32_t offset) noexcept;

  // Is there anything to adjust?
  [[nodiscard]] bool active() const noexcept { return count_ != 0 || base_offset_ != 0; }

 private:
  struct Change {
    uint32_t begin;   // own numbers
    uint32_t end;     // from here on the offset holds
    uint32_t offset;  // shown - own
  };
  std::array<Change, kRememberedChanges> changes_{};  // oldest first
  uint32_t base_offset_ = 0;                          // before the oldest change
  uint8_t count_ = 0;
};

// Both ends of a session; index by the direction in which the end sends.
struct SequenceAdjustment {
  StreamAdjustment streams[2];
};

// Rewrites a TCP header of a packet that travels in `direction`, before tracking: acknowledgement
// and SACK blocks become the other end's own numbers. `header_bytes` as the data offset says.
// Returns the checksum delta (net/checksum.h) for the TCP checksum; the caller applies it.
[[nodiscard]] uint16_t take_back_acknowledgement(const SequenceAdjustment& adjustment,
                                                 Direction direction, uint8_t* header,
                                                 size_t header_bytes) noexcept;

// Rewrites the sequence number of a packet that travels in `direction` to the shown one, after
// tracking. Returns the checksum delta.
[[nodiscard]] uint16_t show_sequence(const SequenceAdjustment& adjustment, Direction direction,
                                     uint8_t* header, size_t header_bytes) noexcept;

// Adjustments of the sessions that have one; bounded, one worker.
class SequenceAdjustmentTable {
 public:
  SequenceAdjustmentTable() = default;

  // False when the memory source has none.
  [[nodiscard]] bool allocate(MemorySource& memory, uint32_t capacity) noexcept;

  // Gives the session an adjustment (or the one it has) and sets kSessionSequenceAdjusted; nullptr
  // at the bound: the caller then leaves the packet's length alone or drops it.
  [[nodiscard]] SequenceAdjustment* acquire(Session& session) noexcept;
  // The session's adjustment, nullptr when it has none.
  [[nodiscard]] SequenceAdjustment* find(const Session& session) noexcept;
  // Called at the end of the session; nothing happens when it has none.
  void release(Session& session) noexcept;

  [[nodiscard]] uint32_t in_use() const noexcept { return in_use_; }

 private:
  SourcedArray<SequenceAdjustment> adjustments_;
  SourcedArray<uint32_t> next_free_;
  uint32_t free_head_ = kNone32;
  uint32_t in_use_ = 0;
};

}  // namespace masugata::dataplane
