// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/replay/alert_counter.h"

namespace masugata::dataplane {

void AlertCounter::alert(const ids::AlertEvent& event) noexcept {
  AlertCount& count = alerts_[{event.rule->gid, event.rule->sid}];
  ++count.alerts;
  if (event.fate == ids::AlertFate::Blocked) ++count.blocked;
  if (count.message.empty()) count.message = event.rule->message;
  if (next_ != nullptr) next_->alert(event);
}

void AlertCounter::drop(const ids::PacketFacts& packet, const ids::EventFlow* flow,
                        const ids::Rule* rule, std::string_view reason) noexcept {
  ++drops_;
  if (next_ != nullptr) next_->drop(packet, flow, rule, reason);
}

void AlertCounter::transaction(ids::Transaction& transaction, const ids::PacketFacts* packet,
                               const ids::EventFlow& flow, ids::Direction direction) noexcept {
  ++transactions_[std::string(ids::protocol_name(transaction.protocol))];
  if (next_ != nullptr) next_->transaction(transaction, packet, flow, direction);
}

void AlertCounter::file(const ids::TransferredFile& file, ids::Transaction& transaction,
                        const ids::EventFlow& flow) noexcept {
  if (next_ != nullptr) next_->file(file, transaction, flow);
}

void AlertCounter::anomaly(ids::EventKind kind, std::string_view name,
                           const ids::PacketFacts* packet, const ids::EventFlow* flow) noexcept {
  if (next_ != nullptr) next_->anomaly(kind, name, packet, flow);
}

void AlertCounter::flow_ended(const ids::EventFlow& flow, std::string_view reason) noexcept {
  if (next_ != nullptr) next_->flow_ended(flow, reason);
}

}  // namespace masugata::dataplane
