// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packets/transport_builder.h"

#include "tests/packets/byte_writer.h"
#include "tests/packets/layer_schema.h"
#include "tests/packets/wire_checksum.h"

namespace masugata::test {
namespace {

// A canonical list of numbers; every other character separates.
std::vector<uint64_t> numbers_of(const std::string& text) {
  std::vector<uint64_t> numbers;
  uint64_t number = 0;
  for (const char letter : text + " ") {
    if (letter >= '0' && letter <= '9') {
      number = number * 10 + static_cast<uint64_t>(letter - '0');
    } else {
      numbers.push_back(number);
      number = 0;
    }
  }
  return numbers;
}

void append_tcp_option(ByteWriter& out, const Layer& layer, const Field& field) {
  if (field.name == "mss") {
    out.u16(0x0204);
    out.u16(layer.number_or("mss", 0));
  } else if (field.name == "wscale") {
    out.u16(0x0303);
    out.u8(layer.number_or("wscale", 0));
  } else if (field.name == "sack-permitted") {
    out.u16(0x0402);
  } else if (field.name == "nop") {
    out.u8(1);
  } else if (field.name == "option-bytes") {
    out.append(*from_hex(field.value));
  } else if (field.name == "ts" || field.name == "sack") {
    const auto numbers = numbers_of(field.value);
    out.u8(field.name == "ts" ? 8 : 5);
    out.u8(2 + numbers.size() * 4);
    for (const uint64_t number : numbers) out.u32(number);
  }
}

void set_checksum(ByteWriter& out, const Layer& layer, size_t field_offset, uint16_t computed) {
  if (layer.has("checksum")) {
    computed = static_cast<uint16_t>(layer.number_or("checksum", 0));
  } else if (layer.has("bad-checksum")) {
    // Neither zero (UDP: none) nor another form of the same sum.
    computed = computed == 0x5a5a ? uint16_t{0x5a5b} : uint16_t{0x5a5a};
  }
  out.put_u16(field_offset, computed);
}

std::vector<uint8_t> build_tcp(const Layer& layer, std::span<const uint8_t> content,
                               const PacketEnds& ends) {
  ByteWriter options;
  for (const Field& field : layer.fields) append_tcp_option(options, layer, field);
  options.zeros_up_to_multiple_of(4);

  ByteWriter out;
  out.u16(layer.number_or("source-port", 0));
  out.u16(layer.number_or("destination-port", 0));
  out.u32(layer.number_or("seq", 0));
  out.u32(layer.number_or("ack", 0));
  out.u8(layer.number_or("header-words", (20 + options.size()) / 4) << 4U);
  const std::string* flags = layer.find("flags");
  out.u8(tcp_flags_byte(flags != nullptr ? *flags : "S").value_or(0));
  out.u16(layer.number_or("win", 64240));
  out.u16(0);
  out.u16(layer.number_or("urgent", 0));
  out.append(options.bytes());
  out.append(content);
  constexpr size_t kChecksumOffset = 16;
  set_checksum(out, layer, kChecksumOffset,
               transport_checksum(out.bytes(), kChecksumOffset, 6, ends.source, ends.destination));
  return out.take();
}

std::vector<uint8_t> build_udp(const Layer& layer, std::span<const uint8_t> content,
                               const PacketEnds& ends) {
  ByteWriter out;
  out.u16(layer.number_or("source-port", 0));
  out.u16(layer.number_or("destination-port", 0));
  out.u16(layer.number_or("length", (8 + content.size()) & 0xffff));
  out.u16(0);
  out.append(content);
  constexpr size_t kChecksumOffset = 6;
  uint16_t sum =
      transport_checksum(out.bytes(), kChecksumOffset, 17, ends.source, ends.destination);
  if (sum == 0) sum = 0xffff;  // zero says that there is none (RFC 768)
  set_checksum(out, layer, kChecksumOffset, sum);
  return out.take();
}

uint64_t rest_of_icmp_header(const Layer& layer) {
  if (layer.has("rest")) return layer.number_or("rest", 0);
  if (layer.has("mtu")) return layer.number_or("mtu", 0);
  if (layer.has("pointer")) {
    return layer.kind == LayerKind::Icmp ? layer.number_or("pointer", 0) << 24U
                                         : layer.number_or("pointer", 0);
  }
  if (const std::string* gateway = layer.find("gateway")) {
    const auto address = address_bytes(*gateway);
    uint64_t value = 0;
    for (size_t index = 0; address && index < 4; ++index)
      value = value << 8U | address->bytes[index];
    return value;
  }
  return layer.number_or("id", 0) << 16U | layer.number_or("seq", 0);
}

Result<std::vector<uint8_t>> build_icmp(const Layer& layer, std::span<const uint8_t> content,
                                        const PacketEnds& ends) {
  ByteWriter out;
  out.u8(layer.number_or("type", 0));
  out.u8(layer.number_or("code", 0));
  out.u16(0);
  out.u32(rest_of_icmp_header(layer));
  if (const std::string* target = layer.find("target")) {
    const auto address = address_bytes(*target);
    if (address) out.append({address->bytes.data(), address->size});
  }
  if (const std::string* text = layer.find("link-address")) {
    const auto mac = mac_bytes(*text);
    out.u8(layer.number_or("type", 0) == 136 ? 2 : 1);  // target or source link-layer address
    out.u8(1);
    if (mac) out.append(*mac);
  }
  for (const Recipe& quoted : layer.quoted) {
    auto packet = build_network_packet(quoted);
    if (!packet) return packet;
    out.append(*packet);
  }
  out.append(content);
  constexpr size_t kChecksumOffset = 2;
  const uint16_t sum =
      layer.kind == LayerKind::Icmp
          ? header_checksum(out.bytes(), kChecksumOffset)
          : transport_checksum(out.bytes(), kChecksumOffset, 58, ends.source, ends.destination);
  set_checksum(out, layer, kChecksumOffset, sum);
  return out.take();
}

std::vector<uint8_t> build_sctp(const Layer& layer, std::span<const uint8_t> content) {
  ByteWriter out;
  out.u16(layer.number_or("source-port", 0));
  out.u16(layer.number_or("destination-port", 0));
  out.u32(layer.number_or("tag", 0));
  out.u32(0);
  out.append(content);
  const uint64_t sum = layer.number_or("checksum", sctp_checksum(out.bytes()));
  out.put_u16(8, sum >> 16U);
  out.put_u16(10, sum);
  return out.take();
}

}  // namespace

Result<std::vector<uint8_t>> build_transport(const Layer& layer, std::span<const uint8_t> content,
                                             const PacketEnds& ends) {
  switch (layer.kind) {
    case LayerKind::Tcp:
      return build_tcp(layer, content, ends);
    case LayerKind::Udp:
      return build_udp(layer, content, ends);
    case LayerKind::Icmp:
    case LayerKind::Icmp6:
      return build_icmp(layer, content, ends);
    case LayerKind::Sctp:
      return build_sctp(layer, content);
    default:
      return std::vector<uint8_t>(content.begin(), content.end());
  }
}

}  // namespace masugata::test
