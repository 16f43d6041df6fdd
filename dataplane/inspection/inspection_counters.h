// SPDX-License-Identifier: GPL-2.0-or-later
// What the inspection of one worker has seen. Written by the worker, read by anyone.
#pragma once

#include "dataplane/pipeline/counters.h"

namespace masugata::dataplane {

struct InspectionCounters {
  RelaxedCounter packets;   // inspected
  RelaxedCounter sessions;  // opened for inspection
  RelaxedCounter sessions_now;
  RelaxedCounter segments_rewritten;  // an overlap with other content was set right
  RelaxedCounter segments_refused;    // the receiver would not read them as they were inspected
  RelaxedCounter windows_lowered;     // to what there is room for
  RelaxedCounter urgent_cleared;
  // Passed without inspection because the profile says so.
  RelaxedCounter passed_without_rules;  // packets
  RelaxedCounter passed_memory;         // segments, and packets at which a session lost its parser
  RelaxedCounter passed_overload;       // sessions
  RelaxedCounter passed_midstream;      // sessions
  RelaxedCounter passed_packets;        // of such sessions
};

}  // namespace masugata::dataplane
