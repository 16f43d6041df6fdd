// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/encrypt/encrypt_stage.h"

#include <algorithm>
#include <new>

#include "dataplane/ipsec/esp_drop_reason.h"
#include "dataplane/ipsec/ipsec_gate.h"
#include "dataplane/ipsec/selector_facts.h"
#include "dataplane/ipsec/tunnel_limits.h"
#include "dataplane/pipeline/worker_messages.h"
#include "dataplane/stages/egress/fragment_sender.h"
#include "dataplane/stages/egress/next_hop.h"
#include "dataplane/stages/egress/packet_rewrite.h"
#include "dataplane/stages/transmit/transport_checksum.h"

namespace masugata::dataplane {
namespace {

using Next = EncryptStage::Next;

const OutboundChoice* choose(const TunnelView& tunnel, const SelectorFacts& facts) noexcept {
  for (const OutboundChoice& choice : tunnel.choices) {
    if (selects(choice.source, facts.source, facts.protocol, facts.has_ports, facts.source_port) &&
        selects(choice.destination, facts.destination, facts.protocol, facts.has_ports,
                facts.destination_port)) {
      return &choice;
    }
  }
  return nullptr;
}

// Whether the outer packet of an inner one must not be cut. What is larger than the path's MTU was
// cut or refused before, unless the tunnel's MTU is configured so or it is IPv6, which may count on
// 1280.
bool must_stay_whole(const Packet& inner, const InstalledSa& sa) noexcept {
  constexpr uint16_t kMinimumIpv6Mtu = 1280;  // RFC 8200 section 5
  const ipsec::DfHandling df = sa.df;
  // The gateway's own packet: nobody is told of a smaller path.
  if (sa.mode == ipsec::Mode::Transport) return false;
  if (df == ipsec::DfHandling::Set) return true;
  if (df == ipsec::DfHandling::Clear || !inner.has(kPacketDontFragment)) return false;
  return inner.key.source.is_v4() || inner.network_length > kMinimumIpv6Mtu;
}

// Prepares an outer packet for pieces of `limit` bytes.
void let_be_cut(Packet& packet, uint16_t limit, WorkerContext& context) noexcept {
  uint8_t* network = packet.network();
  const uint32_t identification =
      context.ipsec->next_identification() * context.worker_count + context.worker;
  if ((network[0] >> 4U) == 4) {
    if ((network[6] & 0x40U) == 0) return;
    // With DF it need not have had an identification of its own (RFC 6864 section 4.1).
    const net::Be32 before = net::load_be32(network + 4);
    const net::Be32 after = net::Be32::from_host((before.host() & ~0xffff4000U) |
                                                 static_cast<uint32_t>(identification << 16U));
    net::store(network + 4, after);
    adjust_checksum(network + 10, net::checksum_delta(before.raw, after.raw));
    return;
  }
  // The gateway is the source of the packet and may do what routers may not.
  packet.set(kPacketWasReassembled);
  packet.largest_fragment = limit;
  packet.fragment_identification = identification;
}

}  // namespace

EncryptStage::Finding EncryptStage::find(Packet& packet, WorkerContext& context) noexcept {
  Finding finding;
  finding.encapsulated = packet.has(kPacketEncapsulated);
  if (finding.encapsulated) return finding;
  finding.refused = DropReason::IpsecNoSa;
  const IpsecView* view = context.ipsec == nullptr ? nullptr : context.ipsec->view();
  const TunnelView* tunnel = view == nullptr ? nullptr : view->find_tunnel(packet.egress_interface);
  if (tunnel == nullptr) return finding;
  rte_mbuf& mbuf = packet.mbuf();
  const auto length = mbuf.pkt_len - packet.link_length;
  const auto readable = mbuf.data_len - packet.link_length;
  const SelectorFacts facts =
      read_selector_facts({packet.network(), static_cast<size_t>(readable)});
  const OutboundChoice* choice = choose(*tunnel, facts);
  if (choice == nullptr) return finding;
  if (choice->sa == kNoSa) {
    context.ipsec->ask_for_sa(choice->request_id, facts, context.now_us / 1000);
    return finding;
  }
  finding.refused = DropReason::None;
  finding.sa = choice->sa;
  const InstalledSa& installed = *view->sas[choice->sa].installed;
  finding.elsewhere = installed.owner != context.worker;
  if (finding.elsewhere) return finding;
  if (packet.has(kPacketChecksumPending)) complete_checksum(packet);
  if (LargePackets::lacks_room(packet)) [[unlikely]] {
    finding.large = true;
    return finding;
  }
  ipsec::EspPacket& esp = burst_[burst_count_];
  esp = {};
  esp.data = packet.network();
  esp.length = static_cast<uint32_t>(length);
  // The link header's room is used too: it is written anew.
  esp.headroom = static_cast<uint16_t>(rte_pktmbuf_headroom(&mbuf) + packet.link_length);
  esp.tailroom = rte_pktmbuf_tailroom(&mbuf);
  esp.sa = installed.sa.get();
  finding.place = burst_count_++;
  return finding;
}

void EncryptStage::encrypt_large(Packet& packet, Finding& finding,
                                 WorkerContext& context) noexcept {
  const ViewedSa& sa = context.ipsec->view()->sas[finding.sa];
  ipsec::EspPacket& esp = burst_[burst_count_];
  esp = context.ipsec->large().copy(packet, packet.mbuf().pkt_len - packet.link_length);
  esp.sa = sa.installed->sa.get();
  context.ipsec->esp().encapsulate({&esp, 1}, context.now_us / 1000);
  if (esp.refusal == ipsec::EspRefusal::None &&
      !LargePackets::put_back(esp, packet, *context.packet_pool)) {
    finding.refused = DropReason::NoBuffer;
    return;
  }
  finding.place = burst_count_++;
}

void EncryptStage::prepare(std::span<Packet* const> batch, WorkerContext& context) noexcept {
  burst_count_ = 0;
  next_ = 0;
  bool any_large = false;
  for (size_t i = 0; i < batch.size(); ++i) {
    findings_[i] = find(*batch[i], context);
    any_large |= findings_[i].large;
  }
  if (burst_count_ != 0) {
    context.ipsec->esp().encapsulate({burst_.data(), burst_count_}, context.now_us / 1000);
  }
  if (!any_large) [[likely]]
    return;
  for (size_t i = 0; i < batch.size(); ++i) {
    if (findings_[i].large) encrypt_large(*batch[i], findings_[i], context);
  }
}

Verdict<Next> EncryptStage::decide(Packet& packet, WorkerContext& context) noexcept {
  const Finding& finding = findings_[next_++];
  if (finding.encapsulated) return find_way(packet, nullptr, context);
  if (finding.refused != DropReason::None) return drop<Next>(finding.refused);
  const ViewedSa& sa = context.ipsec->view()->sas[finding.sa];
  if (finding.elsewhere) {
    packet.set(kPacketToEncrypt);
    return hand_over(packet, sa.installed->owner, context)
               ? forward_to(Next::Hold)
               : drop<Next>(DropReason::HandoverQueueFull);
  }
  const ipsec::EspPacket& sealed = burst_[finding.place];
  if (sealed.refusal != ipsec::EspRefusal::None) {
    return drop<Next>(drop_reason_of(sealed.refusal));
  }
  become_outer(packet, sa, sealed, context);
  return send_outer(packet, sa, context);
}

void EncryptStage::become_outer(Packet& packet, const ViewedSa& sa, const ipsec::EspPacket& sealed,
                                WorkerContext& context) noexcept {
  rte_mbuf& mbuf = packet.mbuf();
  InterfaceCounters& counters =
      context.configuration_counters().interfaces[packet.egress_interface];
  counters.sent_packets.add(1);
  counters.sent_bytes.add(mbuf.pkt_len - packet.link_length);
  mbuf.data_off = static_cast<uint16_t>(sealed.data - static_cast<uint8_t*>(mbuf.buf_addr));
  if (mbuf.nb_segs == 1) [[likely]]
    mbuf.data_len = static_cast<uint16_t>(sealed.length);
  mbuf.pkt_len = sealed.length;
  mbuf.ol_flags = 0;
  const InterfaceIndex tunnel = packet.egress_interface;
  const uint32_t received_ms = packet.received_ms;
  const bool whole = must_stay_whole(packet, *sa.installed);
  new (&packet) Packet();
  packet.received_ms = received_ms;
  packet.ingress_interface = tunnel;
  packet.set(kPacketEncapsulated);
  packet.set(kPacketGenerated);
  packet.network_length = static_cast<uint16_t>(sealed.length);
  packet.largest_fragment = sa.outer.path_mtu;  // should it have to wait for its next hop
  if (whole) packet.set(kPacketDontFragment);
  packet.key.source = sa.outer.local;
  packet.key.destination = sa.outer.remote;
  packet.key.protocol = sa.outer.udp.enabled() ? net::Protocol::Udp : net::Protocol::Esp;
  if (sa.outer.udp.enabled()) {
    packet.key.source_port = net::Be16::from_host(sa.outer.udp.local_port);
    packet.key.destination_port = net::Be16::from_host(sa.outer.udp.remote_port);
  }
}

Verdict<Next> EncryptStage::send_outer(Packet& packet, const ViewedSa& sa,
                                       WorkerContext& context) noexcept {
  const OuterWay& way = sa.installed->way;
  const bool current = way.known && way.routes == context.forwarding->generation() &&
                       way.configuration == context.configuration->epoch;
  const NeighbourTable& neighbours = context.forwarding->neighbours();
  net::MacAddress mac;
  if (!current || !neighbours.read(way.neighbour, mac)) [[unlikely]] {
    return find_way(packet, &sa, context);
  }
  neighbours.mark_used(way.neighbour);
  packet.egress_interface = way.interface;
  const EgressInterface& egress = context.configuration->interfaces[way.interface];
  return leave(packet, egress, mac, TunnelLimits::outer_mtu(sa, egress), context);
}

Verdict<Next> EncryptStage::find_way(Packet& packet, const ViewedSa* sa,
                                     WorkerContext& context) noexcept {
  const net::IpAddress& peer = packet.key.destination;
  const Route& route = context.forwarding->lookup(peer, net::symmetric_flow_hash(packet.key));
  if (route.kind != RouteKind::Connected && route.kind != RouteKind::Gateway) {
    return drop<Next>(refusal_of(route.kind));
  }
  const auto& interfaces = context.configuration->interfaces;
  if (route.interface >= interfaces.size() || interfaces[route.interface].zone == kNoZone) {
    return drop<Next>(DropReason::EgressNoZone);
  }
  const EgressInterface& egress = interfaces[route.interface];
  // A tunnel whose peer lies behind a tunnel would not end.
  if (egress.tunnel) return drop<Next>(DropReason::NoRoute);
  packet.egress_interface = route.interface;
  const net::IpAddress& next_hop = route.next_hop(peer);
  const NeighbourTable& neighbours = context.forwarding->neighbours();
  const NeighbourIndex index = neighbours.find(route.interface, next_hop);
  net::MacAddress mac;
  if (index == kNoNeighbour || !neighbours.read(index, mac)) {
    const DropReason reason =
        wait_for_neighbour(packet, NeighbourKey{next_hop, route.interface}, context);
    return reason == DropReason::None ? forward_to(Next::Hold) : drop<Next>(reason);
  }
  neighbours.mark_used(index);
  if (sa == nullptr) {
    const uint16_t path = packet.largest_fragment;
    return leave(packet, egress, mac, path == 0 ? egress.mtu : std::min(path, egress.mtu), context);
  }
  sa->installed->way = {true, context.forwarding->generation(), context.configuration->epoch,
                        route.interface, index};
  return leave(packet, egress, mac, TunnelLimits::outer_mtu(*sa, egress), context);
}

Verdict<Next> EncryptStage::leave(Packet& packet, const EgressInterface& egress,
                                  const net::MacAddress& mac, uint16_t limit,
                                  WorkerContext& context) noexcept {
  const bool in_pieces = packet.network_length > limit;
  if (in_pieces) [[unlikely]] {
    if (packet.has(kPacketDontFragment)) return drop<Next>(DropReason::MtuExceeded);
    let_be_cut(packet, limit, context);
  }
  if (!write_link_header(packet, egress, mac)) return drop<Next>(DropReason::InternalError);
  if (!in_pieces) [[likely]]
    return forward_to(Next::Transmit);
  const DropReason refused = send_fragments(packet, limit, context);
  return refused == DropReason::None ? forward_to(Next::Hold) : drop<Next>(refused);
}

}  // namespace masugata::dataplane
