// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/transport_describer.h"

#include <algorithm>
#include <array>
#include <string>

#include "tests/packets/byte_reader.h"
#include "tests/packets/layer_schema.h"
#include "tests/packets/wire_checksum.h"

namespace masugata::test {
namespace {

using Span = std::span<const uint8_t>;

Layer new_layer(LayerKind kind) { return Layer{kind, {}, {}}; }

void set_number(Layer& layer, std::string_view name, uint64_t value, bool implied = false) {
  layer.set(name, std::to_string(value), implied);
}

// A checksum is implied when it is right; when the packet is not whole nobody can tell.
void note_checksum(Layer& layer, uint64_t found, uint64_t right, bool complete, Dissection& out) {
  set_number(layer, "checksum", found, complete && found == right);
  if (!complete || found == right) return;
  out.defects.push_back(std::string(schema_of(layer.kind).keyword) + " checksum " +
                        std::to_string(found) + " is wrong, " + std::to_string(right) +
                        " is right");
}

std::string numbers_text(Span bytes, std::string_view between) {
  std::string text;
  for (size_t offset = 0; offset + 4 <= bytes.size(); offset += 4) {
    if (offset > 0) text += between[(offset / 4 - 1) % between.size()];
    text += std::to_string(read_u32(bytes, offset));
  }
  return text;
}

// One option that is well formed; false for those that only their bytes can tell.
bool read_known_option(Span option, Layer& layer) {
  const size_t length = option.size();
  const uint8_t kind = option[0];
  const char* name = kind == 2   ? "mss"
                     : kind == 3 ? "wscale"
                     : kind == 4 ? "sack-permitted"
                     : kind == 5 ? "sack"
                     : kind == 8 ? "ts"
                                 : "";
  if (layer.has(name)) return false;
  if (kind == 2 && length == 4) {
    set_number(layer, name, read_u16(option, 2));
  } else if (kind == 3 && length == 3) {
    set_number(layer, name, option[2]);
  } else if (kind == 4 && length == 2) {
    layer.set(name, std::string(kFlagValue));
  } else if (kind == 5 && length >= 10 && length % 8 == 2) {
    layer.set(name, numbers_text(option.subspan(2), "-,"));
  } else if (kind == 8 && length == 10) {
    layer.set(name, numbers_text(option.subspan(2), " "));
  } else {
    return false;
  }
  return true;
}

void read_tcp_options(Span options, Layer& layer) {
  auto append_bytes = [&layer](Span bytes) {
    layer.fields.push_back({"option-bytes", to_hex(bytes.data(), bytes.size()), false});
  };
  while (!options.empty()) {
    const bool only_zeros =
        std::all_of(options.begin(), options.end(), [](uint8_t byte) { return byte == 0; });
    if (only_zeros && options.size() < 4) return;
    if (options[0] == 1) {
      layer.fields.push_back({"nop", std::string(kFlagValue), false});
      options = options.subspan(1);
      continue;
    }
    const size_t length = options.size() > 1 ? options[1] : 0;
    if (options[0] == 0 || length < 2 || length > options.size()) return append_bytes(options);
    if (!read_known_option(options.first(length), layer)) append_bytes(options.first(length));
    options = options.subspan(length);
  }
}

void read_ports(Span bytes, Layer& layer) {
  set_number(layer, "source-port", read_u16(bytes, 0));
  set_number(layer, "destination-port", read_u16(bytes, 2));
}

void dissect_tcp(Span bytes, const PacketEnds& ends, bool complete, Dissection& out) {
  Layer layer = new_layer(LayerKind::Tcp);
  if (!complete && bytes.size() >= 8 && bytes.size() < 20) {
    read_ports(bytes, layer);
    set_number(layer, "seq", read_u32(bytes, 4));
    std::array<uint8_t, 20> whole{};
    std::copy(bytes.begin(), bytes.end(), whole.begin());
    if (bytes.size() > 8) set_number(layer, "ack", read_u32(whole, 8));
    if (bytes.size() > 12) set_number(layer, "header-words", whole[12] >> 4U);
    if (bytes.size() > 13) layer.set("flags", tcp_flags_text(whole[13]));
    if (bytes.size() > 14) set_number(layer, "win", read_u16(whole, 14));
    if (bytes.size() > 16) set_number(layer, "checksum", read_u16(whole, 16));
    out.recipe.layers.push_back(std::move(layer));
    return;
  }
  const size_t header_length = bytes.size() >= 20 ? (bytes[12] >> 4U) * 4U : 0;
  if (header_length < 20 || header_length > bytes.size() || (bytes[12] & 15U) != 0) {
    return append_raw(bytes, out.recipe);
  }
  read_ports(bytes, layer);
  layer.set("flags", tcp_flags_text(bytes[13]));
  set_number(layer, "seq", read_u32(bytes, 4));
  set_number(layer, "ack", read_u32(bytes, 8));
  set_number(layer, "win", read_u16(bytes, 14));
  if (read_u16(bytes, 18) != 0) set_number(layer, "urgent", read_u16(bytes, 18));
  set_number(layer, "header-words", header_length / 4, true);
  read_tcp_options(bytes.subspan(20, header_length - 20), layer);
  constexpr size_t kChecksumOffset = 16;
  note_checksum(layer, read_u16(bytes, kChecksumOffset),
                transport_checksum(bytes, kChecksumOffset, 6, ends.source, ends.destination),
                complete, out);
  out.recipe.layers.push_back(std::move(layer));
  append_payload(bytes.subspan(header_length), out.recipe);
}

void dissect_udp(Span bytes, const PacketEnds& ends, bool complete, Dissection& out) {
  if (bytes.size() < 8) return append_raw(bytes, out.recipe);
  Layer layer = new_layer(LayerKind::Udp);
  read_ports(bytes, layer);
  const uint64_t length = read_u16(bytes, 4);
  set_number(layer, "length", length, complete && length == bytes.size());
  constexpr size_t kChecksumOffset = 6;
  const uint64_t found = read_u16(bytes, kChecksumOffset);
  uint64_t right = transport_checksum(bytes, kChecksumOffset, 17, ends.source, ends.destination);
  if (right == 0) right = 0xffff;
  if (found == 0 && ends.source.size == 4) {
    set_number(layer, "checksum", 0);
  } else {
    note_checksum(layer, found, right, complete, out);
  }
  out.recipe.layers.push_back(std::move(layer));
  append_payload(bytes.subspan(8), out.recipe);
}

// The four bytes whose meaning depends on the type.
void read_icmp_rest(Span bytes, Layer& layer) {
  const bool icmp6 = layer.kind == LayerKind::Icmp6;
  const uint8_t type = bytes[0];
  const uint64_t rest = read_u32(bytes, 4);
  const bool echo =
      icmp6 ? type == 128 || type == 129 : type == 0 || type == 8 || type == 13 || type == 14;
  if (echo) {
    set_number(layer, "id", read_u16(bytes, 4));
    set_number(layer, "seq", read_u16(bytes, 6));
  } else if (icmp6 ? type == 2 : type == 3 && bytes[1] == 4) {
    set_number(layer, "mtu", rest);
  } else if (icmp6 && type == 4) {
    set_number(layer, "pointer", rest);
  } else if (!icmp6 && type == 12 && (rest & 0xffffffU) == 0) {
    set_number(layer, "pointer", rest >> 24U);
  } else if (!icmp6 && type == 5) {
    layer.set("gateway", address_text(bytes.data() + 4, 4));
  } else if (rest != 0) {
    set_number(layer, "rest", rest);
  }
}

// Reads target and link-layer address of neighbour discovery; returns the bytes behind them.
Span read_neighbour_discovery(Span body, uint8_t type, Layer& layer) {
  if (layer.kind != LayerKind::Icmp6 || (type != 135 && type != 136) || body.size() < 16)
    return body;
  layer.set("target", address_text(body.data(), 16));
  body = body.subspan(16);
  const uint8_t option = type == 136 ? 2 : 1;
  if (body.size() < 8 || body[0] != option || body[1] != 1) return body;
  layer.set("link-address", mac_text(body.data() + 2));
  return body.subspan(8);
}

void dissect_icmp(Span bytes, LayerKind kind, const PacketEnds& ends, bool complete,
                  Dissection& out) {
  if (bytes.size() < 8) return append_raw(bytes, out.recipe);
  Layer layer = new_layer(kind);
  set_number(layer, "type", bytes[0]);
  set_number(layer, "code", bytes[1]);
  read_icmp_rest(bytes, layer);
  constexpr size_t kChecksumOffset = 2;
  const uint64_t right =
      kind == LayerKind::Icmp
          ? header_checksum(bytes, kChecksumOffset)
          : transport_checksum(bytes, kChecksumOffset, 58, ends.source, ends.destination);
  Span body = read_neighbour_discovery(bytes.subspan(8), bytes[0], layer);
  note_checksum(layer, read_u16(bytes, kChecksumOffset), right, complete, out);
  if (icmp_quotes(kind == LayerKind::Icmp6, bytes[0]) && complete && body.size() > 0) {
    Dissection quote;
    dissect_network(body, quote);
    layer.quoted.push_back(std::move(quote.recipe));
    for (const std::string& defect : quote.defects) out.defects.push_back("quoted " + defect);
    body = {};
  }
  out.recipe.layers.push_back(std::move(layer));
  append_payload(body, out.recipe);
}

void dissect_sctp(Span bytes, bool complete, Dissection& out) {
  if (bytes.size() < 12) return append_raw(bytes, out.recipe);
  Layer layer = new_layer(LayerKind::Sctp);
  read_ports(bytes, layer);
  set_number(layer, "tag", read_u32(bytes, 4));
  note_checksum(layer, read_u32(bytes, 8), sctp_checksum(bytes), complete, out);
  out.recipe.layers.push_back(std::move(layer));
  append_payload(bytes.subspan(12), out.recipe);
}

}  // namespace

void append_payload(Span bytes, Recipe& recipe) {
  if (bytes.empty()) return;
  Layer layer = new_layer(LayerKind::Payload);
  layer.set("bytes", to_hex(bytes.data(), bytes.size()));
  set_number(layer, "size", bytes.size(), true);
  recipe.layers.push_back(std::move(layer));
}

void append_raw(Span bytes, Recipe& recipe) {
  Layer layer = new_layer(LayerKind::Raw);
  layer.set("bytes", to_hex(bytes.data(), bytes.size()));
  recipe.layers.push_back(std::move(layer));
}

void dissect_transport(Span bytes, uint64_t protocol, const PacketEnds& ends, bool complete,
                       Dissection& out) {
  if (protocol == 6) return dissect_tcp(bytes, ends, complete, out);
  if (protocol == 17) return dissect_udp(bytes, ends, complete, out);
  if (protocol == 1) return dissect_icmp(bytes, LayerKind::Icmp, ends, complete, out);
  if (protocol == 58) return dissect_icmp(bytes, LayerKind::Icmp6, ends, complete, out);
  if (protocol == 132) return dissect_sctp(bytes, complete, out);
  if (protocol != 59 && protocol != 253) {
    Layer layer = new_layer(LayerKind::Protocol);
    set_number(layer, "number", protocol);
    out.recipe.layers.push_back(std::move(layer));
  }
  append_payload(bytes, out.recipe);
}

}  // namespace masugata::test
