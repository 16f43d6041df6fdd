// SPDX-License-Identifier: GPL-2.0-or-later
// From rules to a Classifier. Control thread; allocates, may fail.
#pragma once

#include <span>
#include <vector>

#include "config/model.h"
#include "dataplane/policy/classifier.h"
#include "result/result.h"

namespace masugata::dataplane {

// What one rule constrains. An empty span leaves that dimension open. The spans need to live only
// until compile_classifier() returns.
struct ClassifierRule {
  std::span<const net::AddressRange> source;
  std::span<const net::AddressRange> destination;
  std::span<const net::MacAddress> source_mac;
  std::span<const config::ServiceMatch> services;  // alternatives
};

// Rules in order of precedence. Time: about linear in the number of ranges (10,000 rules with
// addresses and services of their own: tens of milliseconds). Faults: more than
// Classifier::kMaximumRules, sets beyond Classifier::kMaximumSetBytes; `where` is left empty for
// the caller to fill in.
[[nodiscard]] Result<Classifier> compile_classifier(std::span<const ClassifierRule> rules);

}  // namespace masugata::dataplane
