// SPDX-License-Identifier: GPL-2.0-or-later
// What must hold among all interfaces. Internal to config.
#pragma once

#include "config/reading/context.h"

namespace masugata::config::checks {

// Errors: networks of two interfaces overlap (a route could not tell them apart), or an address is
// given twice. O(n log n).
void check_networks_are_apart(reading::Context& context);

// Warnings: interfaces that no zone has; nothing passes them.
void check_interfaces_have_zones(reading::Context& context);

}  // namespace masugata::config::checks
