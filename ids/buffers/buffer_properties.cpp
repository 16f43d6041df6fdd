// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/buffers/buffer_properties.h"

#include <algorithm>
#include <array>

namespace masugata::ids {
namespace {

constexpr BufferProperties describe(std::string_view name, std::string_view older,
                                    BufferSource source, BufferSide side,
                                    ApplicationProtocol protocol) {
  const bool many = name.starts_with('*');
  const bool progressive = name.starts_with('+');
  if (many || progressive) {
    name.remove_prefix(1);
  }
  return {name, older, source, side, protocol, many, progressive};
}

constexpr std::array<BufferProperties, kBufferCount> kProperties{
#define MASUGATA_IDS_BUFFER_PROPERTIES(id, name, older, source, side, protocol) \
  describe(name, older, BufferSource::source, BufferSide::side, ApplicationProtocol::protocol),
    MASUGATA_IDS_BUFFERS(MASUGATA_IDS_BUFFER_PROPERTIES)
#undef MASUGATA_IDS_BUFFER_PROPERTIES
};

// Is `keyword` one of the space-separated `names`, marked as `marked` says?
bool names_include(std::string_view names, std::string_view keyword, bool marked) {
  while (!names.empty()) {
    const size_t end = std::min(names.find(' '), names.size());
    std::string_view word = names.substr(0, end);
    names.remove_prefix(std::min(end + 1, names.size()));
    const bool is_marked = word.starts_with('!');
    if (is_marked) {
      word.remove_prefix(1);
    }
    if (is_marked == marked && word == keyword) {
      return true;
    }
  }
  return false;
}

}  // namespace

const BufferProperties& properties_of(BufferId buffer) noexcept {
  return kProperties[static_cast<size_t>(buffer)];
}

std::optional<BufferId> find_sticky_buffer(std::string_view keyword) noexcept {
  for (size_t i = 1; i < kBufferCount; ++i) {
    if (kProperties[i].name == keyword ||
        names_include(kProperties[i].older_names, keyword, true)) {
      return static_cast<BufferId>(i);
    }
  }
  return std::nullopt;
}

std::optional<BufferId> find_content_modifier(std::string_view keyword) noexcept {
  for (size_t i = 1; i < kBufferCount; ++i) {
    if (names_include(kProperties[i].older_names, keyword, false)) {
      return static_cast<BufferId>(i);
    }
  }
  return std::nullopt;
}

}  // namespace masugata::ids
