// SPDX-License-Identifier: GPL-2.0-or-later
// `show policy`, `show nat`, `show zones`, `show sessions`: configuration and counts made readable.
// Everything here is the control thread's.
#pragma once

#include <ctime>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "dataplane/control/gateway_records.h"
#include "dataplane/gateway/configuration_manager.h"
#include "dataplane/gateway/state/session_questions.h"

namespace masugata::dataplane {

// What the answers below are made of. `model` and `configuration` belong together.
struct PolicyView {
  const config::Model& model;
  const RunningConfiguration& configuration;
  const ConfigurationManager::Totals& totals;
  std::time_t now = 0;
  // Seconds since the rule's last hit; nullopt: never in this configuration.
  std::function<std::optional<uint64_t>(RuleId)> seconds_since_hit;
};

// `answer` is one to an empty question.
[[nodiscard]] control::PolicyStatus policy_status(const PolicyView& view,
                                                  const SessionAnswer& answer);

// The addresses that source translation takes, each with what it is called, in one order; the
// question of nat_status() asks for `translated_ranges()`.
struct TranslationPool {
  std::string name;
  std::vector<net::AddressRange> addresses;
  uint64_t ports = 0;
};
[[nodiscard]] std::vector<TranslationPool> translation_pools(const config::Model& model,
                                                             const Snapshot& snapshot);
[[nodiscard]] std::vector<net::AddressRange> translated_ranges(
    const std::vector<TranslationPool>& pools);
// `exhausted`: new sessions that found no port.
[[nodiscard]] control::NatStatus nat_status(const PolicyView& view, const SessionAnswer& answer,
                                            uint64_t exhausted);

[[nodiscard]] std::vector<control::ZoneStatus> zone_statuses(const Snapshot& snapshot,
                                                             const SessionAnswer& answer);

// Faults: a zone, interface, rule or state that is not known.
[[nodiscard]] Result<SessionQuestion> session_question(const control::SessionFilter& filter,
                                                       const Snapshot& snapshot);
// `bound`: sessions that fit into all tables.
[[nodiscard]] control::SessionList session_list(const SessionAnswer& answer, uint32_t limit,
                                                uint64_t bound);

}  // namespace masugata::dataplane
