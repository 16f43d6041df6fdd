// SPDX-License-Identifier: GPL-2.0-or-later
// Plays a scenario against a gateway. Strict: every frame that comes out and every drop must be
// expected before the next thing happens.
#pragma once

#include <string>

#include "tests/scenarios/gateway_under_test.h"
#include "tests/scenarios/scenario.h"

namespace masugata::test {

// Empty when everything went as written; otherwise FILE:LINE, the step, and the difference.
[[nodiscard]] std::string play_scenario(const Scenario& scenario, GatewayUnderTest& gateway);

}  // namespace masugata::test
