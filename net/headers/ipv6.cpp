// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/headers/ipv6.h"

#include <algorithm>

namespace masugata::net {
namespace {

using Outcome = Ipv6Chain::Outcome;

// Options of a hop-by-hop or destination header (RFC 8200 section 4.2). `length` counts the bytes
// behind the header's first two.
Outcome check_options(const uint8_t* option, uint32_t length) noexcept {
  uint32_t position = 0;
  while (position < length) {
    const uint8_t type = option[position];
    if (type == 0) {  // Pad1
      ++position;
      continue;
    }
    if (length - position < 2) return Outcome::Malformed;
    const uint32_t option_length = option[position + 1] + 2U;
    if (option_length > length - position) return Outcome::Malformed;
    const bool known = type == 1 || type == 5;  // PadN, router alert (RFC 2711)
    // The two high bits say what a node does with an option it does not know; 00 = skip.
    if (!known && (type & 0xc0U) != 0) return Outcome::UnknownOption;
    position += option_length;
  }
  return Outcome::UpperLayer;
}

struct Step {
  Outcome outcome;
  uint32_t length;  // of the header that was passed
};

Step pass_header(Protocol header, const uint8_t* bytes, uint32_t available) noexcept {
  if (available < 8) return {Outcome::Malformed, 0};
  if (header == Protocol::Ipv6Fragment) {
    const bool atomic = (load_be16(bytes + 2).host() & 0xfff9U) == 0;
    return {atomic ? Outcome::UpperLayer : Outcome::Fragment, 8};
  }
  const uint32_t length = (bytes[1] + 1U) * 8U;
  if (length > available) return {Outcome::Malformed, 0};
  if (header == Protocol::Ipv6Routing) {
    return {bytes[3] != 0 ? Outcome::RoutingHeader : Outcome::UpperLayer, length};
  }
  return {check_options(bytes + 2, length - 2), length};
}

bool is_extension(Protocol protocol) noexcept {
  return protocol == Protocol::HopByHop || protocol == Protocol::Ipv6Routing ||
         protocol == Protocol::Ipv6Fragment || protocol == Protocol::Ipv6DestinationOptions;
}

}  // namespace

Ipv6Chain Ipv6Chain::walk(const Ipv6View& view, size_t readable) noexcept {
  Ipv6Chain chain;
  const auto total = static_cast<uint32_t>(std::min<size_t>(view.total_length(), readable));
  uint32_t offset = kIpv6HeaderBytes;
  Protocol current = view.next_header();
  unsigned seen_hop_by_hop = 0;
  unsigned seen_routing = 0;
  unsigned seen_fragment = 0;
  for (unsigned count = 0; is_extension(current); ++count) {
    chain.has_extensions = true;
    if (count == kMaximumHeaders) {
      chain.outcome = Outcome::TooMany;
      return chain;
    }
    // RFC 8200 section 4.1: each once and hop-by-hop first; destination options may repeat, within
    // the bound on all headers.
    const bool out_of_order =
        (current == Protocol::HopByHop && (seen_hop_by_hop++ || count != 0)) ||
        (current == Protocol::Ipv6Routing && seen_routing++) ||
        (current == Protocol::Ipv6Fragment && seen_fragment++);
    if (out_of_order) {
      chain.outcome = Outcome::BadOrder;
      return chain;
    }
    const Step step = pass_header(current, view.bytes() + offset, total - offset);
    if (step.outcome != Outcome::UpperLayer) {
      chain.outcome = step.outcome;
      chain.protocol = current;
      chain.offset = static_cast<uint16_t>(offset);
      return chain;
    }
    chain.next_header_offset = static_cast<uint16_t>(offset);
    current = static_cast<Protocol>(view.bytes()[offset]);
    offset += step.length;
  }
  chain.outcome = Outcome::UpperLayer;
  chain.protocol = current;
  chain.offset = static_cast<uint16_t>(offset);
  return chain;
}

}  // namespace masugata::net
