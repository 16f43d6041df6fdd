// SPDX-License-Identifier: GPL-2.0-or-later
// Following chosen packets through the stages (`monitor trace`).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/pipeline/drop_reason.h"
#include "dataplane/pipeline/record_ring.h"
#include "dataplane/pipeline/stage_id.h"
#include "net/flow_key.h"

namespace masugata::dataplane {

// Which packets an operator wants to follow. Matches the packet's key as decoded and the interface
// and zone that it comes in by.
struct TraceFilter {
  net::AddressRange source;       // only when match_source
  net::AddressRange destination;  // only when match_destination
  bool match_source = false;
  bool match_destination = false;
  bool match_protocol = false;
  bool both_directions = true;
  net::Protocol protocol = net::Protocol::HopByHop;
  uint16_t source_port = 0;  // host order, 0 = any
  uint16_t destination_port = 0;
  uint16_t interface = 0xffff;  // ingress, 0xffff = any
  uint16_t zone = 0xffff;       // ingress zone, 0xffff = any

  [[nodiscard]] bool matches_key(const net::FlowKey& key) const noexcept {
    return (!match_source || source.contains(key.source)) &&
           (!match_destination || destination.contains(key.destination)) &&
           (!match_protocol || protocol == key.protocol) &&
           (source_port == 0 || source_port == key.source_port.host()) &&
           (destination_port == 0 || destination_port == key.destination_port.host());
  }
  [[nodiscard]] bool matches(const net::FlowKey& key, uint16_t ingress_interface,
                             uint16_t ingress_zone) const noexcept {
    if (interface != 0xffff && interface != ingress_interface) return false;
    if (zone != 0xffff && zone != ingress_zone) return false;
    return matches_key(key) || (both_directions && matches_key(key.reversed()));
  }
};

// One packet at one stage.
struct TraceRecord {
  uint64_t packet = 0;   // names the packet among those of all workers; wraps in 16 bits
  uint64_t time_us = 0;  // of the worker's clock
  StageId stage = StageId::Decode;
  StageId next = StageId::Count;  // Count: dropped (reason) or held (no reason)
  DropReason reason = DropReason::None;
  uint16_t ingress_interface = 0xffff;
  uint16_t egress_interface = 0xffff;
  uint32_t session = 0xffffffff;  // index in the worker's table
  uint32_t rule = 0xffffffff;     // policy rule, when the stage asked policy
  uint8_t session_state = 0;
  uint8_t direction = 0;
  uint32_t epoch = 0;       // of the configuration that `rule` is numbered in
  uint32_t length = 0;      // bytes of the IP packet
  net::FlowKey key;         // as the packet came in
  net::FlowKey translated;  // as it leaves; of Egress, when it has a session
};

using TraceRing = RecordRing<TraceRecord, 1024>;

// Shared by the control thread and one worker.
struct TraceChannel {
  // Owned by the control thread; the worker reads it once per burst, between quiescent states.
  std::atomic<const TraceFilter*> filter{nullptr};
  TraceRing ring;
};

}  // namespace masugata::dataplane
