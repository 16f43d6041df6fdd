// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/stages/decrypt/decrypt_stage.h"

#include <new>

#include "dataplane/ipsec/esp_drop_reason.h"
#include "dataplane/ipsec/ipsec_gate.h"
#include "dataplane/ipsec/selector_facts.h"
#include "dataplane/pipeline/worker_messages.h"
#include "dataplane/stages/decode/decode_stage.h"
#include "dataplane/stages/decode/frame_decoder.h"
#include "dataplane/stages/decrypt/outer_error.h"
#include "ipsec/esp/udp_demultiplex.h"

namespace masugata::dataplane {
namespace {

using Next = DecryptStage::Next;

constexpr uint16_t kUdpHeaderBytes = 8;
constexpr uint16_t kSpiBytes = 4;

bool is_in_udp(const Packet& packet) noexcept { return packet.key.protocol == net::Protocol::Udp; }

// Of a UDP packet, as much as lies in the first buffer.
std::span<const uint8_t> payload_of(const Packet& packet) noexcept {
  const size_t readable = packet.mbuf().data_len;
  if (packet.payload_offset >= readable) return {};
  const size_t length = std::min<size_t>(packet.payload_length, readable - packet.payload_offset);
  return {packet.frame() + packet.payload_offset, length};
}

// From the IP header to the ESP header.
uint16_t esp_offset_of(const Packet& packet) noexcept {
  const auto transport = static_cast<uint16_t>(packet.transport_offset - packet.link_length);
  return static_cast<uint16_t>(transport + (is_in_udp(packet) ? kUdpHeaderBytes : 0));
}

// Inner source and destination must be of the networks that were agreed on.
bool fits(const InstalledSa& sa, const SelectorFacts& facts) noexcept {
  const auto any = [&facts](const ipsec::TrafficSelectors& selectors, const net::IpAddress& address,
                            uint16_t port) {
    for (const ipsec::TrafficSelector& selector : selectors) {
      if (selects(selector, address, facts.protocol, facts.has_ports, port)) return true;
    }
    return false;
  };
  return any(sa.remote_selectors, facts.source, facts.source_port) &&
         any(sa.local_selectors, facts.destination, facts.destination_port);
}

// A NAT on the way may give the peer another address at any time; only authentic packets count.
void follow_mapping(const Packet& packet, const ViewedSa& sa, WorkerContext& context) noexcept {
  if (!sa.outer.udp.enabled()) return;
  const uint16_t port = packet.key.source_port.host();
  if (packet.key.source == sa.outer.remote && port == sa.outer.udp.remote_port) return;
  context.ipsec->note_mapping(*sa.installed, packet.key.source, port, context.now_us / 1000);
}

}  // namespace

bool DecryptStage::ends_here(const Packet& packet, const WorkerContext& context) noexcept {
  if (context.ipsec == nullptr || context.ipsec->view() == nullptr) return false;
  if (packet.has(kPacketFromKernel)) return false;
  if (packet.has(kPacketIsIcmpError)) return about_outer_packet(packet).has_value();
  const bool ike = is_in_udp(packet) && ipsec::classify_udp_encapsulation(payload_of(packet)) ==
                                            ipsec::UdpEncapsulated::Ike;
  if (ike) return false;
  return context.forwarding->lookup(packet.key.destination, 0).kind == RouteKind::Local;
}

DecryptStage::Finding DecryptStage::find(Packet& packet, WorkerContext& context) noexcept {
  Finding finding;
  const IpsecView* view = context.ipsec->view();
  rte_mbuf& mbuf = packet.mbuf();
  if (packet.has(kPacketIsIcmpError)) {
    finding.refused = take_error(packet, context);
    return finding;
  }
  if (is_in_udp(packet)) {
    const auto kind = ipsec::classify_udp_encapsulation(payload_of(packet));
    if (kind == ipsec::UdpEncapsulated::KeepAlive) finding.refused = DropReason::IpsecKeepAlive;
    if (kind == ipsec::UdpEncapsulated::Malformed) finding.refused = DropReason::IpsecMalformed;
    if (finding.refused != DropReason::None) return finding;
  }
  const uint16_t offset = esp_offset_of(packet);
  if (view == nullptr || packet.link_length + offset + kSpiBytes > mbuf.data_len) {
    finding.refused = view == nullptr ? DropReason::IpsecUnknownSpi : DropReason::IpsecMalformed;
    return finding;
  }
  finding.spi = ipsec::spi_of(packet.network() + offset);
  finding.sa = view->find_inbound(finding.spi);
  if (finding.sa == kNoSa) [[unlikely]] {
    find_promise(packet, context, finding);
    return finding;
  }
  const ViewedSa& sa = view->sas[finding.sa];
  // An SA is for one address of ours, and for ESP the way that was agreed on (RFC 4301
  // section 4.1).
  if (sa.outer.local != packet.key.destination || sa.outer.udp.enabled() != is_in_udp(packet)) {
    finding.refused = DropReason::IpsecUnknownSpi;
    return finding;
  }
  finding.owner = sa.installed->owner;
  finding.elsewhere = finding.owner != context.worker;
  if (finding.elsewhere) return finding;
  // Reassembled packets lie in several buffers.
  if (mbuf.nb_segs > 1) [[unlikely]] {
    finding.large = true;
    return finding;
  }
  ipsec::EspPacket& esp = burst_[burst_count_];
  esp = {};
  esp.data = packet.network();
  esp.length = packet.network_length;
  esp.sa = sa.installed->sa.get();
  esp.esp_offset = offset;
  finding.place = burst_count_++;
  return finding;
}

void DecryptStage::find_promise(const Packet& packet, const WorkerContext& context,
                                Finding& finding) const noexcept {
  const PromisedSpis* promised = context.ipsec->view()->promised;
  if (!promised->holds(finding.spi, packet.key.destination, packet.key.source)) {
    finding.refused = DropReason::IpsecUnknownSpi;
    return;
  }
  finding.owner = sa_owner_of(finding.spi.host(), context.worker_count);
  finding.elsewhere = finding.owner != context.worker;
  finding.early = !finding.elsewhere;
}

void DecryptStage::decrypt_large(Packet& packet, Finding& finding,
                                 WorkerContext& context) noexcept {
  const ViewedSa& sa = context.ipsec->view()->sas[finding.sa];
  ipsec::EspPacket& esp = burst_[burst_count_];
  esp = context.ipsec->large().copy(packet, packet.network_length);
  esp.sa = sa.installed->sa.get();
  esp.esp_offset = esp_offset_of(packet);
  context.ipsec->esp().decapsulate({&esp, 1}, context.now_us / 1000);
  if (esp.refusal == ipsec::EspRefusal::None &&
      !LargePackets::put_back(esp, packet, *context.packet_pool)) {
    finding.refused = DropReason::NoBuffer;
    return;
  }
  finding.place = burst_count_++;
}

void DecryptStage::prepare(std::span<Packet* const> batch, WorkerContext& context) noexcept {
  burst_count_ = 0;
  next_ = 0;
  bool any_large = false;
  for (size_t i = 0; i < batch.size(); ++i) {
    findings_[i] = find(*batch[i], context);
    any_large |= findings_[i].large;
  }
  if (burst_count_ != 0) {
    context.ipsec->esp().decapsulate({burst_.data(), burst_count_}, context.now_us / 1000);
  }
  if (!any_large) [[likely]]
    return;
  for (size_t i = 0; i < batch.size(); ++i) {
    if (findings_[i].large) decrypt_large(*batch[i], findings_[i], context);
  }
}

Verdict<Next> DecryptStage::decide(Packet& packet, WorkerContext& context) noexcept {
  const Finding& finding = findings_[next_++];
  if (finding.refused != DropReason::None) return drop<Next>(finding.refused);
  if (finding.elsewhere) {
    packet.set(kPacketToDecrypt);
    return hand_over(packet, finding.owner, context) ? forward_to(Next::Hold)
                                                     : drop<Next>(DropReason::HandoverQueueFull);
  }
  if (finding.early) [[unlikely]] {
    return context.ipsec->early().keep(packet, finding.spi, context.now_ms)
               ? forward_to(Next::Hold)
               : drop<Next>(DropReason::IpsecEarly);
  }
  const ViewedSa& sa = context.ipsec->view()->sas[finding.sa];
  const ipsec::EspPacket& opened = burst_[finding.place];
  if (opened.refusal != ipsec::EspRefusal::None) {
    return drop<Next>(drop_reason_of(opened.refusal));
  }
  follow_mapping(packet, sa, context);
  return reenter(packet, sa, opened, context);
}

Verdict<Next> DecryptStage::reenter(Packet& packet, const ViewedSa& sa,
                                    const ipsec::EspPacket& opened,
                                    WorkerContext& context) noexcept {
  rte_mbuf& mbuf = packet.mbuf();
  const bool in_one = mbuf.nb_segs == 1;
  // Headers are in the first buffer.
  const std::span<const uint8_t> inner(opened.data, in_one ? opened.length : mbuf.data_len);
  if (!fits(*sa.installed, read_selector_facts(inner))) {
    sa.installed->selector_mismatches.add(1);
    return drop<Next>(DropReason::IpsecSelector);
  }
  const InterfaceIndex tunnel = sa.installed->tunnel;
  if (context.ipsec->view()->probe.serial != 0 && context.ipsec->take_probe_answer(tunnel, inner))
      [[unlikely]] {
    return drop<Next>(DropReason::IpsecProbe);
  }
  if (tunnel >= context.configuration->interfaces.size() ||
      context.configuration->interfaces[tunnel].zone == kNoZone) {
    return drop<Next>(DropReason::InterfaceDisabled);
  }
  // The outer headers leave room for a link header, which the kernel's twin and answers want.
  uint8_t* frame = opened.data - net::kEthernetHeaderBytes;
  const auto length = static_cast<uint32_t>(net::kEthernetHeaderBytes + opened.length);
  const auto readable = static_cast<uint16_t>(net::kEthernetHeaderBytes + inner.size());
  mbuf.data_off = static_cast<uint16_t>(frame - static_cast<uint8_t*>(mbuf.buf_addr));
  mbuf.data_len = readable;
  mbuf.pkt_len = length;
  mbuf.ol_flags = 0;
  const EgressInterface& interface = context.configuration->interfaces[tunnel];
  const net::EtherType type =
      (opened.data[0] >> 4U) == 4 ? net::EtherType::Ipv4 : net::EtherType::Ipv6;
  std::memcpy(frame, interface.mac.bytes.data(), 6);
  std::memcpy(frame + 6, interface.mac.bytes.data(), 6);
  net::store(frame + 12, net::Be16::from_host(static_cast<uint16_t>(type)));

  const uint16_t port = packet.ingress_port;
  const uint32_t received_ms = packet.received_ms;
  new (&packet) Packet();
  packet.ingress_port = port;
  packet.received_ms = received_ms;
  packet.ingress_interface = tunnel;
  packet.ingress_zone = interface.zone;
  packet.link_length = net::kEthernetHeaderBytes;
  InterfaceCounters& counters = context.configuration_counters().interfaces[tunnel];
  counters.received_packets.add(1);
  counters.received_bytes.add(opened.length);
  const Verdict<FrameKind> decoded =
      decode_network(type, FrameBytes{frame, readable, length}, ReceiveChecks{}, packet);
  const Verdict<DecodeStage::Next> sorted =
      DecodeStage::sort(packet, decoded, ReceiveChecks{}, context);
  switch (sorted.next) {
    case DecodeStage::Next::Track:
      return forward_to(Next::Track);
    case DecodeStage::Next::Defragment:
      return forward_to(Next::Defragment);
    case DecodeStage::Next::Drop:
      return drop<Next>(sorted.reason);
    default:
      // Discovery of neighbours, multicast and ESP inside of ESP have no place in a tunnel.
      return drop<Next>(DropReason::IpsecInner);
  }
}

}  // namespace masugata::dataplane
