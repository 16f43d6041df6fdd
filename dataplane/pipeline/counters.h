// SPDX-License-Identifier: GPL-2.0-or-later
// Counters that one worker writes and the control thread reads.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/pipeline/drop_reason.h"
#include "dataplane/pipeline/stage_id.h"
#include "net/relaxed_counter.h"

namespace masugata::dataplane {

using net::RelaxedCounter;

struct StageCounters {
  RelaxedCounter calls;  // batches
  RelaxedCounter packets;
  RelaxedCounter cycles;  // TSC
};

// Of one worker. Only grows; `clear counters` is done by the reader's remembering a base.
struct WorkerCounters {
  std::array<RelaxedCounter, kDropReasonCount> drops;
  std::array<StageCounters, kStageCount> stages;
  RelaxedCounter loops;
  RelaxedCounter idle_loops;   // loops that found nothing to do
  RelaxedCounter busy_cycles;  // spent in loops that found something
  RelaxedCounter total_cycles;
  RelaxedCounter received;  // packets from ports
  RelaxedCounter from_kernel;
  RelaxedCounter handed_over;  // to other workers
  RelaxedCounter generated;    // ICMP errors, RSTs, SYN-ACKs written by the gateway
  RelaxedCounter trace_lost;   // trace records that found the ring full
  RelaxedCounter log_lost;     // log records that found the ring full
  RelaxedCounter nat_exhausted;
  RelaxedCounter sessions_created;
};

// How full a worker's tables are; set once per turn, for the control thread to read.
struct WorkerGauges {
  RelaxedCounter sessions;
  RelaxedCounter foreign_keys;
  RelaxedCounter open_datagrams;  // being reassembled
  RelaxedCounter held_fragments;
  RelaxedCounter waiting_packets;  // for a neighbour's answer
  RelaxedCounter expectations;
  RelaxedCounter sequence_adjustments;
  RelaxedCounter syn_proxies;
};

}  // namespace masugata::dataplane
