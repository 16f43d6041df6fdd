// SPDX-License-Identifier: GPL-2.0-or-later
// By which names an address is known, as policy asks for it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "net/address.h"

namespace masugata::dataplane {

inline constexpr size_t kNamesOfAddress = 4;

struct AddressNames {
  std::array<std::string_view, kNamesOfAddress> names;  // lower case
  uint8_t count = 0;
  bool more = false;  // it is known by others too, for which there was no room
};

// Thread: the worker's. The names are valid until something is learnt.
class NameSource {
 public:
  [[nodiscard]] virtual AddressNames names_of(const net::IpAddress& address) const noexcept = 0;

 protected:
  ~NameSource() = default;
};

}  // namespace masugata::dataplane
