// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/nat/icmp_error.h"

#include <algorithm>
#include <cstring>

#include "dataplane/nat/rewrite.h"
#include "dataplane/nat/transport_fields.h"
#include "net/checksum.h"
#include "net/headers/quoted_packet.h"

namespace masugata::dataplane {

namespace {

constexpr size_t kIcmpHeaderBytes = 8;
constexpr size_t kIpv4HeaderBytes = 20;
constexpr size_t kIpv6HeaderBytes = 40;
constexpr size_t kTcpBytesUpToChecksum = kTcpChecksumOffset + 2;

bool is_error_type(net::Family family, uint8_t type) noexcept {
  if (family == net::Family::Ipv6) return type >= 1 && type < 128;  // RFC 4443 section 2.1
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

bool has_readable_shape(std::span<const uint8_t> packet, size_t icmp_offset,
                        net::Family family) noexcept {
  const size_t header = family == net::Family::Ipv4 ? kIpv4HeaderBytes : kIpv6HeaderBytes;
  if (icmp_offset < header || icmp_offset > packet.size()) return false;
  if (packet.size() - icmp_offset < kIcmpHeaderBytes) return false;
  if (packet[0] >> 4U != static_cast<unsigned>(family)) return false;
  return is_error_type(family, packet[icmp_offset]);
}

void translate_quote(uint8_t* quote, size_t length, const net::QuotedPacket& parsed,
                     const IcmpErrorTranslation& keys) noexcept {
  const ChecksumDeltas deltas = checksum_deltas(keys.quoted_on_wire, keys.quoted_original);
  uint8_t* const transport = quote + parsed.transport_offset;
  const size_t transport_bytes = length - parsed.transport_offset;
  const bool tcp_cut_short =
      parsed.key.protocol == net::Protocol::Tcp && transport_bytes < kTcpBytesUpToChecksum;
  // Everything but a TCP checksum lies in the eight bytes that parse() has seen.
  apply_rewrite(keys.quoted_original, deltas, quote, tcp_cut_short ? nullptr : transport);
  if (tcp_cut_short) write_transport_ports(keys.quoted_original, transport);
}

// Sum of the two addresses of an IP header: in the pseudo header of ICMPv6, and what the IPv4
// header checksum must follow.
uint64_t outer_address_sum(const uint8_t* network, net::Family family) noexcept {
  return family == net::Family::Ipv4 ? net::checksum_add(network + 12, 8)
                                     : net::checksum_add(network + 8, 32);
}

void write_outer_addresses(uint8_t* network, net::Family family,
                           const IcmpErrorTranslation& keys) noexcept {
  const bool from_destination =
      family == net::Family::Ipv4
          ? keys.quoted_on_wire.destination == net::IpAddress::from_v4(net::load_be32(network + 12))
          : keys.quoted_on_wire.destination == net::IpAddress::from_v6(network + 8);
  if (family == net::Family::Ipv4) {
    if (from_destination) net::store(network + 12, keys.quoted_original.destination.v4());
    net::store(network + 16, keys.quoted_original.source.v4());
    return;
  }
  if (from_destination) {
    std::memcpy(network + 8, keys.quoted_original.destination.bytes.data(), 16);
  }
  std::memcpy(network + 24, keys.quoted_original.source.bytes.data(), 16);
}

}  // namespace

IcmpErrorOutcome translate_icmp_error(std::span<uint8_t> packet, size_t icmp_offset,
                                      const IcmpErrorTranslation& keys) noexcept {
  const net::Family family = keys.quoted_original.family();
  if (packet.empty() || keys.quoted_on_wire.family() != family ||
      !has_readable_shape(packet, icmp_offset, family)) {
    return IcmpErrorOutcome::Malformed;
  }
  uint8_t* const network = packet.data();
  uint8_t* const icmp = network + icmp_offset;
  uint8_t* const quote = icmp + kIcmpHeaderBytes;
  const size_t quote_bytes = packet.size() - icmp_offset - kIcmpHeaderBytes;
  net::QuotedPacket parsed;
  if (!net::QuotedPacket::parse(family, quote, quote_bytes, parsed)) {
    return IcmpErrorOutcome::Malformed;
  }
  if (!(parsed.key == keys.quoted_on_wire)) return IcmpErrorOutcome::Mismatch;

  // The part of the quote that may change; it starts at an even offset of the ICMP message and
  // only a message that ends with it may make its length odd.
  const size_t changed_bytes =
      std::min(quote_bytes, size_t{parsed.transport_offset} + kTcpBytesUpToChecksum);
  const uint64_t quote_before = net::checksum_add(quote, changed_bytes);
  const uint64_t outer_before = outer_address_sum(network, family);
  translate_quote(quote, quote_bytes, parsed, keys);
  write_outer_addresses(network, family, keys);
  const uint64_t quote_after = net::checksum_add(quote, changed_bytes);
  const uint64_t outer_after = outer_address_sum(network, family);

  adjust_checksum(icmp + kIcmpChecksumOffset, net::checksum_delta(quote_before, quote_after));
  uint8_t* const outer_field =
      family == net::Family::Ipv4 ? network + kIpv4ChecksumOffset : icmp + kIcmpChecksumOffset;
  adjust_checksum(outer_field, net::checksum_delta(outer_before, outer_after));
  return IcmpErrorOutcome::Translated;
}

}  // namespace masugata::dataplane
