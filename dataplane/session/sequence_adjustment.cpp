// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/session/sequence_adjustment.h"

#include "net/byte_order.h"
#include "net/checksum.h"
#include "net/headers/transport.h"
#include "net/sequence_number.h"

namespace masugata::dataplane {

namespace {

using net::is_before;

constexpr size_t kSequenceOffset = 4;
constexpr size_t kAcknowledgementOffset = 8;
constexpr size_t kFlagsOffset = 13;

// Edges of SACK blocks (RFC 2018 section 3): pairs of 32-bit numbers after kind and length.
void take_back_sack(const StreamAdjustment& stream, uint8_t* header, size_t header_bytes) noexcept {
  constexpr uint8_t kEndOfOptions = 0;
  constexpr uint8_t kNoOperation = 1;
  constexpr uint8_t kSack = 5;
  size_t at = net::kTcpMinimumHeaderBytes;
  while (at < header_bytes && header[at] != kEndOfOptions) {
    if (header[at] == kNoOperation) {
      ++at;
      continue;
    }
    if (at + 1 >= header_bytes) return;
    const size_t length = header[at + 1];
    if (length < 2 || at + length > header_bytes) return;
    if (header[at] == kSack) {
      for (size_t edge = at + 2; edge + 4 <= at + length; edge += 4) {
        const uint32_t shown = net::load_be32(header + edge).host();
        net::store(header + edge, net::Be32::from_host(stream.own_sequence(shown)));
      }
    }
    at += length;
  }
}

}  // namespace

uint32_t StreamAdjustment::shown_sequence(uint32_t own) const noexcept {
  for (size_t i = count_; i > 0; --i) {
    if (!is_before(own, changes_[i - 1].end)) return own + changes_[i - 1].offset;
  }
  return own + base_offset_;
}

uint32_t StreamAdjustment::own_sequence(uint32_t shown) const noexcept {
  for (size_t i = count_; i > 0; --i) {
    const Change& change = changes_[i - 1];
    const uint32_t before = i > 1 ? changes_[i - 2].offset : base_offset_;
    if (!is_before(shown, change.end + change.offset)) return shown - change.offset;
    if (is_before(change.begin + before, shown)) return change.begin;
  }
  return shown - base_offset_;
}

bool StreamAdjustment::add_change(uint32_t own_begin, uint32_t own_end, int32_t growth) noexcept {
  if (count_ > 0 && is_before(own_begin, changes_[count_ - 1].end)) return false;
  const uint32_t before = count_ > 0 ? changes_[count_ - 1].offset : base_offset_;
  if (count_ == changes_.size()) {
    base_offset_ = changes_[0].offset;
    for (size_t i = 1; i < changes_.size(); ++i) changes_[i - 1] = changes_[i];
    --count_;
  }
  changes_[count_++] = {own_begin, own_end, before + static_cast<uint32_t>(growth)};
  return true;
}

void StreamAdjustment::set_initial_offset(uint32_t offset) noexcept {
  base_offset_ = offset;
  count_ = 0;
}

uint16_t take_back_acknowledgement(const SequenceAdjustment& adjustment, Direction direction,
                                   uint8_t* header, size_t header_bytes) noexcept {
  const StreamAdjustment& stream = adjustment.streams[index_of(opposite(direction))];
  if (!stream.active() || (header[kFlagsOffset] & net::kTcpAck) == 0) return 0;
  // Summing the whole header is right for options at odd offsets, too.
  const uint64_t before = net::checksum_add(header, header_bytes);
  const uint32_t shown = net::load_be32(header + kAcknowledgementOffset).host();
  net::store(header + kAcknowledgementOffset, net::Be32::from_host(stream.own_sequence(shown)));
  take_back_sack(stream, header, header_bytes);
  return net::checksum_delta(before, net::checksum_add(header, header_bytes));
}

uint16_t show_sequence(const SequenceAdjustment& adjustment, Direction direction, uint8_t* header,
                       size_t header_bytes) noexcept {
  const StreamAdjustment& stream = adjustment.streams[index_of(direction)];
  if (!stream.active()) return 0;
  const uint64_t before = net::checksum_add(header, header_bytes);
  const uint32_t own = net::load_be32(header + kSequenceOffset).host();
  net::store(header + kSequenceOffset, net::Be32::from_host(stream.shown_sequence(own)));
  return net::checksum_delta(before, net::checksum_add(header, header_bytes));
}

bool SequenceAdjustmentTable::allocate(MemorySource& memory, uint32_t capacity) noexcept {
  if (!adjustments_.allocate(memory, capacity, "TCP sequence adjustments") ||
      !next_free_.allocate(memory, capacity, "TCP sequence adjustments, free list")) {
    return false;
  }
  for (uint32_t slot = 0; slot < capacity; ++slot) {
    next_free_[slot] = slot + 1 < capacity ? slot + 1 : kNone32;
  }
  free_head_ = capacity != 0 ? 0 : kNone32;
  in_use_ = 0;
  return true;
}

SequenceAdjustment* SequenceAdjustmentTable::acquire(Session& session) noexcept {
  if (SequenceAdjustment* present = find(session); present != nullptr) return present;
  if (free_head_ == kNone32) return nullptr;
  const uint32_t slot = free_head_;
  free_head_ = next_free_[slot];
  adjustments_[slot] = SequenceAdjustment{};
  session.record.sequence_adjustment = slot;
  session.flags = static_cast<uint16_t>(session.flags | kSessionSequenceAdjusted);
  ++in_use_;
  return &adjustments_[slot];
}

SequenceAdjustment* SequenceAdjustmentTable::find(const Session& session) noexcept {
  const bool has_one = (session.flags & kSessionSequenceAdjusted) != 0 &&
                       session.record.sequence_adjustment < adjustments_.size();
  return has_one ? &adjustments_[session.record.sequence_adjustment] : nullptr;
}

void SequenceAdjustmentTable::release(Session& session) noexcept {
  if (find(session) == nullptr) return;
  const uint32_t slot = session.record.sequence_adjustment;
  next_free_[slot] = free_head_;
  free_head_ = slot;
  --in_use_;
  session.record.sequence_adjustment = kNone32;
  session.flags = static_cast<uint16_t>(session.flags & ~kSessionSequenceAdjusted);
}

}  // namespace masugata::dataplane
