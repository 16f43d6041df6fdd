// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/admit/session_builder.h"

#include "dataplane/names/name_learner.h"
#include "dataplane/pipeline/worker_messages.h"

namespace masugata::dataplane {

void count_hit(std::vector<RuleCounters>& counters, uint32_t rule, uint32_t now_ms) noexcept {
  if (rule >= counters.size()) return;
  counters[rule].hits.add(1);
  counters[rule].last_hit_ms.set(static_cast<uint64_t>(now_ms) + 1);
}

namespace {

PolicyLogRecord log_record(const Packet& packet, const AdmissionResult& admission,
                           const WorkerContext& context) noexcept {
  PolicyLogRecord record;
  record.original = packet.key;
  record.translated = admission.reply.reversed();
  record.time_us = context.now_us;
  record.rule = admission.policy.rule;
  record.epoch = context.configuration->epoch;
  record.ingress_interface = packet.ingress_interface;
  record.egress_interface = admission.route.interface;
  return record;
}

void write_log(const PolicyLogRecord& record, WorkerContext& context) noexcept {
  if (!context.policy_log.push(record)) context.counters.log_lost.add(1);
}

// The reply key's hash leads to another worker: that one must know before the first packet leaves.
bool announce_reply_key(const InsertRequest& request, Session& session,
                        WorkerContext& context) noexcept {
  const uint32_t other = worker_of(request.reply, context.worker_count);
  if (other == context.worker) return true;
  const ForeignKeyMessage message{
      request.reply,
      context.configuration->tracking.timeouts.of(ProtocolState::TcpEstablished) + 60'000,
      context.worker};
  if (!context.messages->send_key(static_cast<uint16_t>(other), message)) return false;
  session.record.foreign_worker = static_cast<uint16_t>(other);
  return true;
}

void fill_flows(Session& session, const Packet& packet, const AdmissionResult& admission) noexcept {
  Flow& original = session.flow(Direction::Original);
  Flow& reply = session.flow(Direction::Reply);
  set_rewrite(original, original.key, admission.forward_rewrite);
  set_rewrite(reply, reply.key, admission.reply_rewrite);
  original.zone = static_cast<uint8_t>(admission.from_zone);
  reply.zone = static_cast<uint8_t>(admission.to_zone);
  if (packet.has(kPacketFromKernel)) {
    original.flags |= kFlowFromKernel;
    original.egress_interface = admission.protector;
    reply.flags |= kFlowLocal;
  } else if (admission.to_self) {
    original.flags |= kFlowLocal;
    reply.flags |= kFlowFromKernel;
    reply.egress_interface = admission.protector;
    session.flags |= kSessionToSelf;
  }
}

}  // namespace

void set_rewrite(Flow& flow, const net::FlowKey& own_key, const FlowRewrite& rewrite) noexcept {
  if (!rewrite.changes) return;
  flow.rewrite.l3_checksum_delta = rewrite.deltas.network;
  flow.rewrite.l4_checksum_delta = rewrite.deltas.transport;
  flow.rewrite.source_port = rewrite.to.source_port;
  flow.rewrite.destination_port = rewrite.to.destination_port;
  if (!own_key.source.is_v4()) {
    flow.flags |= kFlowRewriteFromOtherKey;
    return;
  }
  flow.rewrite.source = rewrite.to.source.v4();
  flow.rewrite.destination = rewrite.to.destination.v4();
  if (rewrite.to.source != own_key.source || rewrite.to.source_port != own_key.source_port) {
    flow.flags |= kFlowRewriteSource;
  }
  if (rewrite.to.destination != own_key.destination ||
      rewrite.to.destination_port != own_key.destination_port) {
    flow.flags |= kFlowRewriteDestination;
  }
}

void note_refusal(const Packet& packet, const AdmissionResult& admission,
                  WorkerContext& context) noexcept {
  const bool by_policy = admission.reason == DropReason::PolicyDenied ||
                         admission.reason == DropReason::PolicyDefaultDenied ||
                         admission.reason == DropReason::PolicyRejected ||
                         admission.reason == DropReason::ApplicationDenied;
  if (!by_policy) return;
  count_hit(context.configuration_counters().policy_rules, admission.policy.rule, context.now_ms);
  const bool logged = admission.policy.log ||
                      (admission.policy.rule == kDefaultDeny && context.snapshot().log_denied);
  if (!logged) return;
  PolicyLogRecord record = log_record(packet, admission, context);
  record.event = PolicyLogEvent::SessionRefused;
  record.reason = admission.reason;
  record.translated = packet.key;
  write_log(record, context);
}

void note_teaching(Session& session, const Snapshot& snapshot) noexcept {
  session.flags &= static_cast<uint16_t>(~kSessionTeaches);
  const net::FlowKey& reply = session.flow(Direction::Reply).key;
  const bool dns = (session.kind == SessionKind::Udp || session.kind == SessionKind::Tcp) &&
                   reply.source_port.host() == kDnsPort;
  if (dns && snapshot.is_trusted_resolver(reply.source)) session.flags |= kSessionTeaches;
}

BuildResult build_session(const Packet& packet, const AdmissionResult& admission,
                          ProtocolState state, WorkerContext& context) noexcept {
  InsertRequest request;
  request.original = packet.key;
  request.reply = admission.reply;
  request.original_hash = packet.hash();
  request.reply_hash = net::hash_flow(request.reply, context.secret);
  request.state = state;
  request.timeout_ms = context.configuration->tracking.timeouts.of(state);
  request.ingress_zone = admission.from_zone;
  const InsertResult inserted = context.sessions->insert(request, context.now_ms);
  if (inserted.refusal == InsertRefusal::OriginalKeyExists) {
    return {nullptr, DropReason::None, true};
  }
  if (inserted.session == nullptr) return {nullptr, drop_reason_of(inserted.refusal), false};

  Session& session = *inserted.session;
  session.snapshot_generation = context.epoch;
  session.inspection_profile = admission.policy.inspection;
  if (admission.policy.depends_on_content) session.flags |= kSessionIdentify;
  fill_flows(session, packet, admission);
  note_teaching(session, context.snapshot());
  SessionRecord& record = session.record;
  record.policy_rule = admission.policy.rule;
  record.source_nat_rule = static_cast<uint16_t>(admission.source_rule);
  record.destination_nat_rule = static_cast<uint16_t>(admission.destination_rule);
  record.egress_zone = admission.to_zone;
  record.ingress_interface = packet.ingress_interface;
  record.icmp_type = packet.icmp_type;
  if (context.worker_count > 1 && !announce_reply_key(request, session, context)) {
    context.sessions->erase(session, EndReason::Abandoned);
    return {nullptr, DropReason::HandoverQueueFull, false};
  }
  ConfigurationCounters& counters = context.configuration_counters();
  count_hit(counters.policy_rules, admission.policy.rule, context.now_ms);
  if (admission.source_rule != kNoNatRule) {
    count_hit(counters.nat_rules, admission.source_rule, context.now_ms);
  }
  if (admission.destination_rule != kNoNatRule) {
    count_hit(counters.nat_rules, admission.destination_rule, context.now_ms);
  }
  context.counters.sessions_created.add(1);
  if (admission.policy.log) {
    session.flags |= kSessionLog;
    write_log(log_record(packet, admission, context), context);
  }
  return {&session, DropReason::None, false};
}

}  // namespace masugata::dataplane
