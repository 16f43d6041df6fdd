// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/admit/expected_session.h"

#include "dataplane/nat/ftp_control.h"
#include "dataplane/pipeline/worker_messages.h"
#include "dataplane/stages/admit/admission_inputs.h"

namespace masugata::dataplane {
namespace {

constexpr uint16_t kFtpControlPort = 21;
constexpr uint8_t kFtpControlHelper = 1;
constexpr uint16_t kFirstUnprivilegedPort = 1024;
constexpr uint32_t kExpectationMs = 60'000;

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

bool has_antivirus(uint16_t profile, const WorkerContext& context) noexcept {
  const auto& slots = context.configuration->antivirus_slots;
  return profile < slots.size() && slots[profile] != kNoAntivirusSlot;
}

}  // namespace

void attach_helper(Session& session, WorkerContext& context) noexcept {
  const bool ftp = context.snapshot().sessions.ftp_helper &&
                   session.flow(Direction::Reply).key.source_port.host() == kFtpControlPort;
  if (!ftp) return;
  session.flags |= kSessionHelper;
  session.record.helper = kFtpControlHelper;
}

Expectation expectation_of(const Session& control, Direction direction, net::Be16 port,
                           const WorkerContext& context) noexcept {
  const Flow& flow = control.flow(direction);
  const Flow& other = control.flow(opposite(direction));
  Expectation expectation;
  expectation.key = expected_data_flow(other.key.source, other.key.destination, port);
  expectation.parent = context.sessions->handle_of(control);
  expectation.parent_worker = context.worker;
  expectation.policy_rule = control.record.policy_rule;
  expectation.inspection_profile = control.inspection_profile;
  expectation.zone = other.zone;
  expectation.expires_ms = context.now_ms + kExpectationMs;
  if (other.key.destination != flow.key.source && flow.key.source.is_v4()) {
    expectation.rewrite_flags |= kFlowRewriteDestination;
    expectation.rewrite.destination = flow.key.source.v4();
    expectation.rewrite.destination_port = port;
  }
  if (other.key.source != flow.key.destination && flow.key.source.is_v4()) {
    expectation.rewrite_flags |= kFlowRewriteSource;
    expectation.rewrite.source = flow.key.destination.v4();
  }
  return expectation;
}

bool expect_announced(const Session& control, ids::ProtocolParser& parser,
                      WorkerContext& context) noexcept {
  for (const auto& endpoint : parser.new_endpoints()) {
    const Direction direction = endpoint.active ? Direction::Original : Direction::Reply;
    const net::IpAddress& announcer = control.flow(direction).key.source;
    Expectation expectation =
        expectation_of(control, direction, net::Be16::from_host(endpoint.port), context);
    expectation.permits = (control.flags & kSessionHelper) != 0 &&
                          endpoint.port >= kFirstUnprivilegedPort &&
                          (endpoint.address == net::IpAddress{} || endpoint.address == announcer);
    if (!context.expectations.add(expectation, context.now_ms)) return false;
    share_expectation(expectation, context);
  }
  parser.forget_endpoints();
  return true;
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
  if (packet.ingress_zone != config::kSelfZone) {
    admission::keep_inside(context.snapshot(), result.route);
    if (admission::is_closed(context.snapshot(), packet.ingress_interface)) {
      return DropReason::ClosedNetwork;
    }
  }
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
  if (expectation.permits) {
    session.flags |= kSessionExpected;
  } else if (!has_antivirus(session.inspection_profile, context)) {
    session.inspection_profile = expectation.inspection_profile;
  }
  // The index means something in the table of its worker only.
  if (expectation.parent_worker == context.worker) {
    session.record.parent = expectation.parent.index;
  }
  session.record.helper = kFtpDataHelper;
}

}  // namespace masugata::dataplane
