// SPDX-License-Identifier: GPL-2.0-or-later
// How libhtp is set up, and what it calls back.
#pragma once

#include <htp/htp.h>

namespace masugata::ids {

// A request line, status line or header longer than the hard limit fails the parser; the soft one
// is libhtp's own bound for a warning.
inline constexpr size_t kSoftFieldBytes = 9000;
inline constexpr size_t kHardFieldBytes = 18000;
inline constexpr uint32_t kMaximumHeaders = 1024;

// The one configuration of all flows; null without memory. The user data of a connection made
// with it must be its HttpSession. Thread: any; it is never changed.
[[nodiscard]] htp_cfg_t* http_configuration() noexcept;

}  // namespace masugata::ids
