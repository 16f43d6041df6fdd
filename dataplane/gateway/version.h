// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace masugata::dataplane {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace masugata::dataplane
