// SPDX-License-Identifier: GPL-2.0-or-later
// What antivirus has seen on one worker. The worker writes, anyone reads.
#pragma once

#include <array>

#include "av-stream/verdicts/refusal_text.h"
#include "dataplane/pipeline/counters.h"

namespace masugata::dataplane {

struct AntivirusCounters {
  RelaxedCounter objects;        // that began
  RelaxedCounter bytes;          // of them
  RelaxedCounter scanned;        // whole objects
  RelaxedCounter scanned_early;  // beginnings of objects, because they stalled
  RelaxedCounter clean;
  RelaxedCounter known_clean;  // by their digest, not scanned
  RelaxedCounter broken_off;   // their connection was reset
  RelaxedCounter infected;
  RelaxedCounter exempt;           // by kind or announced size
  RelaxedCounter opaque_sessions;  // encrypted or of a protocol without contents
  RelaxedCounter encryption_refused;
  RelaxedCounter ranges_widened;  // requests for a part made to requests for the whole
  RelaxedCounter urls_refused;
  RelaxedCounter answered;  // block pages and refusals
  RelaxedCounter reset;
  RelaxedCounter scan_us;           // processor time of scanners
  RelaxedCounter records_lost;      // the ring to the control thread was full
  RelaxedCounter segments_refused;  // no room to hold them; their senders repeat them
  // By RefusalReason: what could not be judged, and what became of it.
  std::array<RelaxedCounter, static_cast<size_t>(av::RefusalReason::Count)> passed;
  std::array<RelaxedCounter, static_cast<size_t>(av::RefusalReason::Count)> refused;
  // Now.
  RelaxedCounter sessions_now;
  RelaxedCounter objects_now;
  RelaxedCounter segments_held_now;
  RelaxedCounter free_blocks;
};

}  // namespace masugata::dataplane
