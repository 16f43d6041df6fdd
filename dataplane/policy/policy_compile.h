// SPDX-License-Identifier: GPL-2.0-or-later
// From the configuration's policy sections to PolicyTables. Control thread; may fail.
#pragma once

#include "config/model.h"
#include "dataplane/policy/policy.h"
#include "result/result.h"

namespace masugata::dataplane {

// Sections apply in the order written; `any` stands for every zone but `self`. Zone pairs with the
// same sections share one classifier.
// `known`: inspection profiles by number, as PolicyTables::inspection_profiles() of the policy
// before; they keep their numbers, so that sessions in progress go on meaning the same.
[[nodiscard]] Result<PolicyTables> compile_policy(
    const config::Model& model, const std::vector<config::InspectionProfile>& known = {});

}  // namespace masugata::dataplane
