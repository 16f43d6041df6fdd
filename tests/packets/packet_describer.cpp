// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/packet_describer.h"

#include <algorithm>

#include "tests/packets/byte_reader.h"
#include "tests/packets/layer_schema.h"
#include "tests/packets/transport_describer.h"
#include "tests/packets/wire_checksum.h"

namespace masugata::test {
namespace {

using Span = std::span<const uint8_t>;

void set_number(Layer& layer, std::string_view name, uint64_t value, bool implied = false) {
  layer.set(name, std::to_string(value), implied);
}

AddressBytes address_at(Span bytes, size_t offset, size_t size) {
  AddressBytes address;
  address.size = size;
  std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(offset), size, address.bytes.begin());
  return address;
}

void append_sized(LayerKind kind, uint64_t size, Recipe& recipe) {
  Layer layer{kind, {}, {}};
  set_number(layer, "size", size);
  recipe.layers.push_back(std::move(layer));
}

// The bytes that the IP header's length claims, and what is wrong with the claim.
struct Claim {
  Span content;
  bool truncated = false;  // claims more than there is
  bool believed = false;   // the builder would write the same number
  size_t padding = 0;
};

Claim judge_length(Span rest, size_t header_length, uint64_t claimed_total) {
  Claim claim;
  if (claimed_total > rest.size()) {
    claim.truncated = true;
    claim.content = rest.subspan(header_length);
  } else if (claimed_total < header_length) {
    claim.content = rest.subspan(header_length);
  } else {
    claim.content = rest.subspan(header_length, claimed_total - header_length);
    claim.padding = rest.size() - claimed_total;
    claim.believed = true;
  }
  return claim;
}

// What follows the packet in the frame; `bytes` is the frame from the IP header on.
void append_padding(Span bytes, size_t padding, Recipe& recipe) {
  if (padding == 0) return;
  append_sized(LayerKind::Padding, padding, recipe);
  const Span tail = bytes.last(padding);
  if (std::all_of(tail.begin(), tail.end(), [](uint8_t byte) { return byte == 0; })) return;
  recipe.layers.back().set("bytes", to_hex(tail.data(), tail.size()));
}

void dissect_ipv4(Span bytes, Dissection& out) {
  const size_t header_length = bytes.size() >= 20 ? (bytes[0] & 15U) * 4U : 0;
  if (header_length < 20 || header_length > bytes.size()) return append_raw(bytes, out.recipe);
  Layer layer{LayerKind::Ipv4, {}, {}};
  const PacketEnds ends{address_at(bytes, 12, 4), address_at(bytes, 16, 4)};
  layer.set("source", address_text(ends.source.bytes.data(), 4));
  layer.set("destination", address_text(ends.destination.bytes.data(), 4));
  const Claim claim = judge_length(bytes, header_length, read_u16(bytes, 2));
  const uint64_t flags = read_u16(bytes, 6);
  const uint64_t protocol = bytes[9];
  set_number(layer, "version", 4, true);
  set_number(layer, "header-words", header_length / 4, true);
  set_number(layer, "tos", bytes[1], bytes[1] == 0);
  set_number(layer, "total-length", read_u16(bytes, 2), claim.believed);
  set_number(layer, "ttl", bytes[8]);
  set_number(layer, "id", read_u16(bytes, 4));
  if ((flags & 0x8000U) != 0) layer.set("reserved-flag", std::string(kFlagValue));
  if ((flags & 0x4000U) != 0) layer.set("df", std::string(kFlagValue));
  if ((flags & 0x2000U) != 0) layer.set("more", std::string(kFlagValue));
  set_number(layer, "offset", (flags & 0x1fffU) * 8, (flags & 0x1fffU) == 0);
  set_number(layer, "protocol", protocol);
  if (header_length > 20) layer.set("options", to_hex(bytes.data() + 20, header_length - 20));
  const uint64_t found = read_u16(bytes, 10);
  const uint64_t right = header_checksum(bytes.first(header_length), 10);
  set_number(layer, "checksum", found, found == right);
  if (found != right) {
    out.defects.push_back("ipv4 checksum " + std::to_string(found) + " is wrong, " +
                          std::to_string(right) + " is right");
  }
  out.recipe.layers.push_back(std::move(layer));
  if ((flags & 0x3fffU) != 0) {
    append_payload(claim.content, out.recipe);
  } else {
    dissect_transport(claim.content, protocol, ends, !claim.truncated, out);
  }
  if (claim.truncated) append_sized(LayerKind::Truncate, bytes.size(), out.recipe);
  append_padding(bytes, claim.padding, out.recipe);
}

struct ExtensionResult {
  uint64_t next = 59;
  bool fragment = false;
  bool readable = false;
};

// Reads the extension header at the front of `content` and removes it from there.
ExtensionResult dissect_extension(uint64_t kind_number, Span& content, Recipe& recipe) {
  ExtensionResult result;
  const bool fragment = kind_number == 44;
  const size_t length = fragment ? 8 : content.size() >= 2 ? (content[1] + 1U) * 8U : SIZE_MAX;
  if (content.size() < length) return result;
  Layer layer{fragment            ? LayerKind::Fragment
              : kind_number == 0  ? LayerKind::HopByHop
              : kind_number == 43 ? LayerKind::Routing
                                  : LayerKind::DestinationOptions,
              {},
              {}};
  result = {content[0], fragment, true};
  set_number(layer, "next-header", content[0]);
  if (fragment) {
    set_number(layer, "offset", read_u16(content, 2) & 0xfff8U);
    if ((content[3] & 1U) != 0) layer.set("more", std::string(kFlagValue));
    set_number(layer, "id", read_u32(content, 4));
    const uint64_t reserved = static_cast<uint64_t>(content[1]) << 2U | (content[3] >> 1U & 3U);
    set_number(layer, "reserved-bits", reserved, reserved == 0);
  } else {
    set_number(layer, "length-units", content[1], true);
    const size_t skip = kind_number == 43 ? 4 : 2;
    if (kind_number == 43) {
      set_number(layer, "type", content[2]);
      set_number(layer, "segments-left", content[3]);
    }
    layer.set(kind_number == 43 ? "data" : "options", to_hex(content.data() + skip, length - skip));
  }
  recipe.layers.push_back(std::move(layer));
  content = content.subspan(length);
  return result;
}

bool is_extension(uint64_t number) {
  return number == 0 || number == 43 || number == 44 || number == 60;
}

void dissect_ipv6(Span bytes, Dissection& out) {
  if (bytes.size() < 40) return append_raw(bytes, out.recipe);
  Layer layer{LayerKind::Ipv6, {}, {}};
  const PacketEnds ends{address_at(bytes, 8, 16), address_at(bytes, 24, 16)};
  layer.set("source", address_text(ends.source.bytes.data(), 16));
  layer.set("destination", address_text(ends.destination.bytes.data(), 16));
  const Claim claim = judge_length(bytes, 40, 40 + read_u16(bytes, 4));
  const uint64_t first_word = read_u32(bytes, 0);
  set_number(layer, "version", 6, true);
  set_number(layer, "traffic-class", first_word >> 20U & 0xffU, (first_word >> 20U & 0xffU) == 0);
  set_number(layer, "flow-label", first_word & 0xfffffU, (first_word & 0xfffffU) == 0);
  set_number(layer, "payload-length", read_u16(bytes, 4), claim.believed);
  set_number(layer, "hop-limit", bytes[7]);
  set_number(layer, "next-header", bytes[6]);
  out.recipe.layers.push_back(std::move(layer));
  uint64_t next = bytes[6];
  Span content = claim.content;
  bool later_fragment = false;
  while (is_extension(next) && !later_fragment) {
    const ExtensionResult extension = dissect_extension(next, content, out.recipe);
    if (!extension.readable) break;
    next = extension.next;
    later_fragment = extension.fragment;
  }
  if (later_fragment) {
    append_payload(content, out.recipe);
  } else if (is_extension(next)) {
    append_raw(content, out.recipe);
  } else {
    dissect_transport(content, next, ends, !claim.truncated, out);
  }
  if (claim.truncated) append_sized(LayerKind::Truncate, bytes.size(), out.recipe);
  append_padding(bytes, claim.padding, out.recipe);
}

void dissect_arp(Span bytes, Recipe& recipe) {
  const bool standard = bytes.size() >= 28 && read_u16(bytes, 0) == 1 &&
                        read_u16(bytes, 2) == 0x0800 && bytes[4] == 6 && bytes[5] == 4;
  if (!standard) return append_raw(bytes, recipe);
  Layer layer{LayerKind::Arp, {}, {}};
  set_number(layer, "operation", read_u16(bytes, 6));
  layer.set("source", address_text(bytes.data() + 14, 4));
  layer.set("destination", address_text(bytes.data() + 24, 4));
  layer.set("sender-mac", mac_text(bytes.data() + 8));
  layer.set("target-mac", mac_text(bytes.data() + 18));
  recipe.layers.push_back(std::move(layer));
  append_padding(bytes, bytes.size() - 28, recipe);
}

// Marks what announces the next layer as implied when the builder would write the same.
void mark_announcements(Recipe& recipe) {
  for (size_t index = 0; index < recipe.layers.size(); ++index) {
    Layer& layer = recipe.layers[index];
    const Layer* next = index + 1 < recipe.layers.size() ? &recipe.layers[index + 1] : nullptr;
    const char* name = layer.kind == LayerKind::Ipv4 ? "protocol" : "next-header";
    if (layer.has(name)) {
      const uint64_t nothing = layer.kind == LayerKind::Ipv4 ? 253 : 59;
      uint64_t written = nothing;
      if (next != nullptr && next->kind == LayerKind::Protocol) {
        written = next->number_or("number", nothing);
      } else if (next != nullptr) {
        written = protocol_of(next->kind).value_or(nothing);
      }
      layer.set(name, *layer.find(name), layer.number_or(name, 256) == written);
    }
    if (layer.kind != LayerKind::Ethernet && layer.kind != LayerKind::Vlan) continue;
    const uint64_t type = layer.number_or("type", 0);
    const bool told = next != nullptr && ((next->kind == LayerKind::Vlan && type == 0x8100) ||
                                          (next->kind == LayerKind::Arp && type == 0x0806) ||
                                          (next->kind == LayerKind::Ipv4 && type == 0x0800) ||
                                          (next->kind == LayerKind::Ipv6 && type == 0x86dd));
    layer.set("type", *layer.find("type"), told);
  }
}

}  // namespace

void dissect_network(Span bytes, Dissection& out) {
  const unsigned version = bytes.empty() ? 0U : bytes[0] >> 4U;
  if (version == 4) {
    dissect_ipv4(bytes, out);
  } else if (version == 6) {
    dissect_ipv6(bytes, out);
  } else {
    append_raw(bytes, out.recipe);
  }
  mark_announcements(out.recipe);
}

Dissection dissect_packet(Span frame) {
  Dissection out;
  if (frame.size() < 14) {
    append_raw(frame, out.recipe);
    return out;
  }
  Layer ethernet{LayerKind::Ethernet, {}, {}};
  ethernet.set("source", mac_text(frame.data() + 6));
  ethernet.set("destination", mac_text(frame.data()));
  uint64_t type = read_u16(frame, 12);
  set_number(ethernet, "type", type);
  out.recipe.layers.push_back(std::move(ethernet));
  Span rest = frame.subspan(14);
  while (type == 0x8100 && rest.size() >= 4) {
    Layer vlan{LayerKind::Vlan, {}, {}};
    const uint64_t tag = read_u16(rest, 0);
    set_number(vlan, "id", tag & 0xfffU);
    set_number(vlan, "priority", tag >> 13U, tag >> 13U == 0);
    if ((tag & 0x1000U) != 0) vlan.set("drop-eligible", std::string(kFlagValue));
    type = read_u16(rest, 2);
    set_number(vlan, "type", type);
    out.recipe.layers.push_back(std::move(vlan));
    rest = rest.subspan(4);
  }
  const unsigned version = rest.empty() ? 0U : rest[0] >> 4U;
  if (type == 0x0800 && version == 4) {
    dissect_ipv4(rest, out);
  } else if (type == 0x86dd && version == 6) {
    dissect_ipv6(rest, out);
  } else if (type == 0x0806) {
    dissect_arp(rest, out.recipe);
  } else {
    append_raw(rest, out.recipe);
  }
  mark_announcements(out.recipe);
  return out;
}

std::string describe_packet(Span frame) { return to_text(dissect_packet(frame).recipe); }

}  // namespace masugata::test
