// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/packet_builder.h"

#include "tests/packets/byte_writer.h"
#include "tests/packets/field_values.h"
#include "tests/packets/layer_schema.h"
#include "tests/packets/packet_fragmenter.h"
#include "tests/packets/recipe_parser.h"
#include "tests/packets/transport_builder.h"
#include "tests/packets/wire_checksum.h"

namespace masugata::test {
namespace {

using Bytes = std::vector<uint8_t>;

bool is_modifier(LayerKind kind) {
  return kind == LayerKind::Cut || kind == LayerKind::Truncate || kind == LayerKind::Padding;
}

// Fault when a value is left that only a matcher understands.
Status check_closed(const Recipe& recipe) {
  for (const Layer& layer : recipe.layers) {
    for (const Field& field : layer.fields) {
      if (!is_open_value(field.value) && field.value != kWithout) continue;
      return failure(std::string(schema_of(layer.kind).keyword),
                     "'" + field.name + "' has no value that a packet could be built with");
    }
    if (layer.has("any") || layer.has("begins")) {
      return failure("payload", "payload-any and payload-begins can only be expected");
    }
  }
  return {};
}

class Builder {
 public:
  Builder(const Recipe& recipe, const LinkDefaults& link) : recipe_(recipe), link_(link) {}

  Result<Bytes> build(size_t index) {
    if (index >= recipe_.layers.size() || is_modifier(recipe_.layers[index].kind)) return Bytes{};
    const Layer& layer = recipe_.layers[index];
    if (layer.kind == LayerKind::Ipv4 || layer.kind == LayerKind::Ipv6) {
      auto status = take_ends(layer);
      if (!status) return tl::unexpected(status.error());
    }
    auto content = build(index + 1);
    if (!content) return content;
    return header_and_content(layer, index, *content);
  }

 private:
  Result<Bytes> header_and_content(const Layer& layer, size_t index, const Bytes& content) {
    switch (layer.kind) {
      case LayerKind::Ethernet:
        return ethernet(layer, index, content);
      case LayerKind::Vlan:
        return vlan(layer, index, content);
      case LayerKind::Arp:
        return arp(layer);
      case LayerKind::Ipv4:
        return ipv4(layer, index, content);
      case LayerKind::Ipv6:
        return ipv6(layer, index, content);
      case LayerKind::HopByHop:
      case LayerKind::DestinationOptions:
      case LayerKind::Routing:
      case LayerKind::Fragment:
        return extension(layer, index, content);
      case LayerKind::Payload:
        return payload(layer);
      case LayerKind::Raw:
        return *from_hex(*layer.find("bytes"));
      default:
        return build_transport(layer, content, ends_);
    }
  }

  Status take_ends(const Layer& layer) {
    if (!layer.has("source") || !layer.has("destination")) {
      return failure(std::string(schema_of(layer.kind).keyword), "SOURCE > DESTINATION is missing");
    }
    const auto source = address_bytes(*layer.find("source"));
    const auto destination = address_bytes(*layer.find("destination"));
    const size_t size = layer.kind == LayerKind::Ipv4 ? 4 : 16;
    if (!source || !destination || source->size != size || destination->size != size) {
      return failure(std::string(schema_of(layer.kind).keyword), "an address of the other family");
    }
    ends_ = {*source, *destination};
    return {};
  }

  // The EtherType that announces layer `index`.
  [[nodiscard]] uint16_t type_of(size_t index) const {
    if (index >= recipe_.layers.size()) return 0x88b5;  // IEEE 802 local experimental
    switch (recipe_.layers[index].kind) {
      case LayerKind::Vlan:
        return 0x8100;
      case LayerKind::Arp:
        return 0x0806;
      case LayerKind::Ipv4:
        return 0x0800;
      case LayerKind::Ipv6:
        return 0x86dd;
      default:
        return 0x88b5;
    }
  }

  // The protocol number that announces layer `index`.
  [[nodiscard]] uint64_t next_header(size_t index, uint8_t nothing) const {
    if (index >= recipe_.layers.size()) return nothing;
    const Layer& layer = recipe_.layers[index];
    if (layer.kind == LayerKind::Protocol) return layer.number_or("number", nothing);
    return protocol_of(layer.kind).value_or(nothing);
  }

  Result<Bytes> ethernet(const Layer& layer, size_t index, const Bytes& content) {
    const std::string* source = layer.find("source");
    const std::string* destination = layer.find("destination");
    const auto source_mac = mac_bytes(source != nullptr ? *source : link_.source_mac);
    const auto destination_mac =
        mac_bytes(destination != nullptr ? *destination : link_.destination_mac);
    if (!source_mac || !destination_mac) return failure("eth", "bad default MAC address");
    ByteWriter out;
    out.append(*destination_mac);
    out.append(*source_mac);
    out.u16(layer.number_or("type", type_of(index + 1)));
    out.append(content);
    return out.take();
  }

  Bytes vlan(const Layer& layer, size_t index, const Bytes& content) const {
    ByteWriter out;
    out.u16(layer.number_or("priority", 0) << 13U | (layer.has("drop-eligible") ? 0x1000U : 0U) |
            layer.number_or("id", 0));
    out.u16(layer.number_or("type", type_of(index + 1)));
    out.append(content);
    return out.take();
  }

  Result<Bytes> arp(const Layer& layer) const {
    if (!layer.has("source") || !layer.has("destination")) {
      return failure("arp", "SENDER > TARGET is missing");
    }
    const auto sender = address_bytes(*layer.find("source"));
    const auto target = address_bytes(*layer.find("destination"));
    const std::string* sender_text = layer.find("sender-mac");
    if (sender_text == nullptr) sender_text = recipe_.layers.front().find("source");
    const std::string* target_text = layer.find("target-mac");
    const auto sender_mac = mac_bytes(sender_text != nullptr ? *sender_text : link_.source_mac);
    const auto target_mac = mac_bytes(target_text != nullptr ? *target_text : "00:00:00:00:00:00");
    if (!sender || !target || !sender_mac || !target_mac) return failure("arp", "bad address");
    ByteWriter out;
    out.u16(1);
    out.u16(0x0800);
    out.u8(6);
    out.u8(4);
    out.u16(layer.number_or("operation", 1));
    out.append(*sender_mac);
    out.append({sender->bytes.data(), 4});
    out.append(*target_mac);
    out.append({target->bytes.data(), 4});
    return out.take();
  }

  Bytes ipv4(const Layer& layer, size_t index, const Bytes& content) const {
    ByteWriter options;
    if (const std::string* hex = layer.find("options")) options.append(*from_hex(*hex));
    options.zeros_up_to_multiple_of(4);
    const size_t header_length = 20 + options.size();
    ByteWriter out;
    out.u8(layer.number_or("version", 4) << 4U |
           layer.number_or("header-words", header_length / 4));
    out.u8(layer.number_or("tos", 0));
    out.u16(layer.number_or("total-length", header_length + content.size()));
    out.u16(layer.number_or("id", 0));
    out.u16((layer.has("reserved-flag") ? 0x8000U : 0U) | (layer.has("df") ? 0x4000U : 0U) |
            (layer.has("more") ? 0x2000U : 0U) | layer.number_or("offset", 0) / 8);
    out.u8(layer.number_or("ttl", 64));
    out.u8(layer.number_or("protocol", next_header(index + 1, 253)));
    out.u16(0);
    out.append({ends_.source.bytes.data(), 4});
    out.append({ends_.destination.bytes.data(), 4});
    out.append(options.bytes());
    constexpr size_t kChecksumOffset = 10;
    const uint16_t sum = header_checksum(out.bytes(), kChecksumOffset);
    out.put_u16(kChecksumOffset,
                layer.number_or("checksum", layer.has("bad-checksum") ? sum ^ 0x5a5aU : sum));
    out.append(content);
    return out.take();
  }

  Bytes ipv6(const Layer& layer, size_t index, const Bytes& content) const {
    ByteWriter out;
    out.u32(layer.number_or("version", 6) << 28U | layer.number_or("traffic-class", 0) << 20U |
            layer.number_or("flow-label", 0));
    out.u16(layer.number_or("payload-length", content.size()));
    out.u8(layer.number_or("next-header", next_header(index + 1, 59)));
    out.u8(layer.number_or("hop-limit", 64));
    out.append(ends_.source.bytes);
    out.append(ends_.destination.bytes);
    out.append(content);
    return out.take();
  }

  Bytes extension(const Layer& layer, size_t index, const Bytes& content) const {
    ByteWriter out;
    out.u8(layer.number_or("next-header", next_header(index + 1, 59)));
    if (layer.kind == LayerKind::Fragment) {
      const uint64_t reserved = layer.number_or("reserved-bits", 0);
      out.u8(reserved >> 2U);
      out.u16((layer.number_or("offset", 0) & 0xfff8U) | (reserved & 3U) << 1U |
              (layer.has("more") ? 1U : 0U));
      out.u32(layer.number_or("id", 0));
      out.append(content);
      return out.take();
    }
    Bytes body;
    if (layer.kind == LayerKind::Routing) {
      body.push_back(static_cast<uint8_t>(layer.number_or("type", 0)));
      body.push_back(static_cast<uint8_t>(layer.number_or("segments-left", 0)));
    }
    const std::string* hex = layer.find(layer.kind == LayerKind::Routing ? "data" : "options");
    if (hex != nullptr) {
      const auto bytes = from_hex(*hex);
      body.insert(body.end(), bytes->begin(), bytes->end());
    }
    // Padded to units of eight; PadN keeps option headers well formed (RFC 8200 4.2).
    const size_t missing = (8 - (2 + body.size()) % 8) % 8;
    if (missing == 1) body.push_back(0);
    if (missing > 1) {
      if (layer.kind != LayerKind::Routing) {
        body.push_back(1);
        body.push_back(static_cast<uint8_t>(missing - 2));
      }
      body.resize((2 + body.size() + 7) / 8 * 8 - 2);
    }
    out.u8(layer.number_or("length-units", (2 + body.size()) / 8 - 1));
    out.append(body);
    out.append(content);
    return out.take();
  }

  static Bytes payload(const Layer& layer) {
    if (const std::string* hex = layer.find("bytes")) return *from_hex(*hex);
    Bytes bytes(layer.number_or("size", 0));
    for (size_t index = 0; index < bytes.size(); ++index)
      bytes[index] = static_cast<uint8_t>(index);
    return bytes;
  }

  const Recipe& recipe_;
  const LinkDefaults& link_;
  PacketEnds ends_;
};

// Applies what stands behind the packet, in the order written.
Status apply_modifiers(const Recipe& recipe, Bytes& bytes, size_t link_length) {
  for (const Layer& layer : recipe.layers) {
    const size_t size = layer.number_or("size", 0);
    if (layer.kind == LayerKind::Truncate) {
      if (link_length + size < bytes.size()) bytes.resize(link_length + size);
    } else if (layer.kind == LayerKind::Padding) {
      const std::string* hex = layer.find("bytes");
      const Bytes padding = hex != nullptr ? *from_hex(*hex) : Bytes(size);
      bytes.insert(bytes.end(), padding.begin(), padding.end());
    } else if (layer.kind == LayerKind::Cut) {
      auto fragment = cut_fragment(bytes, link_length, layer);
      if (!fragment) return tl::unexpected(fragment.error());
      bytes = std::move(*fragment);
    }
  }
  return {};
}

Result<Bytes> build(const Recipe& recipe, const LinkDefaults& link) {
  auto status = check_closed(recipe);
  if (!status) return tl::unexpected(status.error());
  Builder builder(recipe, link);
  auto bytes = builder.build(0);
  if (!bytes) return bytes;
  size_t link_length = 0;
  for (const Layer& layer : recipe.layers) {
    if (layer.kind == LayerKind::Ethernet) link_length += 14;
    if (layer.kind == LayerKind::Vlan) link_length += 4;
  }
  status = apply_modifiers(recipe, *bytes, link_length);
  if (!status) return tl::unexpected(status.error());
  return bytes;
}

}  // namespace

Result<std::vector<uint8_t>> build_network_packet(const Recipe& recipe) {
  return build(recipe, LinkDefaults{});
}

Result<std::vector<uint8_t>> build_packet(const Recipe& recipe, const LinkDefaults& link) {
  return build(recipe, link);
}

Result<std::vector<uint8_t>> build_packet(std::string_view text, const LinkDefaults& link) {
  auto recipe = parse_recipe(text);
  if (!recipe) return tl::unexpected(recipe.error());
  return build(*recipe, link);
}

}  // namespace masugata::test
