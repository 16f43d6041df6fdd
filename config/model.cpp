// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/model.h"

#include <cstddef>

namespace masugata::config {
namespace {

template <class Item>
std::optional<uint16_t> find_by_name(const std::vector<Item>& items, const std::string& name) {
  for (size_t index = 0; index < items.size(); ++index) {
    if (items[index].name == name) return static_cast<uint16_t>(index);
  }
  return std::nullopt;
}

}  // namespace

std::optional<ZoneIndex> Model::find_zone(const std::string& name) const {
  return find_by_name(zones, name);
}

std::optional<uint16_t> Model::find_interface(const std::string& name) const {
  return find_by_name(interfaces, name);
}

}  // namespace masugata::config
