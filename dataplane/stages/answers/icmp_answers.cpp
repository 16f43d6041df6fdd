// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/answers/icmp_answers.h"

namespace masugata::dataplane {

void send_icmp_error(const Packet& packet, IcmpError error, uint16_t mtu,
                     WorkerContext& context) noexcept {
  if (packet.ingress_interface == kNoInterface || packet.has(kPacketFromKernel)) return;
  // An ICMP error's key is that of its quote, and errors are never answered anyway.
  if (packet.has(kPacketIsIcmpError)) return;
  const SnapshotInterface& interface = context.snapshot().interfaces[packet.ingress_interface];
  const std::optional<net::IpAddress> source = interface.address_towards(packet.key.source);
  if (!source.has_value()) return;
  IcmpErrorRequest request;
  request.error = error;
  request.source = *source;
  request.mtu = mtu;
  const IcmpErrorResult result =
      build_icmp_error(packet, request, *context.packet_pool, context.icmp_limiter, context.now_ms);
  if (result.message == nullptr) return;
  context.counters.generated.add(1);
  context.emit(Packet::of(result.message), StageId::Transmit);
}

}  // namespace masugata::dataplane
