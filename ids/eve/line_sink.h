// SPDX-License-Identifier: GPL-2.0-or-later
// Where finished lines go: a file in a replay, a ring of bytes in the gateway.
#pragma once

#include <string_view>

namespace masugata::ids {

// Thread: the engine's worker. Neither blocks nor throws.
class LineSink {
 public:
  virtual ~LineSink() = default;
  // One event without a line end; valid during the call.
  virtual void line(std::string_view text) noexcept = 0;
};

}  // namespace masugata::ids
