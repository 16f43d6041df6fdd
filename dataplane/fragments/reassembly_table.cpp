// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/fragments/reassembly_table.h"

#include <algorithm>
#include <cstring>

#include "dataplane/fragments/buffer_chain.h"
#include "dataplane/fragments/fragment_facts.h"
#include "net/checksum.h"
#include "net/headers/ipv6.h"

namespace masugata::dataplane {
namespace {

constexpr uint32_t kMaximumDatagramBytes = 65535;
constexpr uint16_t kFragmentHeaderBytes = 8;
constexpr uint16_t kDontFragmentBit = 0x4000;

FragmentFacts facts_of(const Packet& packet) noexcept {
  const rte_mbuf& head = packet.mbuf();
  if (head.data_len <= packet.link_length ||
      head.pkt_len < uint32_t{packet.link_length} + packet.network_length) {
    FragmentFacts facts;
    facts.problem = DropReason::InternalError;
    return facts;
  }
  const size_t readable =
      std::min<size_t>(size_t{head.data_len} - packet.link_length, packet.network_length);
  return parse_fragment(packet.network(), packet.network_length, readable);
}

void clean_ipv4_header(Packet& packet, const FragmentFacts& facts, uint32_t data_bytes,
                       bool congestion) noexcept {
  uint8_t* header = packet.network();
  packet.network_length = static_cast<uint16_t>(facts.data_offset + data_bytes);
  net::store(header + 2, net::Be16::from_host(packet.network_length));
  const auto kept = static_cast<uint16_t>(net::load_be16(header + 6).host() & kDontFragmentBit);
  net::store(header + 6, net::Be16::from_host(kept));
  if (congestion) header[1] = static_cast<uint8_t>(header[1] | 0x03U);
  net::store(header + 10, net::Be16{0});
  const uint16_t sum = net::checksum_fold(net::checksum_add(header, facts.data_offset));
  net::store(header + 10, net::Be16{static_cast<uint16_t>(~sum)});
}

void clean_ipv6_header(Packet& packet, const FragmentFacts& facts, uint32_t data_bytes,
                       bool congestion) noexcept {
  uint8_t* frame = packet.frame();
  packet.network()[facts.next_header_offset] = static_cast<uint8_t>(facts.protocol);
  std::memmove(frame + kFragmentHeaderBytes, frame,
               size_t{packet.link_length} + facts.fragment_header_offset);
  rte_pktmbuf_adj(&packet.mbuf(), kFragmentHeaderBytes);
  uint8_t* header = packet.network();
  packet.network_length = static_cast<uint16_t>(facts.fragment_header_offset + data_bytes);
  const auto payload = static_cast<uint16_t>(packet.network_length - net::kIpv6HeaderBytes);
  net::store(header + 4, net::Be16::from_host(payload));
  if (congestion) header[1] = static_cast<uint8_t>(header[1] | 0x30U);
}

void clean_header(Packet& packet, const FragmentFacts& facts, uint32_t data_bytes,
                  bool congestion) noexcept {
  packet.fragment_identification = facts.identification;
  if (facts.fragment_header_offset != 0) {
    clean_ipv6_header(packet, facts, data_bytes, congestion);
  } else {
    clean_ipv4_header(packet, facts, data_bytes, congestion);
  }
}

Packet& packet_of(void* handle) noexcept { return *static_cast<Packet*>(handle); }

}  // namespace

ReassemblyTable::ReassemblyTable(const ReassemblyLimits& limits, const net::HashSecret& secret)
    : index_(limits, secret) {}

ReassemblyTable::~ReassemblyTable() {
  for (uint32_t datagram = index_.oldest(); datagram != kNoDatagram; datagram = index_.oldest()) {
    free_fragments(datagram);
    index_.erase(datagram);
  }
}

ReassemblyTable::Offer ReassemblyTable::refuse(Packet& packet, DropReason reason) const noexcept {
  return {Offer::Outcome::Refused, reason, &packet, 0};
}

uint16_t ReassemblyTable::free_fragments(uint32_t datagram) noexcept {
  uint16_t freed = 0;
  while (void* handle = index_.take_fragment(datagram)) {
    rte_pktmbuf_free(&packet_of(handle).mbuf());
    ++freed;
  }
  return freed;
}

ReassemblyTable::Offer ReassemblyTable::void_datagram(Packet& packet, uint32_t datagram,
                                                      DropReason reason) noexcept {
  ++counters_.discarded;
  Offer offer = refuse(packet, reason);
  offer.discarded_fragments = free_fragments(datagram);
  return offer;
}

ReassemblyTable::Offer ReassemblyTable::offer(Packet& packet, uint32_t now_ms) noexcept {
  ++counters_.fragments;
  const FragmentFacts facts = facts_of(packet);
  if (facts.problem != DropReason::None) return refuse(packet, facts.problem);
  if (!facts.is_fragment) return refuse(packet, DropReason::InternalError);
  trim_chain(packet.mbuf(), uint32_t{packet.link_length} + packet.network_length);
  if (facts.atomic()) {
    packet.largest_fragment = packet.network_length;
    clean_header(packet, facts, facts.data_length, false);
    return finish(packet);
  }
  packet.payload_offset = static_cast<uint16_t>(packet.link_length + facts.data_offset);
  packet.payload_length = facts.data_length;

  FragmentArrival arrival;
  arrival.datagram = facts.datagram;
  arrival.datagram.domain = packet.ingress_interface;
  arrival.handle = &packet;
  arrival.offset = facts.offset;
  arrival.length = facts.data_length;
  arrival.network_length = packet.network_length;
  arrival.congestion = facts.congestion;
  arrival.more = facts.more;
  const FragmentIndex::Offer answer = index_.offer(arrival, now_ms);
  switch (answer.outcome) {
    case FragmentIndex::Outcome::Held:
      return {Offer::Outcome::Held, DropReason::None, nullptr, 0};
    case FragmentIndex::Outcome::Completed:
      return complete(answer.datagram);
    case FragmentIndex::Outcome::Refused:
      return refuse(packet, answer.reason);
    case FragmentIndex::Outcome::Discarded:
      return void_datagram(packet, answer.datagram, answer.reason);
    case FragmentIndex::Outcome::Duplicate:
      break;
  }
  const Packet& held = packet_of(answer.existing);
  if (!equal_in_chains(packet.mbuf(), packet.payload_offset, held.mbuf(), held.payload_offset,
                       packet.payload_length)) {
    index_.discard(answer.datagram, DropReason::FragmentOverlap);
    return void_datagram(packet, answer.datagram, DropReason::FragmentOverlap);
  }
  ++counters_.duplicates;
  return refuse(packet, DropReason::FragmentDuplicate);
}

ReassemblyTable::Offer ReassemblyTable::complete(uint32_t datagram) noexcept {
  const uint32_t data_bytes = index_.total_length(datagram);
  const bool congestion = index_.congestion_experienced(datagram);
  const uint16_t largest = index_.largest_fragment(datagram);
  Packet& packet = packet_of(index_.take_fragment(datagram));
  rte_mbuf& head = packet.mbuf();
  rte_mbuf* tail = rte_pktmbuf_lastseg(&head);
  while (void* handle = index_.take_fragment(datagram)) {
    const Packet& fragment = packet_of(handle);
    rte_mbuf* more = static_cast<rte_mbuf*>(&packet_of(handle).mbuf());
    rte_pktmbuf_adj(more, fragment.payload_offset);
    tail = join_chains(head, tail, more);
  }
  index_.erase(datagram);
  const FragmentFacts facts = facts_of(packet);
  // The first fragment may have a longer header than the others, by which they were judged.
  const uint32_t header_bytes =
      facts.fragment_header_offset != 0 ? facts.fragment_header_offset : facts.data_offset;
  if (header_bytes + data_bytes > kMaximumDatagramBytes) {
    return refuse(packet, DropReason::FragmentTooLarge);
  }
  packet.largest_fragment = largest;
  clean_header(packet, facts, data_bytes, congestion);
  return finish(packet);
}

ReassemblyTable::Offer ReassemblyTable::finish(Packet& packet) noexcept {
  packet.clear(kPacketIsFragment);
  packet.set(kPacketWasReassembled);
  packet.payload_offset = 0;
  packet.payload_length = 0;
  const DropReason wrong = verify_chained_checksum(packet);
  if (wrong != DropReason::None) return refuse(packet, wrong);
  rte_mbuf& head = packet.mbuf();
  head.ol_flags &= ~(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
  head.ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
  ++counters_.completed;
  return {Offer::Outcome::Completed, DropReason::None, &packet, 0};
}

ReassemblyTable::Expired ReassemblyTable::expire(uint32_t now_ms, uint32_t max_datagrams) noexcept {
  Expired expired;
  while (expired.datagrams < max_datagrams && expired.first_count < kMaximumExpiredFirstFragments) {
    const uint32_t datagram = index_.oldest_expired(now_ms);
    if (datagram == kNoDatagram) break;
    if (!index_.discarded(datagram)) ++counters_.timed_out;
    if (index_.holds_first(datagram)) {
      expired.first_fragments[expired.first_count++] = &packet_of(index_.take_fragment(datagram));
    }
    expired.freed_fragments += free_fragments(datagram);
    index_.erase(datagram);
    ++expired.datagrams;
  }
  return expired;
}

}  // namespace masugata::dataplane
