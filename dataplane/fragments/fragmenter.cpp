// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/fragments/fragmenter.h"

#include <algorithm>
#include <cstring>

#include "dataplane/fragments/buffer_chain.h"
#include "net/checksum.h"
#include "net/headers/ipv4.h"
#include "net/headers/ipv6.h"

namespace masugata::dataplane {
namespace {

using net::Protocol;

constexpr uint16_t kFragmentHeaderBytes = 8;
constexpr uint16_t kMoreFragmentsBit = 0x2000;
constexpr size_t kMaximumPrefixBytes = 320;  // link header and every header of a fragment

// The headers that begin fragments, link header included; two kinds for IPv4 options.
struct Prefix {
  std::array<uint8_t, kMaximumPrefixBytes> bytes;
  uint16_t length = 0;
};

struct Split {
  Prefix first;
  Prefix later;
  uint32_t data_offset = 0;  // from the start of the frame
  uint32_t data_bytes = 0;
  bool ipv4 = true;
  uint16_t original_field = 0;  // IPv4: flags and offset of the packet itself
};

bool starts_as_ipv4(const Packet& packet) noexcept { return (packet.network()[0] >> 4U) == 4; }

// RFC 791: options without the copy bit stand in the first fragment only. Returns the new length.
uint16_t copy_lasting_options(const uint8_t* options, uint16_t length, uint8_t* out) noexcept {
  uint16_t written = 0;
  uint16_t position = 0;
  while (position < length && options[position] != 0) {
    const uint8_t type = options[position];
    if (type == 1) {
      ++position;
      continue;
    }
    if (length - position < 2) break;
    const uint8_t option_length = options[position + 1];
    if (option_length < 2 || option_length > length - position) break;
    if ((type & 0x80U) != 0) {
      std::memcpy(out + written, options + position, option_length);
      written = static_cast<uint16_t>(written + option_length);
    }
    position = static_cast<uint16_t>(position + option_length);
  }
  while (written % 4 != 0) out[written++] = 0;
  return written;
}

bool split_ipv4(const Packet& packet, Split& split) noexcept {
  net::Ipv4View view;
  if (net::Ipv4View::parse(packet.network(), packet.network_length, view) !=
      net::Ipv4View::Malformed::No) {
    return false;
  }
  const uint16_t header = view.header_bytes();
  if (packet.mbuf().data_len < packet.link_length + header) return false;
  split.ipv4 = true;
  split.original_field = net::load_be16(packet.network() + 6).host();
  split.first.length = static_cast<uint16_t>(packet.link_length + header);
  std::memcpy(split.first.bytes.data(), packet.frame(), split.first.length);
  split.later = split.first;
  uint8_t* later = split.later.bytes.data() + packet.link_length;
  const uint16_t options =
      copy_lasting_options(packet.network() + net::kIpv4MinimumHeaderBytes,
                           static_cast<uint16_t>(header - net::kIpv4MinimumHeaderBytes),
                           later + net::kIpv4MinimumHeaderBytes);
  const auto later_header = static_cast<uint16_t>(net::kIpv4MinimumHeaderBytes + options);
  later[0] = static_cast<uint8_t>(0x40U | (later_header / 4U));
  split.later.length = static_cast<uint16_t>(packet.link_length + later_header);
  split.data_offset = split.first.length;
  split.data_bytes = uint32_t{packet.network_length} - header;
  return true;
}

// The part of an IPv6 packet that every fragment repeats: up to and including hop-by-hop options
// and a routing header (RFC 8200 section 4.5). 0 when it cannot be told.
uint16_t unfragmentable_bytes(const Packet& packet, uint16_t& named_at) noexcept {
  const uint8_t* network = packet.network();
  const size_t readable =
      std::min<size_t>(size_t{packet.mbuf().data_len} - packet.link_length, packet.network_length);
  size_t position = net::kIpv6HeaderBytes;
  size_t end = position;
  size_t name = 6;
  named_at = 6;
  for (unsigned count = 0; count < net::Ipv6Chain::kMaximumHeaders; ++count) {
    const auto header = static_cast<Protocol>(network[name]);
    const bool repeats = header == Protocol::HopByHop || header == Protocol::Ipv6Routing;
    if (!repeats && header != Protocol::Ipv6DestinationOptions) break;
    if (readable < position + 8) return 0;
    name = position;
    position += (network[position + 1] + size_t{1}) * 8;
    if (position > readable) return 0;
    if (repeats) {
      end = position;
      named_at = static_cast<uint16_t>(name);
    }
  }
  return static_cast<uint16_t>(end);
}

bool split_ipv6(const Packet& packet, Split& split) noexcept {
  net::Ipv6View view;
  if (!packet.has(kPacketWasReassembled) ||
      packet.mbuf().data_len < packet.link_length + net::kIpv6HeaderBytes ||
      net::Ipv6View::parse(packet.network(), packet.network_length, view) !=
          net::Ipv6View::Malformed::No) {
    return false;
  }
  uint16_t named_at = 6;
  const uint16_t repeated = unfragmentable_bytes(packet, named_at);
  const size_t prefix = size_t{packet.link_length} + repeated;
  if (repeated == 0 || prefix + kFragmentHeaderBytes > kMaximumPrefixBytes) return false;
  split.ipv4 = false;
  uint8_t* bytes = split.first.bytes.data();
  std::memcpy(bytes, packet.frame(), prefix);
  uint8_t* fragment = bytes + prefix;
  uint8_t* named = bytes + packet.link_length + named_at;
  fragment[0] = *named;
  *named = static_cast<uint8_t>(Protocol::Ipv6Fragment);
  fragment[1] = 0;
  net::store(fragment + 4, net::Be32::from_host(packet.fragment_identification));
  split.first.length = static_cast<uint16_t>(prefix + kFragmentHeaderBytes);
  split.later = split.first;
  split.data_offset = static_cast<uint32_t>(prefix);
  split.data_bytes = uint32_t{packet.network_length} - repeated;
  return true;
}

// Bytes of data that a fragment with this prefix carries when others follow.
uint32_t data_room(const Prefix& prefix, uint32_t frame_limit) noexcept {
  return frame_limit <= prefix.length ? 0 : (frame_limit - prefix.length) & ~uint32_t{7};
}

void write_ipv4_fields(uint8_t* header, const Split& split, uint16_t total, uint32_t offset,
                       bool more) noexcept {
  // A fragment is split further: its own offset and flag carry on.
  auto field = static_cast<uint16_t>(split.original_field + offset / 8U);
  if (more) field = static_cast<uint16_t>(field | kMoreFragmentsBit);
  net::store(header + 2, net::Be16::from_host(total));
  net::store(header + 6, net::Be16::from_host(field));
  net::store(header + 10, net::Be16{0});
  const size_t header_bytes = (header[0] & 0x0fU) * size_t{4};
  const uint16_t sum = net::checksum_fold(net::checksum_add(header, header_bytes));
  net::store(header + 10, net::Be16{static_cast<uint16_t>(~sum)});
}

void write_ipv6_fields(uint8_t* header, uint8_t* fragment, uint16_t total, uint32_t offset,
                       bool more) noexcept {
  net::store(header + 4,
             net::Be16::from_host(static_cast<uint16_t>(total - net::kIpv6HeaderBytes)));
  net::store(fragment + 2, net::Be16::from_host(static_cast<uint16_t>(offset | (more ? 1U : 0U))));
}

void write_fragment(const Packet& packet, const Split& split, uint32_t offset, uint32_t length,
                    rte_mbuf& out) noexcept {
  const Prefix& prefix = offset == 0 ? split.first : split.later;
  const bool more = offset + length < split.data_bytes;
  const rte_mbuf& original = packet.mbuf();
  out.port = original.port;
  out.vlan_tci = original.vlan_tci;
  out.ol_flags |= original.ol_flags & RTE_MBUF_F_TX_VLAN;
  out.data_len = static_cast<uint16_t>(prefix.length + length);
  out.pkt_len = out.data_len;
  auto* frame = rte_pktmbuf_mtod(&out, uint8_t*);
  std::memcpy(frame, prefix.bytes.data(), prefix.length);
  copy_from_chain(original, split.data_offset + offset, length, frame + prefix.length);

  Packet& piece = Packet::of(&out);
  piece = packet;
  piece.network_length = static_cast<uint16_t>(out.data_len - packet.link_length);
  piece.set(kPacketIsFragment);
  piece.transport_offset = prefix.length;
  piece.payload_offset = prefix.length;
  piece.payload_length = static_cast<uint16_t>(length);
  if (split.ipv4) {
    write_ipv4_fields(piece.network(), split, piece.network_length, offset, more);
  } else {
    write_ipv6_fields(piece.network(), frame + prefix.length - kFragmentHeaderBytes,
                      piece.network_length, offset, more);
  }
}

}  // namespace

FragmentationPlan plan_fragmentation(const Packet& packet, uint16_t mtu) noexcept {
  uint16_t limit = mtu;
  if (packet.has(kPacketWasReassembled) && packet.largest_fragment != 0) {
    limit = std::min(limit, packet.largest_fragment);
  }
  if (packet.network_length <= limit) return {FragmentationNeed::None, limit};
  const bool ipv4 = starts_as_ipv4(packet);
  const bool fragmentable = ipv4 ? (packet.network()[6] & 0x40U) == 0 : false;
  const bool sizes_chosen_by_sender = packet.has(kPacketWasReassembled) &&
                                      packet.largest_fragment != 0 &&
                                      packet.largest_fragment <= mtu;
  if (fragmentable || sizes_chosen_by_sender) return {FragmentationNeed::Fragment, limit};
  return {FragmentationNeed::TooBig, mtu};
}

DropReason fragment_packet(const Packet& packet, uint16_t limit, rte_mempool& pool,
                           FragmentList& out) noexcept {
  out.count = 0;
  const rte_mbuf& original = packet.mbuf();
  const uint32_t headers = packet.link_length;
  if (original.data_len < headers + net::kIpv4MinimumHeaderBytes ||
      original.pkt_len < headers + packet.network_length) {
    return DropReason::InternalError;
  }
  Split split;
  const bool readable =
      starts_as_ipv4(packet) ? split_ipv4(packet, split) : split_ipv6(packet, split);
  if (!readable) return DropReason::InternalError;

  const uint32_t buffer_room = rte_pktmbuf_data_room_size(&pool) - uint32_t{RTE_PKTMBUF_HEADROOM};
  const uint32_t frame_limit = std::min(headers + limit, buffer_room);
  const uint32_t first_room = data_room(split.first, frame_limit);
  const uint32_t later_room = data_room(split.later, frame_limit);
  if (first_room == 0 || later_room == 0) return DropReason::InternalError;
  const uint32_t rest = split.data_bytes > first_room ? split.data_bytes - first_room : 0;
  const uint32_t count = 1 + (rest + later_room - 1) / later_room;
  if (count > kMaximumFragments) return DropReason::FragmentTooMany;
  if (rte_pktmbuf_alloc_bulk(&pool, out.fragments.data(), count) != 0) {
    return DropReason::NoBuffer;
  }
  uint32_t offset = 0;
  for (uint32_t index = 0; index < count; ++index) {
    const uint32_t room = index == 0 ? first_room : later_room;
    const uint32_t length = std::min(room, split.data_bytes - offset);
    write_fragment(packet, split, offset, length, *out.fragments[index]);
    offset += length;
  }
  out.count = count;
  return DropReason::None;
}

}  // namespace masugata::dataplane
