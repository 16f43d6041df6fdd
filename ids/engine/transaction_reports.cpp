// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "ids/engine/engine_core.h"

namespace masugata::ids {
namespace {

bool is_complete(const Transaction& transaction) {
  return transaction.one_sided ? transaction.finished[index_of(*transaction.one_sided)]
                               : transaction.complete();
}

}  // namespace

void EngineCore::note_packet(Call& call) noexcept {
  FlowInspection& flow = *call.flow;
  EventFlow& event = flow.event;
  const size_t side = index_of(call.packet.direction);
  flow.last_us = std::max(flow.last_us, call.packet.time_us);
  event.last_us = flow.last_us;
  for (size_t i = 0; i < 2; ++i) {
    event.packets[i] = std::max(event.packets[i], call.state.packets[i]);
    event.bytes[i] = std::max(event.bytes[i], call.state.bytes[i]);
  }
  event.established = event.established || call.state.established;
  event.closed = event.closed || call.state.closed;
  event.tcp_flags[side] |= call.fields.tcp_flags();
}

void EngineCore::report_tagged(Call& call) noexcept {
  const PacketFacts& packet = call.packet;
  const bool of_session =
      call.flow != nullptr && call.flow->tag.take(packet.time_us, packet.network.size());
  if (host_tags_.take(packet) || of_session) {
    counters.tagged_packets.add(1);
    sink_.tagged_packet(packet, call.flow != nullptr ? &call.flow->event : nullptr);
  }
}

void EngineCore::report_packet_events(const Call& call) noexcept {
  const EventFlow* flow = call.flow != nullptr ? &call.flow->event : nullptr;
  auto report = [&](const EventSet& events, EventKind kind,
                    std::span<const std::string_view> names) {
    if (events.none()) {
      return;
    }
    for (size_t i = 0; i < names.size(); ++i) {
      if (events.test(i)) {
        sink_.anomaly(kind, names[i], &call.packet, flow);
      }
    }
  };
  report(call.packet.decode_events, EventKind::Decode, decode_events());
  report(call.packet.stream_events, EventKind::Stream, stream_events());
}

void EngineCore::report_events(Call& call, Transaction& transaction,
                               TransactionMemory& memory) noexcept {
  const EventSet fresh = transaction.events & ~memory.reported_events;
  if (fresh.none()) {
    return;
  }
  memory.reported_events = transaction.events;
  const std::span<const std::string_view> names = application_events(transaction.protocol);
  for (size_t i = 0; i < names.size(); ++i) {
    if (fresh.test(i)) {
      sink_.anomaly(EventKind::Application, names[i], call.is_packet ? &call.packet : nullptr,
                    &call.flow->event);
    }
  }
}

void EngineCore::report_transaction(Call& call, Transaction& transaction, bool complete) noexcept {
  TransactionMemory& memory = memory_of(transaction);
  report_events(call, transaction, memory);
  const std::span<TransferredFile> files = transaction.files();
  for (size_t i = 0; i < files.size() && i < kMaximumFiles; ++i) {
    const auto bit = static_cast<uint16_t>(1U << i);
    if ((files[i].complete || complete) && (memory.reported_files & bit) == 0) {
      memory.reported_files = static_cast<uint16_t>(memory.reported_files | bit);
      sink_.file(files[i], transaction, call.flow->event);
    }
  }
  if (complete && !transaction.logged) {
    transaction.logged = true;
    counters.transactions.add(1);
    counters.protocol_transactions[static_cast<size_t>(transaction.protocol)].add(1);
    sink_.transaction(transaction, call.is_packet ? &call.packet : nullptr, call.flow->event,
                      transaction.one_sided.value_or(call.packet.direction));
  }
}

// `all`: the parser ends, and so do its transactions.
void EngineCore::report_transactions(Call& call, ProtocolParser& parser, bool all) noexcept {
  for (const auto& transaction : parser.transactions()) {
    const bool complete = is_complete(*transaction);
    if (complete || all || transaction->events.any() || !transaction->files().empty()) {
      report_transaction(call, *transaction, complete || all);
    }
  }
  while (!parser.transactions().empty() &&
         (all || (is_complete(*parser.transactions().front()) &&
                  !owes_judgement(*parser.transactions().front())))) {
    keep_memory(*parser.transactions().front());
    parser.transactions().pop_front();
  }
}

}  // namespace masugata::ids
