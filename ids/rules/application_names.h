// SPDX-License-Identifier: GPL-2.0-or-later
// Protocol names as rules write them.
#pragma once

#include <optional>
#include <string_view>

#include "ids/protocols/application_protocol.h"

namespace masugata::ids {

// By its name in lower case or another name of it ("http1", "ssl"); nullopt for anything else,
// "unknown" and "failed" included. Any thread.
[[nodiscard]] std::optional<ApplicationProtocol> find_application(std::string_view name) noexcept;

// A protocol that the rule language has and that is neither parsed nor recognised here.
[[nodiscard]] bool is_application_elsewhere(std::string_view name) noexcept;

}  // namespace masugata::ids
