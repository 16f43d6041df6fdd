// SPDX-License-Identifier: GPL-2.0-or-later
// What is known about each buffer (buffer_id.h), and names to ids.
#pragma once

#include <bitset>
#include <optional>
#include <string_view>

#include "ids/buffers/buffer_id.h"
#include "ids/protocols/application_protocol.h"

namespace masugata::ids {

struct BufferProperties {
  std::string_view name;         // the sticky buffer keyword; empty for the payload
  std::string_view older_names;  // see buffer_id.h
  BufferSource source;
  BufferSide side;
  ApplicationProtocol protocol;  // Unknown: any
  bool many;                     // several instances in one transaction
  bool progressive;              // its bytes arrive over time
};

[[nodiscard]] const BufferProperties& properties_of(BufferId buffer) noexcept;

// The buffer that a sticky keyword selects ("http.uri", "dns_query"); nullopt if it is none.
[[nodiscard]] std::optional<BufferId> find_sticky_buffer(std::string_view keyword) noexcept;
// The buffer that an older content modifier moves the content before it to ("http_uri").
[[nodiscard]] std::optional<BufferId> find_content_modifier(std::string_view keyword) noexcept;

using BufferSet = std::bitset<kBufferCount>;

}  // namespace masugata::ids
