// SPDX-License-Identifier: GPL-2.0-or-later
// Inbound processing (RFC 4303 section 3.4).
#include <cstring>

#include "ipsec/esp/ecn.h"
#include "ipsec/esp/esp_core.h"
#include "ipsec/esp/inner_packet.h"
#include "ipsec/esp/transport_mode.h"
#include "net/byte_order.h"

namespace masugata::ipsec {
namespace {

// Takes the same time wherever they differ.
bool equal_in_constant_time(const uint8_t* left, const uint8_t* right, uint32_t bytes) noexcept {
  uint64_t difference = 0;
  for (uint32_t i = 0; i < bytes; i += sizeof difference) {
    uint64_t a;
    uint64_t b;
    std::memcpy(&a, left + i, sizeof a);
    std::memcpy(&b, right + i, sizeof b);
    difference |= a ^ b;
  }
  return difference == 0;
}

EspRefusal refusal_of(ReplayWindow::Verdict verdict) noexcept {
  return verdict == ReplayWindow::Verdict::Old ? EspRefusal::ReplayOld
                                               : EspRefusal::ReplayDuplicate;
}

// DSCP and ECN of the outer header as far as the inner one takes them over.
EspRefusal take_over_traffic_class(const uint8_t* outer, uint8_t* inner,
                                   const TunnelHeaderHandling& handling) noexcept {
  const uint8_t outside = traffic_class_of(outer);
  const uint8_t inside = traffic_class_of(inner);
  const uint8_t ecn = combine_ecn(inside, outside);
  if (ecn == kEcnDrop) return EspRefusal::CongestionUnmarkable;
  const uint8_t dscp = (handling.copy_dscp_in ? outside : inside) & kDscpMask;
  const auto wanted = static_cast<uint8_t>(dscp | ecn);
  if (wanted != inside) set_traffic_class(inner, wanted);
  return EspRefusal::None;
}

}  // namespace

EspRefusal EspCore::open(EspPacket& packet, CryptoSlot& slot, uint64_t now_ms) noexcept {
  EspSa& sa = *packet.sa;
  if (sa.direction() != Direction::Inbound) return EspRefusal::WrongDirection;
  const uint32_t around = packet.esp_offset + kEspHeaderBytes + sa.iv_bytes() + sa.icv_bytes();
  // At least one block; this also keeps an offset of nonsense away from the outer header.
  if (packet.length < around + sa.alignment_bytes() ||
      packet.esp_offset < net::kIpv4MinimumHeaderBytes) {
    return EspRefusal::TooShort;
  }
  slot.text_bytes = packet.length - around;
  if ((slot.text_bytes & (sa.alignment_bytes() - 1)) != 0) return EspRefusal::BadAlignment;
  if (sa.lifetime().over(now_ms)) return EspRefusal::LifetimeExpired;

  slot.esp = packet.data + packet.esp_offset;
  const auto examined = sa.window().examine(net::load_be32(slot.esp + 4).host());
  if (examined.verdict != ReplayWindow::Verdict::Fresh) {
    sa.count_replay();
    return refusal_of(examined.verdict);
  }
  slot.sequence = examined.sequence;
  slot.text = slot.esp + kEspHeaderBytes + sa.iv_bytes();
  decrypt(sa, slot);
  return EspRefusal::None;
}

EspRefusal EspCore::finish(EspPacket& packet, CryptoSlot& slot, uint64_t now_ms) noexcept {
  EspSa& sa = *packet.sa;
  if (slot.failed || slot.pending) return EspRefusal::CryptoFailed;
  if (!equal_in_constant_time(slot.computed.data(), slot.received.data(), sa.icv_bytes())) {
    sa.count_authentication_failure();
    return EspRefusal::AuthenticationFailed;
  }
  const ReplayWindow::Verdict verdict = sa.accept_sequence(slot.sequence);
  if (verdict != ReplayWindow::Verdict::Fresh) {
    sa.count_replay();
    return refusal_of(verdict);
  }
  const InnerPacket inner = inspect_inner(slot.text, slot.text_bytes, sa.mode());
  if (!sa.lifetime().charge(inner.payload_bytes, now_ms)) return EspRefusal::LifetimeExpired;
  if (inner.refusal != EspRefusal::None) return inner.refusal;

  uint8_t* begin = slot.text;
  uint32_t length = inner.length;
  if (sa.mode() == Mode::Tunnel) [[likely]] {
    const EspRefusal refusal = take_over_traffic_class(packet.data, slot.text, sa.header());
    if (refusal != EspRefusal::None) return refusal;
  } else {
    const ClearPart clear = find_clear_part(packet.data, packet.length);
    if (clear.refusal != EspRefusal::None || clear.bytes != packet.esp_offset) {
      return EspRefusal::InnerMalformed;
    }
    begin = slot.text - clear.bytes;
    length += clear.bytes;
    std::memmove(begin, packet.data, clear.bytes);
    rewrite_clear_part(begin, clear, inner.next_header, length);
  }
  const auto before = static_cast<uint32_t>(begin - packet.data);
  packet.data = begin;
  packet.headroom = static_cast<uint16_t>(packet.headroom + before);
  packet.tailroom = static_cast<uint16_t>(packet.tailroom + (packet.length - before - length));
  packet.length = length;
  return EspRefusal::None;
}

void EspCore::decapsulate(std::span<EspPacket> group, uint64_t now_ms) noexcept {
  bool any_deferred = false;
  for (size_t i = 0; i < group.size(); ++i) {
    if (i + 1 < group.size()) {
      const EspPacket& next = group[i + 1];
      __builtin_prefetch(next.data);
      __builtin_prefetch(next.data + next.length - 1);
    }
    EspPacket& packet = group[i];
    CryptoSlot& slot = slots_[i];
    slot.pending = false;
    slot.failed = false;
    packet.refusal = open(packet, slot, now_ms);
    slot.deferred = slot.pending;
    any_deferred |= slot.deferred;
    // What is decrypted is finished while it is in the cache.
    if (packet.refusal == EspRefusal::None && !slot.deferred) {
      packet.refusal = finish(packet, slot, now_ms);
    }
  }
  if (!any_deferred) return;
  flush();
  for (size_t i = 0; i < group.size(); ++i) {
    if (slots_[i].deferred) group[i].refusal = finish(group[i], slots_[i], now_ms);
  }
}

}  // namespace masugata::ipsec
