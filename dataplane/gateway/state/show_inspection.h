// SPDX-License-Identifier: GPL-2.0-or-later
// `show ips` and its kin: what the inspection manager, the inspectors and the engines say. Control
// thread; workers are only read through their relaxed counters.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "dataplane/control/inspection_records.h"
#include "dataplane/inspection/event_log.h"
#include "dataplane/inspection/inspection_manager.h"

namespace masugata::dataplane {

// Counters that only grow, as they stood when they were last cleared.
struct InspectionCounterBase {
  control::NamedCounts inspectors;
  std::map<std::string, control::NamedCounts> profiles;  // by name
  uint64_t lines_written = 0;
  uint64_t lines_lost = 0;
  uint64_t lines_failed = 0;
};
[[nodiscard]] InspectionCounterBase inspection_counters_now(const InspectionManager& manager,
                                                            const EventLog& log);

// Times are of the wall clock, since 1970.
[[nodiscard]] control::IpsStatus ips_status(const InspectionManager& manager, const EventLog& log,
                                            const InspectionCounterBase& base, int64_t now_s);
[[nodiscard]] control::IpsRuleFiles ips_rule_files(const InspectionManager& manager, uint32_t limit,
                                                   int64_t now_s);
[[nodiscard]] control::IpsHitList ips_hit_list(const InspectionManager& manager, uint32_t limit,
                                               int64_t now_s);
[[nodiscard]] control::IpsCostList ips_cost_list(const InspectionManager& manager, uint32_t limit);
[[nodiscard]] control::IpsExceptionList ips_exception_list(const InspectionManager& manager,
                                                           uint32_t limit, int64_t now_s);
// Faults: no profile that is loaded has the rule.
[[nodiscard]] Result<control::IpsRuleDetail> ips_rule_detail(const InspectionManager& manager,
                                                             uint32_t sid, int64_t now_s);

}  // namespace masugata::dataplane
