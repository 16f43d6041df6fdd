// SPDX-License-Identifier: GPL-2.0-or-later
// Finds http:// and https:// addresses in text that arrives piece by piece.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace masugata::ids::mime {

inline constexpr size_t kMaximumUrls = 128;       // of one message; later ones are not kept
inline constexpr size_t kMaximumUrlBytes = 2048;  // an address is cut here

// Thread: the flow's worker.
class UrlFinder {
 public:
  // Appends the addresses that end in `text` to `urls`, without their scheme.
  void feed(std::span<const uint8_t> text, std::vector<std::string>& urls) noexcept;
  // The text ends: so does an address at its end.
  void end(std::vector<std::string>& urls) noexcept;

 private:
  void keep(std::vector<std::string>& urls) noexcept;

  uint8_t progress_ = 0;  // characters of "http://" seen; an 's' is passed over
  bool inside_ = false;
  std::string url_;
};

}  // namespace masugata::ids::mime
