// SPDX-License-Identifier: GPL-2.0-or-later
// Rule hooks: the step of a flow or transaction at which a rule is looked at
// ("tcp:flow_start", "http1:response_line", "tls:client_hello_done").
#pragma once

#include <optional>
#include <string_view>

#include "ids/direction.h"
#include "ids/rules/rule.h"

namespace masugata::ids {

struct HookProperties {
  std::optional<Direction> direction;  // of the side whose step it is
};

// nullopt when that protocol has no such hook.
[[nodiscard]] std::optional<HookProperties> find_hook(RuleProtocol protocol,
                                                      ApplicationProtocol application,
                                                      std::string_view name) noexcept;

}  // namespace masugata::ids
