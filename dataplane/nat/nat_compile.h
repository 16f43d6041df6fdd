// SPDX-License-Identifier: GPL-2.0-or-later
// From the configuration's NAT rules to NatTables. Control thread; may fail.
#pragma once

#include "config/model.h"
#include "dataplane/nat/nat_tables.h"
#include "result/result.h"

namespace masugata::dataplane {

// Faults name the rule: ranges that do not map one to one, mixed families, an empty or too large
// pool, ports asked of services without ports.
[[nodiscard]] Result<NatTables> compile_nat(const config::Model& model);

}  // namespace masugata::dataplane
