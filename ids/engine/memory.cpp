// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids/engine/engine_core.h"

namespace masugata::ids {
namespace {

// What any parser and any transaction may take beyond what it reports: its object, the tables and
// short texts in it.
constexpr size_t kParserBytes = 2048;
constexpr size_t kTransactionBytes = 2048;

size_t bytes_of(ProtocolParser& parser) noexcept {
  size_t bytes = kParserBytes + parser.memory_bytes();
  for (const auto& transaction : parser.transactions()) {
    bytes += kTransactionBytes + transaction->memory_bytes();
    if (transaction->inspection) {
      bytes += static_cast<const TransactionMemory&>(*transaction->inspection).memory_bytes();
    }
  }
  return bytes;
}

}  // namespace

size_t FlowInspection::memory_bytes() const noexcept {
  return sizeof(FlowInspection) + windows[0].memory_bytes() + windows[1].memory_bytes() +
         first_bytes[0].capacity() + first_bytes[1].capacity() + variables.memory_bytes() +
         recent[0].memory_bytes() + recent[1].memory_bytes() +
         (payload_rules[0].capacity() + payload_rules[1].capacity()) * sizeof(uint32_t) +
         (parser ? bytes_of(*parser) : 0);
}

void EngineCore::account(FlowInspection& flow) noexcept {
  const uint64_t now = flow.memory_bytes();
  memory_bytes_ += now - flow.accounted_bytes;
  flow.accounted_bytes = now;
  counters.memory_bytes.set(memory_bytes_);
}

// Accounts for the packet; a flow that stands beyond the bound gives back what it can.
void EngineCore::enforce_memory(Call& call, InspectionVerdict& verdict) noexcept {
  FlowInspection& flow = *call.flow;
  account(flow);
  if (memory_bytes_ > limits_.memory_bytes) {
    flow.memory_refused = flow.memory_refused || flow.parser_live ||
                          !flow.windows[0].bytes().empty() || !flow.windows[1].bytes().empty();
    flow.windows[0].release();
    flow.windows[1].release();
    if (flow.parser) {
      end_parser(flow);
      report_transactions(call, *flow.parser, true);
      flow.parser.reset();
      flow.tell_opaque(flow.event.protocol);
    }
    account(flow);
  }
  if (!flow.memory_refused) {
    return;
  }
  flow.memory_refused = false;
  if (!flow.memory_counted) {
    flow.memory_counted = true;
    counters.memory_exhausted.add(1);
  }
  verdict.memory_full = true;
  if (memory_failure == Failure::PassCounted || flow.fate != FlowInspection::Fate::Inspect) {
    return;
  }
  flow.fate = FlowInspection::Fate::Drop;
  flow.fate_sid = 0;
  verdict.whole_flow = true;
  if (verdict.action == VerdictAction::Accept) {
    verdict.action = VerdictAction::Drop;
    verdict.passed = false;
    verdict.sid = 0;
    verdict.reason = "memory";
    counters.drops.add(1);
    sink_.drop(call.packet, &flow.event, nullptr, "memory");
  }
}

}  // namespace masugata::ids
