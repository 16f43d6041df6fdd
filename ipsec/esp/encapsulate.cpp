// SPDX-License-Identifier: GPL-2.0-or-later
// Outbound processing (RFC 4303 section 3.3).
#include <cstring>

#include "ipsec/esp/esp_core.h"
#include "ipsec/esp/inner_packet.h"
#include "ipsec/esp/transport_mode.h"
#include "net/byte_order.h"

namespace masugata::ipsec {
namespace {

constexpr uint32_t kLongestPacketBytes = 65535;

// What is to be encrypted, and what stands before it.
struct Plan {
  EspRefusal refusal = EspRefusal::None;
  uint8_t next_header = 0;
  OuterHeader::Inner inner{};
  ClearPart clear;  // transport mode
  uint32_t before_esp_bytes = 0;
};

Plan plan_of(const EspPacket& packet, const EspSa& sa) noexcept {
  Plan plan;
  if (sa.mode() == Mode::Tunnel) [[likely]] {
    const PlainPacket plain = inspect_plain(packet.data, packet.length);
    if (!plain.valid) plan.refusal = EspRefusal::InnerMalformed;
    plan.next_header = plain.next_header;
    plan.inner = {plain.traffic_class, plain.dont_fragment};
    plan.before_esp_bytes = static_cast<uint32_t>(sa.outer().bytes());
    return plan;
  }
  plan.clear = find_clear_part(packet.data, packet.length);
  plan.refusal = plan.clear.refusal;
  plan.next_header = plan.clear.next_header;
  plan.before_esp_bytes = plan.clear.bytes;
  return plan;
}

// Padding 1, 2, 3, ... pad length, next header (RFC 4303 section 2.4); up to 17 bytes, 16 always.
void write_trailer(uint8_t* at, uint32_t padding, uint8_t next_header) noexcept {
  static constexpr uint8_t kPadding[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  std::memcpy(at, kPadding, sizeof kPadding);
  at[padding] = static_cast<uint8_t>(padding);
  at[padding + 1] = next_header;
}

}  // namespace

EspRefusal EspCore::seal(EspPacket& packet, CryptoSlot& slot, uint64_t now_ms) noexcept {
  EspSa& sa = *packet.sa;
  if (sa.direction() != Direction::Outbound) return EspRefusal::WrongDirection;
  if (packet.headroom < kEspHeadroomBytes || packet.tailroom < kEspTailroomBytes) {
    return EspRefusal::NoRoom;
  }
  const Plan plan = plan_of(packet, sa);
  if (plan.refusal != EspRefusal::None) return plan.refusal;

  const uint32_t clear_bytes = plan.clear.bytes;
  const uint32_t payload_bytes = packet.length - clear_bytes;
  const uint32_t round = sa.alignment_bytes() - 1;
  const uint32_t text_bytes = (payload_bytes + kEspTrailerBytes + round) & ~round;
  const uint32_t esp_bytes = kEspHeaderBytes + sa.iv_bytes() + text_bytes + sa.icv_bytes();
  const uint32_t total = plan.before_esp_bytes + esp_bytes;
  if (total > kLongestPacketBytes) return EspRefusal::TooLong;
  if (sa.sequence_exhausted()) return EspRefusal::SequenceExhausted;
  if (!sa.lifetime().charge(payload_bytes, now_ms)) return EspRefusal::LifetimeExpired;
  slot.sequence = sa.take_sequence();

  slot.text = packet.data + clear_bytes;
  slot.text_bytes = text_bytes;
  slot.esp = slot.text - sa.iv_bytes() - kEspHeaderBytes;
  write_trailer(slot.text + payload_bytes, text_bytes - payload_bytes - kEspTrailerBytes,
                plan.next_header);
  uint8_t* begin = slot.esp - plan.before_esp_bytes;
  if (sa.mode() == Mode::Tunnel) [[likely]] {
    sa.outer().write(slot.esp, esp_bytes, plan.inner, static_cast<uint16_t>(slot.sequence));
  } else {
    std::memmove(begin, packet.data, clear_bytes);
    rewrite_clear_part(begin, plan.clear, static_cast<uint8_t>(net::Protocol::Esp), total);
  }
  const auto low = net::Be32::from_host(static_cast<uint32_t>(slot.sequence));
  const uint64_t header = sa.spi().raw | static_cast<uint64_t>(low.raw) << 32U;
  std::memcpy(slot.esp, &header, sizeof header);
  encrypt(sa, slot);

  const auto before = static_cast<uint32_t>(packet.data - begin);
  packet.data = begin;
  packet.headroom = static_cast<uint16_t>(packet.headroom - before);
  packet.tailroom = static_cast<uint16_t>(packet.tailroom - (total - before - packet.length));
  packet.length = total;
  return EspRefusal::None;
}

void EspCore::encapsulate(std::span<EspPacket> group, uint64_t now_ms) noexcept {
  bool look_again = false;
  for (size_t i = 0; i < group.size(); ++i) {
    if (i + 1 < group.size()) {
      const EspPacket& next = group[i + 1];
      __builtin_prefetch(next.data);
      __builtin_prefetch(next.data - kEspHeadroomBytes);
      __builtin_prefetch(next.data + next.length);
    }
    CryptoSlot& slot = slots_[i];
    slot.pending = false;
    slot.failed = false;
    group[i].refusal = seal(group[i], slot, now_ms);
    look_again |= slot.pending || slot.failed || group[i].sa->outer().needs_udp_checksum();
  }
  if (!look_again) return;
  if (pending_ != 0) flush();
  for (size_t i = 0; i < group.size(); ++i) {
    EspPacket& packet = group[i];
    if (packet.refusal != EspRefusal::None) continue;
    if (slots_[i].pending || slots_[i].failed) {
      packet.refusal = EspRefusal::CryptoFailed;
    } else if (packet.sa->outer().needs_udp_checksum() && packet.sa->mode() == Mode::Tunnel) {
      const auto esp_bytes = static_cast<uint32_t>(packet.data + packet.length - slots_[i].esp);
      OuterHeader::finish_udp(slots_[i].esp, esp_bytes);
    }
  }
}

}  // namespace masugata::ipsec
