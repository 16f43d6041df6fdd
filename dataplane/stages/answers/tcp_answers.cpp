// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/answers/tcp_answers.h"

#include "dataplane/icmp/tcp_reset.h"

namespace masugata::dataplane {
namespace {

void emit_generated(rte_mbuf* mbuf, WorkerContext& context) noexcept {
  if (mbuf == nullptr) return;
  context.counters.generated.add(1);
  context.emit(Packet::of(mbuf), StageId::Transmit);
}

}  // namespace

void send_challenge(const Packet& packet, const Session& session, Direction direction,
                    WorkerContext& context) noexcept {
  const ChallengeAck challenge = challenge_for(session, direction);
  TcpFacts segment;
  segment.key = packet.key.reversed();
  segment.sequence = challenge.sequence;
  segment.acknowledgement = challenge.acknowledgement;
  segment.window = challenge.window;
  segment.flags = net::kTcpAck;
  const TcpPacketBuilder builder(*context.packet_pool);
  emit_generated(builder.build(packet, Heading::BackToSender, segment), context);
}

void send_reset(const Packet& packet, WorkerContext& context) noexcept {
  if (!context.reset_limiter.allow(context.now_ms)) return;
  const TcpPacketBuilder builder(*context.packet_pool);
  emit_generated(build_tcp_reset(packet, builder), context);
}

void send_reset_onward(const Packet& packet, WorkerContext& context) noexcept {
  if (!context.reset_limiter.allow(context.now_ms)) return;
  TcpFacts segment;
  if (!read_tcp_facts(packet, segment) || segment.has(net::kTcpRst)) return;
  TcpFacts reset;
  reset.key = segment.key;
  reset.sequence = segment.sequence;
  reset.acknowledgement = segment.acknowledgement;
  reset.flags = segment.has(net::kTcpAck) ? net::kTcpRst | net::kTcpAck : net::kTcpRst;
  const TcpPacketBuilder builder(*context.packet_pool);
  rte_mbuf* mbuf = builder.build(packet, Heading::Onward, reset);
  if (mbuf == nullptr) return;
  Packet& answer = Packet::of(mbuf);
  answer.session = packet.session;
  answer.direction = packet.direction;
  context.counters.generated.add(1);
  context.emit(answer, StageId::Egress);
}

}  // namespace masugata::dataplane
