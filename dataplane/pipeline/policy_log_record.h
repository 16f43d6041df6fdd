// SPDX-License-Identifier: GPL-2.0-or-later
// What a rule with `log` tells the control thread about a new, refused or ended session.
#pragma once

#include <cstdint>

#include "dataplane/pipeline/drop_reason.h"
#include "dataplane/pipeline/record_ring.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

enum class PolicyLogEvent : uint8_t { SessionOpened, SessionRefused, SessionEnded };

struct PolicyLogRecord {
  net::FlowKey original;    // as the client sends
  net::FlowKey translated;  // as it leaves the gateway; equal without translation
  uint64_t bytes[2] = {};   // per direction, at the end of a session
  uint64_t packets[2] = {};
  uint64_t time_us = 0;  // worker clock
  uint32_t rule = 0;     // RuleId of the configuration `epoch`
  uint32_t epoch = 0;
  uint32_t duration_ms = 0;  // at the end of a session
  uint16_t ingress_interface = 0xffff;
  uint16_t egress_interface = 0xffff;
  PolicyLogEvent event = PolicyLogEvent::SessionOpened;
  uint8_t end_reason = 0;                // EndReason at the end of a session
  DropReason reason = DropReason::None;  // of a refusal
};

using PolicyLogRing = RecordRing<PolicyLogRecord, 4096>;

}  // namespace masugata::dataplane
