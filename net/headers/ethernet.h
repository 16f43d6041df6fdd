// SPDX-License-Identifier: GPL-2.0-or-later
// Ethernet II frames with at most one IEEE 802.1Q tag.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "net/address.h"
#include "net/byte_order.h"

namespace masugata::net {

enum class EtherType : uint16_t {
  Ipv4 = 0x0800,
  Arp = 0x0806,
  Vlan = 0x8100,
  Ipv6 = 0x86dd,
  QinQ = 0x88a8,
};

inline constexpr size_t kEthernetHeaderBytes = 14;
inline constexpr size_t kVlanTagBytes = 4;

// A frame whose link header (and tag, if any) is known to be there.
class EthernetView {
 public:
  enum class Malformed : uint8_t { No, Short, BadVlan };

  // `available` counts the bytes that may be read. On Malformed::No the getters are safe.
  static Malformed parse(const uint8_t* frame, size_t available, EthernetView& out) noexcept {
    if (available < kEthernetHeaderBytes) return Malformed::Short;
    out.frame_ = frame;
    out.type_ = load_be16(frame + 12).host();
    out.length_ = kEthernetHeaderBytes;
    out.vlan_ = 0;
    if (out.type_ == static_cast<uint16_t>(EtherType::Vlan)) [[unlikely]] {
      if (available < kEthernetHeaderBytes + kVlanTagBytes) return Malformed::BadVlan;
      out.vlan_ = load_be16(frame + 14).host() & 0x0fffU;
      out.type_ = load_be16(frame + 16).host();
      out.length_ += kVlanTagBytes;
      if (out.type_ == static_cast<uint16_t>(EtherType::Vlan) ||
          out.type_ == static_cast<uint16_t>(EtherType::QinQ)) {
        return Malformed::BadVlan;
      }
    }
    return Malformed::No;
  }

  [[nodiscard]] MacAddress destination() const noexcept { return mac_at(0); }
  [[nodiscard]] MacAddress source() const noexcept { return mac_at(6); }
  // Behind the tag, if there is one.
  [[nodiscard]] EtherType type() const noexcept { return static_cast<EtherType>(type_); }
  // 802.1Q VLAN id; 0 for untagged and priority-tagged frames.
  [[nodiscard]] uint16_t vlan() const noexcept { return vlan_; }
  [[nodiscard]] uint16_t header_bytes() const noexcept { return length_; }

 private:
  [[nodiscard]] MacAddress mac_at(size_t offset) const noexcept {
    MacAddress address;
    std::memcpy(address.bytes.data(), frame_ + offset, 6);
    return address;
  }
  const uint8_t* frame_ = nullptr;
  uint16_t type_ = 0;
  uint16_t vlan_ = 0;
  uint16_t length_ = 0;
};

}  // namespace masugata::net
