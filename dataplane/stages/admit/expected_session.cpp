// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/admit/expected_session.h"

#include "dataplane/stages/admit/admission_inputs.h"

namespace masugata::dataplane {
namespace {

constexpr uint16_t kFtpControlPort = 21;
constexpr uint8_t kFtpControlHelper = 1;

// The key with which the packet leaves: what the expectation says, and a free source port where the
// source is translated.
DropReason translate_expected(const Expectation& expectation, const net::FlowKey& original,
                              net::FlowKey& translated, WorkerContext& context) noexcept {
  translated = original;
  if ((expectation.rewrite_flags & kFlowRewriteDestination) != 0) {
    translated.destination = net::IpAddress::from_v4(expectation.rewrite.destination);
    translated.destination_port = expectation.rewrite.destination_port;
  }
  if ((expectation.rewrite_flags & kFlowRewriteSource) == 0) return DropReason::None;
  SessionPortProbe probe(context);
  const auto address = net::IpAddress::from_v4(expectation.rewrite.source);
  return allocate_source(translated, address, kInterfacePorts, kInterfacePorts, true, true,
                         context.secret, probe)
             ? DropReason::None
             : DropReason::NatPortsExhausted;
}

}  // namespace

void attach_helper(Session& session, WorkerContext& context) noexcept {
  const bool ftp = context.snapshot().sessions.ftp_helper &&
                   session.flow(Direction::Reply).key.source_port.host() == kFtpControlPort;
  if (!ftp) return;
  session.flags |= kSessionHelper;
  session.record.helper = kFtpControlHelper;
}

DropReason admit_expected(const Packet& packet, const Expectation& expectation,
                          AdmissionResult& result, WorkerContext& context) noexcept {
  // Another worker's control session cannot be asked: there the expectation's own time counts.
  const bool own_parent = expectation.parent_worker == context.worker;
  if (own_parent && context.sessions->resolve(expectation.parent) == nullptr) {
    return DropReason::TcpNoSession;
  }
  if (static_cast<uint8_t>(packet.ingress_zone) != expectation.zone) return DropReason::Spoofed;
  net::FlowKey translated;
  const DropReason refused = translate_expected(expectation, packet.key, translated, context);
  if (refused != DropReason::None) return refused;
  result.from_zone = packet.ingress_zone;
  result.route =
      context.forwarding->lookup(translated.destination, net::symmetric_flow_hash(translated));
  const DropReason no_way =
      admission::judge_route(context.snapshot(), result.route, result.to_zone, result.to_self);
  if (no_way != DropReason::None) return no_way;
  result.policy.rule = expectation.policy_rule;
  result.policy.action = config::Action::Permit;
  result.policy.inspection = expectation.inspection_profile;
  admission::write_keys(packet.key, translated, result);
  result.verdict = AdmissionVerdict::Permit;
  result.reason = DropReason::None;
  return DropReason::None;
}

void bind_expected(Session& session, const Expectation& expectation,
                   const WorkerContext& context) noexcept {
  session.flags |= kSessionExpected;
  // The index means something in the table of its worker only.
  if (expectation.parent_worker == context.worker) {
    session.record.parent = expectation.parent.index;
  }
  session.record.helper = kFtpDataHelper;
}

}  // namespace masugata::dataplane
