// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/pipeline/runner.h"

namespace masugata::dataplane {

void Runner::write_trace(const Packet& packet, StageId stage, StageId next,
                         DropReason reason) noexcept {
  TraceRecord record;
  record.packet = packet.trace_id;
  record.time_us = context_.now_us;
  record.stage = stage;
  record.next = next;
  record.reason = reason;
  record.ingress_interface = packet.ingress_interface;
  record.egress_interface = packet.egress_interface;
  record.direction = packet.direction;
  record.length = packet.network_length;
  record.key = packet.key;
  record.epoch = context_.configuration->epoch;
  if (packet.session != nullptr) {
    const Session& session = *packet.session;
    record.session = context_.sessions->index_in_table(session);
    record.rule = session.record.policy_rule;
    record.session_state = static_cast<uint8_t>(session.state);
    if (stage == StageId::Egress) {
      const Direction direction = static_cast<Direction>(packet.direction);
      record.translated = session.flow(opposite(direction)).key.reversed();
    }
  }
  if (!context_.trace.ring.push(record)) context_.counters.trace_lost.add(1);
}

}  // namespace masugata::dataplane
