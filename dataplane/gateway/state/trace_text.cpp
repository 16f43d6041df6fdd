// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include "dataplane/gateway/configuration_manager.h"
#include "dataplane/gateway/state/texts.h"
#include "dataplane/gateway/state/trace_service.h"

namespace masugata::dataplane {
namespace {

std::string rule_name(const TraceRecord& record, const RunningConfiguration& configuration) {
  if (record.epoch != configuration.epoch) return fmt::format("number {}", record.rule);
  return ConfigurationManager::rule_title(*configuration.snapshot, record.rule);
}

std::string session_text(const TraceRecord& record) {
  const char* direction =
      record.direction == static_cast<uint8_t>(Direction::Original) ? "client" : "server";
  return fmt::format("session {} {}, from the {}; ", record.session,
                     state_text(static_cast<ProtocolState>(record.session_state)), direction);
}

// What the stage has found out, in front of where the packet goes.
std::string facts_text(const TraceRecord& record, const RunningConfiguration& configuration) {
  const Snapshot& snapshot = *configuration.snapshot;
  const bool has_session = record.session != kNone32;
  switch (record.stage) {
    case StageId::Decode:
      return fmt::format("{} bytes in by {}; ", record.length,
                         interface_text(snapshot, record.ingress_interface));
    case StageId::Track:
      return has_session ? session_text(record) : "no session yet; ";
    case StageId::Admit:
      if (!has_session) return {};
      return fmt::format("rule {}; session {} begins; ", rule_name(record, configuration),
                         record.session);
    case StageId::Egress: {
      if (record.next == StageId::Punt) return {};
      const std::string out = "out by " + interface_text(snapshot, record.egress_interface) + "; ";
      if (!has_session || record.translated == record.key) return out;
      return fmt::format("translated to {}; {}", record.translated.to_string(), out);
    }
    default:
      return {};
  }
}

}  // namespace

std::string trace_text(const TraceRecord& record, const RunningConfiguration& configuration) {
  if (record.reason != DropReason::None) {
    const DropReasonText& text = kDropReasonTexts[static_cast<size_t>(record.reason)];
    return fmt::format("drop {}: {}", text.name, text.explanation);
  }
  std::string text = facts_text(record, configuration);
  if (record.next != StageId::Count) return text + "to " + std::string(stage_name(record.next));
  return text + "held";
}

}  // namespace masugata::dataplane
